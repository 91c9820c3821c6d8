//! `timeout`: nothing gets through, and the connection closes after a while.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::toxic::{Decision, Head, Removal, Rule, View, later, ms};

/// A while without bytes. Whatever comes is thrown away and, as in Toxiproxy's code, lets the while begin anew; the
/// removal of the toxic closes the connection, because what follows a hole is no answer to anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeout {
    /// Milliseconds until the close; 0 and less is never.
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
