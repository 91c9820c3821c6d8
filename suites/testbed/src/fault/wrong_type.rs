//! `wrong_type`: a reply of another type arrives, an integer or, in the place of one, a string.

use serde::{Deserialize, Serialize};

use super::reply::{Reply, ReplyDecision, ReplyRule, Selection};
use super::row::{Describe, Effect, Links, Object};

/// A value of a type that the command never returns. Errors are not changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WrongType {
    /// Which replies.
    #[serde(flatten)]
    pub replies: Selection,
}

impl Describe for WrongType {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Partial;
    const SELECTS: bool = true;
    const LINKS: Links = Links::Extended;
}

impl ReplyRule for WrongType {
    fn selection(&self) -> &Selection {
        &self.replies
    }

    fn fits(&self, reply: Reply<'_>) -> bool {
        !matches!(reply.kind(), b'-' | b'!')
    }

    fn on_reply(&self, reply: Reply<'_>) -> ReplyDecision {
        match reply.kind() {
            b':' => ReplyDecision::send(*b"$5\r\nwrong\r\n"),
            _ => ReplyDecision::send(*b":42\r\n"),
        }
    }
}
