"""Many keys at once, on all nodes: written, read, counted, found by SCAN and removed."""

from _client import connect
from workload import expect

client = connect()
names = [f"item:{number}" for number in range(300)]
values = {name: f"value of {name}" for name in names}

expect("MSET", client.mset(values), True)
expect("MGET", client.mget(names), [value.encode() for value in values.values()])
expect("MGET of some", client.mget("item:5", "none", "item:5"), [b"value of item:5", None, b"value of item:5"])
expect("DBSIZE", client.dbsize(), 300)
expect("EXISTS", client.exists(*names[:10], "none"), 10)
expect("TOUCH", client.touch(*names[:10], "none"), 10)
expect("SCAN", sorted(client.scan_iter()), sorted(name.encode() for name in names))
expect("SCAN in large steps", len(set(client.scan_iter(count=1000))), 300)
expect("SCAN MATCH", set(client.scan_iter(match="item:29?")), {b"item:29%d" % digit for digit in range(10)})
expect("KEYS", len(client.keys("item:1*")), 111)
expect("RANDOMKEY", client.randomkey().decode() in values, True)

client.rpush("a:list", "x")
expect("SCAN TYPE", list(client.scan_iter(_type="list")), [b"a:list"])
expect("SCAN in small steps", list(client.scan_iter(match="a:*", count=7)), [b"a:list"])

client.set("{r}old", "1")
expect("RENAME on one node", [client.rename("{r}old", "{r}new"), client.get("{r}new")], [True, b"1"])
expect("COPY on one node", client.copy("{r}new", "{r}copy"), True)
expect("DUMP and RESTORE", client.restore("again", 0, client.dump("{r}new")), b"OK")
expect("OBJECT ENCODING", client.object("encoding", "{r}new"), b"int")
expect("MEMORY USAGE", client.memory_usage("{r}new") > 0, True)
expect("SORT", [client.rpush("numbers", 3, 1, 2), client.sort("numbers", desc=True)], [3, [b"3", b"2", b"1"]])

expect("as a dictionary", [client["item:7"], "item:7" in client, "none" in client], [b"value of item:7", True, False])
try:
    client["none"]
except KeyError:
    pass
else:
    raise AssertionError("a KeyError was expected")

expect("DEL of many", client.delete(*names[:150], "none"), 150)
expect("UNLINK of many", client.unlink(*names[150:], "none"), 150)
expect("MGET of what is gone", set(client.mget(names)), {None})
expect("FLUSHDB", [client.flushdb(), client.dbsize(), list(client.scan_iter())], [True, 0, []])
