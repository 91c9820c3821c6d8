//! The shape of the YAML file. Unknown fields are errors, and so are limits and times of 0.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use placement::file::{ClusterFile, Error, yaml};

use super::{Config, Limits, Timeouts, default_workers};
use crate::auth::{DEFAULT_USER, NodeAuth, Secret, Users};
use crate::command::{Rules, ScriptsWithoutKeys};
use crate::resp;
use placement::Cluster;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: SocketAddr,
    admin: Option<SocketAddr>,
    workers: Option<NonZeroUsize>,
    admin_fan_out: Option<bool>,
    scripts_without_keys: Option<ScriptsWithoutKeys>,
    #[serde(default)]
    auth: Option<AuthFile>,
    node_auth: Option<NodeAuthFile>,
    cluster: Spanned<ClusterFile>,
    #[serde(default)]
    timeouts: TimeoutsFile,
    #[serde(default)]
    limits: LimitsFile,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthFile {
    password: Option<Password>,
    #[serde(default)]
    users: BTreeMap<String, Password>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeAuthFile {
    username: Option<String>,
    password: Password,
}

/// A password; a wrong one is not repeated in the error.
#[derive(Debug)]
struct Password(Secret);

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer) {
            Ok(text) if !text.is_empty() => Ok(Self(Secret::new(text))),
            _ => Err(serde::de::Error::custom("a password in quotes is expected")),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeoutsFile {
    op_ms: Option<NonZeroU64>,
    connect_ms: Option<NonZeroU64>,
    stall_ms: Option<NonZeroU64>,
    drain_ms: Option<NonZeroU64>,
    keepalive_ms: Option<NonZeroU64>,
    unacknowledged_ms: Option<NonZeroU64>,
    client_idle_ms: Option<NonZeroU64>,
    unauthenticated_ms: Option<NonZeroU64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsFile {
    request_bytes: Option<NonZeroU64>,
    bulk_bytes: Option<NonZeroU64>,
    array_len: Option<NonZeroU64>,
    inline_bytes: Option<NonZeroUsize>,
    client_requests: Option<NonZeroUsize>,
    client_bytes: Option<NonZeroUsize>,
    client_output_bytes: Option<NonZeroUsize>,
    output_bytes: Option<NonZeroUsize>,
    clients: Option<NonZeroUsize>,
    dedicated_connections: Option<NonZeroUsize>,
    node_requests: Option<NonZeroUsize>,
    node_bytes: Option<NonZeroUsize>,
}

/// Checks the text of a file; `name` is what errors call it.
pub(super) fn parse(text: &str, name: &str) -> Result<Config, Error> {
    let file: File = yaml::parse(text, name)?;
    let line = file.cluster.referenced.line();
    let cluster = file
        .cluster
        .value
        .check()
        .map_err(|error| Error(format!("{name}:{line}: cluster: {error}")))?;
    let users = file
        .auth
        .map_or_else(|| Ok(Users::default()), |auth| auth.check());
    let default = Rules::default();
    Ok(Config {
        users: users.map_err(|error| Error(format!("{name}: auth: {error}")))?,
        node_auth: file.node_auth.map(|auth| NodeAuth {
            username: auth.username,
            password: auth.password.0,
        }),
        listen: file.listen,
        admin: file.admin,
        workers: file.workers.map_or_else(default_workers, NonZeroUsize::get),
        rules: Rules {
            admin_fan_out: file.admin_fan_out.unwrap_or(default.admin_fan_out),
            scripts_without_keys: file
                .scripts_without_keys
                .unwrap_or(default.scripts_without_keys),
        },
        cluster,
        timeouts: file.timeouts.or_default(),
        limits: file.limits.or_default(),
    })
}

/// The cluster of a file with its place, `name:line: cluster`. Everything else is checked for its shape.
pub(super) fn parse_cluster(text: &str, name: &str) -> Result<(Cluster, String), Error> {
    let file: File = yaml::parse(text, name)?;
    let place = format!("{name}:{}: cluster", file.cluster.referenced.line());
    let cluster = file.cluster.value.cluster();
    let cluster = cluster.map_err(|error| Error(format!("{place}: {error}")))?;
    Ok((cluster, place))
}

impl AuthFile {
    /// Without a password of its own, the default user cannot come in.
    fn check(&self) -> Result<Users, Error> {
        if self.password.is_some() && self.users.contains_key(DEFAULT_USER) {
            return Err(Error(format!(
                "`password` is that of the user `{DEFAULT_USER}`, who is among `users` as well"
            )));
        }
        let default = self
            .password
            .iter()
            .map(|password| (DEFAULT_USER, password));
        let named = self
            .users
            .iter()
            .map(|(name, password)| (name.as_str(), password));
        let users = Users::new(
            default
                .chain(named)
                .map(|(name, password)| (name, &password.0)),
        );
        if users.is_open() {
            return Err(Error("`password` or `users` is expected".into()));
        }
        Ok(users)
    }
}

impl TimeoutsFile {
    fn or_default(&self) -> Timeouts {
        let or = |given: Option<NonZeroU64>, default| {
            given.map_or(default, |ms| Duration::from_millis(ms.get()))
        };
        let default = Timeouts::default();
        Timeouts {
            op: or(self.op_ms, default.op),
            connect: or(self.connect_ms, default.connect),
            stall: or(self.stall_ms, default.stall),
            drain: or(self.drain_ms, default.drain),
            keepalive: or(self.keepalive_ms, default.keepalive),
            unacknowledged: or(self.unacknowledged_ms, default.unacknowledged),
            client_idle: self
                .client_idle_ms
                .map(|ms| Duration::from_millis(ms.get())),
            unauthenticated: or(self.unauthenticated_ms, default.unauthenticated),
        }
    }
}

impl LimitsFile {
    fn or_default(&self) -> Limits {
        let long = |given: Option<NonZeroU64>, default| given.map_or(default, NonZeroU64::get);
        let or = |given: Option<NonZeroUsize>, default| given.map_or(default, NonZeroUsize::get);
        let default = Limits::default();
        let request = default.request;
        Limits {
            request: resp::Limits {
                array_len_max: long(self.array_len, request.array_len_max),
                bulk_bytes_max: long(self.bulk_bytes, request.bulk_bytes_max),
                inline_bytes_max: or(self.inline_bytes, request.inline_bytes_max),
                request_bytes_max: long(self.request_bytes, request.request_bytes_max),
                of_stranger: false,
            },
            client_requests_max: or(self.client_requests, default.client_requests_max),
            client_bytes_max: or(self.client_bytes, default.client_bytes_max),
            client_output_bytes_max: or(self.client_output_bytes, default.client_output_bytes_max),
            output_bytes_max: or(self.output_bytes, default.output_bytes_max),
            clients_max: or(self.clients, default.clients_max),
            dedicated_max: or(self.dedicated_connections, default.dedicated_max),
            node_requests_max: or(self.node_requests, default.node_requests_max),
            node_bytes_max: or(self.node_bytes, default.node_bytes_max),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::parse;
    use crate::auth::{NodeAuth, Secret};
    use crate::command::{Rules, ScriptsWithoutKeys};
    use crate::config::{Limits, Timeouts};
    use placement::Policy;
    use placement::hash::TagRule;

    /// What people copy from says what is so when they leave it out.
    #[test]
    fn the_example_shows_the_defaults() {
        let config = parse(include_str!("../../refproxy.yaml"), "refproxy.yaml").unwrap();
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
}
