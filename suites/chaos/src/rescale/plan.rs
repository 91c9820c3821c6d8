//! The plan of an experiment: its keys, and the numbers of nodes before and after.

/// The keys to write, and the change of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Number of nodes before the change.
    pub from: usize,
    /// Number of nodes after the change.
    pub to: usize,
    /// The keys.
    pub keys: Vec<Vec<u8>>,
    /// Time to live of the keys, in seconds. The experiment must end before.
    pub ttl_s: u64,
    /// Marks the values, so that values of other runs are recognised.
    pub seed: u64,
}
