//! What can happen to one node while the cluster changes.

use testbed::cluster::{Cluster, Error};

/// A fault of one node or of its link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeFault {
    /// The node is stopped in its tracks: connections stay, nothing is answered.
    Paused,
    /// The node crashes, and comes back empty.
    Killed,
    /// Nobody listens where the proxy looks for the node, which runs on.
    LinkDown,
    /// The node loses its network, which takes a node that has one of its own.
    Disconnected,
}

impl NodeFault {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Paused,
        Self::Killed,
        Self::LinkDown,
        Self::Disconnected,
    ];

    /// The word in names and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Killed => "killed",
            Self::LinkDown => "link-down",
            Self::Disconnected => "disconnected",
        }
    }

    /// Whether the node has its keys again when the fault is over.
    #[must_use]
    pub fn keeps_data(self) -> bool {
        self != Self::Killed
    }

    /// Begins on the node at a place of the cluster.
    pub(super) async fn begin(self, cluster: &Cluster, node: usize) -> Result<(), Error> {
        match self {
            Self::Paused => cluster.node(node).pause().await?,
            Self::Killed => cluster.node(node).kill().await?,
            Self::LinkDown => cluster.faults().down(node).await?,
            Self::Disconnected => cluster.node(node).disconnect().await?,
        }
        Ok(())
    }

    /// Ends; the node answers again.
    pub(super) async fn end(self, cluster: &Cluster, node: usize) -> Result<(), Error> {
        match self {
            Self::Paused => cluster.node(node).resume().await?,
            Self::Killed => cluster.node(node).restart().await?,
            Self::LinkDown => cluster.faults().heal(node).await?,
            Self::Disconnected => cluster.node(node).connect().await?,
        }
        Ok(())
    }
}
