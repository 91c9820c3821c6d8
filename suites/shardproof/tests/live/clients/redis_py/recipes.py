"""What people build: locks, queues with consumer groups, a list that is worked off."""

import redis
from redis.exceptions import LockError, LockNotOwnedError

from _client import connect
from workload import expect, refused

client, other = connect(), connect()

# Locks, which are SET NX, WATCH-free Lua scripts and a token.
lock = client.lock("lock:report", timeout=30)
expect("acquire", lock.acquire(), True)
expect("it is ours", [lock.locked(), lock.owned()], [True, True])
rival = other.lock("lock:report", timeout=30, blocking=False)
expect("somebody else does not get it", rival.acquire(), False)
expect("extend", lock.extend(30), True)
expect("its time", 30 < client.ttl("lock:report") <= 60, True)
expect("reacquire", [lock.reacquire(), client.ttl("lock:report") <= 30], [True, True])
lock.release()
expect("now somebody else does", [rival.acquire(), lock.locked()], [True, True])
with refused("release of what is not ours", LockError, "Cannot release"):
    lock.release()
client.delete("lock:report")
with refused("release of what is gone", LockNotOwnedError, "no longer owned"):
    rival.release()
for number in range(20):
    with client.lock(f"lock:{number}", timeout=30, blocking_timeout=10):
        expect(f"a lock of many, {number}", client.exists(f"lock:{number}"), 1)
expect("they are released", client.exists(*(f"lock:{number}" for number in range(20))), 0)

# A stream and its consumers.
orders = [client.xadd("orders", {"number": number, "what": "tea"}) for number in range(5)]
expect("XLEN", client.xlen("orders"), 5)
wanted = [(orders[number], {b"number": b"%d" % number, b"what": b"tea"}) for number in (3, 4)]
expect("XRANGE", client.xrange("orders", orders[3]), wanted)


def read(answer):
    """The entries of the one stream of an answer, which is a list in RESP2 and a map in RESP3."""
    if isinstance(answer, dict):
        (entries,) = answer.values()
        # redis-py wraps them once more.
        return entries[0] if len(entries) == 1 and isinstance(entries[0], list) else entries
    ((_, entries),) = answer
    return entries


expect("XREAD", [entry for entry, _ in read(client.xread({"orders": orders[1]}))], orders[2:])
expect("XREAD of nothing new", client.xread({"orders": orders[4]}) or None, None)
expect("XGROUP CREATE", client.xgroup_create("orders", "kitchen", id="0"), True)
with refused("XGROUP CREATE again", redis.ResponseError, "BUSYGROUP"):
    client.xgroup_create("orders", "kitchen")
for_ada = read(client.xreadgroup("kitchen", "ada", {"orders": ">"}, count=3))
for_bob = read(other.xreadgroup("kitchen", "bob", {"orders": ">"}))
expect("XREADGROUP", [[entry for entry, _ in entries] for entries in (for_ada, for_bob)], [orders[:3], orders[3:]])
expect("XACK", client.xack("orders", "kitchen", *orders[:2]), 2)
expect("XPENDING", client.xpending("orders", "kitchen")["pending"], 3)
expect("XINFO", client.xinfo_groups("orders")[0]["pending"], 3)
claimed = client.xautoclaim("orders", "kitchen", "bob", min_idle_time=0)
expect("XAUTOCLAIM", [entry for entry, _ in claimed[1]], orders[2:])
expect("XTRIM", [client.xtrim("orders", maxlen=2, approximate=False), client.xlen("orders")], [3, 2])

# A list as a work queue, on one node.
client.rpush("{work}todo", "a", "b")
expect("LMOVE", client.lmove("{work}todo", "{work}doing", "LEFT", "RIGHT"), b"a")
expect("LREM", [client.lrem("{work}doing", 1, "a"), client.llen("{work}todo")], [1, 1])
