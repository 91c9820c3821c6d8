//! Placement: from a cluster description to an immutable table, and from a key to its node.
//!
//! Pure: built once from data, then only read. Never opens a socket, never looks at health or time.

mod maglev;

use std::collections::HashSet;

use crate::hash::{TagRule, hashed_part, murmur2_64};

pub use maglev::{TABLE_SIZE_DEFAULT, TABLE_SIZE_MAX};

/// The place of a node in its cluster's description, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u16);

impl NodeId {
    /// The id as an index into the cluster's list of nodes.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// One Redis server behind a proxy: where it is reached, and what of it is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// `host:port` that is connected to.
    pub address: String,
    /// Share of the keys relative to the other nodes, at least 1.
    pub weight: u32,
    /// What people call it; shown in errors and reports, never hashed.
    pub name: Option<String>,
    /// Hashed instead of the address when the cluster hashes host names (`use_hostname_for_hashing` in Envoy).
    pub hostname: Option<String>,
    /// Hashed instead of everything else (`envoy.lb` metadata `hash_key` in Envoy).
    pub hash_key: Option<String>,
}

impl Node {
    /// A node of weight 1 that is known by its address only.
    #[must_use]
    pub fn at(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            weight: 1,
            name: None,
            hostname: None,
            hash_key: None,
        }
    }
}

/// Which placement function, with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// Envoy's MAGLEV.
    Maglev {
        /// Number of slots: a prime, at most [`TABLE_SIZE_MAX`].
        table_size: u32,
        /// Envoy's `use_hostname_for_hashing`: a node without `hash_key` is hashed by its host name.
        hash_hostnames: bool,
    },
}

impl Policy {
    /// Maglev as Envoy runs it when nothing is configured.
    #[must_use]
    pub fn maglev() -> Self {
        Self::Maglev {
            table_size: TABLE_SIZE_DEFAULT,
            hash_hostnames: false,
        }
    }

    /// The name of the policy in configurations and reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Maglev { .. } => "maglev",
        }
    }
}

/// The ordered list of nodes that a proxy shards over, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The placement function.
    pub policy: Policy,
    /// Which part of a key is hashed.
    pub tags: TagRule,
    /// The nodes; a [`NodeId`] is a place in this list.
    pub nodes: Vec<Node>,
}

/// Why a cluster description has no placement. Each names the offender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is nobody to hold keys.
    #[error("the cluster has no node")]
    NoNode,
    /// More nodes than ids.
    #[error("the cluster has {0} nodes, at most 65535 are supported")]
    TooManyNodes(usize),
    /// A weight of 0 is a node without keys: leave it out instead.
    #[error("node {0} has weight 0, at least 1 is expected")]
    WeightZero(String),
    /// The weights do not fit together.
    #[error("the weights add up to more than {}", u32::MAX)]
    WeightsOverflow,
    /// Two nodes that hash alike cannot be told apart.
    #[error("two nodes hash as `{0}`, each node needs its own")]
    DuplicateHashKey(String),
    /// Host names are to be hashed, and this node has none.
    #[error("node {0} has no hostname to hash")]
    NoHostname(String),
    /// The table would be walked in circles.
    #[error("maglev table size {0} is not a prime from 2 to {TABLE_SIZE_MAX}")]
    TableSize(u32),
    /// Some nodes would get no slot.
    #[error("maglev table size {table_size} is smaller than the number of nodes, {nodes}")]
    TableTooSmall {
        /// Number of slots.
        table_size: u32,
        /// Number of nodes.
        nodes: usize,
    },
}

/// An immutable placement: total over all keys, the same answer for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    tags: TagRule,
    table: maglev::Table,
}

impl Placement {
    /// Builds the table of `cluster`; milliseconds of work at the default size, so off the request path.
    ///
    /// # Errors
    /// What is wrong with the description, naming the node or the number concerned.
    pub fn new(cluster: &Cluster) -> Result<Self, Error> {
        check_nodes(&cluster.nodes)?;
        let Policy::Maglev {
            table_size,
            hash_hostnames,
        } = cluster.policy;
        let hosts = cluster
            .nodes
            .iter()
            .map(|node| {
                Ok(maglev::Host {
                    key: host_key(node, hash_hostnames)?,
                    weight: node.weight,
                })
            })
            .collect::<Result<Vec<_>, Error>>()?;
        check_unique(&hosts)?;
        Ok(Self {
            tags: cluster.tags,
            table: maglev::Table::build(&hosts, table_size)?,
        })
    }

    /// The node that holds `key`. Allocates nothing.
    #[must_use]
    pub fn node(&self, key: &[u8]) -> NodeId {
        self.table.node(self.digest(key))
    }

    /// The number that `key` hashes to.
    #[must_use]
    pub fn digest(&self, key: &[u8]) -> u64 {
        murmur2_64(hashed_part(self.tags, key))
    }

    /// Slots owned by each node, in the order of the description.
    #[must_use]
    pub fn slots_per_node(&self) -> Vec<usize> {
        self.table.slots_per_node()
    }

    /// The owner of each slot of the table, in slot order.
    pub fn slot_owners(&self) -> impl ExactSizeIterator<Item = NodeId> + '_ {
        self.table.owners()
    }
}

fn check_nodes(nodes: &[Node]) -> Result<(), Error> {
    if nodes.is_empty() {
        return Err(Error::NoNode);
    }
    if nodes.len() > usize::from(u16::MAX) {
        return Err(Error::TooManyNodes(nodes.len()));
    }
    if let Some(node) = nodes.iter().find(|node| node.weight == 0) {
        return Err(Error::WeightZero(node.address.clone()));
    }
    nodes
        .iter()
        .try_fold(0_u32, |sum, node| sum.checked_add(node.weight))
        .map(|_| ())
        .ok_or(Error::WeightsOverflow)
}

fn check_unique(hosts: &[maglev::Host<'_>]) -> Result<(), Error> {
    let mut seen = HashSet::new();
    match hosts.iter().find(|host| !seen.insert(host.key)) {
        Some(twin) => Err(Error::DuplicateHashKey(twin.key.to_owned())),
        None => Ok(()),
    }
}

/// What is hashed of a node. Source: Envoy 1.40 `thread_aware_lb_impl.h`, `hashKey`: metadata, host name, address.
fn host_key(node: &Node, hash_hostnames: bool) -> Result<&str, Error> {
    match (&node.hash_key, hash_hostnames) {
        (Some(key), _) if !key.is_empty() => Ok(key),
        (_, true) => node
            .hostname
            .as_deref()
            .ok_or_else(|| Error::NoHostname(node.address.clone())),
        _ => Ok(&node.address),
    }
}

#[cfg(test)]
mod tests;
