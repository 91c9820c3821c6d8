//! The rescale experiment: write through the proxy, change its cluster, read everything back, and the way back.
//!
//! Black-box: the nodes are asked where a key is. No placement is computed.

mod experiment;
mod fault_report;
mod faulted;
mod forecast;
mod laws;
mod list;
mod nodes;
mod plan;
mod refusal;
mod report;
mod traffic;
mod worker;

use testbed::{client, targets};

pub use experiment::{Observed, observe};
pub use fault_report::{Agreement, FaultReport, Refusals};
pub use faulted::{FaultPlan, Faulted, Recovery, observe_fault};
pub use forecast::{Forecast, forecast};
pub use laws::{JudgedLaw, Law, LawVerdict};
pub use list::{Faults, Rescales};
pub use plan::Plan;
pub use refusal::Refusal;
pub use report::{NodeCount, Predicted, Prediction, Report, write_keys};

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
        /// The error of its client library.
        why: redis::RedisError,
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
