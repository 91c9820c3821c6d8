"""Pipelines and transactions by the asyncio client."""

import asyncio

import redis

from _client import CROSS_SLOT, connect_async
from workload import SHARDED, expect, refused


async def main():
    client, other = connect_async(), connect_async()
    async with client.pipeline(transaction=False) as pipe:
        for number in range(300):
            pipe.set(f"key:{number}", number).get(f"key:{number}")
        replies = await pipe.execute()
    expect("without a transaction", replies, [reply for number in range(300) for reply in (True, b"%d" % number)])
    async with client.pipeline(transaction=True) as pipe:
        expect("with one", await pipe.set("{t}a", 1).incr("{t}a").get("{t}a").execute(), [True, 2, b"2"])
        for number in range(40):
            pipe.set(f"far:{number}", number)
        if SHARDED:
            with refused("over several nodes", CROSS_SLOT, "must live on one node"):
                await pipe.execute()
        else:
            expect("over one node", await pipe.execute(), [True] * 40)
        expect("the pipeline goes on", await pipe.get("{t}a").execute(), [b"2"])

    attempts = []

    async def raise_it(pipe):
        value = int(await pipe.get("{t}a"))
        if not attempts:
            await other.incr("{t}a")
        attempts.append(value)
        pipe.multi()
        pipe.set("{t}a", value * 10)

    expect("`transaction`", await client.transaction(raise_it, "{t}a"), [True])
    expect("its attempts", attempts, [2, 3])
    expect("its result", await client.get("{t}a"), b"30")
    async with client.pipeline() as pipe:
        await pipe.watch("{t}a")
        await other.set("{t}a", "changed")
        pipe.multi()
        pipe.set("{t}a", "lost")
        with refused("WATCH by hand", redis.WatchError):
            await pipe.execute()
    expect("somebody else's value stays", await client.get("{t}a"), b"changed")
    await client.close()
    await other.close()


asyncio.run(main())
