"""Every type of value, as applications use them: strings that expire, counters, hashes, lists, sets, bytes."""

import time
from datetime import timedelta

import redis

from _client import connect
from workload import expect, refused

client = connect()

# Strings.
expect("SET", client.set("user:1", "Ada"), True)
expect("GET", client.get("user:1"), b"Ada")
expect("GET of what is not there", client.get("user:2"), None)
expect("SET NX of what is there", client.set("user:1", "Bob", nx=True), None)
expect("SET GET", client.set("user:1", "Bob", get=True), b"Ada")
expect("APPEND", client.append("user:1", "by"), 5)
expect("GETRANGE", client.getrange("user:1", 0, 2), b"Bob")
expect("SETRANGE", client.setrange("user:1", 3, "!!"), 5)
expect("STRLEN", client.strlen("user:1"), 5)
expect("GETDEL", client.getdel("user:1"), b"Bob!!")
expect("TYPE after GETDEL", client.type("user:1"), b"none")

# Keys that expire.
expect("SETEX", client.setex("session:1", timedelta(hours=1), "open"), True)
expect("TTL", 3590 < client.ttl("session:1") <= 3600, True)
expect("GETEX", client.getex("session:1", ex=60), b"open")
expect("TTL after GETEX", 50 < client.ttl("session:1") <= 60, True)
expect("EXPIRE", client.expire("session:1", 120), True)
expect("PERSIST", client.persist("session:1"), True)
expect("TTL of what does not expire", client.ttl("session:1"), -1)
expect("SET PX", client.set("flash", "gone soon", px=30), True)
until = time.monotonic() + 10
while client.exists("flash"):
    expect("it expires", time.monotonic() < until, True)

# Counters.
expect("INCR", client.incr("visits"), 1)
expect("INCRBY", client.incr("visits", 41), 42)
expect("DECRBY", client.decr("visits", 2), 40)
expect("INCRBYFLOAT", client.incrbyfloat("price", 10.5), 10.5)
expect("INCRBYFLOAT again", client.incrbyfloat("price", -0.25), 10.25)
expect("a counter is text", client.get("visits"), b"40")
client.set("word", "five")
with refused("INCR of a word", redis.ResponseError, "value is not an integer or out of range"):
    client.incr("word")

# Hashes.
expect("HSET", client.hset("cart:7", mapping={"apple": 2, "pear": 1, "fig": "12"}), 3)
expect("HINCRBY", client.hincrby("cart:7", "apple", 3), 5)
expect("HINCRBYFLOAT", client.hincrbyfloat("cart:7", "weight", 1.5), 1.5)
expect("HGETALL", client.hgetall("cart:7"), {b"apple": b"5", b"pear": b"1", b"fig": b"12", b"weight": b"1.5"})
expect("HMGET", client.hmget("cart:7", "pear", "plum", "fig"), [b"1", None, b"12"])
expect("HDEL", client.hdel("cart:7", "pear", "plum"), 1)
expect("HEXISTS", client.hexists("cart:7", "pear"), False)
expect("HSCAN", dict(client.hscan_iter("cart:7", match="*i*")), {b"fig": b"12", b"weight": b"1.5"})

# Lists.
expect("RPUSH", client.rpush("queue", "a", "b", "c"), 3)
expect("LPUSH", client.lpush("queue", "first"), 4)
expect("LRANGE", client.lrange("queue", 0, -1), [b"first", b"a", b"b", b"c"])
expect("LPOP", client.lpop("queue"), b"first")
expect("RPOP of several", client.rpop("queue", 2), [b"c", b"b"])
expect("LPOP of an empty list", [client.lpop("queue"), client.lpop("queue")], [b"a", None])
expect("LPOP of several, of none", client.lpop("queue", 2), None)

# Sets.
expect("SADD", client.sadd("tags", "red", "green", "red"), 2)
expect("SMEMBERS", client.smembers("tags"), {b"red", b"green"})
expect("SISMEMBER", bool(client.sismember("tags", "red")), True)
expect("SMISMEMBER", client.smismember("tags", ["red", "blue"]), [1, 0])
expect("SADD to two", [client.sadd("{t}1", "x", "y"), client.sadd("{t}2", "y")], [2, 1])
expect("SINTER on one node", client.sinter("{t}1", "{t}2"), {b"y"})

# Sorted sets: scores are floats, and infinite ones are too.
expect("ZADD", client.zadd("scores", {"ada": 1.5, "bob": 2, "eve": float("inf")}), 3)
expect("ZINCRBY", client.zincrby("scores", 0.25, "ada"), 1.75)
expect("ZADD INCR", client.zadd("scores", {"ada": 0.25}, incr=True), 2.0)
expect("ZSCORE", client.zscore("scores", "eve"), float("inf"))
expect("ZSCORE of nobody", client.zscore("scores", "zoe"), None)
expect("ZMSCORE", client.zmscore("scores", ["bob", "zoe"]), [2.0, None])
# Pairs are tuples or lists, depending on the version and the protocol.
pairs = [tuple(pair) for pair in client.zrange("scores", 0, -1, withscores=True)]
expect("ZRANGE WITHSCORES", pairs, [(b"ada", 2.0), (b"bob", 2.0), (b"eve", float("inf"))])
expect("ZRANGEBYSCORE", client.zrangebyscore("scores", 2, "+inf", start=0, num=2), [b"ada", b"bob"])
expect("ZRANK", client.zrank("scores", "bob"), 1)
expect("ZPOPMAX", [tuple(pair) for pair in client.zpopmax("scores")], [(b"eve", float("inf"))])
expect("ZSCAN", sorted(client.zscan_iter("scores")), [(b"ada", 2.0), (b"bob", 2.0)])

# Other counting types.
expect("SETBIT and BITCOUNT", [client.setbit("days", 300, 1), client.bitcount("days")], [0, 1])
expect("PFADD and PFCOUNT", [client.pfadd("seen", "a", "b", "a"), client.pfcount("seen")], [1, 2])
expect("GEOADD", client.geoadd("places", (13.361389, 38.115556, "Palermo", 15.087269, 37.502669, "Catania")), 2)
expect("GEODIST", round(client.geodist("places", "Palermo", "Catania", unit="km")), 166)

# Bytes of every value in key, field and value, and a large value.
every = bytes(range(256)) + b"\r\n$-1\r\n"
expect("SET of bytes", client.set(every, every), True)
expect("GET of bytes", client.get(every), every)
expect("HSET of bytes", client.hset("h\N{SNOWMAN}", every, every), 1)
expect("HGETALL of bytes", client.hgetall("h\N{SNOWMAN}"), {every: every})
large = every * 4000
expect("SET of 1 MB", client.set("large", large), True)
expect("GET of 1 MB", client.get("large") == large, True)
expect("the empty value", [client.set("empty", b""), client.get("empty")], [True, b""])

with refused("a list is no string", redis.ResponseError, "wrong kind of value"):
    client.get("tags")
expect("the client goes on", client.get("word"), b"five")
