//! By what faults are injected: links, nodes and a proxy of our own, or whatever the user gives for others.

use testbed::cluster::Cluster;
use testbed::fault::{Fault, FaultInjector, Site};
use testbed::node::External;
use testbed::targets::Proxy;

use super::Error;
use crate::observed::Subject;

/// By what faults are injected.
pub enum Means<'a> {
    /// A cluster of our own before a proxy that we started.
    Own {
        /// Nodes and links.
        cluster: &'a Cluster,
        /// The proxy.
        proxy: &'a mut Proxy,
    },
    /// Nodes and a proxy of others.
    Others {
        /// The nodes.
        nodes: Vec<External>,
        /// The links between them and the proxy, if there are any.
        links: Option<FaultInjector>,
    },
}

impl Means<'_> {
    pub(super) async fn apply(&mut self, fault: &Fault, on: Subject) -> Result<(), Error> {
        match (self, on) {
            (Self::Own { cluster, .. }, Subject::Node(node)) => {
                Ok(fault.apply(cluster.site(node.into())).await?)
            }
            (Self::Others { nodes, links }, Subject::Node(node)) => {
                let site = site(nodes, links, node).ok_or_else(|| unsupported(fault, on))?;
                Ok(fault.apply(site).await?)
            }
            (_, on) => Err(unsupported(fault, on)),
        }
    }

    pub(super) async fn heal(&mut self, fault: &Fault, on: Subject) -> Result<(), Error> {
        match (self, on) {
            (Self::Own { cluster, .. }, Subject::Node(node)) => {
                Ok(fault.heal(cluster.site(node.into())).await?)
            }
            (Self::Others { nodes, links }, Subject::Node(node)) => {
                let site = site(nodes, links, node).ok_or_else(|| unsupported(fault, on))?;
                Ok(fault.heal(site).await?)
            }
            (_, on) => Err(unsupported(fault, on)),
        }
    }

    pub(super) async fn rescale(&mut self, nodes: usize) -> Result<(), Error> {
        match self {
            Self::Own { cluster, proxy } => {
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

/// A node of others with its link.
fn site<'a>(
    nodes: &'a [External],
    links: &'a Option<FaultInjector>,
    node: u16,
) -> Option<Site<'a>> {
    let index = usize::from(node);
    Some(Site {
        node: nodes.get(index)?,
        injector: links.as_ref()?,
        index,
    })
}

fn unsupported(fault: &Fault, on: Subject) -> Error {
    Error::Unsupported(fault.to_string(), on)
}
