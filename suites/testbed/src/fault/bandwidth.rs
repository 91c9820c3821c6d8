//! `bandwidth`: bytes flow at a limited rate; excess bytes wait at the sender.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::toxic::{Decision, Head, Rule, View, later};

/// How far a late timer is caught up with. More would be a burst.
const CATCH_UP: Duration = Duration::from_millis(20);
/// Longer pieces are cut, so that a low rate is a steady one.
const PIECE_MS: u64 = 100;

/// A rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Bandwidth {
    /// The rate in 1000 bytes per second; 0 or less means no limit, as in Toxiproxy 2.13.
    #[serde(rename = "rate")]
    pub rate_kb: i64,
}

impl Describe for Bandwidth {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Delay;
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::required("rate", Unit::KilobytesPerSecond)];
}

impl Rule for Bandwidth {
    fn decide(&self, view: &View) -> Decision {
        let rate_kb = u64::try_from(self.rate_kb).unwrap_or(0);
        let (length, came_at) = match view.head {
            Head::Nothing => return Decision::Wait,
            Head::Bytes {
                length, came_at, ..
            } if rate_kb > 0 => (length as u64, came_at),
            Head::Bytes { came_at, .. } | Head::End { came_at } => {
                let (length, due) = (usize::MAX, came_at);
                return Decision::Pass { length, due };
            }
        };
        let length = length.min(rate_kb.saturating_mul(PIECE_MS));
        let takes = Duration::from_nanos(length.saturating_mul(1_000_000) / rate_kb);
        let earliest = came_at.checked_sub(CATCH_UP).unwrap_or(came_at);
        let begins = view.last_due.map_or(came_at, |last| last.max(earliest));
        Decision::Pass {
            length: usize::try_from(length).unwrap_or(usize::MAX),
            due: later(begins, takes),
        }
    }
}
