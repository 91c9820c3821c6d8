//! The orders of the server to a worker.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::routing::{NodeReport, Plan};

/// Messages to a worker.
#[derive(Debug)]
pub(crate) enum Order {
    /// From the next request on, this plan.
    Swap(Arc<Plan>, oneshot::Sender<()>),
    /// State of the nodes.
    Report(oneshot::Sender<Vec<NodeReport>>),
    /// List the clients: their lines in CLIENT LIST, by id.
    Clients(oneshot::Sender<Vec<(u64, Vec<u8>)>>),
    /// Accept no new clients; connected ones get pending replies, for a limited time.
    Drain(Duration),
}
