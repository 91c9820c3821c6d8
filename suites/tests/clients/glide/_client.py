"""A standalone client of valkey-glide with its defaults, RESP3 among them, but for the time limit of 250 ms."""

from glide_sync import GlideClient, GlideClientConfiguration, NodeAddress

from workload import HOST, PORT


def connect():
    addresses = [NodeAddress(HOST, PORT)]
    # A loaded machine is no fault of anybody.
    return GlideClient.create(GlideClientConfiguration(addresses, request_timeout=20000, client_name="glide"))
