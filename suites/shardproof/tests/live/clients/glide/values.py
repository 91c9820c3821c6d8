"""Values and keys of applications, by Valkey's client with a core in Rust."""

from glide_sync import RangeByIndex, RequestError, Script

from _client import connect
from workload import SHARDED, expect, refused

client = connect()
expect("SET", client.set("user:1", "Ada"), "OK")
expect("GET", [client.get("user:1"), client.get("none")], [b"Ada", None])
expect("INCR", [client.incr("visits"), client.incrby("visits", 41)], [1, 42])
expect("HSET", client.hset("cart", {"apple": "2", "pear": "1"}), 2)
expect("HGETALL", client.hgetall("cart"), {b"apple": b"2", b"pear": b"1"})
expect("RPUSH", client.rpush("queue", ["a", "b"]), 2)
expect("LPOP", [client.lpop("queue"), client.lrange("queue", 0, -1)], [b"a", [b"b"]])
expect("a set", [client.sadd("tags", ["red", "red"]), client.smembers("tags")], [1, {b"red"}])
expect("ZADD", client.zadd("scores", {"ada": 1.5, "bob": 0.5}), 2)
expect("ZRANGE WITHSCORES", client.zrange_withscores("scores", RangeByIndex(0, -1)), {b"bob": 0.5, b"ada": 1.5})
expect("ZSCORE", [client.zscore("scores", "ada"), client.zscore("scores", "zoe")], [1.5, None])
values = {f"item:{number}": f"value {number}" for number in range(200)}
expect("MSET", client.mset(values), "OK")
expect("MGET", client.mget(list(values)), [value.encode() for value in values.values()])
cursor, found = b"0", []
while True:
    cursor, part = client.scan(cursor, match="item:*", count=50)
    found += part
    if cursor == b"0":
        break
expect("SCAN", sorted(set(found)), sorted(key.encode() for key in values))
expect("DEL", [client.delete([*values, "none"]), client.dbsize()], [200, 6])
large = bytes(range(256)) * 4096
expect("1 MB", [client.set(b"\0\xff\r\n", large), client.get(b"\0\xff\r\n") == large], ["OK", True])
script = Script("return {KEYS[1], ARGV[1]}")
for number in range(20):
    expect(f"a script, {number}", client.invoke_script(script, keys=[f"s{number}"], args=["x"]), [b"s%d" % number, b"x"])
expect("INFO", b"redis_version" in client.info(), True)
expect("the name", client.client_getname(), b"glide")
expect("PING", client.ping(), b"PONG")
with refused("INCR of a word", RequestError, "not an integer"):
    client.incr("user:1")
if SHARDED:
    with refused("PUBLISH", RequestError, "pub/sub has no single node"):
        client.publish("hello", "news")
expect("the client goes on", client.get("user:1"), b"Ada")
client.close()
