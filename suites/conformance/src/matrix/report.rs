//! The matrix of commands and targets: the model of every report on it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::shortage;
use crate::verdict::{Class, Evidence, Known, Repeats, Status};
use testbed::class::Ending;
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
    /// Whether the run came to its end.
    pub outcome: Ending,
    /// Reason why the run ended before all commands were judged.
    pub stopped: Option<String>,
    /// Least number of commands to judge per target. With fewer the run is not judged.
    pub min_judged: usize,
    /// Commands that this server does not have. They are not judged.
    pub unknown: Vec<String>,
    /// Commands that were not sent to a proxy, sorted by command.
    pub skipped: Vec<Skipped>,
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
    /// How the command line names it: by its name, or by the path of its file. None of a proxy that already runs.
    #[serde(skip)]
    pub argument: Option<String>,
    /// Version of the target.
    pub version: String,
}

/// A command that was not sent to a proxy that the suite did not start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Skipped {
    /// The command.
    pub command: String,
    /// The proxy.
    pub target: String,
    /// The reason.
    pub reason: String,
}

/// The commands of each reason.
pub(crate) fn by_reason(skipped: &[Skipped]) -> BTreeMap<&str, Vec<&str>> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for skipped in skipped {
        let commands = reasons.entry(&skipped.reason).or_default();
        commands.push(&skipped.command);
    }
    reasons
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
    /// The row of a baseline that accepts a failure of the command, whether it failed or not.
    pub known: Option<Known>,
    /// The outcomes of all runs, if the command was judged several times. The class is the worst of them.
    pub repeats: Option<Repeats>,
}

impl Cell {
    /// Whether the proxy neither did what the plain Redis does nor refused it.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        !matches!(self.class, Class::Correct | Class::Refused)
    }

    /// Status of this outcome. Never skipped or unknown.
    #[must_use]
    pub fn status(&self) -> Status {
        match (self.is_failure(), &self.known) {
            (true, Some(known)) if known.covers(self.class) => Status::Known,
            (true, _) => Status::Broken,
            (false, Some(known)) if known.always => Status::Mended,
            (false, Some(_)) => Status::Known,
            (false, None) => Status::Kept,
        }
    }

    /// Whether the run fails by a failure of this class: a wrong answer, or none.
    #[must_use]
    pub fn counts(&self) -> bool {
        matches!(self.class, Class::Wrong | Class::Hung)
    }

    /// Whether the run fails by this outcome.
    #[must_use]
    pub fn breaks(&self) -> bool {
        match self.status() {
            Status::Broken => self.counts(),
            Status::Mended => true,
            _ => false,
        }
    }
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

/// Commands by target and class.
fn summary(targets: &[Column], rows: &[Cell]) -> BTreeMap<String, BTreeMap<Class, usize>> {
    let none = || CLASSES.map(|class| (class, 0)).into_iter().collect();
    let mut summary: BTreeMap<String, BTreeMap<Class, usize>> = targets
        .iter()
        .map(|column| (column.target.clone(), none()))
        .collect();
    for cell in rows {
        let counts = summary.entry(cell.target.clone()).or_default();
        *counts.entry(cell.class).or_default() += 1;
    }
    summary
}

/// The worst outcome of a command, with those of all runs. The first of several equal ones. Runs are given with their
/// seeds.
fn worst(runs: Vec<(String, Cell)>) -> Option<Cell> {
    let judged = runs.len();
    let failed = runs.iter().filter(|(_, cell)| cell.is_failure()).count();
    // The last of several equal ones is the maximum.
    let (seed, mut cell) = runs.into_iter().rev().max_by_key(|(_, cell)| cell.class)?;
    cell.repeats = Some(Repeats {
        failed,
        judged,
        seed,
    });
    Some(cell)
}

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
        let summary = summary(&targets, &rows);
        rows.sort_by(|one, other| one.command.cmp(&other.command));
        Self {
            format: "shardproof.matrix/1",
            seed: format!("{seed:x}"),
            server,
            outcome: Ending::Complete,
            stopped: None,
            min_judged: 0,
            unknown,
            skipped: Vec::new(),
            targets,
            summary,
            rows,
            took_ms,
            flags: String::new(),
        }
    }

    /// The commands of a target.
    pub fn cells<'a>(&'a self, target: &'a str) -> impl Iterator<Item = &'a Cell> {
        self.rows.iter().filter(move |cell| cell.target == target)
    }

    /// Why commands were not sent to a proxy, with the commands of each reason.
    #[must_use]
    pub fn skipped_by_reason(&self) -> BTreeMap<&str, Vec<&str>> {
        by_reason(&self.skipped)
    }

    /// Why no command was judged, if none was.
    #[must_use]
    pub fn nothing(&self) -> Vec<String> {
        let (server, unknown) = (&self.server, &self.unknown);
        let unknown =
            (!unknown.is_empty()).then(|| format!("{server} does not know {}", unknown.join(", ")));
        let skipped = self.skipped_by_reason().into_iter();
        let skipped =
            skipped.map(|(reason, commands)| format!("{reason}: {}", commands.join(", ")));
        unknown.into_iter().chain(skipped).collect()
    }

    /// Why a target has too few judged commands, if it has.
    #[must_use]
    pub fn shortage(&self, target: &str) -> Option<String> {
        shortage(self.cells(target).count(), self.min_judged)
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
        let mut columns = self.targets.iter();
        let column = columns.find(|column| column.target == cell.target);
        let argument = column.and_then(|column| column.argument.as_ref());
        let (flag, subject) = match argument {
            Some(argument) => ("--target", argument),
            None => ("--proxy", &cell.target),
        };
        format!(
            "shardproof matrix {flag} {} --filter {} --seed {}{}",
            shell_quoted(subject),
            shell_quoted(&cell.command),
            cell.repeats.as_ref().map_or(&self.seed, |it| &it.seed),
            self.flags
        )
    }

    /// Whether no target gave a wrong answer or no answer, other than known ones.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        !self.rows.iter().any(Cell::breaks)
    }

    /// Several runs as one: each command with its worst outcome, and the number of runs in which it failed. None if there
    /// is no run.
    #[must_use]
    pub fn merged(runs: Vec<Self>) -> Option<Self> {
        let took_ms = runs.iter().map(|run| run.took_ms).sum();
        let stopped = runs.iter().find_map(|run| run.stopped.clone());
        let ending = runs.last().map(|run| run.outcome);
        let mut by_cell: BTreeMap<(String, String), Vec<(String, Cell)>> = BTreeMap::new();
        let mut first = None;
        for mut run in runs {
            for cell in std::mem::take(&mut run.rows) {
                let key = (cell.command.clone(), cell.target.clone());
                by_cell
                    .entry(key)
                    .or_default()
                    .push((run.seed.clone(), cell));
            }
            first.get_or_insert(run);
        }
        let mut merged = first?;
        // The order of targets is that of the command line.
        let mut rows: Vec<Cell> = by_cell.into_values().filter_map(worst).collect();
        let place = |cell: &Cell| {
            merged
                .targets
                .iter()
                .position(|it| it.target == cell.target)
        };
        rows.sort_by_key(place);
        rows.sort_by(|one, other| one.command.cmp(&other.command));
        merged.summary = summary(&merged.targets, &rows);
        merged.rows = rows;
        merged.took_ms = took_ms;
        merged.stopped = stopped;
        merged.outcome = ending.unwrap_or_default();
        Some(merged)
    }
}
