//! What the proxy is told at its start: a YAML file, checked into a [`Config`].
//!
//! Unknown fields are errors. Never reads argv or the environment.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::hash::TagRule;
use crate::placement::{Cluster, Node, Placement, Policy, TABLE_SIZE_DEFAULT};
use crate::resp;

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where clients are listened for.
    pub listen: SocketAddr,
    /// Where the admin interface listens; none without it.
    pub admin: Option<SocketAddr>,
    /// Threads that serve clients, at least 1.
    pub workers: usize,
    /// What is sharded over.
    pub cluster: Cluster,
    /// How long what may take.
    pub timeouts: Timeouts,
    /// How much of what there may be.
    pub limits: Limits,
}

/// How long what may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From reading a request to its reply; 1 s by default.
    pub op: Duration,
    /// To connect to a node; 1 s by default.
    pub connect: Duration,
    /// After so long without a byte from a node that owes some, its connection is given up; 10 s by default. Requests fail at
    /// their own deadline long before; the connection is kept because a new one could overtake requests that the node has
    /// in its socket and will still carry out.
    pub stall: Duration,
    /// To give clients what they are owed at the end; 5 s by default.
    pub drain: Duration,
}

/// How much of what there may be. Bytes are of whole requests and replies, framing included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Of one request.
    pub request: resp::Limits,
    /// Requests under way of one client; no more are read meanwhile.
    pub client_requests_max: usize,
    /// Bytes of requests under way of one client; no more are read meanwhile.
    pub client_bytes_max: usize,
    /// Bytes of replies that wait for one client; beyond that it is closed.
    pub client_output_bytes_max: usize,
    /// Bytes of replies that wait for all clients; beyond that those that add to it are closed.
    pub output_bytes_max: usize,
    /// Clients at once; more are told so and closed.
    pub clients_max: usize,
    /// Requests that wait for one node, in one worker; beyond that they are refused.
    pub node_requests_max: usize,
    /// Bytes that wait to be sent to one node, in one worker; beyond that requests are refused.
    pub node_bytes_max: usize,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            op: Duration::from_secs(1),
            connect: Duration::from_secs(1),
            stall: Duration::from_secs(10),
            drain: Duration::from_secs(5),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request: resp::Limits::default(),
            client_requests_max: 1024,
            client_bytes_max: 64 * 1024 * 1024,
            client_output_bytes_max: 256 * 1024 * 1024,
            output_bytes_max: 1024 * 1024 * 1024,
            clients_max: 10_000,
            node_requests_max: 100_000,
            node_bytes_max: 256 * 1024 * 1024,
        }
    }
}

/// Why a configuration cannot be used: one line, with file and line where there is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    listen: SocketAddr,
    admin: Option<SocketAddr>,
    workers: Option<Spanned<usize>>,
    cluster: Spanned<ClusterFile>,
    #[serde(default)]
    timeouts: TimeoutsFile,
    #[serde(default)]
    limits: LimitsFile,
}

/// The `cluster:` part of the file, which `PUT /cluster` takes as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterFile {
    policy: PolicyName,
    table_size: Option<u32>,
    #[serde(default)]
    hash_tags: bool,
    #[serde(default)]
    hash_hostnames: bool,
    nodes: Vec<NodeFile>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PolicyName {
    Maglev,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    address: String,
    weight: Option<u32>,
    name: Option<String>,
    hostname: Option<String>,
    hash_key: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeoutsFile {
    op_ms: Option<Spanned<u64>>,
    connect_ms: Option<Spanned<u64>>,
    stall_ms: Option<Spanned<u64>>,
    drain_ms: Option<Spanned<u64>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsFile {
    request_bytes: Option<Spanned<u64>>,
    bulk_bytes: Option<Spanned<u64>>,
    array_len: Option<Spanned<u64>>,
    inline_bytes: Option<Spanned<u64>>,
    client_requests: Option<Spanned<u64>>,
    client_bytes: Option<Spanned<u64>>,
    client_output_bytes: Option<Spanned<u64>>,
    output_bytes: Option<Spanned<u64>>,
    clients: Option<Spanned<u64>>,
    node_requests: Option<Spanned<u64>>,
    node_bytes: Option<Spanned<u64>>,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// `file:line: field: what was expected`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let file = path.display();
        let text =
            std::fs::read_to_string(path).map_err(|error| Error(format!("{file}: {error}")))?;
        Self::parse(&text, &file.to_string())
    }

    /// Checks the text of a file; `file` is what errors call it.
    ///
    /// # Errors
    /// `file:line: field: what was expected`.
    pub fn parse(text: &str, file: &str) -> Result<Self, Error> {
        let read: File = serde_saphyr::from_str(text).map_err(|error| {
            let line = error.location().map_or(0, |location| location.line());
            Error(format!(
                "{file}:{line}: {}",
                one_line(&error.without_snippet().to_string())
            ))
        })?;
        let at = Place { file };
        let cluster = read.cluster.value.check().map_err(|error| {
            Error(format!(
                "{file}:{}: cluster: {}",
                read.cluster.referenced.line(),
                error.0
            ))
        })?;
        Ok(Self {
            listen: read.listen,
            admin: read.admin,
            workers: match read.workers {
                Some(Spanned {
                    value: 0,
                    referenced,
                    ..
                }) => {
                    return Err(Error(format!(
                        "{file}:{}: workers: at least 1 is expected",
                        referenced.line()
                    )));
                }
                Some(workers) => workers.value,
                None => default_workers(),
            },
            cluster,
            timeouts: read.timeouts.check(&at)?,
            limits: read.limits.check(&at)?,
        })
    }
}

/// As many as there are cores to run them.
#[must_use]
pub fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

impl ClusterFile {
    /// The cluster that is described.
    ///
    /// # Errors
    /// A node's address is none, or there is no placement over these nodes.
    pub fn check(self) -> Result<Cluster, Error> {
        for node in &self.nodes {
            check_address(&node.address)?;
        }
        let cluster = Cluster {
            policy: match self.policy {
                PolicyName::Maglev => Policy::Maglev {
                    table_size: self.table_size.unwrap_or(TABLE_SIZE_DEFAULT),
                    hash_hostnames: self.hash_hostnames,
                },
            },
            tags: if self.hash_tags {
                TagRule::Braces
            } else {
                TagRule::WholeKey
            },
            nodes: self
                .nodes
                .into_iter()
                .map(|node| Node {
                    address: node.address,
                    weight: node.weight.unwrap_or(1),
                    name: node.name,
                    hostname: node.hostname,
                    hash_key: node.hash_key,
                })
                .collect(),
        };
        Placement::new(&cluster).map_err(|error| Error(error.to_string()))?;
        Ok(cluster)
    }
}

/// Checks that `address` is `host:port`.
///
/// # Errors
/// It is not.
pub fn check_address(address: &str) -> Result<(), Error> {
    let good = address.rsplit_once(':').is_some_and(|(host, port)| {
        let plain = !host.is_empty() && !host.contains(char::is_whitespace);
        plain && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if good {
        Ok(())
    } else {
        Err(Error(format!(
            "node `{}`: host:port is expected",
            address.escape_debug()
        )))
    }
}

struct Place<'a> {
    file: &'a str,
}

impl Place<'_> {
    /// The value, the default without one; 0 is no limit but a mistake.
    fn at_least_one<T: TryFrom<u64>>(
        &self,
        field: &str,
        value: Option<&Spanned<u64>>,
        default: T,
    ) -> Result<T, Error> {
        let Some(spanned) = value else {
            return Ok(default);
        };
        T::try_from(spanned.value)
            .ok()
            .filter(|_| spanned.value > 0)
            .ok_or_else(|| {
                Error(format!(
                    "{}:{}: {field}: at least 1 is expected",
                    self.file,
                    spanned.referenced.line()
                ))
            })
    }

    fn millis(
        &self,
        field: &str,
        value: Option<&Spanned<u64>>,
        default: Duration,
    ) -> Result<Duration, Error> {
        let default = u64::try_from(default.as_millis()).unwrap_or(u64::MAX);
        self.at_least_one(field, value, default)
            .map(Duration::from_millis)
    }
}

impl TimeoutsFile {
    fn check(&self, at: &Place<'_>) -> Result<Timeouts, Error> {
        let default = Timeouts::default();
        Ok(Timeouts {
            op: at.millis("timeouts.op_ms", self.op_ms.as_ref(), default.op)?,
            connect: at.millis(
                "timeouts.connect_ms",
                self.connect_ms.as_ref(),
                default.connect,
            )?,
            stall: at.millis("timeouts.stall_ms", self.stall_ms.as_ref(), default.stall)?,
            drain: at.millis("timeouts.drain_ms", self.drain_ms.as_ref(), default.drain)?,
        })
    }
}

impl LimitsFile {
    fn check(&self, at: &Place<'_>) -> Result<Limits, Error> {
        let default = Limits::default();
        let request = default.request;
        Ok(Limits {
            request: resp::Limits {
                array_len_max: at.at_least_one(
                    "limits.array_len",
                    self.array_len.as_ref(),
                    request.array_len_max,
                )?,
                bulk_bytes_max: at.at_least_one(
                    "limits.bulk_bytes",
                    self.bulk_bytes.as_ref(),
                    request.bulk_bytes_max,
                )?,
                inline_bytes_max: at.at_least_one(
                    "limits.inline_bytes",
                    self.inline_bytes.as_ref(),
                    request.inline_bytes_max,
                )?,
                request_bytes_max: at.at_least_one(
                    "limits.request_bytes",
                    self.request_bytes.as_ref(),
                    request.request_bytes_max,
                )?,
            },
            client_requests_max: at.at_least_one(
                "limits.client_requests",
                self.client_requests.as_ref(),
                default.client_requests_max,
            )?,
            client_bytes_max: at.at_least_one(
                "limits.client_bytes",
                self.client_bytes.as_ref(),
                default.client_bytes_max,
            )?,
            client_output_bytes_max: at.at_least_one(
                "limits.client_output_bytes",
                self.client_output_bytes.as_ref(),
                default.client_output_bytes_max,
            )?,
            output_bytes_max: at.at_least_one(
                "limits.output_bytes",
                self.output_bytes.as_ref(),
                default.output_bytes_max,
            )?,
            clients_max: at.at_least_one(
                "limits.clients",
                self.clients.as_ref(),
                default.clients_max,
            )?,
            node_requests_max: at.at_least_one(
                "limits.node_requests",
                self.node_requests.as_ref(),
                default.node_requests_max,
            )?,
            node_bytes_max: at.at_least_one(
                "limits.node_bytes",
                self.node_bytes.as_ref(),
                default.node_bytes_max,
            )?,
        })
    }
}

/// An error message without its line ends.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
