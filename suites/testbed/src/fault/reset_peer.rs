//! `reset_peer`: the connection ends with RST some time after bytes flow, and so does each new one.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::toxic::{Decision, Head, Rule, View, later, ms};

/// Resets each connection in use, in both directions. The bytes that triggered it do not arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResetPeer {
    /// Milliseconds from the first bytes, or the end of the stream, to the reset.
    #[serde(rename = "timeout")]
    pub timeout_ms: i64,
}

impl Describe for ResetPeer {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Close;
    const PARAMETERS: &'static [Parameter] = &[Parameter::optional("timeout", Unit::Milliseconds)];
}

impl Rule for ResetPeer {
    fn decide(&self, view: &View) -> Decision {
        match view.head {
            Head::Nothing => Decision::Wait,
            Head::Bytes { came_at, .. } | Head::End { came_at } => Decision::Reset {
                due: later(came_at, ms(self.timeout_ms)),
            },
        }
    }
}
