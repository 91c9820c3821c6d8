//! Outcome classes: what a client saw, from the best to the worst.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a client saw; ordered from the best to the worst.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// What was promised.
    Correct,
    /// A clear error where an answer was promised.
    Refused,
    /// The connection ended.
    Closed,
    /// A part of the answer.
    Partial,
    /// Nothing came in time.
    Hung,
    /// The client saw what was promised, but the nodes were not asked what they should have been.
    Misrouted,
    /// An answer that is not true, without an error.
    Wrong,
}

impl Class {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Refused => "refused",
            Self::Closed => "closed",
            Self::Partial => "partial",
            Self::Hung => "hung",
            Self::Misrouted => "misrouted",
            Self::Wrong => "wrong",
        }
    }
}
