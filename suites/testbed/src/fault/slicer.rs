//! `slicer`: bytes arrive in small pieces, as a network may cut them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::toxic::{Decision, Head, Rule, View, later};

/// Sizes and a delay. A rest up to the size of the longest piece is sent whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Slicer {
    /// Bytes of a piece, on average; at least 1.
    pub average_size: i64,
    /// Bytes that a piece may have more or less. A piece has at least one.
    pub size_variation: i64,
    /// Microseconds between two pieces.
    #[serde(rename = "delay")]
    pub delay_us: i64,
}

impl Describe for Slicer {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Delay;
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::required("average_size", Unit::Bytes),
        Parameter::optional("size_variation", Unit::Bytes),
        Parameter::optional("delay", Unit::Microseconds),
    ];
}

impl Rule for Slicer {
    fn decide(&self, view: &View) -> Decision {
        let (length, came_at) = match view.head {
            Head::Nothing => return Decision::Wait,
            Head::Bytes {
                length, came_at, ..
            } => (length as u64, came_at),
            Head::End { came_at } => (0, came_at),
        };
        let average = u64::try_from(self.average_size).unwrap_or(0);
        let variation = u64::try_from(self.size_variation).unwrap_or(0);
        let most = average.saturating_add(variation).max(1);
        let least = average.saturating_sub(variation).max(1);
        let piece = if length <= most {
            most
        } else {
            least + view.chance.number() % (most - least + 1)
        };
        let delay = Duration::from_micros(u64::try_from(self.delay_us).unwrap_or(0));
        let next = view.last_due.map_or(came_at, |last| later(last, delay));
        Decision::Pass {
            length: usize::try_from(piece).unwrap_or(usize::MAX),
            due: next.max(came_at),
        }
    }

    /// They end a Toxiproxy before 2.13.
    fn refused(&self) -> Option<&'static str> {
        if self.average_size < 1 {
            Some("average_size of a slicer: expected at least 1")
        } else if self.size_variation < 0 {
            Some("size_variation of a slicer: expected at least 0")
        } else {
            None
        }
    }
}
