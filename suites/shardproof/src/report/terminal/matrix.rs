//! The command matrix as text: the evidence of wrong and missing answers, and two lines per target.

use std::fmt::Write;

use crate::report::summary;
use crate::report::terminal::lines;
use conformance::matrix::{CLASSES, Cell, Column, Matrix};
use conformance::verdict::{Evidence, Known, Status};

/// The whole matrix.
#[must_use]
pub fn matrix(matrix: &Matrix) -> String {
    let mut text = String::new();
    for cell in &matrix.rows {
        match (cell.status(), &cell.evidence) {
            (Status::Broken, Some(evidence)) => text.push_str(&self::evidence(cell, evidence)),
            (Status::Mended, _) => {
                let remedy = cell.known.as_ref().map_or(String::new(), Known::remedy);
                let _ = writeln!(text, "\n{} {}: {remedy}", cell.target, cell.command);
            }
            _ => {}
        }
    }
    let width = matrix
        .targets
        .iter()
        .map(|one| one.target.len() + 1 + one.version.len());
    let width = width.max().unwrap_or(0);
    let _ = write!(text, "\n{:width$}", "commands");
    for class in CLASSES {
        let _ = write!(text, "  {:>8}", class.name());
    }
    text.push('\n');
    for column in &matrix.targets {
        let _ = write!(
            text,
            "{:width$}",
            format!("{} {}", column.target, column.version)
        );
        for class in CLASSES {
            let _ = write!(text, "  {:>8}", matrix.count(&column.target, class));
        }
        text.push('\n');
    }
    for column in &matrix.targets {
        let Column {
            target, version, ..
        } = column;
        let _ = writeln!(
            text,
            "{target} {version}: {}",
            summary::classes(matrix, target)
        );
    }
    for (reason, commands) in matrix.skipped_by_reason() {
        let (count, all) = (commands.len(), commands.join(", "));
        let _ = writeln!(text, "skipped {count}: {reason}: {all}");
    }
    if matrix.server.is_empty() {
        // The run ended before the plain Redis was started.
        return text;
    }
    let _ = write!(text, "compared with {}", matrix.server);
    if !matrix.unknown.is_empty() {
        let count = matrix.unknown.len();
        let commands = if count == 1 { "command" } else { "commands" };
        let _ = write!(
            text,
            ", which does not know {count} {commands} of other servers"
        );
    }
    let _ = writeln!(text, ", {:.1} s", matrix.took_ms as f64 / 1000.0);
    for Column { target, .. } in &matrix.targets {
        let verdict = summary::verdict_on_commands(matrix, target);
        let _ = writeln!(text, "{target}: {verdict}");
    }
    text
}

fn evidence(cell: &Cell, evidence: &Evidence) -> String {
    let mut text = format!(
        "\n{} {}: {} ({})\n    expected {}\n    got      {}\n",
        cell.target,
        cell.command,
        cell.class.name(),
        evidence.at,
        evidence.expected,
        evidence.got
    );
    for line in lines(evidence) {
        let _ = writeln!(text, "      {line}");
    }
    text
}

/// Both sides of a call, as lines.
#[must_use]
pub fn evidence_lines(evidence: &Evidence) -> String {
    let Evidence {
        at, expected, got, ..
    } = evidence;
    let mut text = format!("{at}: expected {expected}\ngot {got}\n");
    for line in lines(evidence) {
        let _ = writeln!(text, "  {line}");
    }
    text
}
