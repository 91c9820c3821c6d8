//! The parts of Envoy's v3 configuration that decide where keys are, as parsed by [`proto`](super::proto): fields by
//! their protobuf names, values by their types. Missing fields have their defaults.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Listener {
    pub(super) filter_chains: Vec<FilterChain>,
    pub(super) default_filter_chain: Option<FilterChain>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FilterChain {
    pub(super) filters: Vec<Filter>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Filter {
    pub(super) typed_config: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RedisProxy {
    #[serde(rename = "@line")]
    pub(super) line: u64,
    pub(super) settings: Settings,
    pub(super) prefix_routes: PrefixRoutes,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    pub(super) enable_hashtagging: bool,
    pub(super) read_policy: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PrefixRoutes {
    pub(super) routes: Vec<Route>,
    pub(super) case_insensitive: bool,
    pub(super) catch_all_route: Option<Route>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Route {
    #[serde(rename = "@line")]
    pub(super) line: u64,
    pub(super) cluster: String,
    pub(super) prefix: String,
    pub(super) remove_prefix: bool,
    pub(super) key_formatter: String,
    pub(super) request_mirror_policy: Vec<Other>,
    pub(super) read_command_policy: Option<Other>,
}

/// Another cluster of a route.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Other {
    pub(super) cluster: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Cluster {
    #[serde(rename = "@line")]
    pub(super) line: u64,
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) cluster_type: Option<ClusterType>,
    pub(super) lb_policy: Option<String>,
    pub(super) maglev_lb_config: Option<Maglev>,
    pub(super) ring_hash_lb_config: Option<RingHash>,
    pub(super) common_lb_config: CommonLbConfig,
    pub(super) load_balancing_policy: Option<LoadBalancingPolicy>,
    pub(super) lb_subset_config: Option<Value>,
    pub(super) load_assignment: LoadAssignment,
    pub(super) eds_cluster_config: EdsClusterConfig,
}

/// Where a cluster of type EDS finds its nodes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct EdsClusterConfig {
    pub(super) service_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ClusterType {
    pub(super) name: String,
    pub(super) typed_config: Option<DnsCluster>,
}

/// The part of the configuration that is read for any type of cluster.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct DnsCluster {
    #[serde(rename = "@type")]
    pub(super) of: String,
    pub(super) all_addresses_in_single_endpoint: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct CommonLbConfig {
    pub(super) healthy_panic_threshold: Option<Percent>,
    pub(super) consistent_hashing_lb_config: Option<ConsistentHashing>,
    pub(super) locality_weighted_lb_config: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Percent {
    pub(super) value: f64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct ConsistentHashing {
    pub(super) use_hostname_for_hashing: bool,
    pub(super) hash_balance_factor: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LoadBalancingPolicy {
    pub(super) policies: Vec<PolicyChoice>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PolicyChoice {
    pub(super) typed_extension_config: Extension,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Extension {
    pub(super) name: String,
    pub(super) typed_config: Option<Value>,
}

/// Fields of `maglev_lb_config` and of the extension, which has more fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Maglev {
    pub(super) table_size: Option<u32>,
    pub(super) consistent_hashing_lb_config: Option<ConsistentHashing>,
    pub(super) locality_weighted_lb_config: Option<Value>,
}

/// Fields of `ring_hash_lb_config` and of the extension, which has more fields.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RingHash {
    pub(super) minimum_ring_size: Option<u32>,
    pub(super) maximum_ring_size: Option<u32>,
    pub(super) hash_function: Option<String>,
    pub(super) use_hostname_for_hashing: bool,
    pub(super) hash_balance_factor: Option<u32>,
    pub(super) consistent_hashing_lb_config: Option<ConsistentHashing>,
    pub(super) locality_weighted_lb_config: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LoadAssignment {
    pub(super) endpoints: Vec<LocalityEndpoints>,
    pub(super) policy: AssignmentPolicy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AssignmentPolicy {
    pub(super) overprovisioning_factor: Option<u32>,
    pub(super) weighted_priority_health: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LocalityEndpoints {
    #[serde(rename = "@line")]
    pub(super) line: u64,
    pub(super) locality: Locality,
    pub(super) priority: u32,
    pub(super) load_balancing_weight: Option<u32>,
    pub(super) lb_endpoints: Vec<LbEndpoint>,
    pub(super) load_balancer_endpoints: Option<Value>,
    pub(super) leds_cluster_locality_config: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Locality {
    pub(super) region: String,
    pub(super) zone: String,
    pub(super) sub_zone: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LbEndpoint {
    #[serde(rename = "@line")]
    pub(super) line: u64,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) health_status: Option<String>,
    pub(super) metadata: Metadata,
    pub(super) load_balancing_weight: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Metadata {
    pub(super) filter_metadata: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Endpoint {
    pub(super) address: Address,
    pub(super) hostname: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Address {
    pub(super) socket_address: Option<SocketAddress>,
    pub(super) pipe: Option<Pipe>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct SocketAddress {
    pub(super) address: String,
    pub(super) port_value: Option<u16>,
    pub(super) resolver_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pipe {
    pub(super) path: String,
}
