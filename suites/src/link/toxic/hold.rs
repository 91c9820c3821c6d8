//! `hold`: bytes wait, in order, until the toxic is removed; then all of them go on. Toxiproxy has none like it.

use serde::{Deserialize, Serialize};

use super::{BUFFER, Decision, Rule, View};

/// Waits for its removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hold {}

impl Rule for Hold {
    fn decide(&self, _view: &View) -> Decision {
        Decision::Wait
    }

    fn room(&self) -> usize {
        BUFFER
    }
}
