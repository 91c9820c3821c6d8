//! Where the proxy and its nodes come from: started by the suite, or running already.

use super::KEYS;
use crate::cases::case::NODES;
use crate::harness::environment::Allowed;
use crate::harness::keys::Pool;
use crate::harness::{Error, Harness};
use testbed::cluster::Cluster;
use testbed::endpoint::Endpoint;
use testbed::link::Tap;
use testbed::targets::Proxy;

/// A proxy that already runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningProxy {
    /// Where clients reach it.
    pub proxy: Endpoint,
    /// All of its nodes, or none if they are unknown.
    pub nodes: Vec<Endpoint>,
    /// Its time limit for one request.
    pub op_timeout_ms: u64,
    /// Permissions on servers that the suite did not start.
    pub allowed: Allowed,
    /// Whether keys with the same tag in braces are on one node.
    pub hash_tags: bool,
}

/// A proxy over nodes of our own.
pub(super) struct Own {
    pub(super) cluster: Cluster,
    pub(super) proxy: Proxy,
}

pub(super) enum Site {
    Own(Box<Own>),
    Running(Box<Harness>),
}

/// Keys on different nodes, and keys on one node.
pub(super) struct Lots {
    pub(super) apart: Vec<Vec<u8>>,
    /// The key whose text is a tag.
    pub(super) tag: Vec<u8>,
    pub(super) together: Vec<Vec<u8>>,
}

impl Site {
    pub(super) fn proxy(&self) -> Endpoint {
        match self {
            Self::Own(own) => own.proxy.addr().into(),
            Self::Running(harness) => harness.environment.proxy,
        }
    }

    pub(super) fn nodes(&self) -> Vec<Endpoint> {
        match self {
            Self::Own(own) => own.cluster.node_endpoints(),
            Self::Running(harness) => harness.environment.nodes.clone(),
        }
    }

    /// Where data are read and written: the nodes, or the proxy where no node is known.
    pub(super) fn places(&self) -> Vec<Endpoint> {
        match self.nodes() {
            nodes if nodes.is_empty() => vec![self.proxy()],
            nodes => nodes,
        }
    }

    /// The record of the requests to nodes. It stays empty where the links are not ours.
    pub(super) fn tap(&self) -> &Tap {
        match self {
            Self::Own(own) => own.cluster.tap(),
            Self::Running(harness) => &harness.environment.tap,
        }
    }

    /// Draws keys, by the nodes on which the proxy puts them.
    pub(super) async fn draw_keys(&mut self, seed: u64) -> Result<Lots, Error> {
        match self {
            Self::Own(own) => {
                let mut pool = Pool::new(seed, NODES);
                let nodes = own.cluster.node_endpoints();
                pool.fill(own.proxy.addr().into(), &nodes, 2 * KEYS).await?;
                Ok(lots(&mut pool, NODES))
            }
            Self::Running(harness) => {
                // One node alone has all keys of both kinds.
                harness.fill(3 * KEYS).await?;
                let nodes = harness.environment.nodes.len();
                Ok(lots(&mut harness.pool, nodes))
            }
        }
    }
}

/// The node of a key that lies apart. The differential test counts on as many nodes as there are of our own: on fewer
/// nodes, keys that it takes to be on one node are.
pub(super) fn place(index: usize, nodes: usize) -> usize {
    index % NODES % nodes.max(1)
}

fn lots(pool: &mut Pool, nodes: usize) -> Lots {
    let mut of = |index: usize| match nodes {
        0 => pool.fresh(),
        _ => pool.take(place(index, nodes)).unwrap_or_default(),
    };
    Lots {
        apart: (0..KEYS).map(&mut of).collect(),
        tag: of(0),
        together: (0..KEYS).map(|_| of(0)).collect(),
    }
}
