//! A chaos run as a page: violations with their time and keys; then scenarios x targets; then every scenario with its
//! timeline, broken laws first.

use std::time::Duration;

use askama::Template;
use chaos::report::{
    Cell, Chaos, KeyCounts, LawReport, Message, ProxiesReport, ScenarioReport, Stressed, Verdict,
    Way,
};
use conformance::verdict::{Direction, Line};

use super::conformance::is_web;
use crate::report::svg::Picture;
use crate::report::svg::sequence::sequence;
use crate::report::svg::timeline::timeline;

/// The page of a run.
#[must_use]
pub fn chaos(report: &Chaos) -> String {
    let mut details: Vec<Detail> = (report.targets.iter().enumerate())
        .flat_map(|(place, target)| details(place, target))
        .collect();
    // The sort is stable: within a verdict, the order of the run.
    details.sort_by_key(|detail| std::cmp::Reverse(detail.scenario.verdict));
    let page = Page {
        report,
        cards: report.targets.iter().map(card).collect(),
        rows: report.rows().into_iter().map(row).collect(),
        details,
    };
    page.to_string()
}

#[derive(Template)]
#[template(path = "chaos.html")]
struct Page<'a> {
    report: &'a Chaos,
    cards: Vec<Card<'a>>,
    rows: Vec<Row<'a>>,
    details: Vec<Detail<'a>>,
}

struct Card<'a> {
    target: &'a str,
    version: &'a str,
    broken: usize,
    counts: String,
}

/// A scenario on every target.
struct Row<'a> {
    scenario: &'a str,
    shows: &'a str,
    /// Verdicts, for the filters.
    statuses: String,
    /// Verdict, where its detail is, and how long it took.
    cells: Vec<Option<(&'static str, String, String)>>,
}

/// A scenario on one target.
struct Detail<'a> {
    anchor: String,
    target: &'a str,
    scenario: &'a ScenarioReport,
    picture: Option<Picture>,
    laws: Vec<Shown<'a>>,
    notes: Vec<String>,
    /// Keys with different nodes for different proxies.
    differing: String,
}

struct Shown<'a> {
    law: &'a LawReport,
    picture: Option<Picture>,
    evidence: String,
}

impl Detail<'_> {
    fn is_open(&self) -> bool {
        self.scenario.verdict == Verdict::Broken
    }
}

fn card(target: &Stressed) -> Card<'_> {
    let count = |verdict| {
        let scenarios = target.scenarios.iter();
        scenarios.filter(|it| it.verdict == verdict).count()
    };
    let others = [
        Verdict::Kept,
        Verdict::Known,
        Verdict::Unknown,
        Verdict::Mended,
        Verdict::Skipped,
    ];
    let counts = others.map(|verdict| (count(verdict), verdict.name()));
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    Card {
        target: &target.target,
        version: &target.version,
        broken: count(Verdict::Broken),
        counts: counts
            .map(|(count, name)| format!("{count} {name}"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn row(row: chaos::report::Row<'_>) -> Row<'_> {
    let shown = |(target, cell): (usize, Option<Cell>)| {
        let cell = cell?;
        let (verdict, anchor) = (cell.verdict.name(), anchor(target, row.scenario, cell.run));
        Some((verdict, anchor, took(&cell)))
    };
    let cells: Vec<_> = row.cells.iter().copied().enumerate().map(shown).collect();
    let statuses: Vec<&str> = cells.iter().flatten().map(|(name, ..)| *name).collect();
    Row {
        scenario: row.scenario,
        shows: row.shows,
        statuses: statuses.join(" "),
        cells,
    }
}

/// With a space at which no line breaks. Empty if it did not run.
fn took(cell: &Cell) -> String {
    match cell.verdict {
        Verdict::Skipped => String::new(),
        _ => format!("{:.1}\u{a0}s", cell.took_ms as f64 / 1000.0),
    }
}

/// The place of a scenario in the page; `repetition` tells runs of the same one apart.
fn anchor(target: usize, scenario: &str, repetition: usize) -> String {
    match repetition {
        0 => format!("t{target}-{scenario}"),
        _ => format!("t{target}-{scenario}-{repetition}"),
    }
}

fn details(place: usize, target: &Stressed) -> Vec<Detail<'_>> {
    let scenarios = target.scenarios.iter().enumerate();
    let details = scenarios.map(|(index, scenario)| {
        let earlier = target.scenarios[..index].iter();
        let repetition = earlier
            .filter(|it| it.scenario == scenario.scenario)
            .count();
        let observed = scenario.observed.as_ref();
        Detail {
            anchor: anchor(place, &scenario.scenario, repetition),
            target: &target.target,
            scenario,
            picture: observed.map(|observed| timeline(&observed.timeline)),
            laws: laws(scenario),
            notes: notes(scenario),
            differing: observed
                .and_then(|observed| observed.proxies.as_ref())
                .map_or(String::new(), differing),
        }
    });
    details.collect()
}

/// Broken laws first.
fn laws(scenario: &ScenarioReport) -> Vec<Shown<'_>> {
    let mut laws: Vec<&LawReport> = scenario.laws.iter().collect();
    laws.sort_by_key(|law| std::cmp::Reverse(law.verdict));
    let shown = |law: &'_ LawReport| {
        let lines: Vec<Line> = law.messages.iter().map(line).collect();
        (!lines.is_empty()).then(|| sequence(&lines))
    };
    laws.into_iter()
        .map(|law| Shown {
            law,
            picture: shown(law),
            evidence: law.evidence.join("\n"),
        })
        .collect()
}

fn line(message: &Message) -> Line {
    Line {
        at: Duration::from_micros(message.at_us),
        party: message.party.clone(),
        way: match message.way {
            Way::ToProxy => Direction::ToProxy,
            Way::FromProxy => Direction::FromProxy,
        },
        text: message.text.clone(),
    }
}

fn of_keys(keys: &KeyCounts) -> String {
    format!(
        "keys with an acknowledged write: {}, of these found {}, on several nodes {}, unreachable {}, on no node {}",
        keys.acknowledged, keys.found, keys.duplicated, keys.unreachable, keys.missing
    )
}

/// Every key that several proxies ask different nodes for, one per line.
fn differing(proxies: &ProxiesReport) -> String {
    let keys = proxies.differing.iter();
    let keys = keys.map(|key| key.line(&proxies.proxies));
    keys.collect::<Vec<_>>().join("\n")
}

fn notes(scenario: &ScenarioReport) -> Vec<String> {
    let mut notes: Vec<String> = scenario.why.iter().cloned().collect();
    let Some(observed) = &scenario.observed else {
        return notes;
    };
    notes.push(format!(
        "{} requests: {} answered, {} certainly not executed, {} unknown to the client; p50 {:.1} ms, p99 {:.1} ms, \
         longest {:.1} ms",
        observed.requests,
        observed.ok,
        observed.failed,
        observed.indefinite,
        observed.latency.p50_us as f64 / 1000.0,
        observed.latency.p99_us as f64 / 1000.0,
        observed.latency.max_us as f64 / 1000.0,
    ));
    match &observed.proxies {
        Some(proxies) => notes.extend(proxies.lines()),
        None => notes.push(of_keys(&observed.keys)),
    }
    notes.extend(observed.recoveries.iter().map(|recovery| {
        let (fault, node) = (&recovery.fault, &recovery.node);
        match recovery.served_after_ms {
            Some(ms) => format!("node {node} served again {ms} ms after {fault} was healed"),
            None => format!("node {node} was not served again after {fault}"),
        }
    }));
    notes.extend(scenario.coverage.iter().map(|cover| {
        let missing = if cover.holds { "" } else { " (missing)" };
        format!("{}: {}{missing}", cover.condition, cover.found)
    }));
    notes
}
