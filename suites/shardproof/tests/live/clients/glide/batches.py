"""Batches, atomic and not, by Valkey's client with a core in Rust."""

from glide_sync import Batch, RequestError

from _client import connect
from workload import SHARDED, expect, refused

client, other = connect(), connect()
batch = Batch(is_atomic=False)
for number in range(300):
    batch.set(f"key:{number}", str(number))
    batch.get(f"key:{number}")
replies = client.exec(batch, raise_on_error=True)
expect("a pipeline", replies, [reply for number in range(300) for reply in ("OK", b"%d" % number)])
batch = Batch(is_atomic=False)
batch.set("word", "five")
batch.incr("word")
batch.get("word")
replies = client.exec(batch, raise_on_error=False)
expect("an error in its place", [replies[0], isinstance(replies[1], RequestError), replies[2]], ["OK", True, b"five"])

batch = Batch(is_atomic=True)
batch.set("{t}a", "1")
batch.incr("{t}a")
batch.rpush("{t}b", ["x", "y"])
expect("a transaction", client.exec(batch, raise_on_error=True), ["OK", 2, 2])
far = Batch(is_atomic=True)
for number in range(40):
    far.set(f"far:{number}", "x")
if SHARDED:
    with refused("over several nodes", RequestError, "must live on one node"):
        client.exec(far, raise_on_error=True)
    expect("nothing of it was done", client.exists([f"far:{number}" for number in range(40)]), 0)
else:
    expect("over one node", client.exec(far, raise_on_error=True), ["OK"] * 40)

expect("WATCH", client.watch(["{t}a"]), "OK")
other.incr("{t}a")
expect("somebody else wrote", client.exec(batch, raise_on_error=True), None)
expect("the value stays", client.get("{t}a"), b"3")
client.close()
other.close()
