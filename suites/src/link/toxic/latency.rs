//! `latency`: bytes arrive later than they were sent, in order.

use serde::{Deserialize, Serialize};

use super::{BUFFER, Chance, Decision, Head, Rule, View, later, ms};

/// A delay. The end of the stream is not delayed, but waits behind the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Latency {
    /// The delay in milliseconds.
    #[serde(rename = "latency")]
    pub latency_ms: u64,
    /// How much more or less it may be, drawn for each chunk.
    #[serde(rename = "jitter")]
    pub jitter_ms: u64,
}

impl Latency {
    fn delay_ms(&self, chance: Chance) -> u64 {
        let Some(width) = self.jitter_ms.checked_mul(2).filter(|width| *width > 0) else {
            return self.latency_ms;
        };
        let most = self.latency_ms.saturating_add(chance.number() % width);
        most.saturating_sub(self.jitter_ms)
    }
}

impl Rule for Latency {
    fn decide(&self, view: &View) -> Decision {
        let due = match view.head {
            Head::Nothing => return Decision::Wait,
            Head::Bytes { read_at, .. } => later(read_at, ms(self.delay_ms(view.chance))),
            Head::End { came_at } => came_at,
        };
        Decision::Pass {
            length: usize::MAX,
            due,
        }
    }

    fn room(&self) -> usize {
        BUFFER
    }
}
