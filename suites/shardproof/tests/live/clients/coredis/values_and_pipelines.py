"""Values, keys, pipelines and transactions, by coredis, whose asyncio client sends many requests over one connection."""

import asyncio

from coredis.exceptions import ClusterCrossSlotError, ResponseError

from _client import connect
from workload import SHARDED, expect, refused


async def values(client):
    expect("SET", await client.set("user:1", "Ada", ex=60), True)
    expect("GET", [await client.get("user:1"), await client.get("none")], ["Ada", None])
    expect("HSET", [await client.hset("cart", {"apple": 2}), await client.hgetall("cart")], [1, {"apple": "2"}])
    expect("ZADD", await client.zadd("scores", {"ada": 1.5, "bob": 0.5}), 2)
    members = [(member.member, member.score) for member in await client.zrange("scores", 0, -1, withscores=True)]
    expect("ZRANGE WITHSCORES", members, [("bob", 0.5), ("ada", 1.5)])
    items = {f"item:{number}": f"value {number}" for number in range(200)}
    expect("MSET", await client.mset(items), True)
    expect("MGET", list(await client.mget(list(items))), list(items.values()))
    expect("SCAN", sorted([key async for key in client.scan_iter(match="item:*")]), sorted(items))
    got = await asyncio.gather(*(client.get(key) for key in items))
    expect("tasks", got, list(items.values()))
    expect("DEL", [await client.delete([*items, "none"]), await client.dbsize()], [200, 3])
    script = client.register_script("return {KEYS[1], ARGV[1]}")
    for number in range(20):
        expect(f"a script, {number}", list(await script(keys=[f"s{number}"], args=["x"])), [f"s{number}", "x"])
    with refused("INCR of a word", ResponseError, "not an integer"):
        await client.incr("user:1")
    if SHARDED:
        with refused("PUBLISH", ResponseError, "pub/sub has no single node"):
            await client.publish("news", "hello")


async def pipelines(client):
    async with client.pipeline(transaction=False) as pipe:
        replies = [pipe.set(f"key:{number}", number) for number in range(300)] + [pipe.get("key:299")]
    expect("a pipeline", [await reply for reply in replies], [True] * 300 + ["299"])
    async with client.pipeline(transaction=True) as pipe:
        replies = [pipe.set("{t}a", 1), pipe.incr("{t}a"), pipe.rpush("{t}b", ["x"])]
    expect("a transaction", [await reply for reply in replies], [True, 2, 1])
    if SHARDED:
        with refused("over several nodes", ClusterCrossSlotError, "must live on one node"):
            async with client.pipeline(transaction=True) as pipe:
                for number in range(40):
                    pipe.set(f"far:{number}", number)
        expect("nothing of it was done", await client.exists([f"far:{number}" for number in range(40)]), 0)
    expect("the client goes on", await client.get("user:1"), "Ada")


async def main():
    async with connect(decode_responses=True, client_name="coredis") as client:
        await values(client)
        await pipelines(client)
    async with connect() as client:
        large = bytes(range(256)) * 4096
        expect("1 MB", [await client.set(b"\0\xff\r\n", large), await client.get(b"\0\xff\r\n") == large], [True, True])


asyncio.run(main())
