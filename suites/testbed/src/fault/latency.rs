//! `latency`: bytes arrive later than they were sent, in order.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::toxic::{BufferLimit, Decision, Head, Rule, View, later, ms};
use crate::chance::Chance;

/// As in Toxiproxy: a channel of 1,024 chunks, each of at most 32 KiB.
const ROOM: BufferLimit = BufferLimit {
    chunks: 1024,
    bytes: 32 * 1024 * 1024,
};

/// A delay. The end of the stream is not delayed, but waits for the bytes before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Latency {
    /// The delay in milliseconds; 0 if it is negative.
    #[serde(rename = "latency")]
    pub latency_ms: i64,
    /// How much more or less it may be, drawn for each chunk; 0 if it is negative.
    #[serde(rename = "jitter")]
    pub jitter_ms: i64,
}

impl Latency {
    fn delay_ms(&self, chance: Chance) -> i64 {
        if self.jitter_ms <= 0 {
            return self.latency_ms;
        }
        let (latency, jitter) = (i128::from(self.latency_ms), i128::from(self.jitter_ms));
        let delay = latency - jitter + i128::from(chance.number()) % (2 * jitter);
        i64::try_from(delay).unwrap_or(i64::MAX)
    }
}

impl Describe for Latency {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Delay;
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("latency", Unit::Milliseconds),
        Parameter::optional("jitter", Unit::Milliseconds),
    ];
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

    fn room(&self) -> BufferLimit {
        ROOM
    }
}
