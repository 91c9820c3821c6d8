"""The worker of the article, and the eyes of its judge. Prints one JSON object for each thing it is asked to do."""

import argparse
import json
import sys
import time
import urllib.request

import jinja2
import redis

PIPELINE = 100
TTL_S = 60
READY_WITHIN_S = 30


def render(arguments):
    """The proxy's configuration for so many hosts."""
    with open("/article/envoy.yaml.j2") as file:
        template = jinja2.Template(file.read(), undefined=jinja2.StrictUndefined)
    print(template.render(policy=arguments.policy, host_count=arguments.hosts, host_prefix=arguments.prefix))


def proxy():
    """A connection through the proxy, as soon as it serves."""
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            client = redis.Redis("envoy", 6379, socket_timeout=10)
            client.get("is-anybody-there")
            return client
        except redis.RedisError as why:
            if time.monotonic() > deadline:
                sys.exit(f"the proxy does not serve within {READY_WITHIN_S} s: {why}")
            time.sleep(0.05)


def batches(arguments):
    keys = [f"key:{n}" for n in range(arguments.first, arguments.first + arguments.keys)]
    return [keys[at : at + PIPELINE] for at in range(0, len(keys), PIPELINE)]


def write(arguments):
    """Writes keys with a time to live, in pipelines without transactions."""
    client, acknowledged = proxy(), 0
    for batch in batches(arguments):
        pipeline = client.pipeline(transaction=False)
        for key in batch:
            pipeline.set(key, f"value of {key}", ex=TTL_S)
        acknowledged += sum(reply is True for reply in pipeline.execute(raise_on_error=False))
    print(json.dumps({"acknowledged": acknowledged}))


def read(arguments):
    """Reads the keys through the proxy, and looks for those that are missing on the nodes themselves."""
    client = proxy()
    seen = {"found": 0, "unreachable": 0, "lost": 0, "wrong": 0, "failed": 0}
    missing = []
    for batch in batches(arguments):
        pipeline = client.pipeline(transaction=False)
        for key in batch:
            pipeline.get(key)
        for key, reply in zip(batch, pipeline.execute(raise_on_error=False)):
            if reply is None:
                missing.append(key)
            elif isinstance(reply, Exception):
                seen["failed"] += 1
            else:
                seen["found" if reply == f"value of {key}".encode() else "wrong"] += 1
    there = set()
    for node in nodes(arguments):
        pipeline = node.pipeline(transaction=False)
        for key in missing:
            pipeline.exists(key)
        there.update(key for key, count in zip(missing, pipeline.execute()) if count)
    seen["unreachable"] = len(there)
    seen["lost"] = len(missing) - len(there)
    print(json.dumps(seen))


def nodes(arguments):
    return [redis.Redis(f"{arguments.prefix}{n}", 6379, socket_timeout=10) for n in range(1, arguments.hosts + 1)]


def look(arguments):
    """Counts what lies on each node."""
    print(json.dumps({"held": [node.dbsize() for node in nodes(arguments)]}))


def empty(arguments):
    """Empties every node."""
    for node in nodes(arguments):
        node.flushall()
    print(json.dumps({}))


def stats(arguments):
    """What Envoy counted, as the article asks for it."""
    with urllib.request.urlopen("http://envoy:9901/stats?usedonly&filter=redis.egress_redis.command", timeout=10) as answer:
        print(json.dumps({"stats": answer.read().decode().splitlines()}))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["render", "write", "read", "look", "empty", "stats"])
    parser.add_argument("--policy", choices=["MAGLEV", "RING_HASH"])
    parser.add_argument("--hosts", type=int)
    parser.add_argument("--prefix", help="of the nodes' host names, which end with a number from 1")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--keys", type=int, default=0)
    arguments = parser.parse_args()
    globals()[arguments.what](arguments)


main()
