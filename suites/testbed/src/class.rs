//! Outcome classes: what a client saw, from the best to the worst.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Outcome class of what a client got, ordered from best to worst.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The promised answer.
    Correct,
    /// A clear error instead of the promised answer.
    Refused,
    /// The connection was closed.
    Closed,
    /// An incomplete answer.
    Partial,
    /// No reply before the deadline.
    Hung,
    /// The client got the promised reply, but the wrong nodes were asked.
    Misrouted,
    /// An untrue answer without an error.
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

/// Whether a run came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It did, or ended by a reason of its own.
    #[default]
    Complete,
    /// A signal ended it. The report has everything up to then.
    Aborted,
}

/// Why a run ended that a signal ended.
pub const ABORTED: &str = "aborted by a signal";
