//! Where a fault is applied and healed: one node of a cluster, and the link between it and the proxy.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::clients::{self, Clients};
use super::{Effect, Fault, FaultInjector, InjectorError, Object};
use crate::client::{self, Client, NODE_DEADLINE};
use crate::node::{self, Node};
use crate::targets::{self, Proxy};
use crate::wire::{Value, encode_request};

/// How often a node is asked that changes within milliseconds.
const POLL: Duration = Duration::from_millis(5);

/// A node, its link, and the proxy and clients in front of them, where faults act on those.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    /// The node.
    pub node: &'a dyn Node,
    /// The injector of the cluster.
    pub injector: &'a FaultInjector,
    /// The place of the node in the cluster.
    pub index: usize,
    /// The proxy, if the suite started it.
    pub proxy: Option<&'a Proxy>,
    /// Clients of the proxy that may misbehave.
    pub clients: Option<&'a Clients>,
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
    /// A fault of the proxy.
    #[error(transparent)]
    Proxy(#[from] targets::Error),
    /// A fault of clients.
    #[error(transparent)]
    Clients(#[from] clients::Error),
    /// The cluster has no object of the kind that the fault acts on.
    #[error("no {0} that faults may act on")]
    Absent(&'static str),
    /// The node does not reach the state that the fault wants.
    #[error("node {addr} is not {what} within {} ms", within.as_millis())]
    NotYet {
        /// The node.
        addr: SocketAddr,
        /// The wanted state.
        what: &'static str,
        /// How long was waited.
        within: Duration,
    },
    /// The node refused an order.
    #[error("a node refused a fault: {0}")]
    Refused(String),
}

/// How a fault is applied and healed.
pub(super) trait Act {
    async fn apply(&self, site: Site<'_>) -> Result<(), Error>;

    /// Restores the site.
    async fn heal(&self, site: Site<'_>) -> Result<(), Error>;
}

impl<'a> Site<'a> {
    /// A node and its link.
    #[must_use]
    pub fn new(node: &'a dyn Node, injector: &'a FaultInjector, index: usize) -> Self {
        Self {
            node,
            injector,
            index,
            proxy: None,
            clients: None,
        }
    }

    pub(super) fn proxy(&self) -> Result<&'a Proxy, Error> {
        self.proxy.ok_or(Error::Absent("proxy"))
    }

    pub(super) fn clients(&self) -> Result<&'a Clients, Error> {
        self.clients.ok_or(Error::Absent("clients"))
    }

    /// A connection to a node of our own.
    async fn connect(&self) -> Result<Client, Error> {
        let addr = self.node.addr();
        if !self.node.is_ours() {
            let wanted = "changed";
            return Err(node::Error::NotOurs { addr, wanted }.into());
        }
        Ok(Client::connect(addr, NODE_DEADLINE).await?)
    }

    /// Sends a command to a node of our own whose answer may take `within`, and does not wait for it.
    pub(super) async fn begin(&self, command: &[&str], within: Duration) -> Result<(), Error> {
        let mut client = self.connect().await?;
        client
            .write(&encode_request(command), NODE_DEADLINE)
            .await?;
        // The answer is ignored; the connection stays open until it arrives.
        tokio::spawn(async move { client.reply(within).await });
        Ok(())
    }

    /// Waits until `is_so` accepts the answer of a node of our own to PING.
    pub(super) async fn until(
        &self,
        what: &'static str,
        within: Duration,
        is_so: impl Fn(&[u8]) -> bool,
    ) -> Result<(), Error> {
        let addr = self.node.addr();
        let deadline = Instant::now() + within;
        let mut client = self.connect().await?;
        while Instant::now() < deadline {
            match client.call(&["PING"], within).await? {
                Value::Simple(text) | Value::Error(text) if is_so(&text) => return Ok(()),
                _ => tokio::time::sleep(POLL).await,
            }
        }
        Err(Error::NotYet { addr, what, within })
    }

    /// Changes a setting of a node of our own.
    pub(super) async fn order(&self, command: &[&str]) -> Result<(), Error> {
        let mut client = self.connect().await?;
        match client.call(command, NODE_DEADLINE).await? {
            Value::Error(why) => Err(Error::Refused(why.escape_ascii().to_string())),
            _ => Ok(()),
        }
    }

    /// Heals all `faults` of the site, and removes everything else from the link.
    ///
    /// # Errors
    /// The cause. Faults after it are not healed.
    pub async fn heal(self, faults: &[Fault]) -> Result<(), Error> {
        let mut faults: Vec<&Fault> = faults
            .iter()
            .filter(|fault| fault.row().acts_on == Object::Node)
            .collect();
        if faults.iter().any(|fault| fault.row().ends_node()) {
            // A node that starts again has no other fault any more.
            faults.retain(|fault| fault.row().ends_node());
        }
        // A node must run before it takes commands, and must serve before its settings can be changed.
        faults.sort_by_key(|fault| match fault.row().effect {
            Effect::RefuseWrites => 2,
            Effect::Partial => 1,
            _ => 0,
        });
        for fault in faults {
            fault.heal(self).await?;
        }
        Ok(self.injector.heal(self.index).await?)
    }
}

#[cfg(test)]
mod tests;
