//! The messages of a cluster, as [`messages`](super::messages) has those of listeners: all fields that Envoy supports.
//!
//! Source: the descriptors of Envoy 1.40.0, `envoy/config/{cluster,endpoint,core}/v3`,
//! `envoy/extensions/{load_balancing_policies,clusters/{dns,redis}}`.

use super::proto::Kind::{
    Any, Bool, Double, Enum, List, Message as Inner, Number, Struct, Text, Wrapped,
};
use super::proto::{Message, Types};

const U32: u64 = u32::MAX as u64;
/// The largest table of Maglev.
const TABLE_SIZE: u64 = 5_000_011;
/// The largest ring.
const RING_SIZE: u64 = 8_388_608;

/// The types of clusters that are read.
const CLUSTER_TYPES: Types = &[
    ("envoy.extensions.clusters.dns.v3.DnsCluster", &DNS_CLUSTER),
    (
        "envoy.extensions.clusters.redis.v3.RedisClusterConfig",
        &REDIS_CLUSTER_CONFIG,
    ),
];

/// The policies that place keys.
const POLICIES: Types = &[
    (
        "envoy.extensions.load_balancing_policies.maglev.v3.Maglev",
        &MAGLEV,
    ),
    (
        "envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash",
        &RING_HASH,
    ),
];

pub(super) const CLUSTER: Message = Message {
    name: "Cluster",
    fields: &[
        ("name", Text),
        (
            "type",
            Enum(&["STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS", "ORIGINAL_DST"]),
        ),
        ("cluster_type", Inner(&CLUSTER_TYPE)),
        (
            "lb_policy",
            Enum(&[
                "ROUND_ROBIN",
                "LEAST_REQUEST",
                "RING_HASH",
                "RANDOM",
                "",
                "MAGLEV",
                "CLUSTER_PROVIDED",
                "LOAD_BALANCING_POLICY_CONFIG",
            ]),
        ),
        ("load_assignment", Inner(&LOAD_ASSIGNMENT)),
        ("eds_cluster_config", Inner(&EDS_CLUSTER_CONFIG)),
        ("lb_subset_config", Struct),
        ("ring_hash_lb_config", Inner(&RING_HASH_CONFIG)),
        ("maglev_lb_config", Inner(&MAGLEV_CONFIG)),
        ("common_lb_config", Inner(&COMMON_LB_CONFIG)),
        ("load_balancing_policy", Inner(&LOAD_BALANCING_POLICY)),
    ],
    others: &[
        "transport_socket_matches",
        "transport_socket_matcher",
        "alt_stat_name",
        "stats_matcher",
        "connect_timeout",
        "per_connection_buffer_limit_bytes",
        "per_connection_buffer_high_watermark_timeout",
        "health_checks",
        "max_requests_per_connection",
        "circuit_breakers",
        "upstream_http_protocol_options",
        "common_http_protocol_options",
        "http_protocol_options",
        "http2_protocol_options",
        "typed_extension_protocol_options",
        "dns_refresh_rate",
        "dns_jitter",
        "dns_failure_refresh_rate",
        "respect_dns_ttl",
        "dns_lookup_family",
        "dns_resolvers",
        "use_tcp_for_dns_lookups",
        "dns_resolution_config",
        "typed_dns_resolver_config",
        "wait_for_warm_on_init",
        "outlier_detection",
        "cleanup_interval",
        "upstream_bind_config",
        "original_dst_lb_config",
        "least_request_lb_config",
        "round_robin_lb_config",
        "transport_socket",
        "metadata",
        "protocol_selection",
        "upstream_connection_options",
        "close_connections_on_host_health_failure",
        "ignore_health_on_host_removal",
        "filters",
        "lrs_server",
        "lrs_report_endpoint_metrics",
        "track_timeout_budgets",
        "upstream_config",
        "track_cluster_stats",
        "preconnect_policy",
        "connection_pool_per_downstream_connection",
        "queuing_policies",
    ],
};

const CLUSTER_TYPE: Message = Message {
    name: "CustomClusterType",
    fields: &[("name", Text), ("typed_config", Any(CLUSTER_TYPES))],
    others: &[],
};

const REDIS_CLUSTER_CONFIG: Message = Message {
    name: "RedisClusterConfig",
    fields: &[],
    others: &[
        "cluster_refresh_rate",
        "cluster_refresh_timeout",
        "redirect_refresh_interval",
        "redirect_refresh_threshold",
        "failure_refresh_threshold",
        "host_degraded_refresh_threshold",
    ],
};

const DNS_CLUSTER: Message = Message {
    name: "DnsCluster",
    fields: &[("all_addresses_in_single_endpoint", Bool)],
    others: &[
        "dns_refresh_rate",
        "dns_failure_refresh_rate",
        "respect_dns_ttl",
        "dns_jitter",
        "typed_dns_resolver_config",
        "dns_lookup_family",
        "dns_min_refresh_rate",
    ],
};

const COMMON_LB_CONFIG: Message = Message {
    name: "CommonLbConfig",
    fields: &[
        ("healthy_panic_threshold", Inner(&PERCENT)),
        ("locality_weighted_lb_config", Inner(&LOCALITY_WEIGHTED)),
        ("consistent_hashing_lb_config", Inner(&CONSISTENT_HASHING)),
    ],
    others: &[
        "zone_aware_lb_config",
        "update_merge_window",
        "ignore_new_hosts_until_first_hc",
        "close_connections_on_host_set_change",
        "override_host_status",
    ],
};

const PERCENT: Message = Message {
    name: "Percent",
    fields: &[("value", Double)],
    others: &[],
};

const LOCALITY_WEIGHTED: Message = Message {
    name: "LocalityWeightedLbConfig",
    fields: &[],
    others: &[],
};

const CONSISTENT_HASHING: Message = Message {
    name: "ConsistentHashingLbConfig",
    fields: &[
        ("use_hostname_for_hashing", Bool),
        ("hash_balance_factor", Wrapped(U32)),
    ],
    others: &["hash_policy"],
};

const RING_HASH_CONFIG: Message = Message {
    name: "RingHashLbConfig",
    fields: &[
        ("minimum_ring_size", Wrapped(RING_SIZE)),
        ("maximum_ring_size", Wrapped(RING_SIZE)),
        ("hash_function", Enum(&["XX_HASH", "MURMUR_HASH_2"])),
    ],
    others: &[],
};

const MAGLEV_CONFIG: Message = Message {
    name: "MaglevLbConfig",
    fields: &[("table_size", Wrapped(TABLE_SIZE))],
    others: &[],
};

const LOAD_BALANCING_POLICY: Message = Message {
    name: "LoadBalancingPolicy",
    fields: &[("policies", List(&POLICY))],
    others: &[],
};

const POLICY: Message = Message {
    name: "Policy",
    fields: &[("typed_extension_config", Inner(&EXTENSION))],
    others: &[],
};

const EXTENSION: Message = Message {
    name: "TypedExtensionConfig",
    fields: &[("name", Text), ("typed_config", Any(POLICIES))],
    others: &[],
};

const MAGLEV: Message = Message {
    name: "Maglev",
    fields: &[
        ("table_size", Wrapped(TABLE_SIZE)),
        ("consistent_hashing_lb_config", Inner(&CONSISTENT_HASHING)),
        ("locality_weighted_lb_config", Inner(&LOCALITY_WEIGHTED)),
    ],
    others: &[],
};

const RING_HASH: Message = Message {
    name: "RingHash",
    fields: &[
        (
            "hash_function",
            Enum(&["DEFAULT_HASH", "XX_HASH", "MURMUR_HASH_2"]),
        ),
        ("minimum_ring_size", Wrapped(RING_SIZE)),
        ("maximum_ring_size", Wrapped(RING_SIZE)),
        ("use_hostname_for_hashing", Bool),
        ("hash_balance_factor", Wrapped(U32)),
        ("consistent_hashing_lb_config", Inner(&CONSISTENT_HASHING)),
        ("locality_weighted_lb_config", Inner(&LOCALITY_WEIGHTED)),
    ],
    others: &[],
};

const EDS_CLUSTER_CONFIG: Message = Message {
    name: "EdsClusterConfig",
    fields: &[("service_name", Text)],
    others: &["eds_config"],
};

pub(super) const LOAD_ASSIGNMENT: Message = Message {
    name: "ClusterLoadAssignment",
    fields: &[
        ("endpoints", List(&LOCALITY_ENDPOINTS)),
        ("policy", Inner(&ASSIGNMENT_POLICY)),
    ],
    others: &["cluster_name", "named_endpoints"],
};

const ASSIGNMENT_POLICY: Message = Message {
    name: "Policy",
    fields: &[
        ("overprovisioning_factor", Wrapped(U32)),
        ("weighted_priority_health", Bool),
    ],
    others: &["drop_overloads", "endpoint_stale_after"],
};

const LOCALITY_ENDPOINTS: Message = Message {
    name: "LocalityLbEndpoints",
    fields: &[
        ("locality", Inner(&LOCALITY)),
        ("lb_endpoints", List(&LB_ENDPOINT)),
        ("load_balancer_endpoints", Inner(&LB_ENDPOINT_LIST)),
        ("load_balancing_weight", Wrapped(U32)),
        ("priority", Number(128)),
        ("leds_cluster_locality_config", Struct),
    ],
    others: &["metadata", "proximity"],
};

const LB_ENDPOINT_LIST: Message = Message {
    name: "LbEndpointList",
    fields: &[("lb_endpoints", List(&LB_ENDPOINT))],
    others: &[],
};

const LOCALITY: Message = Message {
    name: "Locality",
    fields: &[("region", Text), ("zone", Text), ("sub_zone", Text)],
    others: &[],
};

const LB_ENDPOINT: Message = Message {
    name: "LbEndpoint",
    fields: &[
        ("endpoint", Inner(&ENDPOINT)),
        ("endpoint_name", Text),
        (
            "health_status",
            Enum(&[
                "UNKNOWN",
                "HEALTHY",
                "UNHEALTHY",
                "DRAINING",
                "TIMEOUT",
                "DEGRADED",
            ]),
        ),
        ("metadata", Inner(&METADATA)),
        ("load_balancing_weight", Wrapped(U32)),
    ],
    others: &[],
};

const METADATA: Message = Message {
    name: "Metadata",
    fields: &[("filter_metadata", Struct)],
    others: &["typed_filter_metadata"],
};

const ENDPOINT: Message = Message {
    name: "Endpoint",
    fields: &[("address", Inner(&ADDRESS)), ("hostname", Text)],
    others: &[
        "health_check_config",
        "additional_addresses",
        "observability_name",
    ],
};

const ADDRESS: Message = Message {
    name: "Address",
    fields: &[
        ("socket_address", Inner(&SOCKET_ADDRESS)),
        ("pipe", Inner(&PIPE)),
    ],
    others: &["envoy_internal_address"],
};

const SOCKET_ADDRESS: Message = Message {
    name: "SocketAddress",
    fields: &[
        ("address", Text),
        ("port_value", Number(65_535)),
        ("named_port", Text),
        ("resolver_name", Text),
    ],
    others: &["protocol", "ipv4_compat", "network_namespace_filepath"],
};

const PIPE: Message = Message {
    name: "Pipe",
    fields: &[("path", Text)],
    others: &["mode"],
};
