"""What tools ask about a server: its clients, its modules, its slow requests, its keys."""

import redis

from _client import connect
from workload import expect

client = connect(client_name="tool")
text = lambda value: value.decode() if isinstance(value, bytes) else value

own = {name: text(value) for name, value in client.client_info().items()}
expect("CLIENT INFO", [own["name"], own["db"], own["multi"], own["user"]], ["tool", 0, -1, "default"])
expect("its id", own["id"], client.client_id())
listed = [each for each in client.client_list() if text(each["name"]) == "tool"]
expect("CLIENT LIST", [int(each["id"]) for each in listed], [client.client_id()])
expect("CLIENT LIST of ids", len(client.client_list(client_id=[str(client.client_id())])), 1)
expect("CLIENT LIST of a kind", client.client_list(_type="pubsub"), [])
expect("MODULE LIST", isinstance(client.module_list(), list), True)

client.config_set("slowlog-log-slower-than", 0)
client.slowlog_reset()
client.dbsize()
client.config_set("slowlog-log-slower-than", -1)
log = client.slowlog_get(-1)
expect("one request, one entry", [each["command"] for each in log].count(b"DBSIZE"), 1)
expect("SLOWLOG LEN", client.slowlog_len(), len(log))
expect("numbers of entries", len({each["id"] for each in log}), len(log))

for number in range(5):
    client.set(f"key:{number}", number)
cursor, keys = client.scan(0)
expect("SCAN", [cursor, sorted(keys)], [0, [b"key:%d" % number for number in range(5)]])
cursor, keys = client.scan(0, match="key:3")
expect("SCAN MATCH", [cursor, keys], [0, [b"key:3"]])
