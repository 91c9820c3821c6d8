"""A node is down: the error names it, other keys are served on, and when it is back all are."""

import time

import redis

from _client import connect
from workload import SHARDED, expect, get_it_back, lose_a_node

client = connect()
names = [f"key:{number}" for number in range(60)]


def attempt(deed):
    """What the deed returns, or the error that a node is blamed in."""
    try:
        return deed()
    except redis.ResponseError as error:
        return error


expect("before", [client.set(name, "before") for name in names], [True] * 60)
if SHARDED:
    node = lose_a_node()
    replies = {name: attempt(lambda: client.set(name, "during")) for name in names}
    errors = [str(reply) for reply in replies.values() if reply is not True]
    expect("some keys live on the node that is down", 0 < len(errors) < 60, True)
    expect("each error names it", [error for error in errors if f"node {node}" not in error], [])
    expect("others are served", {client.get(name) for name, reply in replies.items() if reply is True}, {b"during"})
    pipe = client.pipeline(transaction=False)
    for name in names:
        pipe.get(name)
    failed = [isinstance(reply, redis.ResponseError) for reply in pipe.execute(raise_on_error=False)]
    expect("the same in a pipeline", failed, [reply is not True for reply in replies.values()])
    expect("DBSIZE names it", node in str(attempt(client.dbsize)), True)
    expect("DEL names it", node in str(attempt(lambda: client.delete(*names))), True)

    get_it_back()
    until = time.monotonic() + 20
    while any(isinstance(attempt(lambda: client.get(name)), redis.ResponseError) for name in names):
        expect("it is found again", time.monotonic() < until, True)
expect("after", [client.set(name, "after") for name in names], [True] * 60)
expect("read back", set(client.mget(names)), {b"after"})
