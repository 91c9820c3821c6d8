//! The matrix of commands and targets: the model of every report on it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::verdict::{Class, Evidence};
use testbed::text::shell_quoted;

/// Every command on every target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Matrix {
    /// `shardproof.matrix/1`
    pub format: &'static str,
    /// Seed that repeats the run.
    pub seed: String,
    /// One entry per target, in the order of the command line.
    pub targets: Vec<Column>,
    /// Server program of the nodes and of the plain Redis, such as `redis 7.0.15`.
    pub server: String,
    /// Commands that this server does not have. They are not judged.
    pub unknown: Vec<String>,
    /// Number of commands by target and class.
    pub summary: BTreeMap<String, BTreeMap<Class, usize>>,
    /// One entry per command and target, sorted by command.
    pub rows: Vec<Cell>,
    /// Duration in milliseconds.
    pub took_ms: u64,
    /// The flags of the command line that change the judgement, for the `repeat:` line.
    #[serde(skip)]
    pub flags: String,
}

/// A target of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Column {
    /// Name of the target.
    pub target: String,
    /// Version of the target.
    pub version: String,
}

/// Outcome of one command on one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cell {
    /// The command, such as `GET` or `OBJECT|ENCODING`.
    pub command: String,
    /// The target.
    pub target: String,
    /// The worst outcome of its calls. Refusals of some of the calls, and of keys on several nodes, do not count.
    pub class: Class,
    /// Number of calls, by keys on one node and on several.
    pub calls: usize,
    /// Number of refused calls.
    pub refused: usize,
    /// Evidence of the worst call, unless the class is `correct`.
    pub evidence: Option<Evidence>,
}

/// The outcome classes of a matrix, from best to worst. `misrouted` is missing, because a matrix checks the data of
/// nodes, not the requests to them.
pub const CLASSES: [Class; 6] = [
    Class::Correct,
    Class::Refused,
    Class::Closed,
    Class::Partial,
    Class::Hung,
    Class::Wrong,
];

impl Matrix {
    /// A matrix of judged commands, and the commands that the server does not have.
    #[must_use]
    pub fn new(
        seed: u64,
        (server, unknown): (String, Vec<String>),
        targets: Vec<Column>,
        mut rows: Vec<Cell>,
        took_ms: u64,
    ) -> Self {
        let none = || CLASSES.map(|class| (class, 0)).into_iter().collect();
        let mut summary: BTreeMap<String, BTreeMap<Class, usize>> = targets
            .iter()
            .map(|column| (column.target.clone(), none()))
            .collect();
        for cell in &rows {
            let counts = summary.entry(cell.target.clone()).or_default();
            *counts.entry(cell.class).or_default() += 1;
        }
        rows.sort_by(|one, other| one.command.cmp(&other.command));
        Self {
            format: "shardproof.matrix/1",
            seed: format!("{seed:x}"),
            server,
            unknown,
            targets,
            summary,
            rows,
            took_ms,
            flags: String::new(),
        }
    }

    /// The number of commands of a class on a target.
    #[must_use]
    pub fn count(&self, target: &str, class: Class) -> usize {
        let counts = self.summary.get(target);
        counts
            .and_then(|counts| counts.get(&class))
            .copied()
            .unwrap_or(0)
    }

    /// The command that judges a command of a target again.
    #[must_use]
    pub fn repeat(&self, cell: &Cell) -> String {
        format!(
            "shardproof matrix --target {} --filter {} --seed {}{}",
            cell.target,
            shell_quoted(&cell.command),
            self.seed,
            self.flags
        )
    }

    /// Whether no target gave a wrong answer or no answer.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        !self
            .rows
            .iter()
            .any(|cell| matches!(cell.class, Class::Wrong | Class::Hung))
    }
}
