//! Commands as tests. Only wrong and missing answers fail; partial and closed ones are skipped tests that say so.

use std::time::Duration;

use super::{Headline, Outcome, Suite, Test};
use crate::report::summary;
use crate::report::terminal::evidence_lines;
use conformance::matrix::{Cell, Column, Matrix, Skipped};
use conformance::verdict::{Class, Known, Status};

/// One suite per target.
#[must_use]
pub fn matrix(matrix: &Matrix) -> Vec<Suite> {
    let suite = |column: &Column| Suite {
        target: column.target.clone(),
        version: column.version.clone(),
        kind: "matrix",
        sentence: summary::matrix(matrix, &column.target),
        headline: Headline {
            count: matrix.count(&column.target, Class::Wrong),
            word: "wrong",
        },
        took: None,
        tests: matrix
            .cells(&column.target)
            .map(test)
            .chain(skipped(matrix, column))
            .chain(stopped(matrix, column))
            .collect(),
    };
    matrix.targets.iter().map(suite).collect()
}

fn skipped<'a>(matrix: &'a Matrix, column: &'a Column) -> impl Iterator<Item = Test> + 'a {
    let of_target = |skipped: &&Skipped| skipped.target == column.target;
    let skipped = matrix.skipped.iter().filter(of_target);
    skipped.map(|skipped| Test {
        path: vec![skipped.target.clone(), "matrix".to_owned()],
        name: skipped.command.clone(),
        outcome: Outcome::Skipped,
        word: Status::Skipped.word(),
        level: None,
        class: None,
        message: skipped.reason.clone(),
        evidence: None,
        repeats: None,
        took: Duration::ZERO,
    })
}

fn stopped(matrix: &Matrix, column: &Column) -> Option<Test> {
    let why = matrix.stopped.as_ref()?;
    let path = vec![column.target.clone(), "matrix".to_owned()];
    Some(Test::stopped(path, why))
}

fn test(cell: &Cell) -> Test {
    let (outcome, message) = outcome(cell);
    let failed = cell
        .evidence
        .as_ref()
        .filter(|_| outcome == Outcome::Failed);
    Test {
        path: vec![cell.target.clone(), "matrix".to_owned()],
        name: cell.command.clone(),
        outcome,
        word: cell.status().word(),
        level: None,
        class: (cell.class != Class::Correct).then(|| cell.class.name()),
        message,
        evidence: failed.map(evidence_lines),
        repeats: cell.repeats.as_ref().map(|it| (it.failed, it.judged)),
        took: Duration::ZERO,
    }
}

fn outcome(cell: &Cell) -> (Outcome, String) {
    let class = cell.class.name();
    let why = cell.known.as_ref().map_or("", |known| &known.why);
    match cell.status() {
        Status::Broken if cell.counts() => {
            let message = match cell.class {
                Class::Hung => "no reply before the deadline",
                _ => "another answer than one plain Redis",
            };
            (Outcome::Failed, message.to_owned())
        }
        Status::Broken => (Outcome::Skipped, format!("FAIL (not counted), {class}")),
        Status::Mended => {
            let remedy = cell.known.as_ref().map(Known::remedy);
            (Outcome::Failed, remedy.unwrap_or_default())
        }
        Status::Known if cell.is_failure() => (Outcome::Skipped, format!("known, {class}: {why}")),
        Status::Known => {
            let message = format!("known, did not show in this run: {why}");
            (Outcome::Skipped, message)
        }
        Status::Kept | Status::Skipped | Status::Unknown => (Outcome::Passed, String::new()),
    }
}
