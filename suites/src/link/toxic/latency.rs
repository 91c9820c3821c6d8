//! `latency`: bytes arrive later than they were sent, in order.

use std::time::Duration;

use tokio::time::Instant;

use super::{Decision, Rule};

/// A fixed delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latency {
    /// The delay in milliseconds.
    pub latency_ms: u64,
}

impl Rule for Latency {
    fn decide(&self, read_at: Instant) -> Decision {
        Decision::NotBefore(read_at + Duration::from_millis(self.latency_ms))
    }
}
