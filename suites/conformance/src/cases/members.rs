//! The nodes of a cluster that a case gives the proxy, in their order.

use std::fmt;

use crate::cases::case::NODES;
use crate::cases::word::letter;

/// The nodes of a cluster, by their places: `0` is A.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Members(pub Vec<usize>);

impl Members {
    /// The first nodes: A, B, C and so on.
    #[must_use]
    pub fn first(count: usize) -> Self {
        Self((0..count).collect())
    }

    /// The cluster before any change.
    #[must_use]
    pub fn usual() -> Self {
        Self::first(NODES)
    }

    /// Whether a node is one of them.
    #[must_use]
    pub fn contains(&self, node: usize) -> bool {
        self.0.contains(&node)
    }
}

impl fmt::Display for Members {
    /// As cases write it: the number of nodes, or the letters if they are not in order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::first(self.0.len()) {
            return write!(f, "{}", self.0.len());
        }
        let letters: Vec<String> = self.0.iter().map(|node| letter(*node).into()).collect();
        f.write_str(&letters.join(" "))
    }
}
