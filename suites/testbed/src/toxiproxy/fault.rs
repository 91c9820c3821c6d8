//! The door through which a cluster puts the faults of its links: links in this process, or a foreign Toxiproxy.
//!
//! A foreign one listens on the same ports, so placements that hash addresses stay. It has no tap, and knows no toxic
//! that is not Toxiproxy's. No real Toxiproxy server was at hand to prove that side: it is shown against the fault server
//! of this crate, over the same HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::client::{self, Client};
use crate::link::toxic::Toxic;
use crate::link::{self, Answers, Chance, Link, Tap};

/// How long the end of a run may wait for the end of a proxy.
const DELETE_WITHIN: Duration = Duration::from_secs(2);

/// A fault could not be put.
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
    /// The foreign server.
    #[error(transparent)]
    Client(#[from] client::Error),
}

/// What stands between a proxy and its nodes, one for each node in the order of the cluster.
#[derive(Debug)]
pub enum Door {
    /// Links in this process, with a tap.
    Links(Vec<Link>),
    /// Proxies of a foreign Toxiproxy, without.
    Foreign(Foreign),
}

/// The proxies that a foreign Toxiproxy holds for a cluster. They are deleted when this is dropped.
#[derive(Debug)]
pub struct Foreign {
    client: Client,
    proxies: Vec<(String, SocketAddr)>,
}

impl Door {
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
        let links = wanted(nodes, port_base).enumerate().map(start);
        Ok(Self::Links(links.collect::<Result<_, _>>()?))
    }

    /// The same of a foreign Toxiproxy, which must run on this machine. What another run left behind is replaced.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    pub async fn foreign(
        client: Client,
        nodes: &[SocketAddr],
        port_base: u16,
    ) -> Result<Self, Error> {
        let mut foreign = Foreign {
            client,
            proxies: Vec::new(),
        };
        for (node, addr) in wanted(nodes, port_base) {
            let name = format!("shardproof-{}", addr.port());
            match client.delete(&name).await {
                Err(why) if why.status() != Some(404) => return Err(why.into()),
                _ => {}
            }
            let (listen, upstream) = (addr.to_string(), node.to_string());
            client.create(&name, &listen, &upstream).await?;
            foreign.proxies.push((name, addr));
        }
        Ok(Self::Foreign(foreign))
    }

    /// The addresses under which a proxy reaches the nodes.
    #[must_use]
    pub fn addrs(&self) -> Vec<SocketAddr> {
        match self {
            Self::Links(links) => links.iter().map(Link::addr).collect(),
            Self::Foreign(foreign) => foreign.proxies.iter().map(|(_, addr)| *addr).collect(),
        }
    }

    /// Adds a toxic before a node.
    ///
    /// # Errors
    /// When its name is taken there, or the foreign server does not know its type.
    pub async fn add(&self, node: usize, toxic: Toxic) -> Result<(), Error> {
        match self {
            Self::Links(links) => links[node].add(toxic)?,
            Self::Foreign(foreign) => {
                foreign.client.add(foreign.name(node), &toxic).await?;
            }
        }
        Ok(())
    }

    /// Gives the toxic of this name other attributes and another toxicity.
    ///
    /// # Errors
    /// When there is none.
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

    /// Removes the toxic of this name; what it held goes on.
    ///
    /// # Errors
    /// When there is none.
    pub async fn remove(&self, node: usize, name: &str) -> Result<(), Error> {
        match self {
            Self::Links(links) => {
                let found = links[node].toxics().remove(|toxic| toxic.name == name);
                let missing = || Error::NoToxic(name.to_owned());
                found.then_some(()).ok_or_else(missing)?;
            }
            Self::Foreign(foreign) => foreign.client.remove(foreign.name(node), name).await?,
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
            Self::Foreign(foreign) => {
                let name = foreign.name(node);
                foreign.client.set_enabled(name, false).await?;
            }
        }
        Ok(())
    }

    /// What a node says instead of its own replies; a foreign Toxiproxy knows nothing of replies.
    #[must_use]
    pub fn answers(&self, node: usize) -> Option<&Answers> {
        match self {
            Self::Links(links) => Some(links[node].answers()),
            Self::Foreign(_) => None,
        }
    }

    /// Takes all toxics off a node's link, and the link up.
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

impl Foreign {
    fn name(&self, node: usize) -> &str {
        &self.proxies[node].0
    }

    /// Not by `/reset`, which would touch what others have on that server.
    async fn heal(&self, node: usize) -> Result<(), client::Error> {
        let name = self.name(node);
        for toxic in self.client.proxy(name).await?.toxics {
            self.client.remove(name, &toxic.name).await?;
        }
        self.client.set_enabled(name, true).await?;
        Ok(())
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let client = self.client.within(DELETE_WITHIN);
        let proxies = std::mem::take(&mut self.proxies);
        // On a thread of its own, because nobody may be left to drive a task.
        let deleting = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            for (name, _) in &proxies {
                if let Err(why) = runtime.block_on(client.delete(name)) {
                    tracing::warn!("proxy {name} may have stayed behind: {why}");
                }
            }
            std::io::Result::Ok(())
        });
        // Without the thread, the next run deletes them.
        let _ = deleting.join();
    }
}

/// Each node with the address that the proxy knows it by.
fn wanted(
    nodes: &[SocketAddr],
    port_base: u16,
) -> impl Iterator<Item = (SocketAddr, SocketAddr)> + '_ {
    let addr = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    nodes.iter().copied().zip((port_base..).map(addr))
}

#[cfg(test)]
mod tests;
