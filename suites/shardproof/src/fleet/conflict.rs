//! Handling of copies of a key with different values.

/// Handling of a copy when the right node has another value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// It is removed: the value on the right node was written through the switched proxy.
    #[default]
    Removed,
    /// It stays, for an operator who knows which one is newer.
    Spared,
}

/// Handling of copies on several wrong nodes with different values, while the right node does not have the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Conflict {
    /// All of them stay.
    #[default]
    Skip,
    /// The copy on the node at this place is moved, and the others are removed when it was. The keys are held in memory until
    /// then. Keys that this node does not have stay.
    Keep(usize),
}
