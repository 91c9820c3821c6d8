//! The harness: a running proxy and its nodes, on which cases are judged one after the other.
//!
//! After each case everything is healed, and the proxy has to serve every node again before the next one begins.

mod canary;
mod cleanup;
mod connection;
pub(crate) mod deadlines;
pub(crate) mod environment;
mod judging;
pub(crate) mod keys;
mod moved;
pub(crate) mod names;
mod recovery;
mod runner;
mod spoiled;
mod start;
#[cfg(test)]
mod tests;
pub(crate) mod transcript;

use std::net::SocketAddr;
use std::time::Duration;

use crate::cases::members::Members;
use crate::harness::canary::Canary;
use crate::harness::deadlines::Deadlines;
use crate::harness::environment::Environment;
use crate::harness::keys::Pool;
use crate::harness::moved::Moved;
use crate::probe::Probe;
use testbed::client;
use testbed::cluster;
use testbed::endpoint::Endpoint;
use testbed::targets::{self, Proxy, Target};

pub use judging::skipped;

/// Cases cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nodes and links.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The proxy.
    #[error(transparent)]
    Proxy(#[from] targets::Error),
    /// The keys of the nodes.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// The proxy or a node does not answer at the address that the user gave.
    #[error("reach {addr}: {why}")]
    Unreachable {
        /// Where.
        addr: Endpoint,
        /// The failure.
        why: client::Error,
    },
    /// The data of a call could not be written.
    #[error("write the data of a call to {addr}: {why}")]
    Given {
        /// Where.
        addr: Endpoint,
        /// The answer, or the failure.
        why: String,
    },
    /// Keys could not be removed.
    #[error("clean up at {addr}: {why}")]
    Unclean {
        /// Where.
        addr: Endpoint,
        /// The failure.
        why: String,
    },
    /// The proxy does not come back.
    #[error("serve again: {0}")]
    Unsettled(String),
    /// A fault cannot be taken back.
    #[error("heal: {0}")]
    Unhealed(String),
    /// Other clients of the proxy no longer read the values that they wrote.
    #[error("{0}")]
    Disturbed(String),
    /// The comparison with a plain Redis is not possible.
    #[error("compare with one plain Redis: {0}")]
    Oracle(String),
}

/// A running proxy with its nodes.
pub struct Harness {
    pub(crate) environment: Environment,
    target: Option<Target>,
    /// Whether the target is that of another proxy, so that its version is unknown.
    likened: bool,
    /// What a proxy offers that runs already.
    probed: Option<Probe>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) pool: Pool,
    /// Keys by their nodes before and after a change of the cluster.
    moved: Moved,
    /// A key of each node, to see whether the proxy serves it.
    pub(crate) canaries: Vec<Vec<u8>>,
    /// Number of checks of the canaries, which is their value.
    pub(crate) looks: u64,
    /// Keys of a foreign proxy, read after every case.
    pub(crate) canary: Option<Canary>,
    pub(crate) deadlines: Deadlines,
    /// Whether a case ran on the proxy since it was started.
    pub(crate) used: bool,
    /// Whether one of these cases may have changed the environment of the next one.
    pub(crate) spoiled: bool,
    /// The template of the last case if the promise was kept: its next shape runs on the same proxy.
    pub(crate) kept: Option<String>,
    /// Why no more cases are judged.
    pub(crate) stopped: Option<Stopped>,
}

/// No more cases are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stopped {
    /// The case after which the run stopped.
    pub(crate) case: String,
    /// The state of the proxy, and what its operator should do.
    pub(crate) why: String,
}

impl Harness {
    /// Time for a reply of the proxy between cases.
    pub(crate) fn within(&self) -> Duration {
        self.environment.op_timeout * 5 + Duration::from_secs(1)
    }

    /// The addresses of a cluster, as the proxy sees them.
    fn links_of(&self, members: &Members) -> Result<Vec<SocketAddr>, Error> {
        let addrs = self.environment.links_of(members);
        addrs.map_err(|why| Error::Unhealed(why.to_string()))
    }

    /// Judges a proxy that runs already by the claims and deviations of a target.
    pub fn liken_to(&mut self, target: &Target) {
        self.environment.own_traffic.clone_from(&target.own_traffic);
        self.target = Some(target.clone());
        self.likened = true;
    }

    /// Skips cases that need a capability which the proxy does not offer.
    pub fn skip_what_is_not_offered(&mut self, probed: Probe) {
        self.probed = Some(probed);
    }

    pub(crate) async fn fill(&mut self, least: usize) -> Result<(), Error> {
        let (proxy, nodes) = (self.environment.proxy, self.environment.usual_nodes());
        Ok(self.pool.fill(proxy, nodes, least).await?)
    }

    /// Name and version of the server program of the nodes, as `redis 7.0.15`. None if no node is known or answers.
    pub async fn server(&self) -> Option<String> {
        client::server(*self.environment.nodes.first()?).await.ok()
    }

    /// Removes all remaining keys of the run.
    ///
    /// # Errors
    /// If keys could not be removed.
    pub async fn finish(self) -> Result<(), Error> {
        let watched = self.canary.as_ref().map_or(&[][..], Canary::keys);
        self.clean(&[watched, &self.canaries].concat()).await
    }
}
