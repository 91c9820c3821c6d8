//! The rescale experiment: write through the proxy, change its cluster, read everything back, and the way back.
//!
//! Black-box: where a key lies is learned by looking on the nodes, never by computing.

mod experiment;
mod fault_report;
mod faulted;
mod forecast;
mod nodes;
mod refusal;
mod report;
mod traffic;
mod worker;

pub use experiment::{Error, Observed, Plan, observe};
pub use fault_report::{Agreement, FaultReport, Refusals};
pub use faulted::{FaultPlan, Faulted, Recovery, observe_fault};
pub use forecast::{Forecast, forecast};
pub use refusal::Refusal;
pub use report::{NodeCount, Predicted, Prediction, Report, write_keys};

/// What the keys of a run on foreign nodes begin with.
#[must_use]
pub fn prefix(seed: u64) -> String {
    format!("sp-{seed:08x}-")
}
