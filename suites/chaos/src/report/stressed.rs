//! A run of scenarios on one or more targets.

use schemars::JsonSchema;
use serde::Serialize;

use super::{LawReport, ScenarioReport, Verdict};

/// One run of scenarios on one or more targets.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Chaos {
    /// `shardproof.chaos/1`
    pub format: String,
    /// Seed that repeats the run, in hexadecimal digits.
    pub seed: String,
    /// Whether violations of laws that are optional fail the run.
    pub strict: bool,
    /// One entry per target, in the order asked for.
    pub targets: Vec<Stressed>,
}

/// All scenarios on one target.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Stressed {
    /// The target.
    pub target: String,
    /// Its version.
    pub version: String,
    /// In the order of their runs.
    pub scenarios: Vec<ScenarioReport>,
}

impl Chaos {
    /// All targets of a run.
    #[must_use]
    pub fn new(seed: u64, strict: bool, targets: Vec<Stressed>) -> Self {
        Self {
            format: "shardproof.chaos/1".to_owned(),
            seed: format!("{seed:x}"),
            strict,
            targets,
        }
    }

    /// Every law on every scenario of every target.
    pub fn laws(&self) -> impl Iterator<Item = &LawReport> {
        let scenarios = self.targets.iter().flat_map(|target| &target.scenarios);
        scenarios.flat_map(|scenario| &scenario.laws)
    }

    /// Whether anything broke that counts.
    #[must_use]
    pub fn breaks(&self) -> bool {
        self.laws().any(|law| match law.verdict {
            Verdict::Broken => !law.optional || self.strict,
            Verdict::Mended => true,
            _ => false,
        })
    }
}
