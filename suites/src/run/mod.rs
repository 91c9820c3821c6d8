//! The one place where target, cluster, case, experiment and prediction meet.

mod conformance;
mod fault;
mod rescale;

use crate::cluster::{self, Source};
use crate::program::Search;
use crate::target;

pub use conformance::{Conformance, Judged, Subject, judge};
pub use fault::fault;
pub use rescale::{Rescaled, rescale};

/// What every run needs.
#[derive(Debug, Clone)]
pub struct Ground {
    /// Where programs are.
    pub search: Search,
    /// Where nodes come from.
    pub nodes: Source,
    /// First port of the links.
    pub link_port_base: u16,
}

/// A run could not judge. Never a verdict.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The proxy.
    #[error(transparent)]
    Target(#[from] target::Error),
    /// The rescale experiment.
    #[error(transparent)]
    Rescale(#[from] crate::rescale::Error),
    /// The conformance cases.
    #[error(transparent)]
    Conformance(#[from] crate::conformance::Error),
}
