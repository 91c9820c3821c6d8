//! `hold_reply`: the reply waits until the fault is healed or its time is over, and what follows on its connection with it.

use serde::{Deserialize, Serialize};

use super::reply::{Reply, ReplyDecision, ReplyRule, Selection};
use super::row::{Describe, Effect, Links, Object, Parameter, Unit};
use super::toxic::ms;

/// Replies that come late. They leave in order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct HoldReply {
    /// Milliseconds until the reply is sent; 0 or less is until the toxic is removed.
    #[serde(rename = "for")]
    pub for_ms: i64,
    /// Which replies.
    #[serde(flatten)]
    pub replies: Selection,
}

impl Describe for HoldReply {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Partial;
    const PARAMETERS: &'static [Parameter] = &[Parameter::optional("for", Unit::Milliseconds)];
    const SELECTS: bool = true;
    const LINKS: Links = Links::Extended;
}

impl ReplyRule for HoldReply {
    fn selection(&self) -> &Selection {
        &self.replies
    }

    fn on_reply(&self, _reply: Reply<'_>) -> ReplyDecision {
        ReplyDecision::Wait {
            time: (self.for_ms > 0).then(|| ms(self.for_ms)),
        }
    }
}
