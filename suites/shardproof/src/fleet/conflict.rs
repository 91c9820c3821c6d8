//! What happens to copies of a key with different values.

/// What happens to a copy when the right node has another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// It is removed: what the right node has was written through the switched proxy.
    #[default]
    Removed,
    /// It stays, for somebody who knows which one is the newer.
    Spared,
}

/// What happens to copies on several wrong nodes with different values, while the right node does not have the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflict {
    /// All of them stay.
    #[default]
    Skip,
    /// The copy on the node at this place is moved, and the others are removed when it was. The keys are held in memory until
    /// then. Keys that this node does not have stay.
    Keep(usize),
}
