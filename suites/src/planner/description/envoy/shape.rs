//! The parts of Envoy's v3 bootstrap that decide where keys are, as serde sees them. Names are accepted in both of protobuf's
//! spellings. Fields that place nothing are left to Envoy.

use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

#[derive(Debug, Deserialize)]
pub(super) struct Bootstrap {
    #[serde(alias = "staticResources")]
    pub(super) static_resources: StaticResources,
}

#[derive(Debug, Deserialize)]
pub(super) struct StaticResources {
    #[serde(default)]
    pub(super) listeners: Vec<Listener>,
    #[serde(default)]
    pub(super) clusters: Vec<Spanned<Cluster>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Listener {
    #[serde(default, alias = "filterChains")]
    pub(super) filter_chains: Vec<FilterChain>,
    #[serde(alias = "defaultFilterChain")]
    pub(super) default_filter_chain: Option<FilterChain>,
}

#[derive(Debug, Deserialize)]
pub(super) struct FilterChain {
    #[serde(default)]
    pub(super) filters: Vec<Filter>,
}

/// A filter of any kind: only those of Redis are looked into.
#[derive(Debug, Deserialize)]
pub(super) struct Filter {
    #[serde(alias = "typedConfig")]
    pub(super) typed_config: Option<Spanned<Value>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RedisProxy {
    #[serde(default)]
    pub(super) settings: Settings,
    #[serde(default, alias = "prefixRoutes")]
    pub(super) prefix_routes: PrefixRoutes,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Settings {
    #[serde(default, alias = "enableHashtagging")]
    pub(super) enable_hashtagging: bool,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PrefixRoutes {
    #[serde(default)]
    pub(super) routes: Vec<Route>,
    #[serde(alias = "catchAllRoute")]
    pub(super) catch_all_route: Option<Route>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Route {
    pub(super) cluster: String,
    #[serde(default)]
    pub(super) prefix: String,
    #[serde(default, alias = "removePrefix")]
    pub(super) remove_prefix: bool,
    #[serde(default, alias = "keyFormatter")]
    pub(super) key_formatter: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cluster {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    #[serde(alias = "clusterType")]
    pub(super) cluster_type: Option<Named>,
    #[serde(alias = "lbPolicy")]
    pub(super) lb_policy: Option<String>,
    #[serde(alias = "maglevLbConfig")]
    pub(super) maglev_lb_config: Option<Maglev>,
    #[serde(alias = "ringHashLbConfig")]
    pub(super) ring_hash_lb_config: Option<RingHash>,
    #[serde(default, alias = "commonLbConfig")]
    pub(super) common_lb_config: CommonLbConfig,
    #[serde(alias = "loadBalancingPolicy")]
    pub(super) load_balancing_policy: Option<LoadBalancingPolicy>,
    #[serde(alias = "lbSubsetConfig")]
    pub(super) lb_subset_config: Option<Value>,
    #[serde(default, alias = "loadAssignment")]
    pub(super) load_assignment: LoadAssignment,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct CommonLbConfig {
    #[serde(alias = "healthyPanicThreshold")]
    pub(super) healthy_panic_threshold: Option<Percent>,
    #[serde(alias = "consistentHashingLbConfig")]
    pub(super) consistent_hashing_lb_config: Option<ConsistentHashing>,
    #[serde(alias = "localityWeightedLbConfig")]
    pub(super) locality_weighted_lb_config: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Percent {
    #[serde(default)]
    pub(super) value: f64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct ConsistentHashing {
    #[serde(default, alias = "useHostnameForHashing")]
    pub(super) use_hostname_for_hashing: bool,
    #[serde(default, alias = "hashBalanceFactor")]
    pub(super) hash_balance_factor: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct LoadBalancingPolicy {
    #[serde(default)]
    pub(super) policies: Vec<PolicyChoice>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PolicyChoice {
    #[serde(alias = "typedExtensionConfig")]
    pub(super) typed_extension_config: Extension,
}

#[derive(Debug, Deserialize)]
pub(super) struct Extension {
    #[serde(default)]
    pub(super) name: String,
    #[serde(alias = "typedConfig")]
    pub(super) typed_config: Value,
}

/// Of `maglev_lb_config` and of the extension, which knows more fields.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Maglev {
    #[serde(alias = "tableSize")]
    pub(super) table_size: Option<u32>,
    #[serde(alias = "consistentHashingLbConfig")]
    pub(super) consistent_hashing_lb_config: Option<ConsistentHashing>,
    #[serde(alias = "localityWeightedLbConfig")]
    pub(super) locality_weighted_lb_config: Option<Value>,
}

/// Of `ring_hash_lb_config` and of the extension, which knows more fields.
#[derive(Debug, Default, Deserialize)]
pub(super) struct RingHash {
    #[serde(alias = "minimumRingSize")]
    pub(super) minimum_ring_size: Option<u32>,
    #[serde(alias = "maximumRingSize")]
    pub(super) maximum_ring_size: Option<u32>,
    #[serde(alias = "hashFunction")]
    pub(super) hash_function: Option<String>,
    #[serde(default, alias = "useHostnameForHashing")]
    pub(super) use_hostname_for_hashing: bool,
    #[serde(default, alias = "hashBalanceFactor")]
    pub(super) hash_balance_factor: u32,
    #[serde(alias = "consistentHashingLbConfig")]
    pub(super) consistent_hashing_lb_config: Option<ConsistentHashing>,
    #[serde(alias = "localityWeightedLbConfig")]
    pub(super) locality_weighted_lb_config: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct LoadAssignment {
    #[serde(default)]
    pub(super) endpoints: Vec<LocalityEndpoints>,
    #[serde(default)]
    pub(super) policy: AssignmentPolicy,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct AssignmentPolicy {
    #[serde(alias = "overprovisioningFactor")]
    pub(super) overprovisioning_factor: Option<u32>,
}

#[derive(Debug, Deserialize)]
pub(super) struct LocalityEndpoints {
    #[serde(default)]
    pub(super) locality: Locality,
    #[serde(default)]
    pub(super) priority: u32,
    #[serde(default, alias = "loadBalancingWeight")]
    pub(super) load_balancing_weight: u32,
    #[serde(default, alias = "lbEndpoints")]
    pub(super) lb_endpoints: Vec<Spanned<LbEndpoint>>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Locality {
    #[serde(default)]
    pub(super) region: String,
    #[serde(default)]
    pub(super) zone: String,
    #[serde(default, alias = "subZone")]
    pub(super) sub_zone: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct LbEndpoint {
    pub(super) endpoint: Endpoint,
    #[serde(alias = "healthStatus")]
    pub(super) health_status: Option<String>,
    #[serde(default)]
    pub(super) metadata: Metadata,
    #[serde(alias = "loadBalancingWeight")]
    pub(super) load_balancing_weight: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Metadata {
    #[serde(default, alias = "filterMetadata")]
    pub(super) filter_metadata: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct Endpoint {
    pub(super) address: Address,
    #[serde(default)]
    pub(super) hostname: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Address {
    #[serde(alias = "socketAddress")]
    pub(super) socket_address: Option<SocketAddress>,
    pub(super) pipe: Option<Pipe>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SocketAddress {
    pub(super) address: String,
    #[serde(alias = "portValue")]
    pub(super) port_value: u16,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pipe {
    pub(super) path: String,
}
