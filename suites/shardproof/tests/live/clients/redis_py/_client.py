"""Clients of redis-py with their defaults, but for what a workload is about."""

import redis
import redis.asyncio

from workload import HOST, OPTIONS, PORT

# 4.6 has this class only for clients of Redis Cluster.
CROSS_SLOT = redis.exceptions.ClusterCrossSlotError if redis.__version__ >= "5" else redis.ResponseError


def connect(**options):
    return redis.Redis(HOST, PORT, **OPTIONS, **options)


def connect_async(**options):
    return redis.asyncio.Redis(host=HOST, port=PORT, **OPTIONS, **options)
