//! `hold`: bytes wait, in order, until the toxic is removed; then all of them are sent. Toxiproxy has no such toxic.

use serde::{Deserialize, Serialize};

use super::row::{Describe, Effect, Links, Object};
use super::toxic::{BufferLimit, Decision, Rule, View};

/// Large, because a case holds everything that a node answers.
const ROOM: BufferLimit = BufferLimit {
    chunks: usize::MAX,
    bytes: 64 * 1024 * 1024,
};

/// Waits for its removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Hold {}

impl Describe for Hold {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Silence;
    const LINKS: Links = Links::Extended;
}

impl Rule for Hold {
    fn decide(&self, _view: &View) -> Decision {
        Decision::Wait
    }

    fn room(&self) -> BufferLimit {
        ROOM
    }
}
