"""MULTI and EXEC by pipelines, WATCH by hand and by `transaction`, with somebody else who writes meanwhile.

The keys of a transaction live on one node: those of one hash tag do. A transaction over several nodes is refused.
"""

import redis

from _client import CROSS_SLOT, connect
from workload import SHARDED, expect, refused

client, other = connect(), connect()

with client.pipeline() as pipe:
    pipe.set("{bill}total", 10).incr("{bill}total").rpush("{bill}lines", "tea", "cake").lrange("{bill}lines", 0, -1)
    expect("a transaction", pipe.execute(), [True, 11, 2, [b"tea", b"cake"]])
    pipe.set("{bill}word", "five").incr("{bill}word").get("{bill}word")
    with refused("an error in a transaction", redis.ResponseError, "Command # 2 (INCRBY {bill}word 1) of pipeline"):
        pipe.execute()
    expect("what follows it was done", pipe.get("{bill}word").execute(), [b"five"])
    pipe.set("{bill}word", "six").execute_command("SET", "{bill}word")
    with refused("one that cannot be queued", redis.ResponseError, "Command # 2", "wrong number of arguments"):
        pipe.execute()
expect("nothing of it was done", client.get("{bill}word"), b"five")
expect("an empty one", client.pipeline().execute(), [])

for tag in range(20):
    pipe = client.pipeline(transaction=True)
    pipe.incr(f"{{t{tag}}}a").incr(f"{{t{tag}}}b", 2).mget(f"{{t{tag}}}a", f"{{t{tag}}}b")
    expect(f"one for each tag, {tag}", pipe.execute(), [1, 2, [b"1", b"2"]])

# Over several nodes.
pipe = client.pipeline()
for number in range(40):
    pipe.set(f"far:{number}", number)
if SHARDED:
    with refused("over several nodes", CROSS_SLOT, "must live on one node"):
        pipe.execute()
    expect("nothing of it was done", client.mget([f"far:{number}" for number in range(40)]), [None] * 40)
else:
    expect("over one node", pipe.execute(), [True] * 40)
expect("the client goes on", [client.set("far:0", "x"), client.get("far:0")], [True, b"x"])


# Check and set: the first attempt loses, because another client writes in between; the second one wins.
attempts = []


def sell(pipe):
    stock = int(pipe.get("{shop}stock"))
    if not attempts:
        other.decr("{shop}stock")
    attempts.append(stock)
    pipe.multi()
    pipe.set("{shop}stock", stock - 1)
    pipe.rpush("{shop}sold", stock)


client.set("{shop}stock", 10)
expect("`transaction`", client.transaction(sell, "{shop}stock"), [True, 1])
expect("its attempts", attempts, [10, 9])
expect("its result", [client.get("{shop}stock"), client.lrange("{shop}sold", 0, -1)], [b"8", [b"9"]])

with client.pipeline() as pipe:
    pipe.watch("{shop}stock", "{shop}sold")
    other.rpush("{shop}sold", "x")
    pipe.multi()
    pipe.set("{shop}stock", 0)
    with refused("WATCH by hand", redis.WatchError):
        pipe.execute()
    pipe.watch("{shop}stock")
    other.incr("{shop}stock")
    pipe.unwatch()
    expect("after UNWATCH", pipe.set("{shop}stock", 3).execute(), [True])
    pipe.watch("{shop}stock")
    expect("read while watching", pipe.get("{shop}stock"), b"3")
expect("`with` takes its WATCH back", client.get("{shop}stock"), b"3")
