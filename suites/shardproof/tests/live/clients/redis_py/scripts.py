"""Lua scripts as redis-py registers them: by EVALSHA, loaded where a node does not know them yet."""

import redis

from _client import CROSS_SLOT, connect
from workload import SHARDED, expect, refused

client = connect()

limit = client.register_script("""
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('TTL', KEYS[1]), KEYS[1]}
""")
for number in range(30):
    expect(f"a script, {number}", limit(keys=[f"limit:{number}"], args=[60]), [1, 60, b"limit:%d" % number])
expect("the same again", limit(keys=["limit:0"], args=[60])[0], 2)
expect("SCRIPT EXISTS", client.script_exists(limit.sha, "0" * 40), [True, False])
expect("SCRIPT FLUSH", client.script_flush(), True)
expect("forgotten", client.script_exists(limit.sha), [False])
with refused("EVALSHA of what is not there", redis.exceptions.NoScriptError, "No matching script"):
    client.evalsha(limit.sha, 1, "limit:0", 60)
expect("registered again by itself", limit(keys=["limit:0"], args=[60])[0], 3)
several = client.eval("return {KEYS[1], KEYS[2], ARGV[1]}", 2, "{e}1", "{e}2", "x")
expect("EVAL of several keys", several, [b"{e}1", b"{e}2", b"x"])

client.script_flush()
with client.pipeline(transaction=False) as pipe:
    for number in range(30):
        limit(keys=[f"limit:{number}"], args=[60], client=pipe)
    expect("in a pipeline", [reply[0] for reply in pipe.execute()], [4] + [2] * 29)
with client.pipeline() as pipe:
    pipe.set("{s}1", 5)
    limit(keys=["{s}1"], args=[60], client=pipe)
    expect("in a transaction", pipe.execute(), [True, [6, -1, b"{s}1"]])

with refused("an error of the script", redis.ResponseError, "no luck"):
    client.eval("return redis.error_reply('no luck')", 1, "e")
many = [f"k{number}" for number in range(40)]
if SHARDED:
    with refused("keys on several nodes", CROSS_SLOT, "must live on one node"):
        client.eval("return #KEYS", 40, *many)
else:
    expect("keys on one node", client.eval("return #KEYS", 40, *many), 40)
expect("the client goes on", client.ping(), True)
