//! A plan as a page: moved keys, keys per node before and after, and the cost under other policies.

use askama::Template;

use crate::planner::plan::{Alternative, Balance, Curve, Flow, NodeKeys, Report, Side};
use crate::report::svg::Picture;
use crate::report::svg::bars::{Row, bars};
use crate::report::svg::flow::{Ribbon, flow};
use crate::report::svg::heat::heat;
use crate::report::svg::lines::{Line, lines};
use crate::report::terminal::{chance, comparison};

/// The most nodes whose flows are ribbons; more make a matrix.
const RIBBONS_MAX: usize = 16;

/// The page of a plan.
#[must_use]
pub fn plan(report: &Report) -> String {
    let alternatives = report.alternatives.policies.iter();
    let page = Page {
        report,
        sides: [("from", &report.from), ("to", &report.to)],
        balances: [
            ("before", &report.balance_before),
            ("after", &report.balance_after),
        ],
        cards: cards(report),
        bars: bars(&["before", "after"], &rows(report)),
        flows: flows(report),
        comparison: comparison(report),
        alternatives: alternatives.map(Other::new).collect(),
        curves: report.curves.as_deref().map(curve),
    };
    page.to_string()
}

#[derive(Template)]
#[template(path = "plan.html")]
struct Page<'a> {
    report: &'a Report,
    sides: [(&'static str, &'a Side); 2],
    balances: [(&'static str, &'a Balance); 2],
    cards: [Card; 3],
    bars: Picture,
    flows: Flows,
    comparison: &'static str,
    alternatives: Vec<Other<'a>>,
    curves: Option<Picture>,
}

struct Card {
    keys: u64,
    share: String,
    colour: &'static str,
    meaning: &'static str,
}

/// Ribbons for few nodes, a matrix for many.
enum Flows {
    None,
    Ribbons(Picture),
    Cells(Picture),
}

/// Another policy.
struct Other<'a> {
    policy: &'a str,
    moved: String,
    fullest: String,
    note: &'a str,
}

impl<'a> Other<'a> {
    fn new(other: &'a Alternative) -> Self {
        let balance = other.balance.as_ref();
        Self {
            policy: &other.policy,
            moved: other.moved_share.map_or_else(dash, percent),
            fullest: balance.map_or_else(dash, |balance| format!("{:.3} ×", balance.max_over_mean)),
            note: other.note.as_deref().unwrap_or_default(),
        }
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn count(count: Option<u64>) -> String {
    count.map_or_else(dash, |count| count.to_string())
}

fn dash() -> String {
    "–".to_owned()
}

fn cards(report: &Report) -> [Card; 3] {
    let card = |(keys, share, colour, meaning)| Card {
        keys,
        share: percent(share),
        colour: if keys == 0 { "zero" } else { colour },
        meaning,
    };
    [
        (
            report.moved,
            report.moved_share,
            "some",
            "moved: another node after the change",
        ),
        (
            report.minimum,
            report.minimum_share,
            "zero",
            "minimum: the fewest that lead from these counts to those",
        ),
        (
            report.unforced,
            report.unforced_share,
            "some",
            "unforced: between nodes that are in both clusters",
        ),
    ]
    .map(card)
}

fn rows(report: &Report) -> Vec<Row> {
    let nodes = report.nodes.iter().map(|node| Row {
        name: node.address.clone(),
        // Counted keys are in memory, so the number fits.
        lengths: [node.before, node.after]
            .map(|keys| keys.unwrap_or(0) as usize)
            .to_vec(),
    });
    nodes.collect()
}

fn flows(report: &Report) -> Flows {
    if report.flows.is_empty() {
        return Flows::None;
    }
    let side = |keys: fn(&NodeKeys) -> Option<u64>| -> Vec<String> {
        let nodes = report.nodes.iter().filter(|node| keys(node).is_some());
        nodes.map(|node| node.address.clone()).collect()
    };
    let (before, after) = (side(|node| node.before), side(|node| node.after));
    if before.len().max(after.len()) <= RIBBONS_MAX {
        let ribbons = ribbons(report, &before, &after);
        return Flows::Ribbons(flow(&before, &after, &ribbons));
    }
    let cell = |flow: &Flow| {
        let (from, to) = (place(&before, &flow.from)?, place(&after, &flow.to)?);
        Some((from, to, flow.keys))
    };
    let cells: Vec<_> = report.flows.iter().filter_map(cell).collect();
    Flows::Cells(heat(&before, &after, &cells))
}

fn place(nodes: &[String], address: &str) -> Option<usize> {
    nodes.iter().position(|node| node == address)
}

/// Keys that stay and keys that move, by their nodes before and then by those after.
fn ribbons(report: &Report, before: &[String], after: &[String]) -> Vec<Ribbon> {
    let staying = report.nodes.iter().filter_map(|node| {
        Some(Flow {
            from: node.address.clone(),
            to: node.address.clone(),
            keys: node.before?.checked_sub(node.leaving)?,
        })
    });
    let both = |address: &str| place(before, address).is_some() && place(after, address).is_some();
    let class = |flow: &Flow| match (flow.from == flow.to, both(&flow.from) && both(&flow.to)) {
        (true, _) => "stay",
        (false, true) => "unforced",
        (false, false) => "move",
    };
    let mut ribbons: Vec<Ribbon> = staying
        .chain(report.flows.iter().cloned())
        .filter(|flow| flow.keys > 0)
        .filter_map(|flow| {
            Some(Ribbon {
                from: place(before, &flow.from)?,
                to: place(after, &flow.to)?,
                keys: flow.keys,
                class: class(&flow),
            })
        })
        .collect();
    ribbons.sort_by_key(|ribbon| (ribbon.from, ribbon.to));
    ribbons
}

fn curve(curves: &[Curve]) -> Picture {
    let least = Line {
        name: "least".to_owned(),
        points: curves
            .iter()
            .take(1)
            .flat_map(|curve| &curve.points)
            .map(|point| (point.nodes, 1.0 / (point.nodes + 1) as f64))
            .collect(),
    };
    let drawn: Vec<Line> = curves
        .iter()
        .map(|curve| Line {
            name: curve.policy.clone(),
            points: curve
                .points
                .iter()
                .map(|point| (point.nodes, point.moved_share))
                .collect(),
        })
        .chain([least])
        .collect();
    lines("nodes before", &drawn)
}
