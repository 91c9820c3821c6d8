//! `limit_data`: the connection closes after a number of bytes.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object, Parameter, Unit};
use super::toxic::{Decision, Head, Rule, View};

/// A limit, counted for each connection and direction from the start of the toxic there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitData {
    /// Bytes that pass. At 0 or less, the first byte closes the connection.
    pub bytes: i64,
}

impl Describe for LimitData {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Cut;
    const PARAMETERS: &'static [Parameter] = &[Parameter::required("bytes", Unit::Bytes)];
}

impl Rule for LimitData {
    fn decide(&self, view: &View) -> Decision {
        let most = u64::try_from(self.bytes).unwrap_or(0);
        let left = most.saturating_sub(view.passed);
        match view.head {
            Head::Nothing if left == 0 && view.passed > 0 => Decision::Close {
                due: view.quiet_since,
            },
            Head::Nothing => Decision::Wait,
            Head::Bytes { came_at, .. } if left == 0 => Decision::Close { due: came_at },
            Head::Bytes { came_at, .. } => Decision::Pass {
                length: usize::try_from(left).unwrap_or(usize::MAX),
                due: came_at,
            },
            Head::End { came_at } => Decision::Pass {
                length: usize::MAX,
                due: came_at,
            },
        }
    }
}
