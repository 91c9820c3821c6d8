//! The run of a scenario: clients, faults and watches at the same time, and all observations.
//!
//! - `client`, `connection`, `library`: one client, its connections, the replies of the `redis` crate.
//! - `inject`, `means`: the schedule of faults, and the means to inject them.
//! - `expire`: a time to live for keys on foreign nodes.
//! - `placed`: the keys, so that each node has some.
//! - `watch`, `nodes`: stalls and memory; the contents of the nodes.
//! - `sighting`, `sightings`, `tokenless`, `completion`: what the taps saw of each request, and the completion that
//!   follows. Pure.
//!
//! Never judges: laws judge the result.

mod client;
mod clock;
mod completion;
mod connection;
mod expire;
mod inject;
mod library;
mod means;
mod nodes;
mod observe;
mod placed;
mod sighting;
mod sightings;
#[cfg(test)]
mod tests;
mod tokenless;
mod watch;

use std::time::Duration;

use testbed::endpoint::Endpoint;
use testbed::link::Tap;
use testbed::targets::Limits;
use testbed::{client as wire_client, fault, targets};

use crate::observed::{Observed, Promises};

pub use means::{Carrier, Means};
pub use observe::observe;

/// A proxy with its nodes, that a scenario runs on.
pub struct Subject<'a> {
    /// Its name in the history.
    pub name: String,
    /// The proxy, for clients.
    pub proxy: Endpoint,
    /// Further proxies in front of the same nodes. Clients are spread over all proxies; faults of the proxy act on the
    /// first.
    pub further: Vec<Endpoint>,
    /// The nodes, past the links.
    pub nodes: Vec<Endpoint>,
    /// The owner of the nodes.
    pub nodes_of: NodesOf,
    /// The nodes as the proxy knows them.
    pub node_names: Vec<String>,
    /// The record of the links, if there are any.
    pub tap: Option<Tap>,
    /// The means to inject faults.
    pub means: Means<'a>,
    /// What the proxy promises.
    pub promises: Promises,
    /// How all keys begin.
    pub prefix: String,
}

impl Subject<'_> {
    /// All proxies, the first one first.
    fn proxies(&self) -> Vec<Endpoint> {
        [&[self.proxy], &self.further[..]].concat()
    }
}

/// The owner of nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodesOf {
    /// The suite started them, so they end with it.
    Suite,
    /// Foreign nodes: nothing may stay on them.
    Others,
}

/// The observations of a run, with those that only reports need.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// For laws.
    pub observed: Observed,
    /// When each request of the history was to be sent: earlier than it was, if the client had to wait for others.
    pub intended: Vec<u64>,
}

/// A run failed. Never a verdict.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A fault was not applied or healed.
    #[error("inject a fault: {0}")]
    Fault(#[from] fault::Error),
    /// The hook did not apply or heal a fault.
    #[error(transparent)]
    Hook(#[from] fault::HookError),
    /// The proxy was not rescaled.
    #[error(transparent)]
    Proxy(#[from] targets::Error),
    /// A node could not be scanned.
    #[error("look at a node: {0}")]
    Node(#[from] wire_client::Error),
    /// The proxy did not take a key before any fault.
    #[error("proxy {proxy} takes {taken} of {keys} keys before the first fault")]
    NotServing {
        /// The proxy.
        proxy: Endpoint,
        /// Keys that were found on a node.
        taken: usize,
        /// Keys in all.
        keys: usize,
    },
    /// A client ended early.
    #[error("a client of the run has ended: {0}")]
    Client(#[from] tokio::task::JoinError),
    /// The fault cannot be injected here.
    #[error("fault {0} on {1} is not supported here")]
    Unsupported(String, crate::observed::Subject),
}

/// The promises of a proxy with this time limit for one request, of which they are a generous multiple, so that a slow
/// machine breaks none; and with these limits on its resources.
#[must_use]
pub fn promises(op_timeout: Duration, limits: Limits) -> Promises {
    let nanoseconds = |duration: Duration| u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    Promises {
        deadline: nanoseconds(op_timeout * 5 + Duration::from_secs(1)),
        recovery: nanoseconds(Duration::from_secs(5)),
        memory_bytes: limits.memory_mib.map(|mib| mib << 20),
        node_connections: limits.node_connections,
        idle_node_connections: limits.idle_node_connections,
    }
}
