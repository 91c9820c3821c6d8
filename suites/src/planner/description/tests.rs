use std::net::IpAddr;

use ::refproxy::hash::{Digest, TagRule};
use ::refproxy::placement::{
    Cluster, Health, Locality, Node, Panic, Policy, RING_SIZE_MAX, RingFunction,
};

use super::{Described, Hints, Routing, inline, is_inline, read};

#[track_caller]
fn check(text: &str, hints: &Hints, cluster: Cluster) {
    let reach = cluster.nodes.iter().map(|node| node.address.clone());
    let expected = Described {
        reach: reach.collect(),
        cluster,
        database: None,
        routing: Routing::default(),
        notes: Vec::new(),
    };
    assert_eq!(read(text, "file", hints), Ok(expected), "{text}");
}

#[track_caller]
fn wrong(text: &str, hints: &Hints, expected: &str) {
    match read(text, "file", hints) {
        Ok(read) => panic!("expected `{expected}`, read {read:?} from {text}"),
        Err(why) => assert_eq!(why.to_string(), expected, "{text}"),
    }
}

fn none() -> Hints {
    Hints::default()
}

/// Hash tags do not count, where a file does not say it.
fn untagged() -> Hints {
    tags(false)
}

fn tags(on: bool) -> Hints {
    Hints {
        hash_tags: Some(on),
        ..none()
    }
}

fn picking(name: &str) -> Hints {
    Hints {
        pick: Some(name.to_owned()),
        ..none()
    }
}

fn resolving(names: &[(&str, [u8; 4])]) -> Hints {
    let names = names.iter();
    Hints {
        resolve: names
            .map(|(name, ip)| ((*name).to_owned(), IpAddr::from(*ip)))
            .collect(),
        ..none()
    }
}

fn cluster(policy: Policy, addresses: &[&str]) -> Cluster {
    Cluster::new(
        policy,
        addresses.iter().map(|addr| Node::at(*addr)).collect(),
    )
}

const ADDRS: [&str; 2] = ["10.0.0.1:6379", "10.0.0.2:6379"];

/// A bootstrap with one filter and the clusters whose bodies are given, indented by six.
fn envoy(filter: &str, clusters: &[(&str, &str)]) -> String {
    let mut text = format!(
        "static_resources:
  listeners:
  - filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy
          {filter}
  clusters:
"
    );
    for (name, body) in clusters {
        text += &format!("    - name: {name}\n{body}");
    }
    text
}

const CATCH_ALL: &str = "prefix_routes: {catch_all_route: {cluster: redis}}";

/// Endpoints at addresses of port 6379.
fn endpoints(hosts: &[&str]) -> String {
    let mut text =
        "      load_assignment:\n        endpoints:\n        - lb_endpoints:\n".to_owned();
    for host in hosts {
        text += &format!(
            "          - endpoint: {{address: {{socket_address: {{address: {host}, port_value: 6379}}}}}}\n"
        );
    }
    text
}

fn redis(settings: &str) -> String {
    let body = format!("{settings}{}", endpoints(&["10.0.0.1", "10.0.0.2"]));
    envoy(CATCH_ALL, &[("redis", &body)])
}

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

/// The file names only where Envoy starts to ask for the slots.
#[test]
fn a_redis_cluster_is_refused_with_what_to_do() {
    for policy in ["CLUSTER_PROVIDED", "MAGLEV"] {
        let config = "{\"@type\": type.googleapis.com/google.protobuf.Struct, value: {}}";
        let text = redis(&format!(
            "      lb_policy: {policy}\n      cluster_type: {{name: envoy.clusters.redis, typed_config: {config}}}\n",
        ));
        let error = read(&text, "file", &none()).unwrap_err().to_string();
        assert!(error.starts_with("file:10: "), "{error}");
        for part in ["envoy.clusters.redis", "policy: slots", "CLUSTER SLOTS"] {
            assert!(error.contains(part), "{error}");
        }
    }
}

#[test]
fn tags_are_those_of_the_filter_that_routes() {
    let filter = "settings: {enable_hashtagging: true}\n          prefix_routes: {catch_all_route: {cluster: redis}}";
    let body = format!(
        "      lb_policy: MAGLEV\n{}",
        endpoints(&["10.0.0.1", "10.0.0.2"])
    );
    let text = envoy(filter, &[("redis", &body)]);
    let mut tagged = cluster(Policy::maglev(), &ADDRS);
    tagged.tags = TagRule::BRACES;
    check(&text, &none(), tagged);
}

#[test]
fn only_clusters_that_keys_are_routed_to_count() {
    let body = |host| format!("      lb_policy: MAGLEV\n{}", endpoints(&[host]));
    let (web, other) = (body("10.0.0.9"), body("10.0.0.8"));
    let one = envoy(CATCH_ALL, &[("web", &web), ("redis", &other)]);
    check(&one, &none(), cluster(Policy::maglev(), &["10.0.0.8:6379"]));
    let filter =
        "prefix_routes: {catch_all_route: {cluster: redis}, routes: [{prefix: a, cluster: web}]}";
    let two = envoy(filter, &[("web", &web), ("redis", &other)]);
    wrong(
        &two,
        &none(),
        "file: several clusters hold keys: web, redis; say which by --cluster-name",
    );
    let web = read(&two, "file", &picking("web")).unwrap();
    assert_eq!(web.cluster, cluster(Policy::maglev(), &["10.0.0.9:6379"]));
    wrong(
        &two,
        &picking("none"),
        "file: --cluster-name none: one of web, redis is expected",
    );
    let bare = format!("static_resources:\n  clusters:\n    - name: only\n{other}");
    check(
        &bare,
        &untagged(),
        cluster(Policy::maglev(), &["10.0.0.8:6379"]),
    );
}

#[test]
fn nodes_have_all_that_envoy_knows_of_them() {
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
fn names_that_envoy_resolves_are_told_by_hints() {
    let body_of = |kind: &str, hosts: &[&str]| {
        let nodes = endpoints(hosts);
        let body = format!("      type: {kind}\n      lb_policy: MAGLEV\n{nodes}");
        envoy(CATCH_ALL, &[("redis", &body)])
    };
    let body = |kind: &str| body_of(kind, &["redis-a", "redis-b"]);
    wrong(
        &body("STRICT_DNS"),
        &resolving(&[("redis-a", [10, 0, 0, 1])]),
        "file:17: host `redis-b` is resolved by the proxy, and its address is hashed: say it by --resolve redis-b=IP",
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
        "file:17: type LOGICAL_DNS: one endpoint is expected, Envoy refuses more",
    );
    check(
        &body_of("LOGICAL_DNS", &["redis-b"]),
        &hints,
        named("redis-b", "10.0.0.2:6379"),
    );
    wrong(
        &body("STATIC"),
        &hints,
        "file:16: address `redis-a`: an IP is expected with type STATIC",
    );
    wrong(
        &body("EDS"),
        &hints,
        "file:10: type EDS: STATIC, STRICT_DNS or LOGICAL_DNS is expected, whose nodes are in the file",
    );
}

/// The only node of a cluster, with the name that Envoy resolved.
fn named(hostname: &str, address: &str) -> Cluster {
    let mut cluster = cluster(Policy::maglev(), &[address]);
    cluster.nodes[0].hostname = Some(hostname.to_owned());
    cluster
}

#[test]
fn what_scatters_keys_is_told() {
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
                "file:10: {what} is not a placement: every request may go to another node, and keys scatter"
            ),
        );
    }
}

#[test]
fn what_envoy_would_not_place_alike_is_told() {
    for (settings, why) in [
        (
            "      lb_policy: MAGLEV\n      common_lb_config: {consistent_hashing_lb_config: {hash_balance_factor: 150}}\n",
            "hash_balance_factor 150: placement then depends on the load of the moment, and no key has a place",
        ),
        (
            "      lb_policy: MAGLEV\n      lb_subset_config: {subset_selectors: [{keys: [a]}]}\n",
            "lb_subset_config: subsets of nodes cannot be computed",
        ),
        (
            "      lb_policy: MAGLEV\n      maglev_lb_config: {table_size: 65536}\n",
            "maglev table size 65536 is not a prime from 2 to 5000011",
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

const POOL: &str = "
alpha:
  listen: 127.0.0.1:22121
  hash: md5
  distribution: modula
  hash_tag: '{}'
  redis: true
  servers:
   - 127.0.0.1:6379:1
   - redis-b:6380:2 second
   - /run/c.sock:3
";

#[test]
fn a_pool_of_twemproxy() {
    let mut expected = cluster(
        Policy::Modula {
            digest: Digest::Md5,
        },
        &["127.0.0.1:6379", "redis-b:6380", "/run/c.sock"],
    );
    expected.tags = TagRule::BRACES;
    for (node, weight) in expected.nodes.iter_mut().zip(1..) {
        node.weight = weight;
    }
    expected.nodes[1].name = Some("second".to_owned());
    expected.nodes[1].hash_key = Some("second".to_owned());
    check(POOL, &none(), expected);
    let least = "p:\n  servers: ['a:1:1']\n";
    check(least, &none(), cluster(Policy::ketama(), &["a:1"]));
}

#[test]
fn one_pool_of_several_is_asked_for() {
    let two = format!("{POOL}beta:\n  servers: ['a:1:1']\n");
    wrong(
        &two,
        &none(),
        "file: several pools hold keys: alpha, beta; say which by --cluster-name",
    );
    check(&two, &picking("beta"), cluster(Policy::ketama(), &["a:1"]));
}

#[test]
fn mistakes_in_a_pool_are_told() {
    for (from, to, expected) in [
        (
            "modula",
            "random",
            "file:3: distribution random is not a placement: every request may go to another node, and keys scatter",
        ),
        (
            "modula",
            "maglev",
            "file:3: distribution `maglev`: ketama, modula or random is expected",
        ),
        (
            "md5",
            "MD5",
            "file:3: hash `MD5`: one of crc16, crc32, crc32a, fnv1_32, fnv1_64, fnv1a_32, fnv1a_64, hsieh, jenkins, md5, murmur, \
             one_at_a_time is expected",
        ),
        (
            "'{}'",
            "'{'",
            "file:3: hash_tag `{`: two characters are expected",
        ),
        (
            "127.0.0.1:6379:1",
            "127.0.0.1:6379",
            "file:9: server `127.0.0.1:6379`: HOST:PORT:WEIGHT or /PATH:WEIGHT is expected, and perhaps a name after it",
        ),
        (
            "127.0.0.1:6379:1",
            "127.0.0.1:6379:0",
            "file:3: node 127.0.0.1:6379 has weight 0, at least 1 is expected",
        ),
        (
            "redis-b:6380:2 second",
            "127.0.0.1:6379:1",
            "file:3: two nodes hash as `127.0.0.1:6379`, each node needs its own",
        ),
    ] {
        wrong(&POOL.replace(from, to), &none(), expected);
    }
    wrong(
        "alpha:\n  servers: []\n",
        &none(),
        "file:2: the cluster has no node",
    );
}

#[test]
fn refproxys_file_whole_or_in_part() {
    let part = "{policy: ring_hash, hash_tags: '$$', nodes: [{address: '10.0.0.1:6379'}, {address: '10.0.0.2:6379'}]}";
    let mut expected = cluster(Policy::ring_hash(), &ADDRS);
    expected.tags = TagRule::Between(b'$', b'$');
    check(part, &none(), expected.clone());
    check(
        &format!("listen: 127.0.0.1:1\ncluster: {part}\n"),
        &none(),
        expected,
    );
    wrong(
        "listen: 127.0.0.1:1\ncluster:\n  policy: maglev\n  nodes: []\n",
        &none(),
        "file:3: the cluster has no node",
    );
    wrong(
        "policy: maglev\nnodes:\n- {adress: 'a:1'}\n",
        &none(),
        "file:3: nodes[0].adress: unknown field `adress`, expected one of address, weight, name, hostname, hash_key, \
         health, priority, locality, slots",
    );
}

#[test]
fn what_describes_no_cluster_is_told() {
    let why = "file: not a description of a cluster: `static_resources` (Envoy), pools with `servers` (twemproxy), or `policy` and \
               `nodes` (refproxy) are expected";
    for text in ["a: 1", "[]", "key:0", ""] {
        wrong(text, &none(), why);
    }
    wrong(
        "static_resources: {}",
        &none(),
        "file: no cluster of Redis nodes is in it",
    );
}

#[test]
fn one_word_describes_a_cluster() {
    let described = inline("maglev:10.0.0.1:6379,10.0.0.2:6379", &none()).unwrap();
    assert_eq!(described.cluster, cluster(Policy::maglev(), &ADDRS));
    assert_eq!(described.reach, ADDRS);

    let text =
        "ring_hash/minimum_ring_size=8/hash_tags:10.0.0.1:6379*2,127.0.0.1:7002=redis-b:6379*3";
    let described = inline(text, &resolving(&[("redis-b", [10, 0, 0, 2])])).unwrap();
    let policy = Policy::RingHash {
        size_min: 8,
        size_max: RING_SIZE_MAX,
        function: RingFunction::XxHash,
        hash_hostnames: false,
    };
    let mut expected = cluster(policy, &ADDRS);
    expected.tags = TagRule::BRACES;
    expected.nodes[0].weight = 2;
    expected.nodes[1].weight = 3;
    assert_eq!(described.cluster, expected);
    assert_eq!(described.reach, ["10.0.0.1:6379", "127.0.0.1:7002"]);
}

#[test]
fn a_path_is_no_description_in_one_word() {
    for text in ["maglev:a:1", "ketama/hash=md5:a:1", "slots:"] {
        assert!(is_inline(text), "{text}");
    }
    for text in [
        "maglev.yaml",
        "./maglev:a",
        "maglevs:a",
        "a/maglev:b",
        "maglev",
        "",
    ] {
        assert!(!is_inline(text), "{text}");
    }
}

#[test]
fn mistakes_in_one_word_are_told() {
    for (text, why) in [
        ("maglev:", "the cluster has no node"),
        (
            "maglev:a:1,a:1",
            "two nodes hash as `a:1`, each node needs its own",
        ),
        (
            "maglev:a:1*0",
            "node a:1 has weight 0, at least 1 is expected",
        ),
        (
            "maglev:a:1*x",
            "node `a:1*x`: a whole number is expected after *",
        ),
        ("maglev:a", "node `a`: host:port is expected"),
        (
            "maglev/table_size=65536:a:1",
            "maglev table size 65536 is not a prime from 2 to 5000011",
        ),
        (
            "random:a:1",
            "random is not a placement: every request may go to another node, and keys scatter",
        ),
        (
            "jump:a:1,b:1*2",
            "node b:1 has weight 2, and jump knows no weights",
        ),
        (
            "consistent:a:1",
            "policy `consistent`: one of maglev, ring_hash, ketama, modula, random, slots, libketama, jump, rendezvous is expected",
        ),
    ] {
        let found = inline(text, &none()).unwrap_err().to_string();
        assert_eq!(found, format!("{text}: {why}"));
    }
}

/// A file that nothing says of whether hash tags count.
#[test]
fn hash_tags_have_to_be_said() {
    let body = format!("      lb_policy: MAGLEV\n{}", endpoints(&["10.0.0.1"]));
    let bare = format!("static_resources:\n  clusters:\n    - name: only\n{body}");
    let discovered = format!(
        "static_resources:
  listeners:
  - filter_chains:
    - filters:
      - name: envoy.filters.network.redis_proxy
        config_discovery: {{config_source: {{ads: {{}}}}, type_urls: [x]}}
  clusters:
    - name: only
{body}"
    );
    let told = format!("dynamic_resources: {{lds_config: {{path: lds.yaml}}}}\n{bare}");
    for text in [&bare, &discovered, &told] {
        let error = read(text, "file", &none()).unwrap_err().to_string();
        assert!(
            error.contains("--hash-tags on or --hash-tags off"),
            "{error}"
        );
        for on in [true, false] {
            let found = read(text, "file", &tags(on)).unwrap().cluster.tags;
            assert_eq!(found != TagRule::WholeKey, on, "{text}");
        }
    }
}

#[test]
fn a_hint_that_contradicts_the_file_is_an_error() {
    let off = redis("      lb_policy: MAGLEV\n");
    wrong(
        &off,
        &tags(true),
        "file:7: --hash-tags on: hash tags are off here",
    );
    let settings = "settings: {enable_hashtagging: true}";
    let on = off.replace(
        "prefix_routes",
        &format!("{settings}\n          prefix_routes"),
    );
    wrong(
        &on,
        &tags(false),
        "file:7: --hash-tags off: hash tags are on here",
    );
    wrong(
        POOL,
        &tags(false),
        "file:3: --hash-tags off: hash tags are on here",
    );
    let part = "{policy: ketama, nodes: [{address: 'a:1'}]}";
    wrong(
        part,
        &tags(true),
        "file:1: --hash-tags on: hash tags are off here",
    );
    let word = inline("maglev/hash_tags:a:1", &tags(false)).unwrap_err();
    assert!(word.to_string().contains("hash tags are on here"), "{word}");
    let silent = inline("maglev:a:1", &tags(true)).unwrap();
    assert_eq!(silent.cluster.tags, TagRule::BRACES);
    inline("slots:a:1", &tags(false)).unwrap_err();
}

/// Keys of another cluster, keys without a route, and the clusters of copies and of reads.
#[test]
fn keys_that_routes_send_elsewhere_are_known() {
    let body = |host| format!("      lb_policy: MAGLEV\n{}", endpoints(&[host]));
    let (one, two) = (body("10.0.0.1"), body("10.0.0.2"));
    let routed = |routes: &str, name: &str| {
        let filter = format!("prefix_routes: {{{routes}}}");
        let text = envoy(&filter, &[("c1", &one), ("c2", &two), ("c3", &one)]);
        read(&text, "file", &picking(name)).unwrap()
    };
    let prefix = "routes: [{prefix: '2:', cluster: c2}], catch_all_route: {cluster: c1}";
    let first = routed(prefix, "c1");
    assert!(first.routing.takes(b"1:x") && !first.routing.takes(b"2:x"));
    assert!(first.routing.shares_nodes(), "c3 has its node");
    let second = routed(prefix, "c2");
    assert!(!second.routing.takes(b"1:x") && second.routing.takes(b"2:x"));
    assert!(!second.routing.shares_nodes());
    let alone = routed("routes: [{prefix: '2:', cluster: c2}]", "c2");
    assert!(!alone.routing.takes(b"1:x"));

    let mirrored = "catch_all_route: {cluster: c1, request_mirror_policy: {cluster: c2}, read_command_policy: {cluster: c3}}";
    for (name, note) in [
        ("c1", "reads go to cluster c3"),
        ("c2", "is a mirror of cluster c1"),
        ("c3", "answers reads of cluster c1"),
    ] {
        let found = routed(mirrored, name);
        assert!(found.routing.takes_all());
        assert_eq!(found.notes.len(), 1, "{:?}", found.notes);
        assert!(found.notes[0].contains(note), "{:?}", found.notes);
    }
}

/// What `/config_dump` answers: numbers of 64 bits as text, types in each resource, clusters and listeners that came by xDS.
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
fn one_bad_pool_does_not_hide_the_others() {
    let two = format!("{POOL}bad:\n  hash: none\n  distributon: x\n  servers: [x]\n");
    assert!(read(&two, "file", &picking("alpha")).is_ok());
    wrong(
        &two,
        &picking("bad"),
        "file:14: unknown field `distributon` in a pool, did you mean `distribution`?",
    );
}

/// In every place where an address or a secret may be, the right and the wrong ones.
#[test]
fn no_error_repeats_a_secret() {
    let host = |text: &str| envoy(CATCH_ALL, &[("redis", text)]);
    let lb = "      lb_policy: MAGLEV\n";
    for text in [
        host(&format!("{lb}{}", endpoints(&["'user:hunter2@10.0.0.1'"]))),
        host(&format!("{lb}{}", endpoints(&["':hunter2@host'"]))),
        POOL.replace("127.0.0.1:6379:1", "user:hunter2@127.0.0.1:6379:1"),
        POOL.replace("redis: true", "redis_auth: {hunter2: x}"),
        POOL.replace("redis: true", "redis_auth: [hunter2]"),
        POOL.replace("redis: true", "redis_auth: *hunter2"),
        POOL.replace("redis: true", "redis_auth: \"hunter2"),
        POOL.replace("redis: true", "redis_auth: hunter2: hunter2"),
        "{policy: maglev, nodes: [{address: 'redis://:hunter2@host:1'}]}".to_owned(),
        "{policy: maglev, nodes: [{address: ':hunter2@host:1'}]}".to_owned(),
        "cluster: {policy: maglev, nodes: [{address: 'u:hunter2@host:1'}]}\nauth: {hunter2: 1, hunter2: 2}".to_owned(),
        "cluster: {policy: maglev, nodes: [{address: 'a:1'}]}\nauth: {hunter2: 1, hunter2: 2}".to_owned(),
        "cluster: {policy: maglev, nodes: [{address: 'a:1'}]}\nauth: [hunter2".to_owned(),
        redis(lb).replace("prefix_routes", "downstream_auth_passwords: {inline_string: {hunter2\n          prefix_routes"),
    ] {
        let error = read(&text, "file", &none()).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error} of {text}");
    }
    for word in [
        "maglev:redis://:hunter2@host:1",
        "maglev:u:hunter2@h:1=a:1",
        "maglev:a:1,hunter2@h:1",
    ] {
        let error = inline(word, &none()).unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

proptest::proptest! {
    /// Whatever numbers a description has, it is read or refused.
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
            let placement = crate::planner::Placement::new(&described.cluster).unwrap();
            for key in ["", "a", "key:1", "{a}b"] {
                assert!(placement.node(key.as_bytes()).index() < 3);
            }
        }
    }
}
