//! Outcome classes: what a client saw.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a client saw.
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
    /// Nothing came in time.
    Hung,
    /// A part of the answer.
    Partial,
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
            Self::Hung => "hung",
            Self::Partial => "partial",
            Self::Wrong => "wrong",
        }
    }
}
