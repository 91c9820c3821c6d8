"""The values and keys of applications, by the asyncio client."""

import asyncio

from _client import connect_async
from workload import expect


async def main():
    client = connect_async(decode_responses=True)
    expect("SET", await client.set("user:1", "Ada", ex=60), True)
    expect("GET", await client.get("user:1"), "Ada")
    expect("INCR", await client.incr("visits"), 1)
    expect("HSET", await client.hset("cart", mapping={"apple": 2, "pear": 1}), 2)
    expect("HGETALL", await client.hgetall("cart"), {"apple": "2", "pear": "1"})
    expect("RPUSH", await client.rpush("queue", "a", "b"), 2)
    expect("LPOP", [await client.lpop("queue"), await client.lrange("queue", 0, -1)], ["a", ["b"]])
    expect("SADD", [await client.sadd("tags", "red", "red"), await client.smembers("tags")], [1, {"red"}])
    expect("ZADD", await client.zadd("scores", {"ada": 1.5, "bob": 0.5}), 2)
    pairs = [tuple(pair) for pair in await client.zrange("scores", 0, -1, withscores=True)]
    expect("ZRANGE WITHSCORES", pairs, [("bob", 0.5), ("ada", 1.5)])
    values = {f"item:{number}": str(number) for number in range(200)}
    expect("MSET", await client.mset(values), True)
    expect("MGET", await client.mget(values), list(values.values()))
    found = [key async for key in client.scan_iter(match="item:*", count=50)]
    expect("SCAN", sorted(found), sorted(values))
    expect("DEL", await client.delete(*values, "none"), 200)
    expect("DBSIZE", await client.dbsize(), 6)
    script = client.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    for number in range(20):
        expect(f"a script, {number}", await script(keys=[f"s{number}"], args=[3]), 3)
    async with client.lock("lock:1", timeout=30):
        expect("a lock", await client.exists("lock:1"), 1)
    expect("it is released", await client.exists("lock:1"), 0)
    await client.close()

    binary = connect_async()
    large = bytes(range(256)) * 4096
    expect("1 MB", [await binary.set(b"\0\xff\r\n", large), await binary.get(b"\0\xff\r\n") == large], [True, True])
    await binary.close()


asyncio.run(main())
