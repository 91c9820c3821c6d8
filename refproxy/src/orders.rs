//! The orders that a worker takes from the server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::routing::{NodeReport, Plan};

/// What a worker is told.
#[derive(Debug)]
pub(crate) enum Order {
    /// From the next request on, this plan.
    Swap(Arc<Plan>, oneshot::Sender<()>),
    /// How it stands with the nodes.
    Report(oneshot::Sender<Vec<NodeReport>>),
    /// Who the clients are: their lines in CLIENT LIST, by id.
    Clients(oneshot::Sender<Vec<(u64, Vec<u8>)>>),
    /// No new clients; the present ones get what they are owed, at most for so long.
    Drain(Duration),
}
