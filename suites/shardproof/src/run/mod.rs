//! The one place where target, cluster, case, experiment and prediction meet.

mod conformance;
mod differential;
mod fault;
mod fingerprint;
mod matrix;
mod plan;
mod rescale;

use testbed::cluster;
use testbed::targets;

pub use conformance::{ByLevel, Conformance, Event, Judged, Order, Subject, Summary, judge};
pub use differential::{Compared, Differential, Parted, differential};
pub use fault::{Faulted, fault, unroutable};
pub use fingerprint::{
    Fingerprint, Nearest, Outcome as FingerprintOutcome, Placed, Scatter, SeenNode, Spread,
    fingerprint,
};
pub use matrix::{CLASSES, Cell, Column, Matrix, matrix};
pub use plan::{Error as PlanError, count};
pub use rescale::{Rescaled, Rescales, rescale};
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
    Rescale(#[from] chaos::rescale::Error),
    /// The conformance cases.
    #[error(transparent)]
    Conformance(#[from] ::conformance::Error),
}
