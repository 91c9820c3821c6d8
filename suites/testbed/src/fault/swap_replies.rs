//! `swap_replies`: a reply changes places with the next one of its connection.

use serde::{Deserialize, Serialize};

use super::reply::{Reply, ReplyDecision, ReplyRule, Selection};
use super::row::{Describe, Effect, Links, Object};

/// Two neighbours in the wrong order. A reply that has no neighbour waits for one until the toxic is removed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SwapReplies {
    /// Which replies.
    #[serde(flatten)]
    pub replies: Selection,
}

impl Describe for SwapReplies {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Partial;
    const SELECTS: bool = true;
    const LINKS: Links = Links::Extended;
}

impl ReplyRule for SwapReplies {
    fn selection(&self) -> &Selection {
        &self.replies
    }

    fn on_reply(&self, _reply: Reply<'_>) -> ReplyDecision {
        ReplyDecision::Swap
    }
}
