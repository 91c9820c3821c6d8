//! The result of a chaos run, as data for every format: verdicts, coverage, and a timeline of what clients saw.
//!
//! - `stressed`: all scenarios of a run, by target.
//! - `timeline`: requests, latencies and errors by bins of time. `recovery`: how long healed nodes stayed unserved.
//! - `ledger`: where acknowledged keys ended. `proxies`: the same for each of several proxies. `evidence`, `messages`: the records that prove a violation, as
//!   lines and as messages.
//! - `shrunk`: what a failing run was cut down to.
//! - `hgrm`: latencies as HdrHistogram's tools read them.
//!
//! Pure: built from a [`Run`] and verdicts, and never judges itself.

mod evidence;
mod hgrm;
mod ledger;
mod messages;
mod proxies;
mod recovery;
mod shrunk;
mod stressed;
#[cfg(test)]
mod tests;
mod timeline;

use schemars::JsonSchema;
use serde::Serialize;

use crate::run::Run;
use crate::scenario::{Cover, Scenario};

pub use evidence::lines as evidence_lines;
pub use hgrm::write as write_hgrm;
pub use ledger::KeyCounts;
pub use messages::{Message, Way, messages};
pub use proxies::{DifferingKey, ProxiesReport, ProxyKeys};
pub use recovery::Recovery;
pub use shrunk::{CaseFile, Ended, Shrunk, Smallest};
pub use stressed::{Cell, Chaos, Row, Stressed};
pub use timeline::{Bin, Latency, ResourceSample, Timeline, WindowReport};

/// One scenario on one target.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ScenarioReport {
    /// The stem of its file.
    pub scenario: String,
    /// What it shows, in one sentence.
    pub shows: String,
    /// Where it comes from: an issue, a paper or a specification.
    pub source: Option<String>,
    /// The worst of its laws.
    pub verdict: Verdict,
    /// Why it was skipped, or could not be judged as a whole.
    pub why: Option<String>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The command that repeats it.
    pub repeat: String,
    /// What every law says.
    pub laws: Vec<LawReport>,
    /// What every coverage condition says.
    pub coverage: Vec<CoverageReport>,
    /// The events of the run. None if it was not run.
    pub observed: Option<Summary>,
    /// What it was cut down to. None if it did not fail, or was not to be.
    pub shrunk: Option<Shrunk>,
}

/// A verdict on a scenario or a law, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It did not run: the target does not have what it needs.
    Skipped,
    /// The law holds.
    Kept,
    /// The law is broken, as recorded for the target.
    Known,
    /// It could not be judged.
    Unknown,
    /// The law holds, but a violation is recorded that occurs in every run.
    Mended,
    /// The law is broken.
    Broken,
}

impl Verdict {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Kept => "kept",
            Self::Known => "known",
            Self::Unknown => "unknown",
            Self::Mended => "mended",
            Self::Broken => "broken",
        }
    }
}

/// What a law says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LawReport {
    /// Its name.
    pub law: String,
    /// What it promises.
    pub promise: String,
    /// Where it comes from.
    pub source: String,
    /// Whether its violation fails the run only with `--strict`.
    pub optional: bool,
    /// Whether it holds.
    pub verdict: Verdict,
    /// The evidence for it, the first violation, or the reason why nothing could be judged.
    pub sentence: String,
    /// Violations in the run.
    pub violations: usize,
    /// The records that prove the first violation, as lines.
    pub evidence: Vec<String>,
    /// The same records as messages, in the order of time.
    pub messages: Vec<Message>,
    /// Why a violation is recorded for the target.
    pub known: Option<KnownViolation>,
}

/// A recorded violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KnownViolation {
    /// What the target does instead.
    pub why: String,
    /// The version that was seen doing it.
    pub seen: String,
    /// Where others met it.
    pub link: Option<String>,
    /// Location of the row in the baseline, `file:line`. None for a deviation of the target.
    pub row: Option<String>,
}

impl KnownViolation {
    /// What to do if it no longer occurs.
    #[must_use]
    pub fn remedy(&self) -> String {
        match &self.row {
            Some(row) => {
                format!("a known failure passed: remove its row, {row}, or use --write-baseline")
            }
            None => "a recorded violation no longer occurs: remove its row".to_owned(),
        }
    }
}

/// What a coverage condition says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CoverageReport {
    /// Its name.
    pub condition: String,
    /// Whether it holds.
    pub holds: bool,
    /// The count, and the least that is expected.
    pub found: String,
}

/// What happened in a run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// Requests in all.
    pub requests: u64,
    /// Requests that were executed and answered.
    pub ok: u64,
    /// Requests that were certainly not executed.
    pub failed: u64,
    /// Requests of which the client does not know whether they were executed.
    pub indefinite: u64,
    /// Latency of all answered requests.
    pub latency: Latency,
    /// The same by time, with rates, errors and faults.
    pub timeline: Timeline,
    /// For each healed fault of a node, how long the node stayed unserved.
    pub recoveries: Vec<Recovery>,
    /// Where acknowledged keys ended.
    pub keys: KeyCounts,
    /// What each of several proxies found. None if there was one.
    pub proxies: Option<ProxiesReport>,
}

impl CoverageReport {
    /// What a condition says of a run.
    #[must_use]
    pub fn new(cover: Cover, run: &Run) -> Self {
        let (condition, at_least) = (cover.condition, cover.at_least);
        let counted = condition.count(&run.observed);
        Self {
            condition: condition.id().to_owned(),
            holds: counted >= at_least,
            found: format!(
                "{counted} {}, at least {at_least} expected",
                condition.counts()
            ),
        }
    }
}

impl ScenarioReport {
    /// A scenario that did not run, or could not be judged as a whole.
    #[must_use]
    pub fn without_run(scenario: &Scenario, verdict: Verdict, why: String) -> Self {
        Self {
            scenario: scenario.id.clone(),
            shows: scenario.shows.clone(),
            source: scenario.source.clone(),
            verdict,
            why: Some(why),
            took_ms: 0,
            repeat: String::new(),
            laws: Vec::new(),
            coverage: Vec::new(),
            observed: None,
            shrunk: None,
        }
    }

    /// Makes the verdict the worst of its laws again, after a change of one.
    pub fn weigh(&mut self) {
        if let Some(worst) = self.laws.iter().map(|law| law.verdict).max() {
            self.verdict = worst;
        }
    }

    /// The laws that it broke and that fail the run. `strict`: optional ones too.
    #[must_use]
    pub fn failing_laws(&self, strict: bool) -> Vec<String> {
        let counts = |law: &&LawReport| law.verdict == Verdict::Broken && (!law.optional || strict);
        let laws = self.laws.iter().filter(counts);
        laws.map(|law| law.law.clone()).collect()
    }

    /// A scenario that ran. Where a coverage condition does not hold, nothing is kept for certain.
    #[must_use]
    pub fn new(
        scenario: &Scenario,
        run: &Run,
        mut laws: Vec<LawReport>,
        coverage: Vec<CoverageReport>,
    ) -> Self {
        let uncovered: Vec<String> = coverage
            .iter()
            .filter(|condition| !condition.holds)
            .map(|condition| format!("{}: {}", condition.condition, condition.found))
            .collect();
        if !uncovered.is_empty() {
            let kept = laws.iter_mut().filter(|law| law.verdict == Verdict::Kept);
            kept.for_each(|law| {
                law.verdict = Verdict::Unknown;
                law.sentence = format!("the run lacks {}", uncovered.join("; "));
            });
        }
        let worst = laws.iter().map(|law| law.verdict).max();
        Self {
            verdict: worst.unwrap_or(Verdict::Unknown),
            why: (!uncovered.is_empty()).then(|| uncovered.join("; ")),
            laws,
            coverage,
            observed: Some(Summary::new(run)),
            ..Self::without_run(scenario, Verdict::Unknown, String::new())
        }
    }
}

impl Summary {
    /// What happened in a run.
    #[must_use]
    pub fn new(run: &Run) -> Self {
        use crate::history::Completion;
        let records = &run.observed.history.records;
        let count = |completion| {
            let of_kind = records
                .iter()
                .filter(|record| record.completion == completion);
            of_kind.count() as u64
        };
        Self {
            requests: records.len() as u64,
            ok: count(Completion::Ok),
            failed: count(Completion::Failed),
            indefinite: count(Completion::Indefinite),
            latency: Latency::of(&timeline::latencies(run)),
            timeline: Timeline::new(run),
            recoveries: recovery::recoveries(&run.observed),
            keys: KeyCounts::new(&run.observed),
            proxies: ProxiesReport::new(&run.observed),
        }
    }
}
