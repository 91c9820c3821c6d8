"""How clients connect: pools with threads, names, health checks, decoded answers, URLs, both protocols."""

import threading

import redis

from _client import connect
from workload import HOST, OPTIONS, PORT, expect

# More threads than connections share a pool.
pool = redis.BlockingConnectionPool(host=HOST, port=PORT, max_connections=4, timeout=20, **OPTIONS)
failures = []


def work(thread):
    client = redis.Redis(connection_pool=pool)
    try:
        for number in range(50):
            key = f"thread:{thread}:{number}"
            client.set(key, key)
            if client.get(key) != key.encode():
                failures.append(f"the value of {key}")
            client.incr("shared")
    except redis.RedisError as error:
        failures.append(f"{type(error).__name__}: {error}")


threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
expect("threads", failures, [])
expect("what they counted", redis.Redis(connection_pool=pool).get("shared"), b"400")
pool.disconnect()

client = connect(client_name="worker-1", decode_responses=True, health_check_interval=1)
expect("PING", client.ping(), True)
expect("the name", client.client_getname(), "worker-1")
expect("a decoded answer", [client.set("name", "\N{SNOWMAN}"), client.get("name")], [True, "\N{SNOWMAN}"])
expect("a decoded hash", [client.hset("h", "f", "v"), client.hgetall("h")], [1, {"f": "v"}])
expect("ECHO", client.echo("hello"), "hello")
expect("TIME", len(client.time()), 2)
expect("INFO", client.info()["redis_version"].split(".")[0].isdigit(), True)
expect("INFO of sections", [name in client.info("replication") for name in ("role", "redis_mode")], [True, False])
expect("CONFIG GET", client.config_get("maxmemory"), {"maxmemory": "0"})
expect("CLIENT ID", client.client_id() > 0, True)
expect("COMMAND COUNT", client.command_count() > 100, True)
expect("DBSIZE", client.dbsize(), 403)

# A health check before every request, and after the connection was closed behind the client's back.
impatient = connect(health_check_interval=0.000001)
for number in range(10):
    expect(f"a health check before INCR {number}", impatient.incr("checked"), number + 1)
impatient.connection_pool.disconnect()
expect("connected again by itself", impatient.incr("checked"), 11)

single = connect(single_connection_client=True)
expect("one connection", [single.set("a", 1), single.get("a")], [True, b"1"])
single.close()
by_url = redis.Redis.from_url(f"redis://{HOST}:{PORT}/0?client_name=by-url", **OPTIONS)
expect("a URL", [by_url.client_getname() in ("by-url", b"by-url"), by_url.get("a")], [True, b"1"])
with connect(socket_timeout=20, socket_connect_timeout=20, retry_on_timeout=True) as patient:
    expect("with time limits", patient.get("a"), b"1")

for protocol in () if redis.__version__ < "5" else (2, 3):
    spoken = redis.Redis(HOST, PORT, protocol=protocol)
    said = spoken.execute_command("HELLO")
    said = said if isinstance(said, dict) else dict(zip(said[::2], said[1::2]))
    expect(f"RESP{protocol}", said[b"proto"], protocol)
    expect(f"a hash in RESP{protocol}", spoken.hgetall("h"), {b"f": b"v"})
    expect(f"a score in RESP{protocol}", [spoken.zadd("z", {"m": 1.25}) >= 0, spoken.zscore("z", "m")], [True, 1.25])
