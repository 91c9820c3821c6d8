//! The rescale experiment: write through the proxy, change its cluster, read everything back, and the way back.
//!
//! Black-box: the nodes are asked where a key is. No placement is computed.

mod experiment;
mod fault_report;
mod faulted;
mod forecast;
mod front;
mod laws;
mod list;
mod nodes;
mod plan;
mod refusal;
mod report;
mod settle;
mod traffic;
mod worker;

use std::time::Duration;

use testbed::endpoint::Endpoint;
use testbed::exists::OTHER_NODES;
use testbed::{client, reload, targets};

pub use experiment::{Observed, observe, observe_running};
pub use fault_report::{Agreement, FaultReport, Refusals};
pub use faulted::{FaultPlan, Faulted, Recovery, observe_fault};
pub use forecast::{Forecast, forecast};
pub use front::Running;
pub use laws::{JudgedLaw, Law, LawVerdict};
pub use list::{Faults, Rescales};
pub use plan::Plan;
pub use refusal::Refusal;
pub use report::{NodeCount, POLICY_UNKNOWN, Predicted, Prediction, Report, write_keys};
pub use worker::WorkerError;

/// The experiment could not be done. Never a verdict.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The proxy did not start or change.
    #[error(transparent)]
    Target(#[from] targets::Error),
    /// A node could not be scanned.
    #[error("cannot read a node: {0}")]
    Node(#[from] client::Error),
    /// The worker failed.
    #[error("the worker cannot {doing} through the proxy: {why}")]
    Worker {
        /// The step that failed.
        doing: &'static str,
        /// The cause.
        why: WorkerError,
    },
    /// The operator's command did not change the cluster.
    #[error(transparent)]
    Reload(#[from] reload::Error),
    /// The operator's command ended without an effect.
    #[error(
        "the reload command has ended, but {} s later the proxy still answers for all {keys} keys as before: its cluster did \
         not change",
        .within.as_secs()
    )]
    Unchanged {
        /// Keys that were read.
        keys: usize,
        /// How long was waited.
        within: Duration,
    },
    /// Two proxies with the same placement.
    #[error(
        "both proxies place all {keys} keys on the same nodes: expected proxies of different clusters"
    )]
    Same {
        /// Keys that were written.
        keys: usize,
    },
    /// The nodes are not those of the proxy.
    #[error(
        "{count} of {keys} keys that {proxy} acknowledged are on none of the nodes: {OTHER_NODES}"
    )]
    Astray {
        /// Keys on no node.
        count: usize,
        /// Keys that were written.
        keys: usize,
        /// The proxy.
        proxy: Box<Endpoint>,
    },
    /// The nodes are in another order, or the number of nodes is another one.
    #[error(
        "{proxy} keeps key {key} on {node}, which is not one of the first {nodes} of --node: expected the nodes in the order \
         of the cluster, and the numbers of nodes that the proxy has before and after the change"
    )]
    Outside {
        /// The key.
        key: String,
        /// Its node.
        node: Box<Endpoint>,
        /// The proxy.
        proxy: Box<Endpoint>,
        /// Number of nodes that were named.
        nodes: usize,
    },
    /// A fault does not begin or end.
    #[error(transparent)]
    Fault(#[from] testbed::fault::Error),
    /// Keys may have expired, so a missing key proves nothing.
    #[error(
        "the experiment took {took_s} s, but its keys live only {ttl_s} s: use a longer --ttl or a smaller --count"
    )]
    Expired {
        /// How long it took.
        took_s: u64,
        /// How long keys live.
        ttl_s: u64,
    },
}

/// The prefix of the keys of a run on foreign nodes.
#[must_use]
pub fn prefix(seed: u64) -> String {
    format!("sp-{seed:08x}-")
}
