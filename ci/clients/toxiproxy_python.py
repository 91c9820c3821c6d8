"""Drives a fault server with toxiproxy-python, a client that somebody else wrote, over a real Redis.

Usage: toxiproxy_python.py API_HOST API_PORT REDIS_HOST:PORT. Ends with 0 when everything was as Toxiproxy has it.
"""

import socket
import sys
import time

from toxiproxy import Toxiproxy
from toxiproxy.exceptions import InvalidToxic, NotFound, ProxyExists

DEADLINE = 10  # seconds; everything below takes milliseconds
PONG = b"+PONG\r\n"


def connect(listen):
    host, port = listen.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=DEADLINE)


def ping(connection):
    """What comes back, and after how many seconds."""
    began = time.monotonic()
    connection.sendall(b"PING\r\n")
    return connection.recv(len(PONG)), time.monotonic() - began


def refused(listen):
    try:
        connect(listen).close()
    except ConnectionRefusedError:
        return True
    return False


def raises(error, deed):
    try:
        deed()
    except error:
        return
    raise AssertionError(f"{error.__name__} was expected")


def main(host, port, redis):
    server = Toxiproxy()
    server.update_api_consumer(host, int(port))
    assert server.running()
    assert b'"2.' in server.version(), server.version()
    server.destroy_all()

    proxy = server.create(upstream=redis, name="redis")
    assert proxy.enabled and not proxy.listen.endswith(":0"), proxy.listen
    raises(ProxyExists, lambda: server.create(upstream=redis, name="redis"))
    assert list(server.proxies()) == ["redis"]
    assert server.get_proxy("redis").upstream == redis
    assert server.get_proxy("other") is None

    with connect(proxy.listen) as client:
        assert ping(client)[0] == PONG

        # On an open connection: the removal must take effect at once, or the request waits for the hour below.
        proxy.add_toxic(type="latency", attributes={"latency": 200})
        answer, seconds = ping(client)
        assert answer == PONG and seconds >= 0.2, (answer, seconds)
        proxy.destroy_toxic("latency_downstream")
        proxy.add_toxic(name="hour", type="latency", stream="upstream", attributes={"latency": 3600000})
        toxic = proxy.get_toxic("hour")
        assert (toxic.type, toxic.stream, toxic.toxicity) == ("latency", "upstream", 1)
        assert toxic.attributes == {"latency": 3600000, "jitter": 0}, toxic.attributes
        client.sendall(b"PING\r\n")
        proxy.destroy_toxic("hour")
        assert client.recv(len(PONG)) == PONG
        assert proxy.toxics() == {}

        with proxy.down():
            assert refused(proxy.listen)
            assert ended(client)
        assert not refused(proxy.listen)

    proxy.add_toxic(type="limit_data", attributes={"bytes": 4})
    with connect(proxy.listen) as client:
        client.sendall(b"PING\r\n")
        assert everything(client) == PONG[:4]

    raises(InvalidToxic, lambda: proxy.add_toxic(type="flood"))
    raises(InvalidToxic, lambda: proxy.add_toxic(type="latency", stream="sideways"))
    raises(ProxyExists, lambda: proxy.add_toxic(type="limit_data", attributes={"bytes": 4}))  # its name for any 409
    raises(NotFound, lambda: proxy.destroy_toxic("other"))

    proxy.disable()
    assert server.reset()
    assert server.get_proxy("redis").enabled and proxy.toxics() == {}

    made = server.populate([{"name": "second", "upstream": redis, "listen": "127.0.0.1:0"}])
    assert [proxy.name for proxy in made] == ["second"]
    server.destroy_all()
    assert server.proxies() == {}
    assert refused(proxy.listen)
    print("everything was as Toxiproxy has it")


def everything(connection):
    received = b""
    while part := connection.recv(4096):
        received += part
    return received


def ended(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


if __name__ == "__main__":
    main(*sys.argv[1:])
