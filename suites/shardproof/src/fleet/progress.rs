//! Progress of the work on a fleet.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts that only grow.
#[derive(Debug, Default)]
pub struct Progress {
    looked_at: AtomicU64,
    moved: AtomicU64,
}

impl Progress {
    /// Keys that were inspected.
    #[must_use]
    pub fn looked_at(&self) -> u64 {
        self.looked_at.load(Ordering::Relaxed)
    }

    /// Misplaced keys that were dealt with.
    #[must_use]
    pub fn moved(&self) -> u64 {
        self.moved.load(Ordering::Relaxed)
    }

    pub(super) fn add_looked_at(&self, keys: usize) {
        self.looked_at.fetch_add(keys as u64, Ordering::Relaxed);
    }

    pub(super) fn add_moved(&self, keys: usize) {
        self.moved.fetch_add(keys as u64, Ordering::Relaxed);
    }
}
