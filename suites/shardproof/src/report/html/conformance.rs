//! Conformance as a page: the verdicts first, then cases x targets with failures first, then the evidence.

use askama::Template;

use super::evidence::Shown;
use crate::report::summary::{Tone, sentence, verdict};
use conformance::report::{Conformance, Judged};
use conformance::verdict::{Class, Result as CaseResult, Status, Verdict};

/// The page of a run.
#[must_use]
pub fn conformance(report: &Conformance) -> String {
    let cases = cases(report);
    let page = Page {
        seed: &report.seed,
        started: report.started.as_deref(),
        cases: cases.len(),
        cards: report
            .targets
            .iter()
            .map(|judged| card(report, judged))
            .collect(),
        groups: groups(report, &cases),
        failures: failures(report),
    };
    page.to_string()
}

#[derive(Template)]
#[template(path = "conformance.html")]
struct Page<'a> {
    seed: &'a str,
    started: Option<&'a str>,
    cases: usize,
    cards: Vec<Card<'a>>,
    groups: Vec<Group<'a>>,
    failures: Vec<Failure<'a>>,
}

struct Card<'a> {
    target: &'a str,
    version: &'a str,
    server: &'a str,
    tone: &'static str,
    verdict: String,
    sentence: String,
    command: String,
}

struct Group<'a> {
    name: &'a str,
    rank: Rank,
    /// The results that are not `pass` or `skip`, in words.
    counts: String,
    rows: Vec<Row<'a>>,
}

impl Group<'_> {
    /// Only what needs attention is shown at once.
    fn is_open(&self) -> bool {
        self.rank == Rank::Failed
    }
}

/// What a group is shown for: failures come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Failed,
    Known,
    Passed,
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
    let (tone, verdict) = verdict(report, judged);
    Card {
        target: &judged.target,
        version: &judged.version,
        server: &judged.server,
        tone: match tone {
            Tone::Good => "zero",
            Tone::Open => "open",
            Tone::Bad => "some",
        },
        verdict,
        sentence: sentence(&judged.summary, &report.counted),
        command: judged.repeat_all(&report.seed),
    }
}

/// The groups, those with failures first.
fn groups<'a>(report: &'a Conformance, cases: &[(usize, &'a CaseResult)]) -> Vec<Group<'a>> {
    let of_one_group = cases.chunk_by(|one, other| split(one.1).0 == split(other.1).0);
    let mut groups: Vec<Group<'_>> = of_one_group.map(|cases| group(report, cases)).collect();
    groups.sort_by_key(|group| group.rank);
    groups
}

fn group<'a>(report: &'a Conformance, cases: &[(usize, &'a CaseResult)]) -> Group<'a> {
    let results = cases.iter().flat_map(|(index, _)| {
        let targets = report.targets.iter();
        targets.filter_map(|judged| judged.results.get(*index))
    });
    let statuses: Vec<Status> = results.map(CaseResult::status).collect();
    let has = |status| statuses.contains(&status);
    let counts = [
        Status::Broken,
        Status::Mended,
        Status::Unknown,
        Status::Known,
    ]
    .map(|status| {
        let count = statuses.iter().filter(|it| **it == status).count();
        (count > 0).then(|| format!("{count} {}", status.word()))
    });
    Group {
        name: cases.first().map_or("", |(_, case)| split(case).0),
        rank: if has(Status::Broken) || has(Status::Mended) || has(Status::Unknown) {
            Rank::Failed
        } else if has(Status::Known) {
            Rank::Known
        } else {
            Rank::Passed
        },
        counts: counts.into_iter().flatten().collect::<Vec<_>>().join(", "),
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
