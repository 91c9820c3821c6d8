//! Conformance as a page: wrong answers first, then cases x targets, then the evidence.

use askama::Template;

use super::evidence::Shown;
use crate::report::summary::sentence;
use conformance::report::{Conformance, Judged};
use conformance::verdict::{Class, Result as CaseResult, Status, Verdict};

/// The page of a run.
#[must_use]
pub fn conformance(report: &Conformance) -> String {
    let cases = cases(report);
    let page = Page {
        seed: &report.seed,
        cases: cases.len(),
        cards: report
            .targets
            .iter()
            .map(|judged| card(report, judged))
            .collect(),
        groups: cases
            .chunk_by(|one, other| split(one.1).0 == split(other.1).0)
            .map(|cases| group(report, cases))
            .collect(),
        failures: failures(report),
    };
    page.to_string()
}

#[derive(Template)]
#[template(path = "conformance.html")]
struct Page<'a> {
    seed: &'a str,
    cases: usize,
    cards: Vec<Card<'a>>,
    groups: Vec<Group<'a>>,
    failures: Vec<Failure<'a>>,
}

struct Card<'a> {
    target: &'a str,
    version: &'a str,
    wrong: usize,
    sentence: String,
}

struct Group<'a> {
    name: &'a str,
    rows: Vec<Row<'a>>,
}

struct Row<'a> {
    case: &'a CaseResult,
    name: &'a str,
    /// The words for the filters.
    statuses: String,
    cells: Vec<Cell<'a>>,
}

struct Cell<'a> {
    class: String,
    title: &'a str,
    text: String,
    /// Where the evidence is.
    link: Option<String>,
}

struct Failure<'a> {
    anchor: String,
    target: &'a str,
    case: &'a CaseResult,
    status: &'static str,
    word: &'static str,
    evidence: Shown<'a>,
}

/// Every target was judged by the same cases.
fn cases(report: &Conformance) -> Vec<(usize, &CaseResult)> {
    let first = report.targets.first();
    first.map_or_else(Vec::new, |judged| {
        judged.results.iter().enumerate().collect()
    })
}

/// The group of a case and its name there.
fn split(case: &CaseResult) -> (&str, &str) {
    case.case.split_once('/').unwrap_or(("", &case.case))
}

fn card<'a>(report: &Conformance, judged: &'a Judged) -> Card<'a> {
    Card {
        target: &judged.target,
        version: &judged.version,
        wrong: judged.summary.wrong,
        sentence: sentence(&judged.summary, &report.counted),
    }
}

fn group<'a>(report: &'a Conformance, cases: &[(usize, &'a CaseResult)]) -> Group<'a> {
    Group {
        name: cases.first().map_or("", |(_, case)| split(case).0),
        rows: cases
            .iter()
            .map(|(index, case)| row(report, *index, case))
            .collect(),
    }
}

fn row<'a>(report: &'a Conformance, index: usize, case: &'a CaseResult) -> Row<'a> {
    let results = || {
        let of = |judged: &'a Judged| Some((judged, judged.results.get(index)?));
        report.targets.iter().filter_map(of)
    };
    let statuses: Vec<&str> = results().flat_map(|(_, result)| statuses(result)).collect();
    Row {
        case,
        name: split(case).1,
        statuses: statuses.join(" "),
        cells: results()
            .map(|(judged, result)| cell(judged, result))
            .collect(),
    }
}

fn cell<'a>(judged: &Judged, result: &'a CaseResult) -> Cell<'a> {
    let status = word(result.status());
    let plain = |title, text: &str| Cell {
        class: status.to_owned(),
        title,
        text: text.to_owned(),
        link: None,
    };
    match &result.verdict {
        Verdict::Fail(evidence) => {
            let level = match result.status() {
                Status::Broken => format!("FAIL, {}: ", result.level.name()),
                _ => String::new(),
            };
            let class = match evidence.class {
                Class::Wrong => format!("{status} wrong-class"),
                _ => status.to_owned(),
            };
            Cell {
                class,
                title: status,
                text: format!("{level}{}", evidence.class.name()),
                link: Some(anchor(judged, result)),
            }
        }
        Verdict::Skip { reason } => plain(reason, "skip"),
        Verdict::Unknown { why } => plain(why, "unknown"),
        Verdict::Pass => match result.status() {
            Status::Kept => plain("", "✓"),
            status => plain("", status.word()),
        },
    }
}

fn failures(report: &Conformance) -> Vec<Failure<'_>> {
    let of = |judged| failures_of(judged, &report.seed);
    report.targets.iter().flat_map(of).collect()
}

fn failures_of<'a>(judged: &'a Judged, seed: &str) -> Vec<Failure<'a>> {
    let failure = |result: &'a CaseResult| {
        let Verdict::Fail(evidence) = &result.verdict else {
            return None;
        };
        Some(Failure {
            anchor: anchor(judged, result),
            target: &judged.target,
            case: result,
            status: word(result.status()),
            word: evidence.class.name(),
            evidence: Shown::new(evidence, judged.repeat(result, seed)),
        })
    };
    judged.results.iter().filter_map(failure).collect()
}

/// The words of a row for the filters.
fn statuses(result: &CaseResult) -> impl Iterator<Item = &'static str> {
    let wrong = result.is_wrong().then_some("wrong");
    [Some(word(result.status())), wrong].into_iter().flatten()
}

/// The name of its colour on the page.
fn word(status: Status) -> &'static str {
    match status {
        Status::Kept => "kept",
        Status::Known => "known",
        Status::Broken => "broken",
        Status::Mended => "mended",
        Status::Skipped => "skipped",
        Status::Unknown => "unknown",
    }
}

fn anchor(judged: &Judged, result: &CaseResult) -> String {
    let plain = |text: &str| {
        text.replace(
            |letter: char| !letter.is_ascii_alphanumeric() && letter != '-',
            "-",
        )
    };
    format!("{}--{}", plain(&judged.target), plain(&result.case))
}

/// Whether it is safe to click on: a target file from elsewhere may name any scheme.
pub(super) fn is_web(link: &str) -> bool {
    link.starts_with("https://") || link.starts_with("http://")
}
