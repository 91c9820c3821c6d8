//! Tables: from the digest of a key to its node. An enum, because each lookup of a key reads one.

use crate::NodeId;
use crate::policy::{jump, rendezvous};
use crate::remainder::Slots;
use crate::ring::Ring;

/// The table that a policy builds from its nodes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Table {
    Remainder(Slots),
    Ring(Ring<u64>),
    /// A ring with points of 32 bits.
    Ketama(Ring<u32>),
    /// The number of nodes.
    Jump(u32),
    Rendezvous(rendezvous::NodeDigests),
}

/// One table, or one per level of priority.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tables {
    One(Table),
    /// Each with the last place that belongs to it; the last one goes up to 100.
    Levels(Box<[(u32, Table)]>),
}

impl Tables {
    #[inline]
    pub(crate) fn node(&self, digest: u64) -> NodeId {
        match self {
            Self::One(table) => table.node(digest),
            Self::Levels(levels) => {
                let place = digest % 100 + 1;
                let level = levels
                    .iter()
                    .position(|(up_to, _)| place <= u64::from(*up_to));
                // The last level goes up to 100.
                levels[level.unwrap_or(levels.len() - 1)].1.node(digest)
            }
        }
    }

    /// Each table with the last place that belongs to it.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u32, &Table)> {
        let (one, levels) = match self {
            Self::One(table) => (Some((100, table)), &[][..]),
            Self::Levels(levels) => (None, &levels[..]),
        };
        one.into_iter()
            .chain(levels.iter().map(|(up_to, table)| (*up_to, table)))
    }
}

impl Table {
    /// From the owner of each remainder, at least one.
    pub(crate) fn remainder(owners: Vec<NodeId>) -> Self {
        Self::Remainder(Slots::new(owners))
    }

    #[inline]
    fn node(&self, digest: u64) -> NodeId {
        match self {
            Self::Remainder(slots) => slots.node(digest),
            Self::Ring(ring) => ring.node(digest),
            Self::Ketama(ring) => ring.node(digest),
            Self::Jump(nodes) => jump::node(digest, *nodes),
            Self::Rendezvous(bidders) => bidders.node(digest),
        }
    }

    pub(crate) fn entries(&self) -> Box<dyn Iterator<Item = (u64, NodeId)> + '_> {
        match self {
            Self::Remainder(slots) => Box::new((0..).zip(slots.owners())),
            Self::Ring(ring) => Box::new(ring.points()),
            Self::Ketama(ring) => Box::new(ring.points()),
            Self::Jump(_) | Self::Rendezvous(_) => Box::new(std::iter::empty()),
        }
    }

    /// The share of all digests of each of `nodes` nodes.
    pub(crate) fn shares(&self, nodes: usize) -> Vec<f64> {
        match self {
            Self::Remainder(slots) => slots.shares(nodes),
            Self::Ring(ring) => ring.shares(nodes),
            Self::Ketama(ring) => ring.shares(nodes),
            Self::Jump(buckets) => vec![1.0 / f64::from(*buckets); nodes],
            Self::Rendezvous(bidders) => bidders.shares(nodes),
        }
    }
}
