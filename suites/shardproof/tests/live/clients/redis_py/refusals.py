"""What no single node is right for: a clear error of the client's ordinary class, and the connection goes on."""

import redis

from _client import CROSS_SLOT, connect
from workload import SHARDED, expect, refused

# One connection, so that later requests use the one that was refused.
client = connect(single_connection_client=True)
far = [f"far:{number}" for number in range(40)]
for number, key in enumerate(far):
    client.sadd(key, "everywhere", number)


def goes_on(step):
    expect(f"{step}, and the connection goes on", [client.set("on", step), client.get("on")], [True, step.encode()])


if SHARDED:
    for step, deed in {
        "SINTER": lambda: client.sinter(far),
        "SUNIONSTORE": lambda: client.sunionstore("far:0", far),
        "MSETNX": lambda: client.msetnx(dict.fromkeys(far, "x")),
    }.items():
        with refused(step, CROSS_SLOT, "must live on one node"):
            deed()
        goes_on(step)
    with refused("PUBLISH", redis.ResponseError, "'PUBLISH'", "pub/sub has no single node"):
        client.publish("news", "x")
    goes_on("PUBLISH")
    for step, deed in {
        "BLPOP": lambda: client.blpop("far:none", timeout=1),
        "SELECT": lambda: client.execute_command("SELECT", 1),
        "WAIT": lambda: client.wait(1, 10),
        "SWAPDB": lambda: client.swapdb(0, 1),
    }.items():
        with refused(step, redis.ResponseError, ""):
            deed()
        goes_on(step)
else:
    expect("SINTER", client.sinter(far), {b"everywhere"})
    expect("PUBLISH", client.publish("news", "x"), 0)
    goes_on("PUBLISH")

subscriber = connect().pubsub(ignore_subscribe_messages=True)
subscriber.subscribe("news")
if SHARDED:
    with refused("SUBSCRIBE", redis.ResponseError, "'SUBSCRIBE'", "pub/sub has no single node"):
        subscriber.get_message(timeout=10)
    subscriber.close()
else:
    subscriber.get_message(timeout=10)
    client.publish("news", "hello")
    message = None
    while message is None:
        message = subscriber.get_message(timeout=10)
    expect("a message", message["data"], b"hello")
goes_on("SUBSCRIBE")
with refused("an unknown command", redis.ResponseError, "unknown command"):
    client.execute_command("NONSENSE", "x")
goes_on("NONSENSE")
