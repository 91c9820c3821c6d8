//! `cut_reply`: the reply ends within its header or body; then the connection closes, or nothing more comes.

use serde::{Deserialize, Serialize};

use super::reply::{Part, Reply, ReplyDecision, ReplyRule, Selection, Then, head_length};
use super::row::{Describe, Effect, Links, Object, Parameter, Unit};

/// A reply without its end: at least the last byte is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CutReply {
    /// The part that ends too early.
    pub part: Part,
    /// Bytes of the part that arrive, with all that is before it.
    #[serde(rename = "at")]
    pub at_bytes: i64,
    /// What follows.
    pub then: AfterCut,
    /// Which replies.
    #[serde(flatten)]
    pub replies: Selection,
}

/// What follows a reply that was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AfterCut {
    /// The end of the connection.
    #[default]
    Close,
    /// Nothing, until the fault is healed; then the end of the connection.
    Silence,
}

impl AfterCut {
    const WORDS: &'static [&'static str] = &["close", "silence"];
}

impl Default for CutReply {
    fn default() -> Self {
        Self {
            part: Part::default(),
            at_bytes: 1,
            then: AfterCut::default(),
            replies: Selection::default(),
        }
    }
}

impl Describe for CutReply {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Cut;
    const PARAMETERS: &'static [Parameter] = &[
        Parameter::optional("part", Unit::Choice(Part::WORDS)),
        Parameter::optional("at", Unit::Bytes).or(1),
        Parameter::optional("then", Unit::Choice(AfterCut::WORDS)),
    ];
    const SELECTS: bool = true;
    const LINKS: Links = Links::Extended;
}

impl ReplyRule for CutReply {
    fn selection(&self) -> &Selection {
        &self.replies
    }

    fn on_reply(&self, reply: Reply<'_>) -> ReplyDecision {
        let head = head_length(reply.bytes);
        let (from, whole) = match self.part {
            Part::Header => (0, head),
            Part::Body => (head, reply.bytes.len()),
        };
        let at = usize::try_from(self.at_bytes.max(0)).unwrap_or(usize::MAX);
        let end = from.saturating_add(at).min(whole.saturating_sub(1));
        ReplyDecision::Send {
            bytes: reply.bytes[..end].to_vec(),
            then: match self.then {
                AfterCut::Close => Then::Close,
                AfterCut::Silence => Then::Silence,
            },
        }
    }
}
