//! The rescale experiment: write through the proxy, change its cluster, read everything back, and the way back.
//!
//! Black-box: where a key lies is learned by looking on the nodes, never by computing.

mod experiment;
mod nodes;
mod report;
mod worker;

pub use experiment::{Error, Observed, Plan, observe};
pub use report::{NodeCount, Predicted, Prediction, Report, write_keys};
