//! How descriptions are read, and their errors.

mod envoy;
mod predixy;
mod refproxy;
mod routes;
mod seeds;
mod twemproxy;

use std::net::IpAddr;

use ::placement::hash::TagRule;
use ::placement::{Cluster, Node, Policy};

use super::{Described, Hints, Routing, inline, read};

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

/// Hash tags do not count, if a file does not say it.
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
fn files_without_a_cluster_are_refused() {
    let why = "file: not a description of a cluster: `static_resources` (Envoy), pools with `servers` (twemproxy), a server pool (predixy), or `policy` and \
               `nodes` (refproxy) are expected";
    for text in ["a: 1", "[]", "key:0", ""] {
        wrong(text, &none(), why);
    }
    wrong(
        "apiVersion: v1\nkind: ConfigMap\ndata: {envoy.yaml: 'static_resources: {}'}\n",
        &none(),
        "file[envoy.yaml]: it contains no cluster of Redis nodes",
    );
    wrong(
        "apiVersion: v1\nkind: ConfigMap\ndata: {readme: 'static resources'}\n",
        &none(),
        "file: a Kubernetes manifest, expected a ConfigMap with the proxy configuration in `data`",
    );
    wrong(
        "static_resources: {}",
        &none(),
        "file: it contains no cluster of Redis nodes",
    );
}

/// Lines in errors are those of the entry.
#[test]
fn a_file_in_a_config_map_is_read() {
    let manifest = |entries: &[(&str, &str)]| {
        let entry = |(name, text): &(&str, &str)| {
            let lines = text.lines().map(|line| format!("    {line}\n"));
            format!("  {name}: |\n{}", lines.collect::<String>())
        };
        let entries: String = entries.iter().map(entry).collect();
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: proxy}}\ndata:\n{entries}")
    };
    let file = "policy: jump\nhash_tags: false\nnodes: [{address: 10.0.0.1:6379}, {address: 10.0.0.2:6379}]\n";
    let expected = cluster(Policy::Jump, &["10.0.0.1:6379", "10.0.0.2:6379"]);
    let entries = [("start.sh", "exec refproxy"), ("cluster.yaml", file)];
    check(&manifest(&entries), &none(), expected);
    wrong(
        &manifest(&[("a.yaml", file), ("b.yaml", file)]),
        &none(),
        "file: a ConfigMap in which several entries describe a cluster: a.yaml, b.yaml; give one of them as a file",
    );
    wrong(
        &manifest(&[("a.yaml", &file.replace("jump", "jmp"))]),
        &none(),
        "file[a.yaml]:1: policy `jmp`: expected one of maglev, ring_hash, ketama, modula, random, predixy, slots, libketama, jump, rendezvous",
    );
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
        "policy: maglev\n<<: {nodes: [{address: ':hunter2@host:1'}]}".to_owned(),
        "cluster: {policy: maglev, <<: {nodes: [{address: ':hunter2@host:1'}]}}".to_owned(),
        POOL.replace("redis: true", "redis_auth: hunter2"),
        POOL.replace("redis: true", "redis_auth: [hunter2]"),
        POOL.replace("redis: true", "timeout: hunter2"),
        "cluster: {policy: maglev, nodes: [{address: 'u:hunter2@host:1'}]}\nauth: {hunter2: 1, hunter2: 2}".to_owned(),
        "cluster: {policy: maglev, nodes: [{address: 'a:1'}]}\nauth: {hunter2: 1, hunter2: 2}".to_owned(),
        "cluster: {policy: maglev, nodes: [{address: 'a:1'}]}\nauth: [hunter2".to_owned(),
        redis(lb).replace("prefix_routes", "downstream_auth_passwords: {inline_string: {hunter2\n          prefix_routes"),
        "StandaloneServerPool {\nRefreshMethod fixed\nPassword hunter2\nGroup a {\n+ hunter2@host\n}\n}".to_owned(),
        "StandaloneServerPool {\nRefreshMethod fixed\nGroup a {\n+hunter2@host:1\n}\n}".to_owned(),
        "StandaloneServerPool {\nGroup a { \n+hunter2@host:1\n}".to_owned(),
        "ClusterServerPool {\nPassword \"hunter2\" hunter2\n}".to_owned(),
        "ClusterServerPool {\nServers {\n+ a@hunter2@host:1\n}\n}".to_owned(),
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
