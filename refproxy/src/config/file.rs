//! The shape of the YAML file. Unknown fields are errors, and so are limits and times of 0.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

use placement::file::{ClusterFile, Error, yaml};

use super::{ClientTls, Config, Limits, ListenAddress, NodeTls, Timeouts, default_workers};
use crate::auth::{DEFAULT_USER, NodeAuth, Secret, Users};
use crate::command::{Rules, ScriptsWithoutKeys};
use crate::resp;
use crate::tls::{Acceptor, Connector};
use placement::Cluster;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: ListenAddress,
    admin: Option<SocketAddr>,
    workers: Option<NonZeroUsize>,
    admin_fan_out: Option<bool>,
    scripts_without_keys: Option<ScriptsWithoutKeys>,
    #[serde(default)]
    auth: Option<AuthFile>,
    node_auth: Option<NodeAuthFile>,
    tls: Option<ClientTls>,
    node_tls: Option<NodeTls>,
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
            _ => Err(serde::de::Error::custom("expected a password in quotes")),
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
    reply_string_bytes: Option<NonZeroU64>,
    reply_elements: Option<NonZeroU64>,
    client_requests: Option<NonZeroUsize>,
    client_bytes: Option<NonZeroUsize>,
    client_output_bytes: Option<NonZeroUsize>,
    output_bytes: Option<NonZeroUsize>,
    clients: Option<NonZeroUsize>,
    dedicated_connections: Option<NonZeroUsize>,
    node_requests: Option<NonZeroUsize>,
    node_bytes: Option<NonZeroUsize>,
}

/// Checks the text of a file; `name` is its name in errors.
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
    let tls = file.tls.map(|tls| acceptor(&tls, &file.listen)).transpose();
    let node_tls = file.node_tls.as_ref().map(Connector::new).transpose();
    Ok(Config {
        tls: tls.map_err(|why| Error(format!("{name}: tls: {why}")))?,
        node_tls: node_tls.map_err(|why| Error(format!("{name}: node_tls: {why}")))?,
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

/// TLS to clients; a Unix socket has none, as in Redis.
fn acceptor(tls: &ClientTls, listen: &ListenAddress) -> Result<Acceptor, String> {
    match listen {
        ListenAddress::Tcp(_) => Acceptor::new(tls),
        ListenAddress::Unix(_) => Err("expected IP:PORT in `listen`".to_owned()),
    }
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
    /// Without its own password, the default user cannot log in.
    fn check(&self) -> Result<Users, Error> {
        if self.password.is_some() && self.users.contains_key(DEFAULT_USER) {
            return Err(Error(format!(
                "`password` is the password of user `{DEFAULT_USER}`, which is also in `users`"
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
            return Err(Error("expected `password` or `users`".into()));
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
        let (request, reply) = (default.request, default.reply);
        Limits {
            request: resp::Limits {
                array_len_max: long(self.array_len, request.array_len_max),
                bulk_bytes_max: long(self.bulk_bytes, request.bulk_bytes_max),
                inline_bytes_max: or(self.inline_bytes, request.inline_bytes_max),
                request_bytes_max: long(self.request_bytes, request.request_bytes_max),
                unauthenticated: false,
            },
            reply: resp::ReplyLimits {
                string_bytes_max: long(self.reply_string_bytes, reply.string_bytes_max),
                elements_max: long(self.reply_elements, reply.elements_max),
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
mod tests;
