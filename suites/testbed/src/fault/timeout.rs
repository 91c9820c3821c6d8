//! `timeout`: nothing gets through, and the connection closes after a while.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::toxic::{Decision, Head, Removal, Rule, View, later, ms};

/// A timeout without bytes. Bytes that arrive are dropped and, as in Toxiproxy's code, restart the timeout. Removing
/// the toxic closes the connection, because the bytes after a gap would answer the wrong request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeout {
    /// Milliseconds until the connection closes; 0 or less is never.
    #[serde(rename = "timeout")]
    pub timeout_ms: i64,
}

impl Describe for Timeout {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Close;
    const PARAMETERS: &'static [Parameter] = &[Parameter::optional("timeout", Unit::Milliseconds)];
}

impl Rule for Timeout {
    fn decide(&self, view: &View) -> Decision {
        match view.head {
            Head::Bytes { .. } => Decision::Drop,
            Head::End { came_at } => Decision::Pass {
                length: usize::MAX,
                due: came_at,
            },
            Head::Nothing if self.timeout_ms <= 0 => Decision::Wait,
            Head::Nothing => Decision::Close {
                due: later(view.quiet_since, ms(self.timeout_ms)),
            },
        }
    }

    fn removal(&self) -> Removal {
        Removal::Close
    }
}
