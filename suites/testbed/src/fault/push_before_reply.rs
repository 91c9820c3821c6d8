//! `push_before_reply`: a push of RESP3 arrives before the reply, as when a tracked key changes.

use serde::{Deserialize, Serialize};

use super::reply::{Reply, ReplyDecision, ReplyRule, Request, Selection};
use super::row::{Describe, Effect, Links, Object};

/// An invalidation of the requested key. On a RESP2 connection it is malformed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PushBeforeReply {
    /// Which replies.
    #[serde(flatten)]
    pub replies: Selection,
}

impl Describe for PushBeforeReply {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Partial;
    const SELECTS: bool = true;
    const LINKS: Links = Links::Extended;
}

impl ReplyRule for PushBeforeReply {
    fn selection(&self) -> &Selection {
        &self.replies
    }

    fn on_reply(&self, reply: Reply<'_>) -> ReplyDecision {
        let key = reply.request.and_then(Request::key).unwrap_or(b"key");
        let header = format!(">2\r\n$10\r\ninvalidate\r\n*1\r\n${}\r\n", key.len());
        ReplyDecision::send([header.as_bytes(), key, b"\r\n", reply.bytes].concat())
    }
}
