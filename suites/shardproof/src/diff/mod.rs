//! Two reports of the same kind, compared: failures that are fixed, new, gone or changed.
//!
//! - `read`: a JSON report as outcomes by target.
//!
//! Pure: texts in, differences out.

mod read;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use conformance::verdict::Class;

pub use read::{Error, Outcomes};

/// The differences between two reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Diff {
    /// `shardproof.diff/1`
    pub format: &'static str,
    /// Kind of both reports: `conformance`, `matrix` or `chaos`.
    pub kind: String,
    /// One entry per target, in the order of the second report; then those that only the first has.
    pub targets: Vec<Compared>,
}

/// The differences of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Compared {
    /// Target and version in the first report. None if it is not there.
    pub before: Option<Side>,
    /// The same in the second report.
    pub after: Option<Side>,
    /// Failures that pass now.
    pub fixed: Vec<Change>,
    /// Failures that passed or were not judged before.
    pub new: Vec<Change>,
    /// Failures that are not judged any more.
    pub gone: Vec<Change>,
    /// Failures that fail in another way.
    pub changed: Vec<Change>,
    /// Number of failures that are the same in both.
    pub same: usize,
}

/// A target in one report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Side {
    /// The target.
    pub target: String,
    /// Its version.
    pub version: String,
}

/// A difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// The case, the command, or `SCENARIO/LAW`.
    pub case: String,
    /// Its outcome in the first report.
    pub before: Outcome,
    /// Its outcome in the second report.
    pub after: Outcome,
    /// Whether the comparison fails by it: a new failure that counts, or one that became worse.
    pub fails: bool,
}

/// What a report says of one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It failed.
    Failed {
        /// The outcome class. None for a law of a scenario.
        class: Option<Class>,
        /// Whether its level fails the run.
        counts: bool,
    },
    /// It failed as recorded, or may fail as recorded.
    Known {
        /// The outcome class. None for a law of a scenario.
        class: Option<Class>,
    },
    /// It was skipped, or could not be judged.
    NotJudged,
    /// The report does not have it.
    Absent,
}

/// What a difference is.
enum Kind {
    Fixed,
    New,
    Gone,
    Changed {
        worse: bool,
    },
    Same,
    /// Not about a failure.
    None,
}

impl Diff {
    /// Compares two reports. Targets are compared by name; if each report has one, these two.
    ///
    /// # Errors
    /// If the reports are of different kinds.
    pub fn new(before: &Outcomes, after: &Outcomes) -> Result<Self, Error> {
        if before.kind != after.kind {
            return Err(Error::Kinds {
                before: before.kind.clone(),
                after: after.kind.clone(),
            });
        }
        let empty = BTreeMap::new();
        let mut targets = Vec::new();
        let single = before.targets.len() == 1 && after.targets.len() == 1;
        let fits = |one: &Side, other: &Side| single || one.target == other.target;
        for (side, cases) in &after.targets {
            let found = before.targets.iter().find(|(it, _)| fits(it, side));
            let (old, old_cases) = found.map_or((None, &empty), |(it, old)| (Some(it), old));
            targets.push(Compared::new((old, old_cases), (Some(side), cases)));
        }
        for (side, cases) in &before.targets {
            if !after.targets.iter().any(|(it, _)| fits(side, it)) {
                targets.push(Compared::new((Some(side), cases), (None, &empty)));
            }
        }
        Ok(Self {
            format: "shardproof.diff/1",
            kind: after.kind.clone(),
            targets,
        })
    }

    /// Whether something fails that did not fail before, or fails worse.
    #[must_use]
    pub fn fails(&self) -> bool {
        let changes = |it: &Compared| it.new.iter().chain(&it.changed).any(|change| change.fails);
        self.targets.iter().any(changes)
    }
}

type Cases = BTreeMap<String, Outcome>;

impl Compared {
    fn new(before: (Option<&Side>, &Cases), after: (Option<&Side>, &Cases)) -> Self {
        let mut compared = Self {
            before: before.0.cloned(),
            after: after.0.cloned(),
            fixed: Vec::new(),
            new: Vec::new(),
            gone: Vec::new(),
            changed: Vec::new(),
            same: 0,
        };
        let names: BTreeSet<&String> = before.1.keys().chain(after.1.keys()).collect();
        for case in names {
            let of = |cases: &Cases| cases.get(case).copied().unwrap_or(Outcome::Absent);
            compared.add(case, of(before.1), of(after.1));
        }
        compared
    }

    fn add(&mut self, case: &str, before: Outcome, after: Outcome) {
        let (list, fails) = match before.kind(after) {
            Kind::None => return,
            Kind::Same => {
                self.same += 1;
                return;
            }
            Kind::Fixed => (&mut self.fixed, false),
            Kind::New => (&mut self.new, after.counts()),
            Kind::Gone => (&mut self.gone, false),
            Kind::Changed { worse } => (&mut self.changed, worse && after.counts()),
        };
        let case = case.to_owned();
        list.push(Change {
            case,
            before,
            after,
            fails,
        });
    }
}

impl Outcome {
    fn counts(self) -> bool {
        matches!(self, Self::Failed { counts: true, .. })
    }

    fn kind(self, after: Self) -> Kind {
        use Outcome::{Absent, Failed, Known, NotJudged, Passed};
        match (self, after) {
            (Failed { class: then, .. } | Known { class: then }, Failed { class: now, .. })
                if then != now =>
            {
                Kind::Changed { worse: now > then }
            }
            (Known { class: then }, Known { class: now }) if then != now => {
                Kind::Changed { worse: false }
            }
            (Failed { .. }, Known { .. }) | (Known { .. }, Failed { .. }) => {
                Kind::Changed { worse: false }
            }
            (Failed { .. }, Failed { .. }) | (Known { .. }, Known { .. }) => Kind::Same,
            (Failed { .. } | Known { .. }, Passed) => Kind::Fixed,
            (Failed { .. } | Known { .. }, NotJudged | Absent) => Kind::Gone,
            (Passed | NotJudged | Absent, Failed { .. } | Known { .. }) => Kind::New,
            (Passed | NotJudged | Absent, Passed | NotJudged | Absent) => Kind::None,
        }
    }
}
