//! `duplicate_reply`: the reply arrives twice, as no request asked for.

use serde::{Deserialize, Serialize};

use super::reply::{Reply, ReplyDecision, ReplyRule, Selection};
use super::row::{Describe, Effect, Links, Object};

/// A reply, and the same once more.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DuplicateReply {
    /// Which replies.
    #[serde(flatten)]
    pub replies: Selection,
}

impl Describe for DuplicateReply {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Partial;
    const SELECTS: bool = true;
    const LINKS: Links = Links::Extended;
}

impl ReplyRule for DuplicateReply {
    fn selection(&self) -> &Selection {
        &self.replies
    }

    fn on_reply(&self, reply: Reply<'_>) -> ReplyDecision {
        ReplyDecision::send([reply.bytes, reply.bytes].concat())
    }
}
