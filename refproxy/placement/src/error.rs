//! Why a cluster has no placement.

use crate::{RING_SIZE_MAX, TABLE_SIZE_MAX};

/// Why a cluster description has no placement. Each names the offender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No node can hold keys.
    #[error("the cluster has no nodes")]
    NoNode,
    /// More nodes than ids.
    #[error("the cluster has {0} nodes, expected at most 65535")]
    TooManyNodes(usize),
    /// A node of weight 0 would hold no key.
    #[error("node {0} has weight 0, expected at least 1")]
    WeightZero(String),
    /// The sum of the weights is too large.
    #[error("the weights add up to more than {0}")]
    WeightsOverflow(u32),
    /// A weight other than 1 under a policy without weights.
    #[error("node {node} has weight {weight}, but policy {policy} does not support weights")]
    Unweighted {
        /// Address of the node.
        node: String,
        /// Configured weight.
        weight: u32,
        /// Name of the policy.
        policy: &'static str,
    },
    /// The table cannot distinguish two nodes that hash alike.
    #[error("two nodes have the hash key `{0}`, expected a different one for each node")]
    DuplicateHashKey(String),
    /// The policy hashes host names, and this node has none.
    #[error("node {0} has no hostname, but hash_hostnames is set")]
    NoHostname(String),
    /// With a size that is not prime, a node's permutation would not reach every slot.
    #[error("maglev table size {0}, expected a prime from 2 to {TABLE_SIZE_MAX}")]
    TableSize(u32),
    /// Some nodes would get no slot.
    #[error("maglev table size {table_size} is smaller than the number of nodes, {nodes}")]
    TableTooSmall {
        /// Number of slots.
        table_size: u32,
        /// Number of nodes.
        nodes: usize,
    },
    /// Envoy refuses such a ring.
    #[error("ring size {0}, expected 1 to {RING_SIZE_MAX}")]
    RingSize(u32),
    /// Envoy refuses such a ring.
    #[error("minimum ring size {size_min} is greater than the maximum, {size_max}")]
    RingSizes {
        /// Least number of points.
        size_min: u32,
        /// Greatest number of points.
        size_max: u32,
    },
    /// Slots are numbered from 0 to 16383.
    #[error("slot {0} does not exist, the last one is 16383")]
    NoSuchSlot(u16),
    /// Keys of this slot would have no node.
    #[error("slot {0} has no node")]
    SlotWithoutNode(u16),
    /// Keys of this slot would have two nodes.
    #[error("slot {0} has two nodes")]
    SlotTwice(u16),
    /// Two requests for one key may go to different nodes.
    #[error("policy {0} does not place keys: each request can go to any node")]
    NotAPlacement(&'static str),
    /// A priority has load and no node that may hold keys.
    #[error("priority {0} has no healthy node for its keys")]
    NoHealthyNode(u32),
    /// So few nodes of each priority are healthy that its load is rounded to 0.
    #[error("no priority has any load: too few nodes are healthy for overprovisioning factor {0}")]
    NoLoad(u32),
    /// Envoy refuses it: no priority would have any load.
    #[error("overprovisioning factor 0, expected at least 1")]
    Overprovisioning,
    /// Envoy refuses such priorities.
    #[error("priority {0} has no nodes, but a later priority has")]
    PriorityGap(u32),
    /// Either all nodes of a priority have a locality or none has.
    #[error("node {0} has no locality, but another node of its priority has")]
    NoLocality(String),
    /// A locality has one weight.
    #[error("locality {0} has two different weights")]
    LocalityWeights(String),
}
