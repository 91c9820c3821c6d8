//! A cluster of the suite's own making: real nodes, a link before each, one tap over all of them.

use std::net::SocketAddr;

use crate::chance::Chance;
use crate::endpoint::Endpoint;
use crate::fault::{self, FaultInjector, Links, Owned, Site};
use crate::link::Tap;
use crate::node::{self, External, Node, Process};
use crate::port::{self, PortLock};
use crate::program::Search;
use crate::toxiproxy::Client;

/// The first port that links listen on unless the user says otherwise. Fixed, because placements hash addresses.
pub const LINK_PORT_BASE: u16 = 21001;

/// Where the nodes come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Child processes, as many as are needed.
    Process,
    /// Containers, as many as are needed.
    Docker {
        /// The image that the user chose, if any.
        image: Option<String>,
    },
    /// Servers that the suite did not start.
    External(Vec<Endpoint>),
}

/// The kind of nodes in a cluster, and its ports.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Where programs are.
    pub search: Search,
    /// Where nodes come from.
    pub nodes: Source,
    /// First port of the links.
    pub link_port_base: u16,
    /// API of a Toxiproxy server that is used instead of the suite's links.
    pub toxiproxy: Option<SocketAddr>,
    /// What that server was found to be.
    pub toxiproxy_links: Links,
    /// The seed of the run: keys, and the chance of toxics.
    pub seed: u64,
}

impl RunOptions {
    /// Child processes with links of the suite on the usual ports.
    #[must_use]
    pub fn new(search: Search, seed: u64) -> Self {
        Self {
            search,
            nodes: Source::Process,
            link_port_base: LINK_PORT_BASE,
            toxiproxy: None,
            toxiproxy_links: Links::Toxiproxy,
            seed,
        }
    }

    /// How many nodes there can be, up to `wanted`: the user may have given fewer.
    #[must_use]
    pub fn available(&self, wanted: usize) -> usize {
        match &self.nodes {
            Source::External(given) => given.len().min(wanted),
            Source::Process | Source::Docker { .. } => wanted,
        }
    }

    /// The parts of a cluster with these options that the suite owns, and of the proxy that it starts in front of it.
    #[must_use]
    pub fn owned(&self) -> Owned {
        Owned {
            nodes: !matches!(self.nodes, Source::External(_)),
            proxy: true,
            networks: matches!(self.nodes, Source::Docker { .. }),
            links: match self.toxiproxy {
                None => Links::Own,
                Some(_) => self.toxiproxy_links,
            },
        }
    }
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A node.
    #[error(transparent)]
    Node(#[from] node::Error),
    /// A link, or a fault on it.
    #[error(transparent)]
    Fault(#[from] fault::InjectorError),
    /// The ports.
    #[error("cannot lock ports {base} and up: {why}")]
    PortLock {
        /// The first port.
        base: u16,
        /// The operating system's reason.
        why: std::io::Error,
    },
    /// A link adds nothing to what the proxy sends.
    #[error(
        "node {0} needs a password, TLS or a database: with --target, expected a plain HOST:PORT, because the links before \
         nodes only pass on what the proxy sends"
    )]
    NotPlain(Endpoint),
    /// The user gave fewer nodes than are needed.
    #[error("{needed} nodes are needed, but --node gives {given}")]
    TooFewNodes {
        /// Nodes that the work needs.
        needed: usize,
        /// Nodes of the cluster.
        given: usize,
    },
}

/// Nodes with their links. Stopped when dropped, except nodes that the suite did not start.
pub struct Cluster {
    nodes: Vec<Box<dyn Node>>,
    injector: FaultInjector,
    tap: Tap,
    /// Held until the links are gone.
    _lease: PortLock,
}

impl Cluster {
    /// Starts `count` nodes on `options`, each behind a link, or behind a proxy of a foreign Toxiproxy, which records
    /// nothing.
    ///
    /// # Errors
    /// The cause, with the node, the port or the call.
    pub async fn start(options: &RunOptions, count: usize) -> Result<Self, Error> {
        let port_base = options.link_port_base;
        let lease = PortLock::on(port_base)
            .await
            .map_err(|why| Error::PortLock {
                base: port_base,
                why,
            })?;
        let nodes = nodes(&options.nodes, &options.search, count).await?;
        let tap = Tap::default();
        let addrs: Vec<SocketAddr> = nodes.iter().map(|node| node.addr()).collect();
        let injector = match options.toxiproxy {
            None => links(&addrs, port_base, &tap, Chance::seeded(options.seed)).await?,
            Some(server) => FaultInjector::foreign(Client::new(server), &addrs, port_base).await?,
        };
        Ok(Self {
            nodes,
            injector,
            tap,
            _lease: lease,
        })
    }

    /// Number of nodes.
    #[must_use]
    pub fn size(&self) -> usize {
        self.nodes.len()
    }

    /// The node at a place of the list.
    ///
    /// # Panics
    /// When there is none at `index`.
    #[must_use]
    pub fn node(&self, index: usize) -> &dyn Node {
        self.nodes[index].as_ref()
    }

    /// The injector of faults into the links between the proxy and its nodes.
    #[must_use]
    pub fn injector(&self) -> &FaultInjector {
        &self.injector
    }

    /// A node and its link, to apply faults to.
    ///
    /// # Panics
    /// When there is none at `index`.
    #[must_use]
    pub fn site(&self, index: usize) -> Site<'_> {
        Site::new(self.node(index), self.injector(), index)
    }

    /// The record of all links.
    #[must_use]
    pub fn tap(&self) -> &Tap {
        &self.tap
    }

    /// The addresses of the nodes themselves, past the links.
    #[must_use]
    pub fn node_addrs(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.addr()).collect()
    }

    /// The same as endpoints.
    #[must_use]
    pub fn node_endpoints(&self) -> Vec<Endpoint> {
        self.node_addrs().into_iter().map(Into::into).collect()
    }

    /// The addresses under which a proxy reaches the nodes.
    #[must_use]
    pub fn link_addrs(&self) -> Vec<SocketAddr> {
        self.injector.addrs()
    }

    /// Removes all toxics and brings every link up.
    ///
    /// # Errors
    /// When a link cannot listen again.
    pub async fn heal(&self) -> Result<(), Error> {
        for node in 0..self.size() {
            self.injector.heal(node).await?;
        }
        Ok(())
    }
}

/// Links on the ports that are locked for us, which the run before had.
async fn links(
    nodes: &[SocketAddr],
    port_base: u16,
    tap: &Tap,
    chance: Chance,
) -> Result<FaultInjector, fault::InjectorError> {
    let in_use = |error: &fault::InjectorError| match error {
        fault::InjectorError::Link(link) => link.is_in_use(),
        _ => false,
    };
    let listen = || FaultInjector::links(nodes, port_base, tap, chance);
    port::listen_again(in_use, listen).await
}

async fn nodes(
    source: &Source,
    search: &Search,
    count: usize,
) -> Result<Vec<Box<dyn Node>>, Error> {
    let mut nodes: Vec<Box<dyn Node>> = Vec::with_capacity(count);
    match source {
        Source::Process => {
            for _ in 0..count {
                nodes.push(Box::new(Process::start(search).await?));
            }
        }
        Source::Docker { image } => {
            for _ in 0..count {
                nodes.push(node::container(image.as_deref(), search).await?);
            }
        }
        Source::External(given) => {
            if given.len() < count {
                return Err(Error::TooFewNodes {
                    needed: count,
                    given: given.len(),
                });
            }
            for addr in &given[..count] {
                if addr.plain().is_none() {
                    return Err(Error::NotPlain(*addr));
                }
                nodes.push(Box::new(External::at(*addr).await?));
            }
        }
    }
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::fd::AsFd;

    use super::*;
    use crate::port::Port;

    /// The copy is that of a child between its start and its own program.
    #[tokio::test]
    async fn links_listen_when_a_copy_of_a_former_listener_is_gone() {
        let port = Port::free().unwrap();
        let listener = TcpListener::bind(port.addr()).unwrap();
        let copy = listener.as_fd().try_clone_to_owned().unwrap();
        drop(listener);
        let node = [SocketAddr::from(([127, 0, 0, 1], 1))];
        let tap = Tap::default();
        let started = links(&node, port.number(), &tap, Chance::seeded(1));
        let (started, ()) = tokio::join!(started, async move { drop(copy) });
        assert_eq!(started.unwrap().addrs(), [port.addr()]);
    }
}
