//! Placement: from a cluster description to an immutable table, and from a key to its node, bit for bit as Envoy,
//! twemproxy, libketama and Redis Cluster do it. The executable specification that real proxies are compared with.
//!
//! Pure: built once from data, then only read. Never opens a socket, never watches a node's health, never reads a clock.
//!
//! - `hash`: the digests and the rules of hash tags.
//! - `cluster`: the description, a list of nodes and a policy with its parameters.
//! - one file per policy (`maglev`, `ring_hash`, `ketama`, `modula`, `slots`, `libketama`, `jump`, `rendezvous`); `remainder`
//!   and `ring` are the two kinds of tables that they build.
//! - `hosts` and `levels`: which nodes of a cluster take part, by health, priority and locality.
//! - `file`: the shape of a description in YAML and JSON.
//!
//! ```
//! use shardproof_placement::{Cluster, Node, Placement, Policy};
//!
//! let nodes = ["10.0.0.1:6379", "10.0.0.2:6379", "10.0.0.3:6379"].map(Node::at);
//! let maglev = Policy::named("maglev").expect("a known policy");
//! let placement = Placement::new(&Cluster::new(maglev, nodes.to_vec()))?;
//! assert!(placement.node(b"user:1").index() < 3);
//! # Ok::<(), shardproof_placement::Error>(())
//! ```

pub mod file;
pub mod hash;

mod cluster;
mod hosts;
mod jump;
mod ketama;
mod levels;
mod libketama;
mod maglev;
mod modula;
mod remainder;
mod rendezvous;
mod ring;
mod ring_hash;
mod slots;

use crate::hash::{Digest, TagRule, crc16_xmodem, hashed_part, murmur2_64};

pub use cluster::{Cluster, Health, Locality, Node, NodeId, Panic, Policy};
use hosts::Host;
pub use maglev::{TABLE_SIZE_DEFAULT, TABLE_SIZE_MAX};
pub use ring_hash::{
    RingFunction, SIZE_MAX as RING_SIZE_MAX, SIZE_MIN_DEFAULT as RING_SIZE_MIN_DEFAULT,
};

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
    #[error("the weights add up to more than {0}")]
    WeightsOverflow(u32),
    /// Weights other than 1 where there can be none.
    #[error("node {node} has weight {weight}, and {policy} knows no weights")]
    Unweighted {
        /// Its address.
        node: String,
        /// What it was given.
        weight: u32,
        /// The policy's name.
        policy: &'static str,
    },
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
    /// Envoy refuses such a ring.
    #[error("ring size {0} is not from 1 to {RING_SIZE_MAX}")]
    RingSize(u32),
    /// Envoy refuses such a ring.
    #[error("minimum ring size {size_min} is greater than the maximum, {size_max}")]
    RingSizes {
        /// The least number of points.
        size_min: u32,
        /// The greatest number of points.
        size_max: u32,
    },
    /// Slots are numbered to 16383.
    #[error("slot {0} does not exist, the last one is 16383")]
    NoSuchSlot(u16),
    /// Keys of this slot would have no node.
    #[error("slot {0} has no node")]
    SlotWithoutNode(u16),
    /// Keys of this slot would have two.
    #[error("slot {0} has two nodes")]
    SlotTwice(u16),
    /// Requests for one key go to any node, of several.
    #[error("{0} is not a placement: every request may go to another node, and keys scatter")]
    NotAPlacement(&'static str),
    /// A level of priority is asked for keys and has nobody to hold them.
    #[error("priority {0} has no healthy node, and its keys have none")]
    NoHealthyNode(u32),
    /// So little of every level is healthy that its share of the load is rounded to nothing.
    #[error("no priority has any load: too few nodes are healthy for overprovisioning factor {0}")]
    NoLoad(u32),
    /// Envoy refuses it: no level would have any load.
    #[error("overprovisioning factor 0, at least 1 is expected")]
    Overprovisioning,
    /// Envoy refuses such levels.
    #[error("priority {0} has no node, and a later one has")]
    PriorityGap(u32),
    /// Weighted localities are told for all nodes of a priority or for none.
    #[error("node {0} has no locality, and another node of its priority has")]
    NoLocality(String),
    /// One locality cannot have two weights.
    #[error("locality {0} is given two weights")]
    LocalityWeights(String),
}

/// An immutable placement: total over all keys, the same answer for ever.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    digest: KeyDigest,
    tags: TagRule,
    nodes: usize,
    tables: Tables,
}

/// How a key becomes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KeyDigest {
    Murmur2,
    Slot,
    Md5,
    Twemproxy(Digest),
}

/// One table, or one a level of priority.
#[derive(Debug, Clone, PartialEq)]
enum Tables {
    One(Table),
    /// The last one goes up to 100.
    Levels(Box<[(u32, Table)]>),
}

/// Where a digest belongs.
#[derive(Debug, Clone, PartialEq)]
enum Table {
    Remainder(remainder::Slots),
    Ring(ring::Ring<u64>),
    Ketama(ring::Ring<u32>),
    Jump(u32),
    Rendezvous(rendezvous::Bidders),
}

impl Placement {
    /// Builds the table of `cluster`: milliseconds of work at default sizes, so off the request path.
    ///
    /// # Errors
    /// What is wrong with the description, naming the node or the number concerned.
    pub fn new(cluster: &Cluster) -> Result<Self, Error> {
        hosts::check(cluster)?;
        let keys = hosts::keys(cluster)?;
        let tables = match &cluster.policy {
            Policy::Maglev { .. } | Policy::RingHash { .. } => by_level(cluster, &keys)?,
            Policy::Ketama { .. } => {
                let live = hosts::live(cluster, &keys)?;
                Tables::One(Table::Ketama(ring::Ring::new(&ketama::points(&live))))
            }
            Policy::Modula { .. } => remainder(modula::slots(&hosts::live(cluster, &keys)?)),
            // Nothing can scatter where there is one node.
            Policy::Random if cluster.nodes.len() == 1 => remainder(vec![NodeId(0)]),
            Policy::Random => return Err(Error::NotAPlacement(cluster.policy.name())),
            Policy::Slots => remainder(slots::owners(&cluster.nodes)?),
            Policy::Libketama => {
                let all = hosts::all(cluster, &keys);
                Tables::One(Table::Ketama(ring::Ring::new(&libketama::points(&all))))
            }
            // As many as there are ids at most.
            Policy::Jump => Tables::One(Table::Jump(cluster.nodes.len() as u32)),
            Policy::Rendezvous => {
                let all = hosts::all(cluster, &keys);
                Tables::One(Table::Rendezvous(rendezvous::Bidders::new(&all)))
            }
        };
        Ok(Self {
            digest: key_digest(&cluster.policy),
            tags: match cluster.policy {
                Policy::Slots => TagRule::BRACES,
                _ => cluster.tags,
            },
            nodes: cluster.nodes.len(),
            tables,
        })
    }

    /// The node that holds `key`. Allocates nothing.
    #[must_use]
    pub fn node(&self, key: &[u8]) -> NodeId {
        self.node_of_digest(self.digest(key))
    }

    /// The node that holds the keys with this digest.
    #[must_use]
    pub fn node_of_digest(&self, digest: u64) -> NodeId {
        match &self.tables {
            Tables::One(table) => table.node(digest),
            Tables::Levels(levels) => {
                let place = digest % 100 + 1;
                let level = levels
                    .iter()
                    .position(|(up_to, _)| place <= u64::from(*up_to));
                // The last level goes up to 100.
                levels[level.unwrap_or(levels.len() - 1)].1.node(digest)
            }
        }
    }

    /// The number that `key` hashes to: 64 bits under Envoy's policies, 32 under twemproxy's, a slot of Redis Cluster.
    #[must_use]
    pub fn digest(&self, key: &[u8]) -> u64 {
        let part = hashed_part(self.tags, key);
        match self.digest {
            KeyDigest::Murmur2 => murmur2_64(part),
            KeyDigest::Slot => u64::from(crc16_xmodem(part) % slots::COUNT),
            KeyDigest::Md5 => u64::from(Digest::Md5.of(part)),
            // twemproxy does not hash what is empty.
            KeyDigest::Twemproxy(_) if part.is_empty() => 0,
            KeyDigest::Twemproxy(digest) => u64::from(digest.of(part)),
        }
    }

    /// Whether `other` digests every key alike, so that one digest does for both.
    #[must_use]
    pub fn digests_like(&self, other: &Self) -> bool {
        self.digest == other.digest && self.tags == other.tags
    }

    /// The bytes of `key` that are hashed.
    #[must_use]
    pub fn hashed_part<'a>(&self, key: &'a [u8]) -> &'a [u8] {
        hashed_part(self.tags, key)
    }

    /// How many nodes the cluster has; ids are below this.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The tables' entries with their owners: slots by number, or points in ascending order, level after level. None where
    /// there is no table (jump, rendezvous).
    pub fn entries(&self) -> impl Iterator<Item = (u64, NodeId)> + '_ {
        self.tables.each().flat_map(|(_, table)| table.entries())
    }

    /// Entries owned by each node, in the order of the description.
    #[must_use]
    pub fn entries_per_node(&self) -> Vec<usize> {
        let mut counts = vec![0; self.nodes];
        for (_, owner) in self.entries() {
            counts[owner.index()] += 1;
        }
        counts
    }

    /// The share of all digests that each node owns, in the order of the description; 1 in all. What a key set gets differs
    /// from it by chance, and by what its digests have in common.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.nodes];
        let mut below = 0;
        for (up_to, table) in self.tables.each() {
            let level = f64::from(up_to - below) / 100.0;
            below = up_to;
            for (share, part) in shares.iter_mut().zip(table.shares(self.nodes)) {
                *share += level * part;
            }
        }
        shares
    }
}

impl Tables {
    /// Each table with the last place that belongs to it.
    fn each(&self) -> impl Iterator<Item = (u32, &Table)> {
        let (one, levels) = match self {
            Self::One(table) => (Some((100, table)), &[][..]),
            Self::Levels(levels) => (None, &levels[..]),
        };
        one.into_iter()
            .chain(levels.iter().map(|(up_to, table)| (*up_to, table)))
    }
}

impl Table {
    fn node(&self, digest: u64) -> NodeId {
        match self {
            Self::Remainder(slots) => slots.node(digest),
            Self::Ring(ring) => ring.node(digest),
            Self::Ketama(ring) => ring.node(digest),
            Self::Jump(nodes) => jump::node(digest, *nodes),
            Self::Rendezvous(bidders) => bidders.node(digest),
        }
    }

    fn entries(&self) -> Box<dyn Iterator<Item = (u64, NodeId)> + '_> {
        match self {
            Self::Remainder(slots) => Box::new((0..).zip(slots.owners())),
            Self::Ring(ring) => Box::new(ring.points()),
            Self::Ketama(ring) => Box::new(ring.points()),
            Self::Jump(_) | Self::Rendezvous(_) => Box::new(std::iter::empty()),
        }
    }

    fn shares(&self, nodes: usize) -> Vec<f64> {
        match self {
            Self::Remainder(slots) => slots.shares(nodes),
            Self::Ring(ring) => ring.shares(nodes),
            Self::Ketama(ring) => ring.shares(nodes),
            Self::Jump(buckets) => vec![1.0 / f64::from(*buckets); nodes],
            Self::Rendezvous(bidders) => bidders.shares(nodes),
        }
    }
}

fn key_digest(policy: &Policy) -> KeyDigest {
    match policy {
        Policy::Ketama { digest } | Policy::Modula { digest } => KeyDigest::Twemproxy(*digest),
        Policy::Libketama => KeyDigest::Md5,
        Policy::Slots => KeyDigest::Slot,
        _ => KeyDigest::Murmur2,
    }
}

fn remainder(owners: Vec<NodeId>) -> Tables {
    Tables::One(Table::Remainder(remainder::Slots::new(owners)))
}

/// Envoy's policies: a table for each level of priority that has any load.
fn by_level(cluster: &Cluster, keys: &hosts::Keys<'_>) -> Result<Tables, Error> {
    let mut tables = levels::levels(cluster)
        .iter()
        .map(|level| {
            let hosts = hosts::weighted(cluster, keys, level)?;
            Ok((level.up_to, envoy_table(&cluster.policy, &hosts)?))
        })
        .collect::<Result<Vec<_>, Error>>()?;
    match tables.pop() {
        None => Err(Error::NoLoad(cluster.panic.overprovisioning)),
        Some((_, only)) if tables.is_empty() => Ok(Tables::One(only)),
        last => Ok(Tables::Levels(tables.into_iter().chain(last).collect())),
    }
}

fn envoy_table(policy: &Policy, hosts: &[Host<'_>]) -> Result<Table, Error> {
    match *policy {
        Policy::RingHash {
            size_min,
            size_max,
            function,
            ..
        } => {
            let points = ring_hash::points(hosts, (size_min, size_max), function)?;
            Ok(Table::Ring(ring::Ring::new(&points)))
        }
        Policy::Maglev { table_size, .. } => {
            let slots = maglev::slots(hosts, table_size)?;
            Ok(Table::Remainder(remainder::Slots::new(slots)))
        }
        _ => Err(Error::NotAPlacement(policy.name())),
    }
}

#[cfg(test)]
mod tests;
