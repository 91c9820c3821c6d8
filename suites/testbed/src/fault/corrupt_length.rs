//! `corrupt_length`: the length that a reply tells is not the one that it has.

use serde::{Deserialize, Serialize};

use super::reply::{Reply, ReplyDecision, ReplyRule, Selection, length_range};
use super::row::{Describe, Effect, Links, Object, Parameter, Unit};

/// A wrong length or count; the rest of the reply stays. Replies without one are left alone and not counted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CorruptLength {
    /// The length that the reply gives instead.
    pub to: Length,
    /// Which replies.
    #[serde(flatten)]
    pub replies: Selection,
}

/// A length that is not the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Length {
    /// One more than there is.
    #[default]
    Longer,
    /// One less than there is; one more if there is nothing.
    Shorter,
    /// More than any reply may have.
    Huge,
    /// Less than that of a null.
    Negative,
    /// No number.
    Letters,
}

impl Length {
    const WORDS: &'static [&'static str] = &["longer", "shorter", "huge", "negative", "letters"];

    fn of(self, true_length: u64) -> String {
        let number = match self {
            Self::Longer => true_length + 1,
            Self::Shorter => true_length.checked_sub(1).unwrap_or(1),
            Self::Huge => i64::MAX.unsigned_abs(),
            Self::Negative => return "-2".to_owned(),
            Self::Letters => return "abc".to_owned(),
        };
        number.to_string()
    }
}

impl Describe for CorruptLength {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Partial;
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::optional("to", Unit::Choice(Length::WORDS))];
    const SELECTS: bool = true;
    const LINKS: Links = Links::Extended;
}

impl ReplyRule for CorruptLength {
    fn selection(&self) -> &Selection {
        &self.replies
    }

    fn fits(&self, reply: Reply<'_>) -> bool {
        length_range(reply.bytes).is_some()
    }

    fn on_reply(&self, reply: Reply<'_>) -> ReplyDecision {
        let bytes = reply.bytes;
        let range = length_range(bytes).unwrap_or(1..1);
        let digits = std::str::from_utf8(&bytes[range.clone()]).ok();
        let true_length = digits.and_then(|digits| digits.parse::<u32>().ok());
        let wrong = self.to.of(true_length.unwrap_or(0).into());
        let parts = [&bytes[..range.start], wrong.as_bytes(), &bytes[range.end..]];
        ReplyDecision::send(parts.concat())
    }
}
