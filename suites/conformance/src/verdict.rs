//! Verdicts: results of cases, with evidence.
//!
//! A verdict is never an error: a proxy that misbehaves is a `Fail`, and an undecided case is `Unknown`. Opens nothing
//! and never judges: judges produce verdicts and reports show them.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::cases::case::Case;
pub use testbed::class::Class;

/// A duration in JSON: milliseconds, to the microsecond.
pub fn as_ms<S: Serializer>(duration: &Duration, out: S) -> std::result::Result<S::Ok, S::Error> {
    out.serialize_f64(duration.as_micros() as f64 / 1000.0)
}

/// Level of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Clients break if the promise is broken.
    Must,
    /// Clients suffer if the promise is broken. Fails the run only with `--strict`.
    Should,
    /// Good to know. Never fails the run.
    May,
}

impl Level {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::May => "may",
        }
    }
}

/// The judgement of one case on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "verdict")]
pub enum Verdict {
    /// The promise was kept.
    Pass,
    /// The promise was broken.
    Fail(Evidence),
    /// The case was not judged.
    Skip {
        /// The reason.
        reason: String,
    },
    /// The case could not be judged.
    Unknown {
        /// The reason.
        why: String,
    },
}

/// How the reason begins why a case was not judged because the run had stopped.
pub const NOT_JUDGED: &str = "not judged: ";

/// Evidence of a broken promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Evidence {
    /// Outcome class; never [`Class::Correct`].
    pub class: Class,
    /// Location of the broken line, `file:line`.
    pub at: String,
    /// The expected reply, in the notation of case files.
    pub expected: String,
    /// The reply, in the notation of case files.
    pub got: String,
    /// Traffic on both sides of the proxy, by time. Keys have the names that the case gives them, as `$a1`.
    pub transcript: Vec<Line>,
    /// The keys by these names.
    pub keys: BTreeMap<String, String>,
    /// The last lines that the proxy logged since the case began, if the suite started it.
    pub log: Vec<String>,
}

/// One line of a transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Line {
    /// Time since the start of the case; in JSON in milliseconds.
    #[serde(rename = "at_ms", serialize_with = "as_ms")]
    #[schemars(with = "f64")]
    pub at: Duration,
    /// Peer of the proxy: a client (`client 1`) or a node (`node A`).
    pub party: String,
    /// Direction.
    pub way: Direction,
    /// Request or reply, in the notation of case files.
    pub text: String,
}

/// Direction of a line, seen from the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the party to the proxy.
    ToProxy,
    /// From the proxy to the party.
    FromProxy,
    /// An event at the party.
    Event,
}

/// Result of one case on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Result {
    /// The id of the case.
    pub case: String,
    /// The promise of the case, one sentence.
    pub promise: String,
    /// Level of the promise.
    pub level: Level,
    /// Source of the promise.
    pub spec: String,
    /// The judgement.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// The recorded deviation that matches the case, whether it occurred or not.
    pub deviation: Option<Known>,
    /// The outcomes of all runs, if the case was judged several times. The verdict is the worst of them.
    pub repeats: Option<Repeats>,
    /// Duration; in JSON in milliseconds.
    #[serde(rename = "took_ms", serialize_with = "as_ms")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// The outcomes of a case in several runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Repeats {
    /// Runs in which the promise was broken.
    pub failed: usize,
    /// Runs in which the case was judged.
    pub judged: usize,
    /// Seed of the run that the verdict is from.
    pub seed: String,
}

/// A recorded deviation, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Known {
    /// Behaviour of the target.
    pub why: String,
    /// The version that deviates.
    pub seen: String,
    /// Whether it occurs in every run, so that its absence is reported. If not, it counts as known in every run.
    pub always: bool,
    /// Outcome class when it occurs, for a deviation that does not occur in every run and for a row of a baseline.
    pub class: Option<Class>,
    /// Link to a report of it.
    pub link: Option<String>,
    /// Location of the row in the baseline, `file:line`. None for a deviation of the target.
    pub row: Option<String>,
}

impl Known {
    /// Whether a failure of this class is the recorded one. A wrong answer is covered only if it is recorded as one. A
    /// row of a baseline covers its class and better ones.
    #[must_use]
    pub fn covers(&self, class: Class) -> bool {
        match (&self.row, self.class) {
            (Some(_), Some(worst)) => class <= worst,
            _ => self.always || class != Class::Wrong || self.class == Some(Class::Wrong),
        }
    }

    /// What to do if it no longer occurs.
    #[must_use]
    pub fn remedy(&self) -> String {
        match &self.row {
            Some(row) => {
                format!("a known failure passed: remove its row, {row}, or use --write-baseline")
            }
            None => "a recorded deviation no longer occurs: remove its row".to_owned(),
        }
    }
}

/// Status of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The promise was kept.
    Kept,
    /// Broken as recorded; or recorded as broken for some keys, ports or timings only, whether it occurred or not.
    Known,
    /// Broken, and not recorded as a deviation.
    Broken,
    /// Recorded as broken, but the promise was kept: the row must be removed.
    Mended,
    /// The case was skipped.
    Skipped,
    /// The case could not be judged.
    Unknown,
}

impl Status {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Kept => "pass",
            Self::Known => "known",
            Self::Broken => "FAIL",
            Self::Mended => "MENDED",
            Self::Skipped => "skip",
            Self::Unknown => "unknown",
        }
    }
}

impl Result {
    /// Whether the run had stopped before it.
    #[must_use]
    pub fn is_left_out(&self) -> bool {
        matches!(&self.verdict, Verdict::Unknown { why } if why.starts_with(NOT_JUDGED))
    }

    /// The result of a case that was not judged for a reason of the run.
    #[must_use]
    pub fn left_out(case: &Case, reason: String) -> Self {
        Self {
            case: case.id.clone(),
            promise: case.promise.clone(),
            level: case.level,
            spec: case.spec.clone(),
            verdict: Verdict::Skip { reason },
            deviation: None,
            repeats: None,
            took: Duration::ZERO,
        }
    }

    /// Status of this result.
    #[must_use]
    pub fn status(&self) -> Status {
        match (&self.verdict, &self.deviation) {
            (Verdict::Skip { .. }, _) => Status::Skipped,
            (Verdict::Unknown { .. }, _) => Status::Unknown,
            (Verdict::Pass, Some(known)) if known.always => Status::Mended,
            (Verdict::Pass, Some(_)) => Status::Known,
            (Verdict::Pass, None) => Status::Kept,
            (Verdict::Fail(found), Some(known)) if known.covers(found.class) => Status::Known,
            (Verdict::Fail(_), _) => Status::Broken,
        }
    }

    /// Whether it counts as a silently wrong answer. A deviation that does not occur in every run counts as recorded,
    /// so that the count is the same in every run.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        match (self.status(), &self.deviation, &self.verdict) {
            (Status::Known, Some(known), _) if !known.always => known.class == Some(Class::Wrong),
            (_, _, Verdict::Fail(found)) => found.class == Class::Wrong,
            _ => false,
        }
    }

    /// Whether the run fails by this result.
    #[must_use]
    pub fn breaks(&self, strict: bool) -> bool {
        match self.status() {
            Status::Broken => match self.level {
                Level::Must => true,
                Level::Should => strict,
                Level::May => false,
            },
            Status::Mended => true,
            Status::Kept | Status::Known | Status::Skipped | Status::Unknown => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(verdict: Verdict, deviation: Option<Known>) -> Result {
        Result {
            case: "group/name".to_owned(),
            promise: "A promise.".to_owned(),
            level: Level::Must,
            spec: "https://redis.io".to_owned(),
            verdict,
            deviation,
            repeats: None,
            took: Duration::ZERO,
        }
    }

    fn fail(class: Class) -> Verdict {
        Verdict::Fail(Evidence {
            class,
            at: "group/name.case:1".to_owned(),
            expected: "nil".to_owned(),
            got: "\"x\"".to_owned(),
            transcript: Vec::new(),
            keys: BTreeMap::new(),
            log: Vec::new(),
        })
    }

    #[track_caller]
    fn check(verdict: Verdict, class: Option<Class>, status: Status, wrong: bool) {
        let known = Known {
            why: "differs by placement".to_owned(),
            seen: "1.2.3".to_owned(),
            always: class.is_none(),
            class,
            link: None,
            row: None,
        };
        let result = result(verdict, Some(known));
        assert_eq!((result.status(), result.is_wrong()), (status, wrong));
    }

    #[test]
    fn a_deviation_by_placement_counts_the_same_whether_it_shows_or_not() {
        for verdict in [Verdict::Pass, fail(Class::Wrong), fail(Class::Partial)] {
            check(verdict, Some(Class::Wrong), Status::Known, true);
        }
        for verdict in [Verdict::Pass, fail(Class::Misrouted), fail(Class::Closed)] {
            check(verdict, Some(Class::Closed), Status::Known, false);
        }
    }

    #[test]
    fn a_deviation_by_placement_hides_no_wrong_answer_that_is_not_recorded() {
        check(
            fail(Class::Wrong),
            Some(Class::Closed),
            Status::Broken,
            true,
        );
    }

    #[test]
    fn a_row_of_a_baseline_covers_its_class_and_better_ones() {
        let known = Known {
            why: "accepted".to_owned(),
            seen: "1 of 1".to_owned(),
            always: true,
            class: Some(Class::Hung),
            link: None,
            row: Some("known.toml:7".to_owned()),
        };
        for (class, status) in [
            (Class::Closed, Status::Known),
            (Class::Hung, Status::Known),
            (Class::Wrong, Status::Broken),
        ] {
            assert_eq!(result(fail(class), Some(known.clone())).status(), status);
        }
        let passed = result(Verdict::Pass, Some(known.clone()));
        assert_eq!(passed.status(), Status::Mended);
        assert!(known.remedy().contains("known.toml:7"));
    }

    #[test]
    fn a_deviation_that_always_shows_counts_as_it_shows() {
        check(fail(Class::Wrong), None, Status::Known, true);
        check(fail(Class::Closed), None, Status::Known, false);
        check(Verdict::Pass, None, Status::Mended, false);
    }
}
