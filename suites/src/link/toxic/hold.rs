//! `hold`: bytes wait, in order, until the toxic is removed; then all of them go on.

use tokio::time::Instant;

use super::{Decision, Rule};

/// Waits for its removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold;

impl Rule for Hold {
    fn decide(&self, _read_at: Instant) -> Decision {
        Decision::Hold
    }
}
