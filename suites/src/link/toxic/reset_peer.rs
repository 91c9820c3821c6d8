//! `reset_peer`: the connection ends with RST as soon as bytes flow, and so does each new one.

use tokio::time::Instant;

use super::{Decision, Rule};

/// Resets whatever is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetPeer;

impl Rule for ResetPeer {
    fn decide(&self, _read_at: Instant) -> Decision {
        Decision::Reset
    }
}
