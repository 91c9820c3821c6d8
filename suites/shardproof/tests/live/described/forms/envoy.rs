//! Forms of Envoy's bootstrap.

use super::Fate::{self, Declined, Read, Refused};
use super::Form;

/// Where a form goes in the file.
#[derive(Debug, Clone, Copy)]
enum Slot {
    /// The settings of the filter.
    Settings,
    /// The routes of the filter.
    Routes,
    /// The whole configuration of the filter.
    Filter,
    /// Settings of the cluster.
    Cluster,
    /// The nodes of the cluster.
    Assignment,
    /// Settings of a cluster of one node.
    Lone,
    /// Settings of a cluster of one endpoint, whose name the proxy resolves.
    Named,
    /// Around the whole file.
    Around,
}
use Slot::{Around, Assignment, Cluster, Filter, Lone, Named, Routes, Settings};

const TAGGED: &str = "maglev/hash_tags:10.0.0.1:6379,10.0.0.2:6379";
const PLAIN: &str = "maglev:10.0.0.1:6379,10.0.0.2:6379";
const TABLE: &str = "maglev/table_size=251:10.0.0.1:6379,10.0.0.2:6379";
const RING: &str = "ring_hash:10.0.0.1:6379,10.0.0.2:6379";
const ONE: &str = "maglev:10.0.0.1:6379";
const ANY: &str = "random:10.0.0.1:6379";
const HEAVY: &str = "maglev:10.0.0.1:6379*2,10.0.0.2:6379";

const FILTER: &str = r#"typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          stat_prefix: s
          settings: { op_timeout: 5s, SETTINGS }
          prefix_routes: ROUTES"#;

const ENVOY: &str = r"static_resources:
  listeners:
  - name: l
    address: { socket_address: { address: 127.0.0.1, port_value: 6400 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        FILTER
  clusters:
  - name: redis
    connect_timeout: 1s
    CLUSTER
    load_assignment:
      cluster_name: redis
      ASSIGNMENT
";

/// Two nodes with something more of the first one.
const NODES: &str = "endpoints: [ { lb_endpoints: [ \
    { endpoint: { address: { socket_address: { address: 10.0.0.1, port_value: 6379 } } } MORE }, \
    { endpoint: { address: { socket_address: { address: 10.0.0.2, port_value: 6379 } } } } ] } ]";

/// One node at ADDRESS.
const NODE: &str = "endpoints: [ { lb_endpoints: [ \
    { endpoint: { address: { socket_address: { address: ADDRESS, port_value: 6379 } } } } ] } ]";

/// Each form in a bootstrap.
pub(super) fn all() -> Vec<Form> {
    FORMS
        .iter()
        .map(|(slot, form, fate)| (bootstrap(*slot, form), *fate))
        .collect()
}

/// A bootstrap with one form in it.
fn bootstrap(slot: Slot, form: &str) -> String {
    let nodes = NODES.replace("MORE", "");
    let [
        mut settings,
        mut routes,
        mut filter,
        mut cluster,
        mut assignment,
    ] = [
        "",
        "{ catch_all_route: { cluster: redis } }",
        FILTER,
        "lb_policy: MAGLEV",
        &nodes,
    ];
    let (lone, named) = ["10.0.0.1", "redis-a"]
        .map(|address| NODE.replace("ADDRESS", address))
        .into();
    let more = NODES.replace("MORE", form);
    let around = form.replace("NODES", &nodes);
    match slot {
        Settings => settings = form,
        Routes => routes = form,
        Filter => filter = form,
        Cluster => cluster = form,
        Assignment if form.starts_with(',') => assignment = &more,
        Assignment => assignment = &around,
        Lone => (cluster, assignment) = (form, &lone),
        Named => (cluster, assignment) = (form, &named),
        Around => {}
    }
    let file = ENVOY
        .replace("FILTER", filter)
        .replace("SETTINGS", settings)
        .replace("ROUTES", routes)
        .replace("CLUSTER", cluster)
        .replace("ASSIGNMENT", assignment);
    match slot {
        Around => form.replace("FILE", &file),
        _ => file,
    }
}

/// Forms of a bootstrap.
const FORMS: &[(Slot, &str, Fate)] = &[
    (Settings, "read_policy: PREFER_REPLICA", Read(PLAIN)),
    (Settings, "read_policy: 4", Read(PLAIN)),
    (Settings, "read_policy: LOCAL_ZONE_AFFINITY", Read(PLAIN)),
    (
        Settings,
        "read_policy: LOCAL_ZONE_AFFINITY_REPLICAS_AND_PRIMARY",
        Read(PLAIN),
    ),
    (Settings, "read_policy: SLAVE", Refused("one of MASTER")),
    (Cluster, "lb_policy: MAGLEV", Read(PLAIN)),
    (Cluster, "lb_policy: maglev", Read(PLAIN)),
    (Cluster, "lb_policy: Maglev", Read(PLAIN)),
    (Cluster, "lb_policy: 5", Read(PLAIN)),
    (Cluster, r#"lb_policy: "5""#, Read(PLAIN)),
    (Cluster, r#"lb_policy: "ring_hash""#, Read(RING)),
    (
        Cluster,
        "lb_policy: null",
        Declined("ROUND_ROBIN is not a placement over several nodes"),
    ),
    (
        Cluster,
        "lb_policy: round_robin",
        Declined("ROUND_ROBIN is not a placement over several nodes"),
    ),
    (Cluster, "lb_policy: 5.0", Refused("one of ROUND_ROBIN")),
    (Cluster, "lb_policy: 99", Refused("one of ROUND_ROBIN")),
    (
        Cluster,
        "lb_policy: ringHash",
        Refused("one of ROUND_ROBIN"),
    ),
    (
        Cluster,
        "lb_policy: ring-hash",
        Refused("one of ROUND_ROBIN"),
    ),
    (
        Cluster,
        "lb_policy: [MAGLEV]",
        Refused("one of ROUND_ROBIN"),
    ),
    (
        Cluster,
        "lbPolicy: MAGLEV\n    maglevLbConfig: { tableSize: 251 }",
        Read(TABLE),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    lbPolicy: MAGLEV",
        Declined("duplicate field: give it once"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    lb_policy: MAGLEV",
        Declined("duplicate field: give it once"),
    ),
    (
        Cluster,
        "lb_polcy: MAGLEV",
        Refused("unknown field `lb_polcy` in Cluster, did you mean `lb_policy`?"),
    ),
    (
        Cluster,
        "LbPolicy: MAGLEV",
        Refused("did you mean `lb_policy`?"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    hosts: [ { socket_address: { address: 10.0.0.1, port_value: 1 } } ]",
        Refused("unknown field `hosts` in Cluster: expected `load_assignment`"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: 251 }",
        Read(TABLE),
    ),
    (
        Cluster,
        r#"lb_policy: MAGLEV
    maglev_lb_config: { table_size: "251" }"#,
        Read(TABLE),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: 251.0 }",
        Read(TABLE),
    ),
    (
        Cluster,
        r#"lb_policy: MAGLEV
    maglev_lb_config: { table_size: "251.0" }"#,
        Read(TABLE),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: 2.51e2 }",
        Read(TABLE),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: 0xfb }",
        Read(TABLE),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: 0373 }",
        Read(TABLE),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: +251 }",
        Read(TABLE),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: { value: 251 } }",
        Read(TABLE),
    ),
    (
        Cluster,
        r#"lb_policy: MAGLEV
    maglev_lb_config: { table_size: { value: "251" } }"#,
        Read(TABLE),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: null }",
        Read(PLAIN),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: [251] }",
        Refused("table_size: expected a whole number"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: -1 }",
        Refused("table_size: expected a whole number"),
    ),
    (
        Cluster,
        r#"lb_policy: MAGLEV
    maglev_lb_config: { table_size: " 251" }"#,
        Refused("table_size: expected a whole number"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: 251_0 }",
        Refused("table_size: expected a whole number"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: 1e400 }",
        Refused("a number is out of range"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: true }",
        Refused("table_size: expected a whole number"),
    ),
    (
        Cluster,
        r#"lb_policy: MAGLEV
    maglev_lb_config: { table_size: "" }"#,
        Refused("table_size: expected a whole number"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: 65536 }",
        Refused("expected a prime"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_size: 0 }",
        Refused("expected a prime"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: []",
        Refused("expected a mapping"),
    ),
    (
        Cluster,
        r#"lb_policy: MAGLEV
    maglev_lb_config: "x""#,
        Refused("expected a mapping"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    maglev_lb_config: { table_siz: 251 }",
        Refused("unknown field `table_siz` in MaglevLbConfig, did you mean `table_size`?"),
    ),
    (
        Cluster,
        "lb_policy: RING_HASH\n    ring_hash_lb_config: { hash_function: 1 }",
        Read("ring_hash/hash_function=MURMUR_HASH_2:10.0.0.1:6379,10.0.0.2:6379"),
    ),
    (
        Cluster,
        "lb_policy: RING_HASH\n    ring_hash_lb_config: { hash_function: murmur_hash_2 }",
        Read("ring_hash/hash_function=MURMUR_HASH_2:10.0.0.1:6379,10.0.0.2:6379"),
    ),
    (
        Cluster,
        "lb_policy: RING_HASH\n    ring_hash_lb_config: { hash_function: 2 }",
        Refused("one of XX_HASH, MURMUR_HASH_2"),
    ),
    (
        Cluster,
        "lb_policy: RING_HASH\n    ring_hash_lb_config: { hash_function: DEFAULT_HASH }",
        Refused("one of XX_HASH, MURMUR_HASH_2"),
    ),
    (
        Cluster,
        "lb_policy: RING_HASH\n    ring_hash_lb_config: { minimum_ring_size: 10, maximum_ring_size: 5 }",
        Refused("is greater than the maximum"),
    ),
    (
        Cluster,
        "lb_policy: RING_HASH\n    ring_hash_lb_config: { maximum_ring_size: 8388609 }",
        Refused("from 0 to 8388608"),
    ),
    (
        Cluster,
        "lb_policy: RING_HASH\n    ring_hash_lb_config: { minimum_ring_size: 0 }",
        Declined("ring size 0"),
    ),
    (Cluster, "lb_policy: MAGLEV\n    type: static", Read(PLAIN)),
    (Cluster, "lb_policy: MAGLEV\n    type: 0", Read(PLAIN)),
    (
        Cluster,
        r#"lb_policy: MAGLEV
    type: "STATIC""#,
        Read(PLAIN),
    ),
    (Cluster, "lb_policy: MAGLEV\n    type: null", Read(PLAIN)),
    (
        Cluster,
        "lb_policy: MAGLEV\n    type: EDS",
        Refused("type EDS"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    type: STATIC\n    cluster_type: { name: envoy.cluster.static }",
        Refused("expected only one"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    cluster_type: { name: envoy.cluster.static }",
        Read(PLAIN),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    cluster_type: { name: envoy.clusters.static }",
        Refused("cluster_type `envoy.clusters.static`"),
    ),
    (
        Cluster,
        "lb_policy: CLUSTER_PROVIDED\n    cluster_type: { name: envoy.clusters.redis }",
        Declined("CLUSTER SLOTS"),
    ),
    (
        Cluster,
        "lb_policy: CLUSTER_PROVIDED\n    cluster_type: { name: envoy.clusters.redis, typed_config: { \
         '@type': type.googleapis.com/google.protobuf.Struct, value: { cluster_refresh_rate: 30s } } }",
        Declined("CLUSTER SLOTS"),
    ),
    (
        Cluster,
        "lb_policy: CLUSTER_PROVIDED\n    clusterType: { name: envoy.clusters.redis, typedConfig: { \
         '@type': type.googleapis.com/envoy.extensions.clusters.redis.v3.RedisClusterConfig, \
         redirect_refresh_threshold: 1 } }",
        Declined("CLUSTER SLOTS"),
    ),
    (
        Cluster,
        "lb_policy: CLUSTER_PROVIDED\n    cluster_type: { name: envoy.clusters.redis, typed_config: { \
         '@type': type.googleapis.com/envoy.extensions.clusters.redis.v3.RedisClusterConfig, refresh_rate: 1s } }",
        Refused("unknown field `refresh_rate` in RedisClusterConfig"),
    ),
    (
        Cluster,
        "lb_policy: CLUSTER_PROVIDED\n    type: STATIC\n    cluster_type: { name: envoy.clusters.redis }",
        Refused("expected only one"),
    ),
    (
        Cluster,
        "cluster_type: { name: envoy.clusters.redis }",
        Declined("lb_policy ROUND_ROBIN: expected CLUSTER_PROVIDED"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    cluster_type: { name: envoy.clusters.redis }",
        Declined("lb_policy MAGLEV: expected CLUSTER_PROVIDED"),
    ),
    (
        Cluster,
        "lb_policy: CLUSTER_PROVIDED\n    cluster_type: { name: envoy.clusters.redis, typed_config: { \
         '@type': type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster } }",
        Refused("typed_config DnsCluster: expected RedisClusterConfig"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    lb_subset_config: {}",
        Read(PLAIN),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    lb_subset_config: { subset_selectors: [ { keys: [ a ] } ] }",
        Declined("subsets of nodes are not supported"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    common_lb_config: { consistent_hashing_lb_config: { hash_balance_factor: 50 } }",
        Refused("expected at least 100"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    common_lb_config: { consistent_hashing_lb_config: { hash_balance_factor: 0 } }",
        Refused("expected at least 100"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    common_lb_config: { healthy_panic_threshold: { value: 101 } }",
        Refused("expected 0 to 100"),
    ),
    (
        Cluster,
        r#"lb_policy: MAGLEV
    common_lb_config: { healthy_panic_threshold: { value: "50" } }"#,
        Read(PLAIN),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    common_lb_config: { healthy_panic_threshold: 50 }",
        Refused("expected a mapping"),
    ),
    (
        Cluster,
        r#"load_balancing_policy: { policies: { typed_extension_config: { name: m, typed_config: { "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev, table_size: "251" } } } }"#,
        Read(TABLE),
    ),
    (
        Cluster,
        r#"load_balancing_policy: { policies: [{ typed_extension_config: { name: m, typed_config: { "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev, tableSize: 251 } } }] }"#,
        Read(TABLE),
    ),
    (
        Cluster,
        r#"load_balancing_policy: { policies: [{ typed_extension_config: { name: m, typed_config: { "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev, table_siz: 251 } } }] }"#,
        Refused("unknown field `table_siz` in Maglev, did you mean `table_size`?"),
    ),
    (
        Cluster,
        r#"load_balancing_policy: { policies: [ { typed_extension_config: { name: m, typed_config: { "@type": type.googleapis.com/xds.type.v3.TypedStruct, type_url: type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev, value: { table_size: 251 } } } } ] }"#,
        Read(TABLE),
    ),
    (
        Cluster,
        "load_balancing_policy: { policies: [ { typed_extension_config: { name: envoy.load_balancing_policies.maglev } } ] }",
        Refused("expected typed_config"),
    ),
    (
        Cluster,
        "load_balancing_policy: { policies: [] }",
        Refused("expected maglev or ring_hash"),
    ),
    (Settings, r#"enable_hashtagging: "true""#, Read(TAGGED)),
    (Settings, "enable_hashtagging: yes", Read(TAGGED)),
    (Settings, "enable_hashtagging: on", Read(TAGGED)),
    (Settings, "enable_hashtagging: True", Read(TAGGED)),
    (Settings, "enable_hashtagging: y", Read(TAGGED)),
    (Settings, r#"enable_hashtagging: "1""#, Read(TAGGED)),
    (Settings, r#"enable_hashtagging: "t""#, Read(TAGGED)),
    (Settings, r#"enable_hashtagging: "TRUE""#, Read(TAGGED)),
    (Settings, "enable_hashtagging: null", Read(PLAIN)),
    (Settings, "enable_hashtagging: ~", Read(PLAIN)),
    (Settings, "enable_hashtagging: n", Read(PLAIN)),
    (Settings, r#"enable_hashtagging: "no""#, Read(PLAIN)),
    (Settings, r#"enable_hashtagging: "0""#, Read(PLAIN)),
    (Settings, "enable_hashtagging: off", Read(PLAIN)),
    (Settings, "enableHashtagging: true", Read(TAGGED)),
    (
        Settings,
        "enable_hashtagging: 1",
        Refused("expected true or false"),
    ),
    (
        Settings,
        "enable_hashtagging: 0",
        Refused("expected true or false"),
    ),
    (
        Settings,
        r#"enable_hashtagging: "on""#,
        Refused("expected true or false"),
    ),
    (
        Settings,
        r#"enable_hashtagging: """#,
        Refused("expected true or false"),
    ),
    (
        Settings,
        "enable_hashtagging: [true]",
        Refused("expected true or false"),
    ),
    (
        Settings,
        "enable_hashtagging: { value: true }",
        Refused("expected true or false"),
    ),
    (
        Settings,
        "enable_hash_tagging: true",
        Refused("did you mean `enable_hashtagging`?"),
    ),
    (Routes, "{ catchAllRoute: { cluster: redis } }", Read(PLAIN)),
    (
        Routes,
        "{ routes: { prefix: a, cluster: redis }, catch_all_route: { cluster: redis } }",
        Read(PLAIN),
    ),
    (
        Routes,
        "{ routes: null, catch_all_route: { cluster: redis } }",
        Read(PLAIN),
    ),
    (
        Routes,
        "{ routes: [ null ], catch_all_route: { cluster: redis } }",
        Refused("expected the name of a cluster"),
    ),
    (
        Routes,
        "{ routes: [ [ { prefix: a, cluster: redis } ] ], catch_all_route: { cluster: redis } }",
        Read(PLAIN),
    ),
    (
        Routes,
        "[ { catch_all_route: { cluster: redis } } ]",
        Refused("expected a mapping"),
    ),
    (
        Routes,
        "{ routes: [ { prefix: 2, cluster: redis } ] }",
        Refused("prefix: expected a string"),
    ),
    (
        Routes,
        "{ routes: [ { prefix: true, cluster: redis } ] }",
        Refused("prefix: expected a string"),
    ),
    (
        Routes,
        "{ routes: [ { prefix: on, cluster: redis } ] }",
        Refused("prefix: expected a string"),
    ),
    (
        Routes,
        "{ routes: [ { prefix: -7, cluster: redis } ] }",
        Refused("prefix: expected a string"),
    ),
    (
        Routes,
        "{ routes: [ { prefix: a, cluster: redis }, { prefix: a, cluster: redis } ] }",
        Refused("another route of the filter has it"),
    ),
    (
        Routes,
        "{ case_insensitive: true, routes: [ { prefix: a, cluster: redis }, { prefix: A, cluster: redis } ] }",
        Refused("another route of the filter has it"),
    ),
    (
        Routes,
        "{ catch_all_cluster: redis }",
        Refused(
            "unknown field `catch_all_cluster` in PrefixRoutes: expected `catch_all_route: {cluster: NAME}`",
        ),
    ),
    (
        Routes,
        r#"{ routes: [ { prefix: "a:", remove_prefix: true, cluster: redis } ] }"#,
        Declined("changes keys of cluster redis before they are hashed"),
    ),
    (Routes, "{}", Refused("no route")),
    (
        Filter,
        r#"typed_config: { "@type": type.googleapis.com/xds.type.v3.TypedStruct, type_url: type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, value: { stat_prefix: s, settings: { op_timeout: 5s, enable_hashtagging: "true" }, prefix_routes: { catch_all_route: { cluster: redis } } } }"#,
        Read(TAGGED),
    ),
    (
        Filter,
        r#"typed_config: { "@type": type.googleapis.com/udpa.type.v1.TypedStruct, type_url: type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, value: { stat_prefix: s, settings: { op_timeout: 5s, enable_hashtagging: "true" }, prefix_routes: { catch_all_route: { cluster: redis } } } }"#,
        Read(TAGGED),
    ),
    (
        Filter,
        r#"typed_config: { "@type": type.googleapis.com/xds.type.v3.TypedStruct, type_url: envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, value: { stat_prefix: s, settings: { op_timeout: 5s, enable_hashtagging: "true" }, prefix_routes: { catch_all_route: { cluster: redis } } } }"#,
        Read(TAGGED),
    ),
    (
        Filter,
        r#"typed_config: { "@type": type.googleapis.com/xds.type.v3.TypedStruct, value: { stat_prefix: s, settings: { op_timeout: 5s, enable_hashtagging: "true" }, prefix_routes: { catch_all_route: { cluster: redis } } } }"#,
        Refused("expected `type_url`"),
    ),
    (
        Filter,
        r#"typed_config: { "@type": type.googleapis.com/xds.type.v3.TypedStruct, type_url: envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, value: { foo: 1, stat_prefix: s, settings: { op_timeout: 5s, enable_hashtagging: "true" }, prefix_routes: { catch_all_route: { cluster: redis } } } }"#,
        Refused("unknown field `foo` in RedisProxy"),
    ),
    (
        Filter,
        r#"config: { stat_prefix: s, settings: { op_timeout: 5s, enable_hashtagging: "true" }, prefix_routes: { catch_all_route: { cluster: redis } } }"#,
        Refused("unknown field `config` in Filter: expected `typed_config`"),
    ),
    (
        Filter,
        r#"typed_config: { "@type": type.googleapis.com/envoy.config.filter.network.redis_proxy.v2.RedisProxy, stat_prefix: s, settings: { op_timeout: 5s, enable_hashtagging: "true" }, prefix_routes: { catch_all_route: { cluster: redis } } }"#,
        Refused("v3.RedisProxy, Envoy 1.18 and later do not support older types"),
    ),
    (
        Filter,
        r#"typed_config: { "@type": envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, stat_prefix: s, settings: { op_timeout: 5s, enable_hashtagging: "true" }, prefix_routes: { catch_all_route: { cluster: redis } } }"#,
        Refused("expected `@type`"),
    ),
    (
        Filter,
        r#"typed_config: { "@type": x.y/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, stat_prefix: s, settings: { op_timeout: 5s, enable_hashtagging: "true" }, prefix_routes: { catch_all_route: { cluster: redis } } }"#,
        Read(TAGGED),
    ),
    (
        Filter,
        r#"typed_config: { stat_prefix: s, settings: { op_timeout: 5s, enable_hashtagging: "true" }, prefix_routes: { catch_all_route: { cluster: redis } } }"#,
        Refused("expected `@type`"),
    ),
    (
        Filter,
        r#"typed_config: { "@type": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy, stat_prefix: s, settings: { op_timeout: 5s }, cluster: redis }"#,
        Refused(
            "unknown field `cluster` in RedisProxy: expected `prefix_routes: {catch_all_route: {cluster: NAME}}`",
        ),
    ),
    (
        Assignment,
        r#"endpoints: { lb_endpoints: { endpoint: { address: { socket_address: { address: 10.0.0.1, port_value: "6379" } } } } }"#,
        Read(ONE),
    ),
    (
        Assignment,
        "endpoints: [ [ { lbEndpoints: [ { endpoint: { address: { socketAddress: { protocol: tcp, address: 10.0.0.1, portValue: 6379.0 } } } } ] } ] ]",
        Read(ONE),
    ),
    (Assignment, ", load_balancing_weight: 2", Read(HEAVY)),
    (Assignment, r#", load_balancing_weight: "2""#, Read(HEAVY)),
    (Assignment, ", load_balancing_weight: 2.0", Read(HEAVY)),
    (
        Assignment,
        ", load_balancing_weight: { value: 2 }",
        Read(HEAVY),
    ),
    (Assignment, ", load_balancing_weight: null", Read(PLAIN)),
    (
        Assignment,
        ", load_balancing_weight: 0",
        Refused("expected at least 1"),
    ),
    (
        Assignment,
        ", load_balancing_weight: {}",
        Refused("expected at least 1"),
    ),
    (
        Assignment,
        ", load_balancing_weight: 1.5",
        Refused("expected a whole number from 0 to 4294967295"),
    ),
    (
        Assignment,
        ", load_balancing_weight: 4294967296",
        Refused("expected a whole number from 0 to 4294967295"),
    ),
    (
        Assignment,
        ", load_balancing_weight: 4294967295",
        Refused("add up to more than"),
    ),
    (Assignment, ", health_status: healthy", Read(PLAIN)),
    (Assignment, ", health_status: 1", Read(PLAIN)),
    (Assignment, r#", health_status: "1""#, Read(PLAIN)),
    (Assignment, ", health_status: null", Read(PLAIN)),
    (Assignment, ", health_status: UNKNOWN", Read(PLAIN)),
    (
        Assignment,
        ", health_status: bogus",
        Refused("one of UNKNOWN, HEALTHY"),
    ),
    (
        Assignment,
        ", health_status: 9",
        Declined("one of UNKNOWN, HEALTHY"),
    ),
    (
        Assignment,
        ", priority: 0",
        Refused("unknown field `priority` in LbEndpoint"),
    ),
    (
        Assignment,
        "policy: { overprovisioning_factor: 140 }\n      NODES",
        Read(PLAIN),
    ),
    (
        Assignment,
        r#"policy: { overprovisioning_factor: "140" }
      NODES"#,
        Read(PLAIN),
    ),
    (
        Assignment,
        "policy: { overprovisioning_factor: null }\n      NODES",
        Read(PLAIN),
    ),
    (
        Assignment,
        "policy: { overprovisioning_factor: 0 }\n      NODES",
        Refused("overprovisioning factor 0"),
    ),
    (
        Assignment,
        "policy: { overprovisioning_factor: 4294967296 }\n      NODES",
        Refused("a whole number from 0 to 4294967295"),
    ),
    (
        Assignment,
        "policy: { weighted_priority_health: true }\n      NODES",
        Declined("health by weights is not supported"),
    ),
    (
        Assignment,
        "endpoints: [ { priority: 129, lb_endpoints: [] } ]",
        Refused("a whole number from 0 to 128"),
    ),
    (
        Assignment,
        "endpoints: []",
        Declined("the cluster has no nodes"),
    ),
    (
        Assignment,
        "endpoints: [ { lb_endpoints: [ { endpoint: { address: { socket_address: { address: 10.0.0.1, port_value: 65536 } } } } ] } ]",
        Refused("port_value: expected a whole number"),
    ),
    (
        Assignment,
        "endpoints: [ { lb_endpoints: [ { endpoint: { address: { socket_address: { address: 10.0.0.1, port_value: -1 } } } } ] } ]",
        Refused("port_value: expected a whole number"),
    ),
    (
        Assignment,
        r#"endpoints: [ { lb_endpoints: [ { endpoint: { address: { socket_address: { address: 10.0.0.1, port_value: "x" } } } } ] } ]"#,
        Refused("port_value: expected a whole number"),
    ),
    (
        Assignment,
        "endpoints: [ { lb_endpoints: [ { endpoint: { address: { socket_address: { address: 10.0.0.1, named_port: redis } } } } ] } ]",
        Refused("expected a port"),
    ),
    (
        Assignment,
        "endpoints: [ { lb_endpoints: [ { health_status: HEALTHY } ] } ]",
        Refused("expected socket_address or pipe"),
    ),
    (Lone, "lb_policy: ROUND_ROBIN", Read(ANY)),
    (Lone, "lb_policy: random", Read(ANY)),
    (Lone, "lb_policy: least_request", Read(ANY)),
    (Lone, "type: STATIC", Read(ANY)),
    (
        Lone,
        r#"load_balancing_policy: { policies: [ { typed_extension_config: { name: r, typed_config: { "@type": type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin } } } ] }"#,
        Read(ANY),
    ),
    (Lone, "lb_policy: MAGLEV", Read(ONE)),
    (
        Cluster,
        "type: STRICT_DNS",
        Declined("lb_policy ROUND_ROBIN is not a placement over several nodes"),
    ),
    (
        Named,
        "type: STRICT_DNS",
        Declined("give --resolve redis-a=IP if it has one address"),
    ),
    (
        Named,
        "type: STRICT_DNS\n    lb_policy: MAGLEV",
        Declined("give it with --resolve redis-a=IP"),
    ),
    (
        Named,
        "type: EDS\n    lb_policy: MAGLEV",
        Refused("or the nodes that its /clusters lists"),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    <<: { maglev_lb_config: { table_size: 251 } }",
        Refused("unknown field `<<` in Cluster"),
    ),
    (Cluster, "lb_policy: &policy MAGLEV", Read(PLAIN)),
    (
        Cluster,
        "alt_stat_name: &policy maglev\n    lb_policy: *policy",
        Read(PLAIN),
    ),
    (
        Cluster,
        "lb_policy: MAGLEV\n    tls_context: {}",
        Refused("expected `transport_socket`"),
    ),
    (
        Filter,
        r#"config: { stat_prefix: s, settings: { op_timeout: 5s } }"#,
        Refused("expected `typed_config`"),
    ),
    (Around, "---\nFILE", Read(PLAIN)),
    (Around, "FILE...\n", Read(PLAIN)),
    (
        Around,
        "FILE---\nfoo: 1\n",
        Declined("expected only the proxy configuration"),
    ),
    (
        Around,
        "clusters: []\nFILE",
        Refused("unknown field `clusters` in Bootstrap: it belongs under static_resources"),
    ),
    (
        Around,
        "listeners: []\nFILE",
        Refused("unknown field `listeners` in Bootstrap: it belongs under static_resources"),
    ),
    (
        Around,
        "apiVersion: v1\nkind: ConfigMap\ndata: { envoy: x }\n",
        Refused("a Kubernetes manifest"),
    ),
];
