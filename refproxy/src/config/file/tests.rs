//! Valid and invalid configuration files, and what errors may quote of them.

use std::time::Duration;

use super::parse;
use crate::auth::{NodeAuth, Secret};
use crate::command::{Rules, ScriptsWithoutKeys};
use crate::config::{Limits, Timeouts};
use placement::Policy;
use placement::hash::TagRule;

/// The example file, from which people copy, shows the defaults.
#[test]
fn the_example_shows_the_defaults() {
    let config = parse(include_str!("../../../refproxy.yaml"), "refproxy.yaml").unwrap();
    let least = "listen: 127.0.0.1:1\ncluster: { policy: maglev, nodes: [{ address: 'a:1' }] }";
    let default = parse(least, "least.yaml").unwrap();
    assert_eq!(config.rules, default.rules);
    assert_eq!(config.timeouts, Timeouts::default());
    assert_eq!(config.limits, Limits::default());
    assert!(config.users.is_open() && config.node_auth.is_none());
    assert_eq!(config.cluster.cluster().policy, Policy::maglev());
    assert_eq!(config.cluster.cluster().tags, TagRule::WholeKey);
    assert_eq!(
        config.cluster.cluster().nodes[0],
        placement::Node::at("127.0.0.1:7001")
    );
}

const ALL: &str = "
listen: 127.0.0.1:6400
admin: 127.0.0.1:9902
workers: 3
auth: { password: p, users: { a: q } }
node_auth: { username: u, password: r }
admin_fan_out: false
scripts_without_keys: any_node
cluster:
  policy: maglev
  table_size: 251
  hash_tags: true
  hash_hostnames: true
  nodes:
    - { address: 'a:1', weight: 2, name: first, hostname: host-a }
    - { address: '[::1]:2', hash_key: b }
timeouts:
  op_ms: 1
  connect_ms: 2
  stall_ms: 3
  drain_ms: 4
  keepalive_ms: 5
  unacknowledged_ms: 6
  client_idle_ms: 7
  unauthenticated_ms: 8
limits:
  request_bytes: 1
  bulk_bytes: 2
  array_len: 3
  inline_bytes: 4
  client_requests: 5
  client_bytes: 6
  client_output_bytes: 7
  output_bytes: 8
  clients: 9
  node_requests: 10
  node_bytes: 11
  dedicated_connections: 12
  reply_string_bytes: 13
  reply_elements: 14
";

/// The error for a file with these lines.
fn error(lines: &str) -> String {
    let rest = "listen: 127.0.0.1:1\ncluster: { policy: maglev, nodes: [{ address: 'a:1' }] }";
    parse(&format!("{lines}\n{rest}"), "a.yaml")
        .unwrap_err()
        .to_string()
}

#[test]
fn a_secret_in_the_wrong_place_is_not_repeated() {
    for lines in [
        "auth: { s3cret }",
        "auth: { s3cret: x }",
        "auth: s3cret",
        "auth: [s3cret]",
        "auth: { users: { s3cret } }",
        "auth: { users: s3cret }",
        "auth: { users: { a: [s3cret] } }",
        "auth: { password: { s3cret: x } }",
        "auth: { 's3cret, expected password': x }",
        "auth: { users: { 'a, expected users s3cret': x, 'a, expected users s3cret': y } }",
        "node_auth: { s3cret }",
        "node_auth: s3cret",
        "node_auth: { username: [s3cret], password: p }",
        "node_auth: { password: [s3cret] }",
    ] {
        let error = error(lines);
        assert!(
            error.starts_with("a.yaml:1: ") && !error.contains("s3cret"),
            "{lines}: {error}"
        );
    }
    assert_eq!(
        error("auth: { s3cret }"),
        "a.yaml:1: auth: unknown field, expected one of password, users"
    );
}

#[test]
fn names_of_a_file_are_printable_in_errors() {
    for lines in [
        r#""a\e[31mb": 1"#,
        r#""a\nb": 1"#,
        r#"limits: { "a\rb": 1 }"#,
        r#"workers: "\e[0m""#,
        r#"scripts_without_keys: "\u009bx""#,
    ] {
        let error = error(lines);
        assert!(!error.contains(char::is_control), "{error:?}");
    }
    let policy = "listen: 127.0.0.1:1\ncluster: { policy: \"\\e\", nodes: [] }";
    let error = parse(policy, "a.yaml").unwrap_err().to_string();
    assert!(error.contains("policy `\\u{1b}`"), "{error:?}");
}

#[test]
fn every_field_is_read() {
    let config = parse(ALL, "all.yaml").unwrap();
    assert_eq!(config.admin.map(|admin| admin.port()), Some(9902));
    assert_eq!(config.workers, 3);
    let known =
        |name: &str, password: &str| config.users.know(name.as_bytes(), password.as_bytes());
    assert!(known("default", "p") && known("a", "q") && !known("a", "p"));
    let node_auth = NodeAuth {
        username: Some("u".into()),
        password: Secret::new("r"),
    };
    assert_eq!(config.node_auth, Some(node_auth));
    let rules = Rules {
        admin_fan_out: false,
        scripts_without_keys: ScriptsWithoutKeys::AnyNode,
    };
    assert_eq!(config.rules, rules);
    assert_eq!(config.cluster.cluster().tags, TagRule::BRACES);
    assert_eq!(
        config.cluster.cluster().policy,
        Policy::Maglev {
            table_size: 251,
            hash_hostnames: true
        }
    );
    let nodes: Vec<_> = config
        .cluster
        .cluster()
        .nodes
        .iter()
        .map(|node| (node.address.as_str(), node.weight))
        .collect();
    assert_eq!(nodes, [("a:1", 2), ("[::1]:2", 1)]);
    let timeouts = config.timeouts;
    let all = [
        timeouts.op,
        timeouts.connect,
        timeouts.stall,
        timeouts.drain,
        timeouts.keepalive,
        timeouts.unacknowledged,
        timeouts.client_idle.unwrap(),
        timeouts.unauthenticated,
    ];
    assert_eq!(all, [1, 2, 3, 4, 5, 6, 7, 8].map(Duration::from_millis));
    let limits = config.limits;
    let request = limits.request;
    assert_eq!(
        [
            request.request_bytes_max,
            request.bulk_bytes_max,
            request.array_len_max
        ],
        [1, 2, 3]
    );
    let reply = limits.reply;
    assert_eq!([reply.string_bytes_max, reply.elements_max], [13, 14]);
    assert_eq!(
        [
            request.inline_bytes_max,
            limits.client_requests_max,
            limits.client_bytes_max,
            limits.client_output_bytes_max,
            limits.output_bytes_max,
            limits.clients_max,
            limits.node_requests_max,
            limits.node_bytes_max,
            limits.dedicated_max,
        ],
        [4, 5, 6, 7, 8, 9, 10, 11, 12]
    );
}
