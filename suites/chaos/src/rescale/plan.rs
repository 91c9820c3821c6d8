//! The plan of an experiment: its keys, and the numbers of nodes before and after.

/// What is written and how the cluster changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Number of nodes before the change.
    pub from: usize,
    /// Number of nodes after the change.
    pub to: usize,
    /// The keys.
    pub keys: Vec<Vec<u8>>,
    /// Time to live of what is written, in seconds. The experiment must be over by then.
    pub ttl_s: u64,
    /// Marks the values, so that no other run's are taken for ours.
    pub seed: u64,
}
