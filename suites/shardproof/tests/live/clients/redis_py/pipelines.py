"""Pipelines without a transaction: hundreds of requests in one write, replies in their order, errors in their place."""

import redis

from _client import connect
from workload import SHARDED, expect, refused

client = connect()

with client.pipeline(transaction=False) as pipe:
    for number in range(500):
        pipe.set(f"key:{number}", number, ex=60).get(f"key:{number}").incr(f"key:{number}")
    replies = pipe.execute()
wanted = [reply for number in range(500) for reply in (True, b"%d" % number, number + 1)]
expect("SET, GET, INCR of 500 keys", replies, wanted)

# A worker as in many applications: it writes its input in batches.
pipe = client.pipeline(transaction=False)
for batch in range(5):
    for number in range(100):
        pipe.hset(f"user:{number}", mapping={"batch": batch, "number": number})
        pipe.expire(f"user:{number}", 60)
    expect(f"batch {batch}", pipe.execute(), [2 if batch == 0 else 0, True] * 100)
expect("what it wrote", client.hgetall("user:99"), {b"batch": b"4", b"number": b"99"})

pipe.set("word", "five").incr("word").get("word")
expect("an error in its place", [str(reply) for reply in pipe.execute(raise_on_error=False)],
       ["True", "value is not an integer or out of range", "b'five'"])
pipe.incr("word").set("word", "six")
with refused("an error is raised", redis.ResponseError, "Command # 1 (INCRBY word 1) of pipeline caused error"):
    pipe.execute()
expect("and what follows it was done", client.get("word"), b"six")

# Requests to one, to many and to all nodes in one pipeline.
pipe.mset({f"m:{number}": number for number in range(50)}).mget([f"m:{number}" for number in range(50)])
pipe.get("m:49").delete(*(f"m:{number}" for number in range(50))).dbsize().ping()
expect("the large among the small", pipe.execute(),
       [True, [b"%d" % number for number in range(50)], b"49", 50, 601, True])

pipe.set("before", 1).publish("news", "x").get("before")
replies = pipe.execute(raise_on_error=False)
expect("the neighbours of a refused request", [replies[0], replies[2]], [True, b"1"])
expect("it is refused alone", isinstance(replies[1], redis.ResponseError), SHARDED)
