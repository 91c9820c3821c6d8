//! Baselines: the failures of a proxy that its author has accepted, one row each, so that a run fails only on others.
//!
//! - `file`: the text of a baseline, and its mistakes.
//! - `conformance`, `matrix`, `chaos`: the outcomes of a run, and the marks of known failures in its report.
//!
//! Pure: texts and reports in, rows and marks out. A baseline never hides a result: reports show known failures as such.

mod chaos;
mod conformance;
mod file;
mod matrix;

use std::collections::BTreeMap;

use ::conformance::verdict::{Class, Known};
use testbed::targets::Occurs;

pub use file::Error;

/// The command whose failures a baseline lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// `run`: its rows are cases, with an outcome class.
    Run,
    /// `matrix`: its rows are commands, with an outcome class.
    Matrix,
    /// `chaos`: its rows are `SCENARIO/LAW`, with a verdict.
    Chaos,
}

impl Command {
    /// The subcommand.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Matrix => "matrix",
            Self::Chaos => "chaos",
        }
    }
}

/// The versions with which failures were seen.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// Of shardproof.
    pub suite: String,
    /// Of the proxy.
    pub proxy: String,
    /// Name and version of the nodes' server program.
    pub server: String,
}

impl Versions {
    /// Versions seen by this program.
    #[must_use]
    pub fn new(proxy: &str, server: &str) -> Self {
        Self {
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            proxy: proxy.to_owned(),
            server: server.to_owned(),
        }
    }
}

/// The known failures of one proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Baseline {
    /// Its file, for messages.
    pub path: String,
    /// The command whose failures they are.
    pub command: Command,
    /// The proxy.
    pub target: String,
    /// The versions of the run that wrote it.
    pub versions: Versions,
    /// The rows, in the order of the file.
    pub rows: Vec<Row>,
}

/// One known failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What failed: a case, a command, or a law of a scenario.
    pub case: String,
    /// The worst outcome. None in `chaos`, where a law is broken or not.
    pub class: Option<Class>,
    /// In how many runs, as `12 of 20`.
    pub seen: String,
    /// Whether it occurs in every run. If not, it may pass.
    pub occurs: Occurs,
    /// The reason, by the author of the proxy.
    pub why: Option<String>,
    /// Link to a report of it.
    pub link: Option<String>,
    /// Its line in the file; 0 before it is written.
    pub line: usize,
}

/// What happened to one case in all runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The case, command, or law of a scenario.
    pub case: String,
    /// Runs in which it failed.
    pub failed: usize,
    /// Runs in which it was judged.
    pub judged: usize,
    /// The worst outcome class. None in `chaos`.
    pub class: Option<Class>,
}

impl Baseline {
    /// The known failures after a run. `old` is what the file had before: its rows of cases that were not judged stay, and
    /// so do its reasons, and what it knows of failures that do not occur in every run.
    #[must_use]
    pub fn after(
        (path, command, target): (&str, Command, &str),
        versions: Versions,
        outcomes: &[Outcome],
        old: Option<&Self>,
    ) -> Self {
        let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
        let old_rows = old.map_or(&[][..], |old| &old.rows);
        for row in old_rows {
            rows.insert(&row.case, row.clone());
        }
        for outcome in outcomes.iter().filter(|outcome| outcome.judged > 0) {
            match outcome.row(rows.remove(outcome.case.as_str())) {
                Some(row) => rows.insert(&outcome.case, row),
                None => None,
            };
        }
        Self {
            path: path.to_owned(),
            command,
            target: target.to_owned(),
            versions,
            rows: rows.into_values().collect(),
        }
    }

    /// The rows of failures that `exists` does not know, as one line each.
    #[must_use]
    pub fn unknown(&self, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
        let rows = self.rows.iter().filter(|row| !exists(&row.case));
        rows.map(|row| {
            let (at, case) = (self.at(row), &row.case);
            format!("{at}: `{case}` is not in this suite: remove the row or correct the name")
        })
        .collect()
    }

    /// How the versions of a run differ from those of the baseline, one line each.
    #[must_use]
    pub fn differences(&self, now: &Versions) -> Vec<String> {
        let then = &self.versions;
        [
            ("shardproof", &then.suite, &now.suite),
            (self.target.as_str(), &then.proxy, &now.proxy),
            ("nodes of", &then.server, &now.server),
        ]
        .into_iter()
        .filter(|(_, then, now)| then != now)
        .map(|(name, then, now)| {
            let path = &self.path;
            format!("{path} was written with {name} {then}, this is {now}")
        })
        .collect()
    }

    fn row(&self, case: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.case == case)
    }

    fn at(&self, row: &Row) -> String {
        format!("{}:{}", self.path, row.line)
    }

    fn why(&self, row: &Row) -> String {
        let accepted = || format!("accepted in {}", self.path);
        row.why.clone().unwrap_or_else(accepted)
    }

    /// The row of a case as reports show it.
    fn known(&self, case: &str) -> Option<Known> {
        let row = self.row(case)?;
        Some(Known {
            why: self.why(row),
            seen: row.seen.clone(),
            always: row.occurs == Occurs::Always,
            class: row.class,
            link: row.link.clone(),
            row: Some(self.at(row)),
        })
    }
}

impl Outcome {
    /// The row of it, if there is to be one.
    fn row(&self, old: Option<Row>) -> Option<Row> {
        let Self {
            case,
            failed,
            judged,
            class,
        } = self;
        let was_rare = old
            .as_ref()
            .is_some_and(|row| row.occurs == Occurs::ByPlacement);
        if *failed == 0 {
            return old.filter(|_| was_rare);
        }
        let rare = was_rare || failed < judged;
        let class = match (was_rare, &old) {
            (true, Some(old)) => *class.max(&old.class),
            _ => *class,
        };
        Some(Row {
            case: case.clone(),
            class,
            seen: format!("{failed} of {judged}"),
            occurs: if rare {
                Occurs::ByPlacement
            } else {
                Occurs::Always
            },
            why: old.as_ref().and_then(|row| row.why.clone()),
            link: old.and_then(|row| row.link),
            line: 0,
        })
    }
}

#[cfg(test)]
mod tests;
