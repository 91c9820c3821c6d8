//! By what faults are injected: links, nodes and a proxy of our own, or whatever the user gives for others.

use testbed::cluster::Cluster;
use testbed::fault::Fault;
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
}

impl Means<'_> {
    pub(super) async fn apply(&mut self, fault: &Fault, on: Subject) -> Result<(), Error> {
        match (self, on) {
            (Self::Own { cluster, .. }, Subject::Node(node)) => {
                Ok(fault.apply(cluster.site(node.into())).await?)
            }
            (_, on) => Err(Error::Unsupported(fault.to_string(), on)),
        }
    }

    pub(super) async fn heal(&mut self, fault: &Fault, on: Subject) -> Result<(), Error> {
        match (self, on) {
            (Self::Own { cluster, .. }, Subject::Node(node)) => {
                Ok(fault.heal(cluster.site(node.into())).await?)
            }
            (_, on) => Err(Error::Unsupported(fault.to_string(), on)),
        }
    }

    pub(super) async fn rescale(&mut self, nodes: usize) -> Result<(), Error> {
        match self {
            Self::Own { cluster, proxy } => {
                let addrs = cluster.link_addrs()[..nodes].to_vec();
                Ok(proxy.rescale(addrs).await?)
            }
        }
    }

    /// The process of the proxy, if it is ours.
    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Self::Own { proxy, .. } => Some(proxy.pid()),
        }
    }
}
