//! The results of conformance runs, target by target: the model of every report on them.

use std::net::SocketAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::verdict::{Level, Result as CaseResult, Status, Verdict, as_ms};

/// Every target of a run with its results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Conformance {
    /// `shardproof.conformance/1`
    pub format: &'static str,
    /// Seed that repeats the run.
    pub seed: String,
    /// The levels whose failures fail the run.
    pub counted: Vec<Level>,
    /// One entry per target, in the order of the command line.
    pub targets: Vec<Judged>,
}

impl Conformance {
    /// A report of judged targets.
    #[must_use]
    pub fn new(seed: u64, targets: Vec<Judged>) -> Self {
        Self {
            format: "shardproof.conformance/1",
            seed: format!("{seed:x}"),
            counted: vec![Level::Must],
            targets,
        }
    }

    /// Whether any promise that counts is broken.
    #[must_use]
    pub fn breaks(&self) -> bool {
        let strict = self.counted.contains(&Level::Should);
        let mut results = self.targets.iter().flat_map(|judged| &judged.results);
        results.any(|result| result.breaks(strict))
    }

    /// The same if promises of level `should` count too.
    #[must_use]
    pub fn strict(self) -> Self {
        Self {
            counted: vec![Level::Must, Level::Should],
            ..self
        }
    }
}

/// One target with its results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Judged {
    /// Name of the target, or address of a running proxy.
    pub target: String,
    /// Version, if known.
    pub version: String,
    /// Number of results by status.
    pub summary: Summary,
    /// One result per case, in the order of their ids.
    #[serde(serialize_with = "with_standing")]
    #[schemars(with = "Vec<Shown>")]
    pub results: Vec<CaseResult>,
    /// Reason why the run ended before all cases were judged, or could not clean up.
    pub stopped: Option<String>,
    /// The flags of the command line that change the judgement, for the `repeat:` line.
    #[serde(skip)]
    pub flags: String,
    /// Duration; in JSON in milliseconds.
    #[serde(rename = "took_ms", serialize_with = "as_ms")]
    #[schemars(with = "f64")]
    pub took: Duration,
}

/// Results by status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Summary {
    /// The promise was kept.
    pub kept: usize,
    /// Broken as recorded; or recorded as broken for some keys, ports or timings only, whether it occurred or not.
    pub known: usize,
    /// Broken, and not recorded as a deviation.
    pub broken: usize,
    /// The counts by level.
    pub broken_by_level: ByLevel,
    /// Recorded as broken, but the promise was kept.
    pub mended: usize,
    /// The case was skipped.
    pub skipped: usize,
    /// The case could not be judged.
    pub unknown: usize,
    /// Cases with an untrue answer without an error, recorded or not. A deviation that is recorded as wrong for some
    /// keys, ports or timings only counts in every run.
    pub wrong: usize,
}

/// A result in JSON.
#[derive(Serialize, JsonSchema)]
struct Shown<'a> {
    #[serde(flatten)]
    result: &'a CaseResult,
    /// Status of the result, as in all reports: `pass`, `known`, `FAIL`, `MENDED`, `skip` or `unknown`.
    standing: &'static str,
}

fn with_standing<S: Serializer>(results: &[CaseResult], out: S) -> Result<S::Ok, S::Error> {
    out.collect_seq(results.iter().map(|result| Shown {
        result,
        standing: result.status().word(),
    }))
}

/// Failures by level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct ByLevel {
    /// Clients break if the promise is broken.
    pub must: usize,
    /// Clients suffer without it.
    pub should: usize,
    /// Good to know. Never fails the run.
    pub may: usize,
}

impl ByLevel {
    /// The number of a level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        match level {
            Level::Must => self.must,
            Level::Should => self.should,
            Level::May => self.may,
        }
    }

    fn add(&mut self, level: Level) {
        *match level {
            Level::Must => &mut self.must,
            Level::Should => &mut self.should,
            Level::May => &mut self.may,
        } += 1;
    }
}

impl Judged {
    /// Counts of `results`.
    #[must_use]
    pub fn new(target: String, version: String, results: Vec<CaseResult>, took: Duration) -> Self {
        Self {
            target,
            version,
            summary: Summary::of(&results),
            results,
            stopped: None,
            flags: String::new(),
            took,
        }
    }

    /// Whether any case was judged.
    #[must_use]
    pub fn judged_any(&self) -> bool {
        let sum = &self.summary;
        sum.kept + sum.known + sum.broken + sum.mended > 0
    }

    /// Why the cases were not judged, if they were not: the run stopped, or all were skipped.
    #[must_use]
    pub fn unjudged(&self) -> Option<String> {
        if let Some(why) = &self.stopped {
            return Some(why.clone());
        }
        if self.judged_any() || self.summary.unknown > 0 {
            return None;
        }
        let skipped = self
            .results
            .iter()
            .find_map(|result| match &result.verdict {
                Verdict::Skip { reason } => Some(format!("{}: {reason}", result.case)),
                _ => None,
            });
        let count = self.summary.skipped;
        let example = skipped.unwrap_or_default();
        Some(format!(
            "nothing judged, all {count} cases were skipped, the first is {example}"
        ))
    }

    /// What names it on the command line: a proxy that already ran is called by its address.
    #[must_use]
    pub fn flag(&self) -> String {
        let flag = match self.target.parse::<SocketAddr>() {
            Ok(_) => "--proxy",
            Err(_) => "--target",
        };
        format!("{flag} {}", self.target)
    }

    /// The command that judges one case again.
    #[must_use]
    pub fn repeat(&self, case: &str, seed: &str) -> String {
        let (flag, flags) = (self.flag(), &self.flags);
        format!("shardproof run {flag} --filter {case} --seed {seed}{flags}")
    }
}

impl Summary {
    fn of(results: &[CaseResult]) -> Self {
        let mut summary = Self::default();
        for result in results {
            *match result.status() {
                Status::Kept => &mut summary.kept,
                Status::Known => &mut summary.known,
                Status::Broken => &mut summary.broken,
                Status::Mended => &mut summary.mended,
                Status::Skipped => &mut summary.skipped,
                Status::Unknown => &mut summary.unknown,
            } += 1;
            if result.status() == Status::Broken {
                summary.broken_by_level.add(result.level);
            }
            summary.wrong += usize::from(result.is_wrong());
        }
        summary
    }
}
