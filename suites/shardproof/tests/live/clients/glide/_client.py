"""A standalone client of valkey-glide with its defaults, RESP3 among them, but for the time limits of 250 ms and 2 s."""

from glide_sync import AdvancedGlideClientConfiguration, GlideClient, GlideClientConfiguration, NodeAddress

from workload import HOST, PORT


def connect():
    # Long enough for a loaded machine.
    patience = AdvancedGlideClientConfiguration(connection_timeout=20000)
    configuration = GlideClientConfiguration(
        [NodeAddress(HOST, PORT)], client_name="glide", request_timeout=20000, advanced_config=patience
    )
    return GlideClient.create(configuration)
