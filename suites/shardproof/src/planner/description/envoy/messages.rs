//! The messages of Envoy's bootstrap that decide where keys are, with all fields that Envoy supports: other fields are
//! refused, as in Envoy.
//!
//! Source: the descriptors of Envoy 1.40.0, `envoy/config/{bootstrap,listener,cluster,endpoint,core}/v3`,
//! `envoy/extensions/{filters/network/redis_proxy,load_balancing_policies,clusters/dns}`.

use super::proto::Kind::{Any, Bool, Enum, List, Message as Inner, Text};
use super::proto::{Message, Types};

/// The filters that are read.
const FILTERS: Types = &[(
    "envoy.extensions.filters.network.redis_proxy.v3.RedisProxy",
    &REDIS_PROXY,
)];

pub(super) const BOOTSTRAP: Message = Message {
    name: "Bootstrap",
    fields: &[],
    others: &[
        "node",
        "node_context_params",
        "static_resources",
        "dynamic_resources",
        "cluster_manager",
        "hds_config",
        "flags_path",
        "stats_sinks",
        "deferred_stat_options",
        "stats_config",
        "stats_flush_interval",
        "stats_flush_on_admin",
        "stats_eviction_interval",
        "watchdog",
        "watchdogs",
        "tracing",
        "layered_runtime",
        "admin",
        "overload_manager",
        "enable_dispatcher_stats",
        "header_prefix",
        "stats_server_version_override",
        "use_tcp_for_dns_lookups",
        "dns_resolution_config",
        "typed_dns_resolver_config",
        "bootstrap_extensions",
        "fatal_actions",
        "config_sources",
        "default_config_source",
        "default_socket_interface",
        "certificate_provider_instances",
        "inline_headers",
        "perf_tracing_file_path",
        "default_regex_engine",
        "xds_delegate_extension",
        "xds_config_tracker_extension",
        "listener_manager",
        "application_log_config",
        "grpc_async_client_manager_config",
        "memory_allocator_manager",
        "enable_worker_cpu_affinity",
    ],
};

pub(super) const STATIC_RESOURCES: Message = Message {
    name: "StaticResources",
    fields: &[],
    others: &["listeners", "clusters", "secrets"],
};

pub(super) const LISTENER: Message = Message {
    name: "Listener",
    fields: &[
        ("filter_chains", List(&FILTER_CHAIN)),
        ("default_filter_chain", Inner(&FILTER_CHAIN)),
    ],
    others: &[
        "name",
        "address",
        "additional_addresses",
        "stat_prefix",
        "stats_matcher",
        "fcds_config",
        "filter_chain_matcher",
        "use_original_dst",
        "per_connection_buffer_limit_bytes",
        "per_connection_buffer_high_watermark_timeout",
        "metadata",
        "deprecated_v1",
        "drain_type",
        "listener_filters",
        "listener_filters_timeout",
        "continue_on_listener_filters_timeout",
        "transparent",
        "freebind",
        "socket_options",
        "tcp_fast_open_queue_length",
        "traffic_direction",
        "udp_listener_config",
        "api_listener",
        "connection_balance_config",
        "reuse_port",
        "enable_reuse_port",
        "access_log",
        "tcp_backlog_size",
        "max_connections_to_accept_per_socket_event",
        "bind_to_port",
        "internal_listener",
        "enable_mptcp",
        "ignore_global_conn_limit",
        "bypass_overload_manager",
        "tcp_keepalive",
    ],
};

const FILTER_CHAIN: Message = Message {
    name: "FilterChain",
    fields: &[("filters", List(&FILTER))],
    others: &[
        "filter_chain_match",
        "use_proxy_proto",
        "metadata",
        "transport_socket",
        "transport_socket_connect_timeout",
        "name",
    ],
};

const FILTER: Message = Message {
    name: "Filter",
    fields: &[("typed_config", Any(FILTERS))],
    others: &["name", "config_discovery"],
};

const REDIS_PROXY: Message = Message {
    name: "RedisProxy",
    fields: &[
        ("settings", Inner(&CONN_POOL_SETTINGS)),
        ("prefix_routes", Inner(&PREFIX_ROUTES)),
    ],
    others: &[
        "stat_prefix",
        "latency_in_micros",
        "downstream_auth_password",
        "downstream_auth_passwords",
        "faults",
        "downstream_auth_username",
        "external_auth_provider",
        "custom_commands",
        "protocol_version",
    ],
};

const CONN_POOL_SETTINGS: Message = Message {
    name: "ConnPoolSettings",
    fields: &[
        ("enable_hashtagging", Bool),
        (
            "read_policy",
            Enum(&[
                "MASTER",
                "PREFER_MASTER",
                "REPLICA",
                "PREFER_REPLICA",
                "ANY",
                "LOCAL_ZONE_AFFINITY",
                "LOCAL_ZONE_AFFINITY_REPLICAS_AND_PRIMARY",
            ]),
        ),
    ],
    others: &[
        "op_timeout",
        "enable_redirection",
        "dns_cache_config",
        "max_buffer_size_before_flush",
        "buffer_flush_timeout",
        "max_upstream_unknown_connections",
        "enable_command_stats",
        "connection_rate_limit",
    ],
};

const PREFIX_ROUTES: Message = Message {
    name: "PrefixRoutes",
    fields: &[
        ("routes", List(&ROUTE)),
        ("case_insensitive", Bool),
        ("catch_all_route", Inner(&ROUTE)),
    ],
    others: &[],
};

const ROUTE: Message = Message {
    name: "Route",
    fields: &[
        ("prefix", Text),
        ("remove_prefix", Bool),
        ("cluster", Text),
        ("request_mirror_policy", List(&MIRROR)),
        ("key_formatter", Text),
        ("read_command_policy", Inner(&READ_POLICY)),
    ],
    others: &[],
};

const MIRROR: Message = Message {
    name: "RequestMirrorPolicy",
    fields: &[("cluster", Text)],
    others: &["runtime_fraction", "exclude_read_commands"],
};

const READ_POLICY: Message = Message {
    name: "ReadCommandPolicy",
    fields: &[("cluster", Text)],
    others: &[],
};
