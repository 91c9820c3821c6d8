//! The configuration file: YAML, checked into a [`Config`].
//!
//! Never reads argv or the environment.

mod file;
mod listen;
mod tls;

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

pub use listen::{ListenAddress, NotAnAddress};
pub use placement::file::{ClusterFile, Error, read_address};
pub(crate) use tls::{ClientTls, NodeTls};

use crate::auth::{NodeAuth, Users};
use crate::command::Rules;
use crate::resp;
use crate::tls::{Acceptor, Connector};
use placement::{Cluster, Placed};

/// Size of a configuration file.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address to listen on for clients.
    pub listen: ListenAddress,
    /// Address of the admin interface; `None` without one.
    pub admin: Option<SocketAddr>,
    /// Threads that serve clients, at least 1.
    pub workers: usize,
    /// Client users; without any, clients need no login.
    pub users: Users,
    /// The proxy's own credentials for nodes, if any.
    pub node_auth: Option<NodeAuth>,
    /// TLS to clients, if any.
    pub tls: Option<Acceptor>,
    /// TLS to nodes with a TCP address, if any.
    pub node_tls: Option<Connector>,
    /// Permissions of clients.
    pub rules: Rules,
    /// The cluster to shard over.
    pub cluster: Placed,
    /// Timeouts.
    pub timeouts: Timeouts,
    /// Limits.
    pub limits: Limits,
}

/// Timeouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// From reading a request to its reply; 1 s by default.
    pub op: Duration,
    /// To connect to a node; 1 s by default.
    pub connect: Duration,
    /// After so long without a byte from a node that owes some, its connection is given up; 10 s by default. Requests fail at
    /// their own deadline long before; the connection is kept because a new one could overtake requests that the node has
    /// in its socket and will still carry out. After the beginning of a reply, `op` is enough.
    pub stall: Duration,
    /// Time to send pending replies to clients at shutdown; 5 s by default.
    pub drain: Duration,
    /// A connection, of a client or to a node, on which no bytes were sent for this long is probed, then every third of
    /// it; after 3 probes without an answer it is closed. 300 s by default, as in Redis.
    pub keepalive: Duration,
    /// A connection to a node is closed if the node's host acknowledges no sent bytes for this time; 3 s by default.
    /// The host acknowledges even while the node process is stopped, until its socket buffer is full.
    pub unacknowledged: Duration,
    /// A client without pending replies that sends no bytes for this long is closed; never by default.
    pub client_idle: Option<Duration>,
    /// A client that has not authenticated this long after it connected is closed, if users are configured, or has not
    /// finished its TLS handshake; 10 s by default.
    pub unauthenticated: Duration,
}

/// Limits. Bytes are of whole requests and replies, framing included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Of one request.
    pub request: resp::Limits,
    /// Of what a node announces; beyond that its connection is closed and opened anew.
    pub reply: resp::ReplyLimits,
    /// Most pending requests of one client. At the limit, no more are read.
    pub client_requests_max: usize,
    /// Most bytes of pending requests of one client. At the limit, no more are read.
    pub client_bytes_max: usize,
    /// Bytes of replies that wait for one client; beyond that it is closed. A single reply that is larger is replaced by an
    /// error.
    pub client_output_bytes_max: usize,
    /// Bytes of replies that wait for all clients, of requests that are not complete, and of transactions. Beyond that,
    /// clients that add to it and occupy more than an equal share are closed.
    pub output_bytes_max: usize,
    /// Maximum number of clients; further ones get an error and are closed. Lowered at start if the limit of file
    /// descriptors is too low.
    pub clients_max: usize,
    /// Connections to nodes that belong to one client each, for WATCH and MULTI, of all workers; beyond that these commands
    /// fail.
    pub dedicated_max: usize,
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
            keepalive: Duration::from_secs(300),
            unacknowledged: Duration::from_secs(3),
            client_idle: None,
            unauthenticated: Duration::from_secs(10),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request: resp::Limits::default(),
            reply: resp::ReplyLimits::default(),
            client_requests_max: 1024,
            client_bytes_max: 64 * 1024 * 1024,
            client_output_bytes_max: 256 * 1024 * 1024,
            output_bytes_max: 1024 * 1024 * 1024,
            clients_max: 10_000,
            dedicated_max: 1_000,
            node_requests_max: 100_000,
            node_bytes_max: 256 * 1024 * 1024,
        }
    }
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// `file:line: field: what was expected`.
    pub fn read(path: &Path) -> Result<Self, Error> {
        file::parse(&text(path)?, &path.display().to_string())
    }

    /// Reads the cluster of a file again, and its position there: `file:line`. Its placement is not built.
    ///
    /// # Errors
    /// As of [`Config::read`], or it is not a regular file: reading a pipe would wait for a writer.
    pub fn read_cluster(path: &Path) -> Result<(Cluster, String), Error> {
        let name = path.display();
        let about = std::fs::metadata(path).map_err(|error| Error(format!("{name}: {error}")))?;
        if !about.is_file() {
            return Err(Error(format!("{name}: not a regular file")));
        }
        file::parse_cluster(&text(path)?, &name.to_string())
    }
}

/// The text of a configuration file, which has a limit.
fn text(path: &Path) -> Result<String, Error> {
    let failed = |error: std::io::Error| Error(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut text = String::new();
    let mut limited = file.take(FILE_BYTES_MAX + 1);
    limited.read_to_string(&mut text).map_err(failed)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let name = path.display();
        return Err(Error(format!("{name}: more than {FILE_BYTES_MAX} bytes")));
    }
    Ok(text)
}

/// The number of available cores.
#[must_use]
pub fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
