//! `noop`: nothing happens.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Object};
use super::toxic::{Decision, Head, Rule, View};

/// Passes everything on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Noop {}

impl Describe for Noop {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Delay;
}

impl Rule for Noop {
    fn decide(&self, view: &View) -> Decision {
        match view.head {
            Head::Nothing => Decision::Wait,
            Head::Bytes { came_at, .. } | Head::End { came_at } => Decision::Pass {
                length: usize::MAX,
                due: came_at,
            },
        }
    }
}
