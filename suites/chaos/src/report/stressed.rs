//! A run of scenarios on one or more targets.

use schemars::JsonSchema;
use serde::Serialize;
use testbed::class::Ending;

use super::{LawReport, ScenarioReport, Verdict};

/// One run of scenarios on one or more targets.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Chaos {
    /// `shardproof.chaos/1`
    pub format: String,
    /// Seed that repeats the run, in hexadecimal digits.
    pub seed: String,
    /// Whether the run came to its end.
    pub outcome: Ending,
    /// Whether violations of laws that are optional fail the run.
    pub strict: bool,
    /// Least number of scenarios to judge per target. With fewer the run is not judged.
    pub min_judged: usize,
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
    /// Server program of the nodes, such as `redis 7.0.15`, if known.
    pub server: String,
    /// In the order of their runs.
    pub scenarios: Vec<ScenarioReport>,
}

impl Stressed {
    /// Number of runs that were judged.
    #[must_use]
    pub fn judged(&self) -> usize {
        let open =
            |run: &&ScenarioReport| !matches!(run.verdict, Verdict::Skipped | Verdict::Unknown);
        self.scenarios.iter().filter(open).count()
    }
}

/// A scenario on every target: a row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// Its name.
    pub scenario: &'a str,
    /// What it shows.
    pub shows: &'a str,
    /// One entry per target, in their order. None where it was not asked for.
    pub cells: Vec<Option<Cell>>,
}

/// All runs of a scenario on a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// The worst verdict.
    pub verdict: Verdict,
    /// The first run with it, by its number among the runs of the scenario, from 0.
    pub run: usize,
    /// How long the longest run took, in milliseconds.
    pub took_ms: u64,
}

impl Cell {
    fn of(scenario: &str, target: &Stressed) -> Option<Self> {
        let runs = || {
            target
                .scenarios
                .iter()
                .filter(|run| run.scenario == scenario)
        };
        let verdict = runs().map(|run| run.verdict).max()?;
        Some(Self {
            verdict,
            run: runs().position(|run| run.verdict == verdict)?,
            took_ms: runs().map(|run| run.took_ms).max()?,
        })
    }
}

impl Chaos {
    /// Every scenario on every target, in the order of the runs.
    #[must_use]
    pub fn rows(&self) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for run in self.targets.iter().flat_map(|target| &target.scenarios) {
            if rows.iter().all(|row| row.scenario != run.scenario) {
                let targets = self.targets.iter();
                rows.push(Row {
                    scenario: &run.scenario,
                    shows: &run.shows,
                    cells: targets
                        .map(|target| Cell::of(&run.scenario, target))
                        .collect(),
                });
            }
        }
        rows
    }

    /// All targets of a run.
    #[must_use]
    pub fn new(seed: u64, strict: bool, targets: Vec<Stressed>) -> Self {
        Self {
            format: "shardproof.chaos/1".to_owned(),
            seed: format!("{seed:x}"),
            outcome: Ending::Complete,
            strict,
            min_judged: 0,
            targets,
        }
    }

    /// The same if at least `min_judged` scenarios per target must be judged.
    #[must_use]
    pub fn requiring(self, min_judged: usize) -> Self {
        Self { min_judged, ..self }
    }

    /// Why a target has too few judged scenarios, if it has.
    #[must_use]
    pub fn shortage(&self, target: &Stressed) -> Option<String> {
        let (judged, least) = (target.judged(), self.min_judged);
        (judged < least).then(|| format!("{judged} judged, expected at least {least}"))
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
