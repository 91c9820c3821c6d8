//! `delay_reply`: the reply arrives later, and so does what follows it on its connection.

use serde::{Deserialize, Serialize};

use super::reply::{Reply, ReplyDecision, ReplyRule, Selection};
use super::row::{Describe, Effect, Links, Object, Parameter, Unit};
use super::toxic::ms;

/// A delay of some replies; other connections are not delayed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DelayReply {
    /// The delay in milliseconds; 0 if it is negative.
    #[serde(rename = "delay")]
    pub delay_ms: i64,
    /// Which replies.
    #[serde(flatten)]
    pub replies: Selection,
}

impl Describe for DelayReply {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Delay;
    const PARAMETERS: &'static [Parameter] = &[Parameter::required("delay", Unit::Milliseconds)];
    const SELECTS: bool = true;
    const LINKS: Links = Links::Extended;
}

impl ReplyRule for DelayReply {
    fn selection(&self) -> &Selection {
        &self.replies
    }

    fn on_reply(&self, _reply: Reply<'_>) -> ReplyDecision {
        ReplyDecision::Wait {
            time: Some(ms(self.delay_ms)),
        }
    }
}
