//! The only place that combines target, cluster, case, experiment and prediction. Only orchestrates: each module models
//! its own results.

mod chaos;
mod conformance;
mod differential;
mod export;
mod fault;
mod fingerprint;
mod matrix;
mod plan;
mod probe;
mod rescale;
mod running;
mod shrink;

use testbed::cluster;
use testbed::targets;

pub use chaos::{Judged, chaos, obstacle};
pub use conformance::{Event, Order, Subject, judge};
pub use differential::differential;
pub use export::{CASE_RUNS, Exported, export};
pub use fault::{fault, unroutable};
pub use fingerprint::fingerprint;
pub use matrix::{matrix, matrix_until};
pub use plan::{Error as PlanError, count};
pub use probe::probe;
pub use rescale::{Rescaled, RunningCluster, rescale, rescale_running};
pub use running::{RunningProxy, chaos_running};
pub use shrink::{Limits, Observer, Search, shrink};
pub use testbed::cluster::RunOptions;

/// A run could not judge. Never a verdict.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The proxy.
    #[error(transparent)]
    Target(#[from] targets::Error),
    /// The rescale experiment.
    #[error(transparent)]
    Rescale(#[from] ::chaos::rescale::Error),
    /// The conformance cases.
    #[error(transparent)]
    Conformance(#[from] ::conformance::Error),
    /// The probe.
    #[error(transparent)]
    Probe(#[from] ::conformance::probe::Error),
}
