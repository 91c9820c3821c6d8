//! The means to inject faults: links, nodes and a proxy of our own, or those that the user gives.

use testbed::cluster::Cluster;
use testbed::fault::{Clients, Fault, FaultInjector, Site};
use testbed::node::External;
use testbed::targets::Proxy;

use super::Error;
use crate::observed::Subject;

/// The means to inject faults.
pub enum Means<'a> {
    /// A cluster of our own, and a proxy that we started.
    Own {
        /// Nodes and links.
        cluster: &'a Cluster,
        /// The proxy.
        proxy: &'a mut Proxy,
        /// Clients that misbehave, if a scenario uses them.
        clients: Clients,
    },
    /// Foreign nodes and a foreign proxy.
    Others {
        /// The nodes.
        nodes: Vec<External>,
        /// The links between them and the proxy, if there are any.
        links: Option<FaultInjector>,
    },
}

impl Means<'_> {
    pub(super) async fn apply(&mut self, fault: &Fault, on: Subject) -> Result<(), Error> {
        let site = self.site(on).ok_or_else(|| unsupported(fault, on))?;
        Ok(fault.apply(site).await?)
    }

    pub(super) async fn heal(&mut self, fault: &Fault, on: Subject) -> Result<(), Error> {
        let site = self.site(on).ok_or_else(|| unsupported(fault, on))?;
        Ok(fault.heal(site).await?)
    }

    /// The site of a fault. Faults of the proxy and the clients need no node, so they get the first one.
    fn site(&self, on: Subject) -> Option<Site<'_>> {
        let node = match on {
            Subject::Node(node) => usize::from(node),
            Subject::Proxy | Subject::Clients => 0,
        };
        match self {
            Self::Own {
                cluster,
                proxy,
                clients,
            } => Some(Site {
                proxy: Some(proxy),
                clients: Some(clients),
                ..cluster.site(node)
            }),
            Self::Others { nodes, links } => match on {
                Subject::Node(_) => Some(Site::new(nodes.get(node)?, links.as_ref()?, node)),
                Subject::Proxy | Subject::Clients => None,
            },
        }
    }

    pub(super) async fn rescale(&mut self, nodes: usize) -> Result<(), Error> {
        match self {
            Self::Own { cluster, proxy, .. } => {
                let addrs = cluster.link_addrs()[..nodes].to_vec();
                Ok(proxy.rescale(addrs).await?)
            }
            Self::Others { .. } => Err(Error::Unsupported(
                format!("rescale {nodes}"),
                Subject::Proxy,
            )),
        }
    }

    /// The process of the proxy, if it is ours.
    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Self::Own { proxy, .. } => Some(proxy.pid()),
            Self::Others { .. } => None,
        }
    }
}

fn unsupported(fault: &Fault, on: Subject) -> Error {
    Error::Unsupported(fault.to_string(), on)
}
