//! A table read by remainder: maglev's slots, modula's list, Redis Cluster's slots.

use crate::NodeId;

/// The owner of each remainder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slots(Box<[NodeId]>);

impl Slots {
    /// At least one slot.
    pub(crate) fn new(owners: Vec<NodeId>) -> Self {
        Self(owners.into_boxed_slice())
    }

    pub(crate) fn node(&self, digest: u64) -> NodeId {
        // The remainder is below the table's length.
        self.0[(digest % self.0.len() as u64) as usize]
    }

    pub(crate) fn shares(&self, nodes: usize) -> Vec<f64> {
        let mut counts = vec![0_u32; nodes];
        for owner in &self.0 {
            counts[owner.index()] += 1;
        }
        let all = self.0.len() as f64;
        counts
            .into_iter()
            .map(|count| f64::from(count) / all)
            .collect()
    }

    pub(crate) fn owners(&self) -> impl ExactSizeIterator<Item = NodeId> + '_ {
        self.0.iter().copied()
    }
}
