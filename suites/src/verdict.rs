//! Verdicts: what was judged, what a client saw, and the evidence.
//!
//! A verdict is never an error: a proxy that misbehaves is a `Fail`, and what could not be decided is `Unknown`.
//! Never opens anything and never judges: it is what judges say and reports show.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

/// A duration in JSON: milliseconds, to the microsecond.
pub(crate) fn as_ms<S: Serializer>(
    duration: &Duration,
    out: S,
) -> std::result::Result<S::Ok, S::Error> {
    out.serialize_f64(duration.as_micros() as f64 / 1000.0)
}

/// What a client saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
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

impl Evidence {
    /// The class in reports. A client that saw what was promised while a node was asked wrongly is told apart.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self.class {
            Class::Correct => "at a node",
            class => class.name(),
        }
    }
}

/// How much a promise binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Clients break without it.
    Must,
    /// Clients suffer without it; broken only with `--strict`.
    Should,
    /// Worth knowing.
    May,
}

/// The judgement of one case on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// The promise was kept.
    Pass,
    /// The promise was broken.
    Fail(Evidence),
    /// Not judged, for a reason.
    Skip {
        /// Why not.
        reason: String,
    },
    /// Could not be decided.
    Unknown {
        /// What stood in the way.
        why: String,
    },
}

/// What shows that a promise was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Evidence {
    /// What the client saw.
    pub class: Class,
    /// The place of the broken line, `file:line`.
    pub at: String,
    /// What was promised, in the notation of case files.
    pub expected: String,
    /// What came instead, in the same notation.
    pub got: String,
    /// Both sides of the proxy, in the order of time.
    pub transcript: Vec<Line>,
}

/// One line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Line {
    /// Since the case began; in JSON milliseconds.
    #[serde(rename = "at_ms", serialize_with = "as_ms")]
    #[schemars(with = "f64")]
    pub at: Duration,
    /// Who spoke with the proxy: a client (`client 1`) or a node (`node A`).
    pub party: String,
    /// Which way it went.
    pub way: Way,
    /// What was said, in the notation of case files.
    pub text: String,
}

/// The direction of a line, seen from the proxy, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// From the party to the proxy.
    ToProxy,
    /// From the proxy to the party.
    FromProxy,
    /// Something that happened to the party.
    Event,
}

/// What is known about a case beyond its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Result {
    /// The id of the case.
    pub case: String,
    /// Its promise, one sentence.
    pub promise: String,
    /// How much it binds.
    pub level: Level,
    /// Where the promise comes from.
    pub spec: String,
    /// The judgement.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The recorded deviation that covers it, whether it showed or not.
    pub deviation: Option<Known>,
    /// How long it took; in JSON milliseconds.
    #[serde(rename = "took_ms", serialize_with = "as_ms")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// A recorded deviation, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Known {
    /// What the target does instead.
    pub why: String,
    /// The version that was seen doing it.
    pub seen: String,
    /// Whether its absence is news.
    pub always: bool,
    /// Where others met it.
    pub link: Option<String>,
}

/// What a result means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// As promised.
    Kept,
    /// Broken as recorded.
    Known,
    /// Broken, and nobody recorded it.
    Broken,
    /// Recorded as broken, and it is not: the row must go.
    Mended,
    /// Not judged.
    Skipped,
    /// Could not be decided.
    Unknown,
}

impl Result {
    /// What this result means for the run.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match (&self.verdict, &self.deviation) {
            (Verdict::Skip { .. }, _) => Standing::Skipped,
            (Verdict::Unknown { .. }, _) => Standing::Unknown,
            (Verdict::Pass, Some(known)) if known.always => Standing::Mended,
            (Verdict::Pass, _) => Standing::Kept,
            (Verdict::Fail(_), Some(_)) => Standing::Known,
            (Verdict::Fail(_), None) => Standing::Broken,
        }
    }

    /// Whether the run fails by this result.
    #[must_use]
    pub fn breaks(&self, strict: bool) -> bool {
        match self.standing() {
            Standing::Broken => match self.level {
                Level::Must => true,
                Level::Should => strict,
                Level::May => false,
            },
            Standing::Mended => true,
            Standing::Kept | Standing::Known | Standing::Skipped | Standing::Unknown => false,
        }
    }
}
