//! Where a fault is applied and healed: one node of a cluster, and the link between it and the proxy.

use super::{Effect, Fault, FaultInjector, InjectorError, Object};
use crate::client::{self, Client, NODE_DEADLINE};
use crate::node::{self, Node};
use crate::wire::Value;

/// A node and its link.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The node.
    pub node: &'a dyn Node,
    /// The injector of the cluster.
    pub injector: &'a FaultInjector,
    /// The place of the node in the cluster.
    pub index: usize,
}

/// A fault could not be applied or healed. Never a verdict on a proxy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A fault of the link.
    #[error(transparent)]
    Link(#[from] InjectorError),
    /// A fault of the node.
    #[error(transparent)]
    Node(#[from] node::Error),
    /// The node does not take orders.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// The node refused an order.
    #[error("a node refused a fault: {0}")]
    Refused(String),
}

/// How a fault is applied and healed.
pub(super) trait Act {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error>;

    /// Makes the site as it was before.
    async fn heal(&self, site: Site<'_>) -> Result<(), Error>;
}

impl Site<'_> {
    /// Changes a setting of a node of our own.
    pub(super) async fn order(&self, command: &[&str]) -> Result<(), Error> {
        let addr = self.node.addr();
        if !self.node.is_ours() {
            let wanted = "changed";
            return Err(node::Error::NotOurs { addr, wanted }.into());
        }
        let mut client = Client::connect(addr, NODE_DEADLINE).await?;
        match client.call(command, NODE_DEADLINE).await? {
            Value::Error(why) => Err(Error::Refused(why.escape_ascii().to_string())),
            _ => Ok(()),
        }
    }

    /// Heals all `faults` of the site, and takes everything else off the link.
    ///
    /// # Errors
    /// The cause. Faults after it are not healed.
    pub async fn heal(self, faults: &[Fault]) -> Result<(), Error> {
        let mut faults: Vec<&Fault> = faults
            .iter()
            .filter(|fault| fault.row().acts_on == Object::Node)
            .collect();
        if let Some(ended) = faults.iter().find(|fault| !fault.row().keeps_data) {
            // A node that starts again has no other fault any more.
            faults = vec![ended];
        }
        // A node takes orders only when it serves again.
        faults.sort_by_key(|fault| fault.row().effect == Effect::RefuseWrites);
        for fault in faults {
            fault.heal(self).await?;
        }
        Ok(self.injector.heal(self.index).await?)
    }
}

#[cfg(test)]
mod tests;
