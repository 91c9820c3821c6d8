//! `drop_reply`: the node executes the request, and its reply is lost. Later replies arrive.

use serde::{Deserialize, Serialize};

use super::reply::{Reply, ReplyDecision, ReplyRule, Selection};
use super::row::{Describe, Effect, Links, Object};

/// Nothing in the place of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DropReply {
    /// Which replies.
    #[serde(flatten)]
    pub replies: Selection,
}

impl Describe for DropReply {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Partial;
    const SELECTS: bool = true;
    const LINKS: Links = Links::Extended;
}

impl ReplyRule for DropReply {
    fn selection(&self) -> &Selection {
        &self.replies
    }

    fn on_reply(&self, _reply: Reply<'_>) -> ReplyDecision {
        ReplyDecision::send([])
    }
}
