//! Conformance results as text: a tree of cases, the evidence below broken cases, and a summary of the targets.

use std::fmt::Write;

use super::table::table;
use crate::evidence::evidence;
use crate::report::summary::{results, verdict, wrong};
use conformance::report::{Conformance, Judged};
use conformance::verdict::{Result as CaseResult, Status, Verdict};

/// Which results of a target are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Broken and undecided cases, and one line per group of known deviations.
    Failures,
    /// Every case.
    All,
}

/// One target: its cases by group, with the evidence of failures.
#[must_use]
pub fn target(judged: &Judged, seed: u64, shown: Shown) -> String {
    let mut text = format!("\n{} {}\n", judged.target, judged.version);
    let group = |result: &CaseResult| split(result).0.to_owned();
    for results in judged.results.chunk_by(|a, b| group(a) == group(b)) {
        let lines = match shown {
            Shown::All => results
                .iter()
                .map(|result| line(judged, result, seed))
                .collect(),
            Shown::Failures => failures(judged, results, seed),
        };
        if !lines.is_empty() {
            let _ = writeln!(text, "  {}", split(&results[0]).0);
            text.push_str(&lines);
        }
    }
    text
}

/// The results of a group that need attention, and one line for its known deviations.
fn failures(judged: &Judged, results: &[CaseResult], seed: u64) -> String {
    let mut text = String::new();
    let mut known = Vec::new();
    for result in results {
        match result.status() {
            Status::Kept | Status::Skipped => {}
            // One reason, in the summary.
            Status::Unknown if result.is_left_out() => {}
            Status::Known => known.push(split(result).1),
            Status::Broken | Status::Mended | Status::Unknown => {
                text.push_str(&line(judged, result, seed));
            }
        }
    }
    if !known.is_empty() {
        let word = Status::Known.word();
        let _ = writeln!(text, "    {word:<7} {}: {}", known.len(), known.join(", "));
    }
    text
}

/// One case, with the evidence if it is broken.
fn line(judged: &Judged, result: &CaseResult, seed: u64) -> String {
    let (word, name) = (result.status().word(), split(result).1);
    let mut text = format!("    {word:<7} {name}{}\n", remark(result));
    if let (Verdict::Fail(found), Status::Broken) = (&result.verdict, result.status()) {
        text.push_str(&self::evidence(result, found));
        let repeat = judged.repeat(result, &format!("{seed:x}"));
        let _ = writeln!(text, "            repeat: {repeat}");
    }
    text
}

/// The group of a case and its name there.
fn split(result: &CaseResult) -> (&str, &str) {
    result.case.split_once('/').unwrap_or(("", &result.case))
}

/// One line for a broken or undecided case, to show during the run.
#[must_use]
pub fn failed(result: &CaseResult) -> Option<String> {
    let word = result.status().word();
    match result.status() {
        Status::Kept | Status::Known | Status::Skipped => None,
        Status::Broken | Status::Mended | Status::Unknown => {
            Some(format!("{word:<7} {}{}", result.case, remark(result)))
        }
    }
}

/// Two lines per target below a list of its failures, the verdict last; then, for several targets, a table of the counts.
#[must_use]
pub fn summary(report: &Conformance) -> String {
    let mut text = String::from("\n");
    for judged in &report.targets {
        if let Some(why) = &judged.stopped {
            let _ = writeln!(text, "{}: stopped: {why}", judged.target);
        }
        let failures = failures_of(judged);
        if !failures.is_empty() {
            let _ = write!(text, "{}: failures:\n{failures}", judged.target);
        }
        let Judged {
            target,
            version,
            summary,
            took,
            ..
        } = judged;
        let (results, wrong) = (results(summary), wrong(summary));
        let took = took.as_secs_f64();
        let _ = writeln!(text, "{target} {version}: {results}; {wrong} ({took:.1} s)");
        let (_, verdict) = verdict(report, judged);
        let _ = writeln!(text, "{target}: {verdict}");
    }
    if report.targets.len() > 1 {
        let _ = write!(text, "\n{}", counts(&report.targets));
    }
    text
}

/// One line per broken or undecided case.
fn failures_of(judged: &Judged) -> String {
    let judged = judged.results.iter().filter(|result| !result.is_left_out());
    let lines = judged.filter_map(failed);
    lines.map(|line| format!("    {line}\n")).collect()
}

/// The counts of each target.
fn counts(targets: &[Judged]) -> String {
    let head = [
        "proxy",
        "kept",
        "broken",
        "known",
        "skipped",
        "silently wrong",
    ];
    let rows = targets.iter().map(|judged| {
        let Judged {
            target,
            version,
            summary,
            ..
        } = judged;
        let counts = [
            summary.kept,
            summary.broken,
            summary.known,
            summary.skipped,
            summary.wrong,
        ];
        let counts = counts.iter().map(ToString::to_string);
        std::iter::once(format!("{target} {version}"))
            .chain(counts)
            .collect()
    });
    table(&head, rows, 1)
}

/// How often it failed, if that was not in every run.
fn repeats(result: &CaseResult) -> String {
    match &result.repeats {
        Some(it) if it.failed < it.judged => format!(", {} of {}", it.failed, it.judged),
        _ => String::new(),
    }
}

/// A remark on the result.
fn remark(result: &CaseResult) -> String {
    match (&result.verdict, &result.deviation) {
        (Verdict::Skip { reason }, _) => format!("  ({reason})"),
        (Verdict::Unknown { why }, _) => format!("  ({why})"),
        (Verdict::Fail(evidence), Some(known)) if result.status() == Status::Known => {
            format!("  [{}] {}", evidence.class.name(), known.why)
        }
        (Verdict::Fail(evidence), known) => {
            let (class, level) = (evidence.class.name(), result.level.name());
            let row = known.as_ref().and_then(|it| it.row.as_ref().zip(it.class));
            let recorded = row.map_or(String::new(), |(row, class)| {
                format!(", known as {} in {row}", class.name())
            });
            format!("  [{class}, {level}{}{recorded}]", repeats(result))
        }
        (Verdict::Pass, Some(known)) if known.always => match known.row {
            Some(_) => format!("  ({})", known.remedy()),
            None => format!(
                "  (recorded as broken: {}; remove the deviation)",
                known.why
            ),
        },
        (Verdict::Pass, Some(known)) => {
            format!("  (did not show in this run: {})", known.why)
        }
        (Verdict::Pass, None) => String::new(),
    }
}
