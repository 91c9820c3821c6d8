//! A JSON report of `run`, `matrix` or `chaos` as outcomes by target. Reads only what the comparison needs.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Outcome, Side};
use conformance::verdict::Class;

/// Two reports cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is no report of this suite.
    #[error("{path}: {why}")]
    Text {
        /// The file.
        path: String,
        /// The mistake, with its line.
        why: String,
    },
    /// A report of another kind.
    #[error(
        "{path}: format `{found}`, expected shardproof.conformance/1, shardproof.matrix/1 or shardproof.chaos/1"
    )]
    Format {
        /// The file.
        path: String,
        /// Its format.
        found: String,
    },
    /// Reports of different kinds.
    #[error("reports of kind {before} and {after}, expected two of the same kind")]
    Kinds {
        /// Of the first report.
        before: String,
        /// Of the second report.
        after: String,
    },
}

/// The outcomes of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcomes {
    /// The kind of the report.
    pub kind: String,
    /// By target, in the order of the report.
    pub targets: Vec<(Side, BTreeMap<String, Outcome>)>,
}

#[derive(Deserialize)]
struct Head {
    format: String,
}

#[derive(Deserialize)]
struct Conformance {
    counted: Vec<String>,
    targets: Vec<Judged>,
}

#[derive(Deserialize)]
struct Judged {
    target: String,
    version: String,
    results: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    case: String,
    level: String,
    standing: String,
    class: Option<Class>,
    deviation: Option<Known>,
}

#[derive(Deserialize)]
struct Known {
    always: bool,
    class: Option<Class>,
}

#[derive(Deserialize)]
struct Matrix {
    targets: Vec<Column>,
    rows: Vec<Cell>,
}

#[derive(Deserialize)]
struct Column {
    target: String,
    version: String,
}

#[derive(Deserialize)]
struct Cell {
    command: String,
    target: String,
    class: Class,
    known: Option<Known>,
}

#[derive(Deserialize)]
struct Chaos {
    strict: bool,
    targets: Vec<Stressed>,
}

#[derive(Deserialize)]
struct Stressed {
    target: String,
    version: String,
    scenarios: Vec<Scenario>,
}

#[derive(Deserialize)]
struct Scenario {
    scenario: String,
    laws: Vec<Law>,
}

#[derive(Deserialize)]
struct Law {
    law: String,
    optional: bool,
    verdict: String,
}

impl Outcomes {
    /// Reads a report.
    ///
    /// # Errors
    /// If it is no report of `run`, `matrix` or `chaos`.
    pub fn parse(path: &str, text: &str) -> Result<Self, Error> {
        let wrong = |why: serde_json::Error| Error::Text {
            path: path.to_owned(),
            why: why.to_string(),
        };
        let Head { format } = serde_json::from_str(text).map_err(wrong)?;
        let (kind, targets) = match format.as_str() {
            "shardproof.conformance/1" => {
                let read: Conformance = serde_json::from_str(text).map_err(wrong)?;
                ("conformance", read.outcomes())
            }
            "shardproof.matrix/1" => {
                let read: Matrix = serde_json::from_str(text).map_err(wrong)?;
                ("matrix", read.outcomes())
            }
            "shardproof.chaos/1" => {
                let read: Chaos = serde_json::from_str(text).map_err(wrong)?;
                ("chaos", read.outcomes())
            }
            _ => {
                let (path, found) = (path.to_owned(), format);
                return Err(Error::Format { path, found });
            }
        };
        let kind = kind.to_owned();
        Ok(Self { kind, targets })
    }
}

type Targets = Vec<(Side, BTreeMap<String, Outcome>)>;

impl Conformance {
    fn outcomes(self) -> Targets {
        let counted = self.counted;
        let of = |judged: Judged| {
            let Judged {
                target,
                version,
                results,
            } = judged;
            let cases = results.into_iter().map(|case| {
                let outcome = case.outcome(counted.contains(&case.level));
                (case.case, outcome)
            });
            (Side { target, version }, cases.collect())
        };
        self.targets.into_iter().map(of).collect()
    }
}

impl Case {
    fn outcome(&self, counts: bool) -> Outcome {
        let class = self.class;
        match self.standing.as_str() {
            "pass" | "MENDED" => Outcome::Passed,
            "FAIL" => Outcome::Failed { class, counts },
            // One that may pass is the same whether it shows or not.
            "known" => match &self.deviation {
                Some(known) if !known.always => Outcome::Known { class: known.class },
                _ => Outcome::Known { class },
            },
            _ => Outcome::NotJudged,
        }
    }
}

impl Matrix {
    fn outcomes(self) -> Targets {
        let mut targets: Targets = self
            .targets
            .into_iter()
            .map(|Column { target, version }| (Side { target, version }, BTreeMap::new()))
            .collect();
        for cell in self.rows {
            let outcome = cell.outcome();
            let found = targets.iter_mut().find(|(it, _)| it.target == cell.target);
            if let Some((_, cases)) = found {
                cases.insert(cell.command, outcome);
            }
        }
        targets
    }
}

impl Cell {
    fn outcome(&self) -> Outcome {
        let class = Some(self.class);
        let failed = !matches!(self.class, Class::Correct | Class::Refused);
        match (&self.known, failed) {
            (Some(known), _) if !known.always && class <= known.class => {
                Outcome::Known { class: known.class }
            }
            (Some(known), true) if class <= known.class => Outcome::Known { class },
            (_, true) => Outcome::Failed {
                class,
                counts: matches!(self.class, Class::Wrong | Class::Hung),
            },
            (_, false) => Outcome::Passed,
        }
    }
}

impl Chaos {
    fn outcomes(self) -> Targets {
        let strict = self.strict;
        let of = |stressed: Stressed| {
            let Stressed {
                target,
                version,
                scenarios,
            } = stressed;
            let mut cases: BTreeMap<String, Outcome> = BTreeMap::new();
            for scenario in scenarios {
                for law in scenario.laws {
                    let name = format!("{}/{}", scenario.scenario, law.law);
                    let outcome = law.outcome(strict);
                    let worst = cases.entry(name).or_insert(outcome);
                    if rank(outcome) > rank(*worst) {
                        *worst = outcome;
                    }
                }
            }
            (Side { target, version }, cases)
        };
        self.targets.into_iter().map(of).collect()
    }
}

impl Law {
    fn outcome(&self, strict: bool) -> Outcome {
        let class = None;
        match self.verdict.as_str() {
            "kept" | "mended" => Outcome::Passed,
            "known" => Outcome::Known { class },
            "broken" => Outcome::Failed {
                class,
                counts: !self.optional || strict,
            },
            _ => Outcome::NotJudged,
        }
    }
}

/// The worst of several runs counts.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Absent => 0,
        Outcome::NotJudged => 1,
        Outcome::Passed => 2,
        Outcome::Known { .. } => 3,
        Outcome::Failed { .. } => 4,
    }
}
