//! `slow_close`: the end of the stream arrives later than it was sent.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::toxic::{Decision, Head, Rule, View, later, ms};

/// A delay of the end only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SlowClose {
    /// The delay in milliseconds.
    #[serde(rename = "delay")]
    pub delay_ms: i64,
}

impl Describe for SlowClose {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Delay;
    const PARAMETERS: &'static [Parameter] = &[Parameter::required("delay", Unit::Milliseconds)];
}

impl Rule for SlowClose {
    fn decide(&self, view: &View) -> Decision {
        let due = match view.head {
            Head::Nothing => return Decision::Wait,
            Head::Bytes { came_at, .. } => came_at,
            Head::End { came_at } => later(came_at, ms(self.delay_ms)),
        };
        Decision::Pass {
            length: usize::MAX,
            due,
        }
    }
}
