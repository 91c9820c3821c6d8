//! Judged runs as suites of tests: the input of the formats for CI servers, which know no promises.
//!
//! - `conformance`, `matrix`, `chaos`: one per kind of run.

mod chaos;
mod conformance;
mod matrix;

use std::time::Duration;

pub use chaos::chaos;
pub use conformance::conformance;
pub use matrix::matrix;

/// All tests of one proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suite {
    /// The proxy.
    pub target: String,
    /// Its version.
    pub version: String,
    /// The kind of tests in the name of the suite; empty for cases.
    pub kind: &'static str,
    /// The result in one sentence, as in all reports.
    pub sentence: String,
    /// The headline count.
    pub headline: Headline,
    /// Duration of the run, if the report knows it.
    pub took: Option<Duration>,
    /// The tests, in the order of the report.
    pub tests: Vec<Test>,
}

/// The number that a report leads with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Headline {
    /// The count.
    pub count: usize,
    /// The counted thing, as `wrong`.
    pub word: &'static str,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Target and group, from the outermost.
    pub path: Vec<String>,
    /// Its name in the group.
    pub name: String,
    /// The outcome for CI servers.
    pub outcome: Outcome,
    /// The word of the outcome in all other reports, as `known`.
    pub word: &'static str,
    /// Level of the promise, if it has one.
    pub level: Option<&'static str>,
    /// Outcome class, if it failed with one.
    pub class: Option<&'static str>,
    /// The reason in one line; empty if it passed.
    pub message: String,
    /// The evidence of a failure.
    pub evidence: Option<String>,
    /// Failures and judged runs, if there were several runs.
    pub repeats: Option<(usize, usize)>,
    /// Duration.
    pub took: Duration,
}

/// The outcome of a test for CI servers, which fail a build by failures and errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed, and the run fails by it.
    Failed,
    /// It was skipped, or failed in a way that does not count. The message says which.
    Skipped,
    /// It could not be judged.
    Unjudged,
}

impl Test {
    /// The run itself, which ended before all was judged.
    fn stopped(path: Vec<String>, why: &str) -> Self {
        Self {
            path,
            name: "run".to_owned(),
            outcome: Outcome::Unjudged,
            word: "unknown",
            level: None,
            class: None,
            message: why.to_owned(),
            evidence: None,
            repeats: None,
            took: Duration::ZERO,
        }
    }
}

impl Suite {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        match self.kind {
            "" => self.target.clone(),
            kind => format!("{} {kind}", self.target),
        }
    }
}
