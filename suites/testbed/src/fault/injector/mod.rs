//! The injector of link faults, with two implementations: the suite's own links, and a foreign Toxiproxy.
//!
//! A foreign Toxiproxy listens on the same ports, so placements that hash addresses stay the same. It has no tap. It may
//! be the fault server of this crate, which has more toxics; its client finds out. No real Toxiproxy server was available:
//! this side is tested against the fault server of this crate, over the same HTTP API.

mod foreign;

use std::net::{Ipv4Addr, SocketAddr};

use super::Toxic;
use crate::chance::Chance;
use crate::link::{self, Answers, Link, Tap};
use crate::toxiproxy::client::{self, Client};

pub use foreign::Foreign;

/// A fault of a link could not be injected.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A link cannot listen.
    #[error(transparent)]
    Link(#[from] link::Error),
    /// A link has a toxic of this name.
    #[error(transparent)]
    Taken(#[from] link::Taken),
    /// A link has no toxic of this name.
    #[error("the link has no toxic `{0}`")]
    NoToxic(String),
    /// The foreign server has no proxy in front of a node.
    #[error("the fault server has no proxy before node {0}")]
    NoProxy(SocketAddr),
    /// Only links of our own can do this.
    #[error("no Toxiproxy has the fault `{0}`")]
    OwnLinksOnly(&'static str),
    /// The foreign server.
    #[error(transparent)]
    Client(#[from] client::Error),
}

/// The links between a proxy and its nodes, one per node in the order of the cluster.
#[derive(Debug)]
pub enum FaultInjector {
    /// Links in this process, with a tap.
    Links(Vec<Link>),
    /// Proxies of a foreign Toxiproxy, without a tap.
    Foreign(Foreign),
}

impl FaultInjector {
    /// Links to `nodes` on the ports from `port_base` on, all on one record, with the chance of one run.
    ///
    /// # Errors
    /// When a port is taken.
    pub fn links(
        nodes: &[SocketAddr],
        port_base: u16,
        tap: &Tap,
        chance: Chance,
    ) -> Result<Self, Error> {
        let start = |(index, (node, addr))| Link::start(addr, node, index, tap.clone(), chance);
        let links = ports(nodes, port_base).enumerate().map(start);
        Ok(Self::Links(links.collect::<Result<_, _>>()?))
    }

    /// The same in a foreign Toxiproxy, which must run on this machine. Proxies that another run left there are
    /// replaced.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn foreign(
        client: Client,
        nodes: &[SocketAddr],
        port_base: u16,
    ) -> Result<Self, Error> {
        let foreign = Foreign::start(client, nodes, port_base).await?;
        Ok(Self::Foreign(foreign))
    }

    /// The links that a foreign Toxiproxy already has in front of these nodes.
    ///
    /// # Errors
    /// When it does not answer, or has no proxy in front of a node.
    pub async fn attach(client: Client, nodes: &[SocketAddr]) -> Result<Self, Error> {
        Ok(Self::Foreign(Foreign::attach(client, nodes).await?))
    }

    /// The addresses under which a proxy reaches the nodes.
    #[must_use]
    pub fn addrs(&self) -> Vec<SocketAddr> {
        match self {
            Self::Links(links) => links.iter().map(Link::addr).collect(),
            Self::Foreign(foreign) => foreign.addrs(),
        }
    }

    /// Adds a toxic in front of a node.
    ///
    /// # Errors
    /// When its name is taken there, or the foreign server does not know its type.
    pub async fn add(&self, node: usize, toxic: Toxic) -> Result<(), Error> {
        match self {
            Self::Links(links) => links[node].add(toxic)?,
            Self::Foreign(foreign) => foreign.add(node, &toxic).await?,
        }
        Ok(())
    }

    /// Gives the toxic of this name other attributes and another toxicity.
    ///
    /// # Errors
    /// When there is no such toxic.
    pub async fn update(&self, node: usize, toxic: Toxic) -> Result<(), Error> {
        match self {
            Self::Links(links) => {
                let name = toxic.name.clone();
                let found = links[node].toxics().update(&name, |old| *old = toxic);
                found.then_some(()).ok_or(Error::NoToxic(name))?;
            }
            Self::Foreign(foreign) => {
                foreign.client.update(foreign.name(node), &toxic).await?;
            }
        }
        Ok(())
    }

    /// Removes the toxic of this name and releases its bytes.
    ///
    /// # Errors
    /// When there is no such toxic.
    pub async fn remove(&self, node: usize, name: &str) -> Result<(), Error> {
        match self {
            Self::Links(links) => {
                let found = links[node].toxics().remove(|toxic| toxic.name == name);
                let missing = || Error::NoToxic(name.to_owned());
                found.then_some(()).ok_or_else(missing)?;
            }
            Self::Foreign(foreign) => foreign.remove(node, name).await?,
        }
        Ok(())
    }

    /// Ends the connections to a node and refuses new ones.
    ///
    /// # Errors
    /// When the foreign server does not answer.
    pub async fn down(&self, node: usize) -> Result<(), Error> {
        match self {
            Self::Links(links) => links[node].down().await?,
            Self::Foreign(foreign) => foreign.down(node).await?,
        }
        Ok(())
    }

    /// Listens again after [`down`](Self::down); toxics stay.
    ///
    /// # Errors
    /// When the port is taken, or the foreign server does not answer.
    pub async fn up(&self, node: usize) -> Result<(), Error> {
        match self {
            Self::Links(links) => links[node].up().await?,
            Self::Foreign(foreign) => foreign.up(node).await?,
        }
        Ok(())
    }

    /// Stops accepting connections to a node, until [`up`](Self::up).
    ///
    /// # Errors
    /// When the link is down, or is in a foreign server.
    pub async fn fill_backlog(&self, node: usize) -> Result<(), Error> {
        match self {
            Self::Links(links) => Ok(links[node].fill_backlog().await?),
            Self::Foreign(_) => Err(Error::OwnLinksOnly("full_backlog")),
        }
    }

    /// Connects to another address in the place of a node from now on.
    ///
    /// # Errors
    /// When the foreign server does not answer.
    pub async fn point(&self, node: usize, addr: SocketAddr) -> Result<(), Error> {
        match self {
            Self::Links(links) => links[node].point(addr),
            Self::Foreign(foreign) => {
                let name = foreign.name(node);
                let upstream = addr.to_string();
                foreign.client.set_upstream(name, &upstream).await?;
            }
        }
        Ok(())
    }

    /// Answers of a node instead of its own replies. A foreign Toxiproxy does not support this.
    #[must_use]
    pub fn answers(&self, node: usize) -> Option<&Answers> {
        match self {
            Self::Links(links) => Some(links[node].answers()),
            Self::Foreign(_) => None,
        }
    }

    /// Removes all toxics of a node's link, and listens again.
    ///
    /// # Errors
    /// When it cannot listen again.
    pub async fn heal(&self, node: usize) -> Result<(), Error> {
        match self {
            Self::Links(links) => links[node].heal().await?,
            Self::Foreign(foreign) => foreign.heal(node).await?,
        }
        Ok(())
    }
}

/// Each node with the address at which the proxy reaches it.
fn ports(
    nodes: &[SocketAddr],
    port_base: u16,
) -> impl Iterator<Item = (SocketAddr, SocketAddr)> + '_ {
    let addr = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    nodes.iter().copied().zip((port_base..).map(addr))
}

#[cfg(test)]
mod tests;
