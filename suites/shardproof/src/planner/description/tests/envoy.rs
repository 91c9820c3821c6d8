//! Envoy's bootstrap and its `/config_dump`.

use ::placement::hash::TagRule;
use ::placement::{Cluster, Health, Locality, Panic, Policy, RingFunction};

use super::{
    ADDRS, CATCH_ALL, check, cluster, endpoints, envoy, none, read, redis, resolving, untagged,
    wrong,
};
use crate::planner::Placement;
use crate::planner::description::{Described, inline};

#[test]
fn envoys_policies_have_envoys_defaults() {
    let maglev = redis("      lb_policy: MAGLEV\n");
    check(&maglev, &none(), cluster(Policy::maglev(), &ADDRS));
    let ring = redis("      lb_policy: RING_HASH\n");
    check(&ring, &none(), cluster(Policy::ring_hash(), &ADDRS));
}

#[test]
fn envoys_policies_have_their_settings() {
    let table = Policy::Maglev {
        table_size: 251,
        hash_hostnames: false,
    };
    let ring = Policy::RingHash {
        size_min: 10,
        size_max: 20,
        function: RingFunction::Murmur2,
        hash_hostnames: false,
    };
    for (text, policy) in [
        (
            "      lb_policy: MAGLEV\n      maglev_lb_config: {table_size: 251}\n",
            table.clone(),
        ),
        (
            "      lbPolicy: MAGLEV\n      maglevLbConfig: {tableSize: 251}\n",
            table.clone(),
        ),
        (
            "      load_balancing_policy:
        policies:
        - typed_extension_config: {name: mine, typed_config: {\"@type\": type.googleapis.com/mine.Own}}
        - typed_extension_config:
            name: envoy.load_balancing_policies.maglev
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.load_balancing_policies.maglev.v3.Maglev
              table_size: 251
",
            table,
        ),
        (
            "      lb_policy: RING_HASH
      ring_hash_lb_config: {minimum_ring_size: 10, maximum_ring_size: 20, hash_function: MURMUR_HASH_2}
",
            ring.clone(),
        ),
        (
            "      load_balancing_policy:
        policies:
        - typed_extension_config:
            name: envoy.load_balancing_policies.ring_hash
            typed_config:
              \"@type\": type.googleapis.com/envoy.extensions.load_balancing_policies.ring_hash.v3.RingHash
              minimum_ring_size: 10
              maximum_ring_size: 20
              hash_function: MURMUR_HASH_2
",
            ring,
        ),
    ] {
        check(&redis(text), &none(), cluster(policy, &ADDRS));
    }
}

/// JSON is read like YAML.
#[test]
fn a_bootstrap_may_be_json() {
    let yaml: serde_json::Value =
        serde_saphyr::from_str(&redis("      lb_policy: MAGLEV\n")).unwrap();
    check(
        &yaml.to_string(),
        &none(),
        cluster(Policy::maglev(), &ADDRS),
    );
}

#[test]
fn nodes_have_all_settings_of_envoy() {
    let text = "
static_resources:
  clusters:
  - name: redis
    type: STRICT_DNS
    lb_policy: MAGLEV
    common_lb_config:
      healthy_panic_threshold: {value: 12.4}
      locality_weighted_lb_config: {}
      consistent_hashing_lb_config: {use_hostname_for_hashing: true}
    load_assignment:
      policy: {overprovisioning_factor: 100}
      endpoints:
      - locality: {region: r, zone: z}
        load_balancing_weight: 3
        lb_endpoints:
        - endpoint: {hostname: first, address: {socket_address: {address: 10.0.0.1, port_value: 1}}}
          load_balancing_weight: 2
        - endpoint: {address: {socket_address: {address: redis-b, port_value: 2}}}
          health_status: DRAINING
      - priority: 1
        load_balancing_weight: 1
        lb_endpoints:
        - endpoint: {hostname: c, address: {socket_address: {address: '0:0::1', port_value: 3}}}
          health_status: DEGRADED
          metadata: {filter_metadata: {envoy.lb: {hash_key: C}}}
        - endpoint: {hostname: d, address: {pipe: {path: /run/d.sock}}}
          metadata: {filter_metadata: {envoy.lb: {hash_key: 4}}}
";
    let policy = Policy::Maglev {
        table_size: 65537,
        hash_hostnames: true,
    };
    let mut expected = cluster(
        policy,
        &["10.0.0.1:1", "redis-b:2", "[::1]:3", "/run/d.sock"],
    );
    expected.panic = Panic {
        threshold_percent: 12,
        overprovisioning: 100,
    };
    let names = ["first", "redis-b", "c", "d"];
    for (node, name) in expected.nodes.iter_mut().zip(names) {
        node.hostname = Some(name.to_owned());
        node.locality = Some(Locality {
            name: "r/z/".to_owned(),
            weight: 3,
        });
    }
    let [first, second, third, fourth] = &mut expected.nodes[..] else {
        panic!("four nodes");
    };
    first.weight = 2;
    second.health = Health::Draining;
    third.health = Health::Degraded;
    third.hash_key = Some("C".to_owned());
    for node in [third, fourth] {
        node.priority = 1;
        node.locality = Some(Locality {
            name: "//".to_owned(),
            weight: 1,
        });
    }
    check(text, &untagged(), expected);
}

#[test]
fn names_that_envoy_resolves_come_from_hints() {
    let body_of = |kind: &str, hosts: &[&str]| {
        let nodes = endpoints(hosts);
        let body = format!("      type: {kind}\n      lb_policy: MAGLEV\n{nodes}");
        envoy(CATCH_ALL, &[("redis", &body)])
    };
    let body = |kind: &str| body_of(kind, &["redis-a", "redis-b"]);
    wrong(
        &body("STRICT_DNS"),
        &resolving(&[("redis-a", [10, 0, 0, 1])]),
        "file:17: the proxy resolves host `redis-b` and hashes its address: give it with --resolve redis-b=IP",
    );
    let hints = resolving(&[
        ("redis-a", [10, 0, 0, 1]),
        ("redis-b", [10, 0, 0, 2]),
        ("redis-b", [10, 0, 0, 3]),
    ]);
    let addresses = |kind| {
        let nodes = read(&body(kind), "file", &hints).unwrap().cluster.nodes;
        nodes
            .into_iter()
            .map(|node| node.address)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        addresses("STRICT_DNS"),
        ["10.0.0.1:6379", "10.0.0.2:6379", "10.0.0.3:6379"]
    );
    wrong(
        &body("LOGICAL_DNS"),
        &hints,
        "file:17: type LOGICAL_DNS: expected one endpoint, Envoy refuses more",
    );
    check(
        &body_of("LOGICAL_DNS", &["redis-b"]),
        &hints,
        named("redis-b", "10.0.0.2:6379"),
    );
    wrong(
        &body("STATIC"),
        &hints,
        "file:16: address `redis-a`: expected an IP with type STATIC",
    );
    wrong(
        &body("EDS"),
        &hints,
        "file:10: type EDS: expected STATIC, STRICT_DNS or LOGICAL_DNS with the nodes in the file; for EDS give the answer of \
         Envoy's /config_dump?include_eds, or the nodes that its /clusters lists, as maglev:HOST:PORT,HOST:PORT",
    );
}

/// The only node of a cluster, with the name that Envoy resolved.
fn named(hostname: &str, address: &str) -> Cluster {
    let mut cluster = cluster(Policy::maglev(), &[address]);
    cluster.nodes[0].hostname = Some(hostname.to_owned());
    cluster
}

#[test]
fn settings_that_scatter_keys_are_refused() {
    for (settings, what) in [
        ("", "lb_policy ROUND_ROBIN"),
        (
            "      lb_policy: LEAST_REQUEST\n",
            "lb_policy LEAST_REQUEST",
        ),
        (
            "      load_balancing_policy: {policies: [{typed_extension_config: {name: envoy.load_balancing_policies.random, \
             typed_config: {\"@type\": type.googleapis.com/envoy.extensions.load_balancing_policies.random.v3.Random}}}]}\n",
            "load_balancing_policy envoy.load_balancing_policies.random",
        ),
    ] {
        wrong(
            &redis(settings),
            &none(),
            &format!(
                "file:10: {what} is not a placement over several nodes: every request may go to another one, and keys scatter; \
                 where health checks leave only one in use, describe that one, as random:HOST:PORT"
            ),
        );
    }
}

/// Keys cannot scatter over one node. Only the proxy knows whether a name resolves to one.
#[test]
fn all_keys_are_on_the_only_node_under_any_policy() {
    let lone = |kind: &str, host: &str, names: &[(&str, [u8; 4])]| {
        let body = format!("      type: {kind}\n{}", endpoints(&[host]));
        let text = envoy(CATCH_ALL, &[("redis", &body)]);
        read(&text, "file", &resolving(names)).map_err(|why| why.to_string())
    };
    let address = |found: &Described| {
        assert_eq!(found.cluster.policy, Policy::Random);
        assert!(found.notes[0].contains("ROUND_ROBIN would scatter"));
        found.cluster.nodes[0].address.clone()
    };
    let found = lone("STATIC", "10.0.0.1", &[]).unwrap();
    assert_eq!(address(&found), "10.0.0.1:6379");
    let added = inline("maglev:10.0.0.2:6379", &none()).unwrap();
    let added = added.cluster.nodes.into_iter().zip(added.reach).collect();
    let grown = found.changed(added, &[]).unwrap();
    assert!(Placement::new(&grown.cluster).is_err());

    let one = [("redis-a", [10, 0, 0, 1])];
    let two = [("redis-a", [10, 0, 0, 1]), ("redis-a", [10, 0, 0, 2])];
    for (kind, names, expected) in [
        ("LOGICAL_DNS", &[][..], "redis-a:6379"),
        ("LOGICAL_DNS", &two, "10.0.0.1:6379"),
        ("STRICT_DNS", &one, "10.0.0.1:6379"),
    ] {
        let found = lone(kind, "redis-a", names).unwrap();
        assert_eq!(address(&found), expected, "{kind}");
    }
    let unresolved = lone("STRICT_DNS", "redis-a", &[]).unwrap_err();
    assert!(
        unresolved.contains("give --resolve redis-a=IP if it has one address"),
        "{unresolved}"
    );
    let several = lone("STRICT_DNS", "redis-a", &two).unwrap_err();
    assert!(several.contains("keys scatter"), "{several}");
}

#[test]
fn configurations_without_a_computable_placement_are_refused() {
    for (settings, why) in [
        (
            "      lb_policy: MAGLEV\n      common_lb_config: {consistent_hashing_lb_config: {hash_balance_factor: 150}}\n",
            "hash_balance_factor 150: placement then depends on the load of the moment, and no key has a place",
        ),
        (
            "      lb_policy: MAGLEV\n      lb_subset_config: {subset_selectors: [{keys: [a]}]}\n",
            "lb_subset_config: subsets of nodes are not supported",
        ),
        (
            "      lb_policy: MAGLEV\n      maglev_lb_config: {table_size: 65536}\n",
            "maglev table size 65536, expected a prime from 2 to 5000011",
        ),
        (
            "      lb_policy: MAGLEV\n      cluster_type: {name: envoy.clusters.aggregate}\n",
            "cluster_type `envoy.clusters.aggregate`: envoy.cluster.static, envoy.cluster.strict_dns, envoy.cluster.logical_dns or \
             envoy.cluster.dns is expected, whose nodes are in the file",
        ),
        (
            "      lb_policy: MAGLEV\n      common_lb_config: {consistent_hashing_lb_config: {use_hostname_for_hashing: true}}\n",
            "use_hostname_for_hashing: Envoy refuses it with type STATIC",
        ),
    ] {
        wrong(&redis(settings), &none(), &format!("file:10: {why}"));
    }
    let filter = "prefix_routes: {routes: [{prefix: 'a:', remove_prefix: true, cluster: redis}]}";
    let body = format!("      lb_policy: MAGLEV\n{}", endpoints(&["10.0.0.1"]));
    wrong(
        &envoy(filter, &[("redis", &body)]),
        &none(),
        "file:8: remove_prefix: it changes keys of cluster redis before they are hashed; give a file with the cluster and without \
         its listeners, --hash-tags, and keys as they are on nodes",
    );
}

/// The answer of `/config_dump`: numbers of 64 bits as text, types in each resource, clusters and listeners from xDS.
#[test]
fn a_config_dump_is_read() {
    let dump = r#"{"configs": [
        {"@type": "type.googleapis.com/envoy.admin.v3.BootstrapConfigDump", "bootstrap": {"static_resources": {}}},
        {"@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump", "version_info": "1",
         "static_clusters": [{"cluster": {"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "web"}}],
         "dynamic_active_clusters": [{"version_info": "1", "cluster": {
            "@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "redis", "type": "STATIC",
            "connect_timeout": "0.250s", "lb_policy": "MAGLEV", "maglev_lb_config": {"table_size": "251"},
            "load_assignment": {"cluster_name": "redis", "endpoints": [{"lb_endpoints": [{"endpoint": {"address":
                {"socket_address": {"address": "10.0.0.1", "port_value": 6379}}}, "load_balancing_weight": 2}]}]}}}]},
        {"@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
         "dynamic_listeners": [{"name": "l", "active_state": {"version_info": "1", "listener": {
            "@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": "l",
            "filter_chains": [{"filters": [{"name": "r", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy",
                "stat_prefix": "s", "settings": {"op_timeout": "5s", "enable_hashtagging": true},
                "prefix_routes": {"catch_all_route": {"cluster": "redis"}}}}]}]}}}]}
    ]}"#;
    let mut expected = cluster(
        Policy::Maglev {
            table_size: 251,
            hash_hostnames: false,
        },
        &["10.0.0.1:6379"],
    );
    expected.nodes[0].weight = 2;
    expected.tags = TagRule::BRACES;
    check(dump, &none(), expected);
}

#[test]
fn settings_that_move_keys_by_themselves_are_noted() {
    let read = |field: &str| {
        let body = format!(
            "      lb_policy: MAGLEV\n{field}{}",
            endpoints(&["10.0.0.1", "10.0.0.2"])
        );
        let read = read(&envoy(CATCH_ALL, &[("redis", &body)]), "file", &none());
        read.expect("a cluster").notes
    };
    assert_eq!(read(""), [""; 0]);
    let note = "outlier_detection: while a node is out, other nodes get its keys, and the values that it still has are stale when it \
                returns";
    assert_eq!(
        read("      outlier_detection: {consecutive_5xx: 2}\n"),
        [note]
    );
    assert_eq!(read("      outlierDetection: {}\n"), [note]);
}

/// A cluster of type EDS, and its nodes, in files as discovery services answer and in `/config_dump?include_eds`.
#[test]
fn nodes_of_eds_are_read() {
    let of = |name: &str, fields: &str| {
        format!("'@type': type.googleapis.com/envoy.config.{name}, {fields}")
    };
    let eds = of(
        "cluster.v3.Cluster",
        "name: redis, type: EDS, lb_policy: MAGLEV, eds_cluster_config: {service_name: nodes}",
    );
    let nodes = of(
        "endpoint.v3.ClusterLoadAssignment",
        "cluster_name: nodes, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 10.0.0.1, port_value: \
         6379}}}}]}]",
    );
    let expected = cluster(Policy::maglev(), &["10.0.0.1:6379"]);
    let files = format!("version_info: '1'\nresources:\n- {{{eds}}}\n- {{{nodes}}}\n");
    check(&files, &untagged(), expected.clone());
    // As Envoy 1.40.0 writes a group without a weight.
    let nodes = nodes.replace("}}}}]}]", "}}}, health_status: HEALTHY, load_balancing_weight: 1}], locality: {}, load_balancing_weight: 0}]");
    let dump = format!(
        "configs:\n- '@type': x.ClustersConfigDump\n  dynamic_active_clusters: [{{cluster: {{{eds}}}}}]\n\
         - '@type': x.EndpointsConfigDump\n  static_endpoint_configs: [{{endpoint_config: {{{nodes}}}}}]\n"
    );
    check(&dump, &untagged(), expected);
    let other = files.replace("cluster_name: nodes", "cluster_name: others");
    wrong(
        &other,
        &untagged(),
        "file:3: type EDS: expected STATIC, STRICT_DNS or LOGICAL_DNS with the nodes in the file; for EDS give the answer of \
         Envoy's /config_dump?include_eds, or the nodes that its /clusters lists, as maglev:HOST:PORT,HOST:PORT",
    );
}

proptest::proptest! {
    /// A description with any numbers is read or refused.
    #[test]
    fn no_number_ends_the_planner(
        numbers in proptest::array::uniform8(proptest::prop_oneof![
            0_u64..4, proptest::strategy::Just(140), 250_u64..260, (u64::from(u32::MAX) - 2)..(u64::from(u32::MAX) + 3),
        ]),
        ring in proptest::bool::ANY,
        health in proptest::array::uniform3(0_u32..6),
        local in proptest::bool::ANY,
    ) {
        let [table, factor, panic, one, two, heavy, light, priority] = numbers;
        let shape = match ring {
            true => format!("lb_policy: RING_HASH\n      ring_hash_lb_config: {{minimum_ring_size: {table}, maximum_ring_size: {table}}}"),
            false => format!("lb_policy: MAGLEV\n      maglev_lb_config: {{table_size: {table}}}"),
        };
        let local = if local { ", locality_weighted_lb_config: {}" } else { "" };
        let node = |port: u32, weight: u64, health: u32| format!(
            "{{load_balancing_weight: {weight}, health_status: {health}, endpoint: {{address: {{socket_address: {{address: 10.0.0.1, \
             port_value: {port}}}}}}}}}"
        );
        let [first, second, third] = health;
        let body = format!(
            "      {shape}
      common_lb_config: {{healthy_panic_threshold: {{value: {panic}}}{local}}}
      load_assignment:
        policy: {{overprovisioning_factor: {factor}}}
        endpoints:
        - {{load_balancing_weight: {heavy}, lb_endpoints: [{}, {}]}}
        - {{priority: {priority}, load_balancing_weight: {light}, lb_endpoints: [{}]}}
",
            node(1, one, first), node(2, two, second), node(3, two, third),
        );
        if let Ok(described) = read(&envoy(CATCH_ALL, &[("redis", &body)]), "file", &none()) {
            let placement = Placement::new(&described.cluster).unwrap();
            for key in ["", "a", "key:1", "{a}b"] {
                assert!(placement.node(key.as_bytes()).index() < 3);
            }
        }
    }
}
