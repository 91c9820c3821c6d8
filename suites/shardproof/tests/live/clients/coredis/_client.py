"""A client of coredis with its defaults, RESP3 among them."""

import coredis

from workload import HOST, PORT


def connect(**options):
    return coredis.Redis(HOST, PORT, **options)
