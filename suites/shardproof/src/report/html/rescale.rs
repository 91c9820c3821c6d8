//! A rescale as a page: unreachable keys, keys per node before and after, and the ledger.

use askama::Template;

use super::card::Card;
use crate::report::svg::Picture;
use crate::report::svg::bars::{Row, bars};
use crate::report::terminal::{claim, laws, policy, prediction};
use chaos::rescale::Report;

/// The page of one or more rescales.
#[must_use]
pub fn rescales(reports: &[Report]) -> String {
    let page = Page {
        parts: reports.iter().map(part).collect(),
        claim: claim(reports),
    };
    page.to_string()
}

#[derive(Template)]
#[template(path = "rescale.html")]
struct Page<'a> {
    parts: Vec<Part<'a>>,
    claim: String,
}

struct Part<'a> {
    report: &'a Report,
    cards: [Card; 3],
    bars: Picture,
    policy: &'a str,
    laws: Vec<String>,
    prediction: String,
    /// Each fate, after the change and after the way back.
    ledger: [(&'static str, usize, usize); 6],
}

fn part(report: &Report) -> Part<'_> {
    let card = |(keys, meaning)| Card::new(keys, report.keys, meaning);
    let (there, back) = (&report.there, &report.back);
    Part {
        report,
        cards: [
            (
                report.unreachable,
                "unreachable: on a node, missing through the proxy",
            ),
            (report.lost, "lost: on no node"),
            (report.stale, "stale: old value read on the way back"),
        ]
        .map(card),
        bars: nodes(report),
        policy: policy(report),
        laws: laws(report),
        prediction: prediction(report),
        ledger: [
            ("found", there.found, back.found),
            ("unreachable", there.unreachable, back.unreachable),
            ("lost", there.lost, back.lost),
            ("stale", there.stale, back.stale),
            ("wrong", there.wrong, back.wrong),
            ("failed", there.failed, back.failed),
        ],
    }
}

fn nodes(report: &Report) -> Picture {
    let rows = report.nodes.iter().map(|node| Row {
        name: node.addr.clone(),
        lengths: vec![node.before, node.after, node.held],
    });
    let legend = ["placed before", "placed after", "stored after"];
    bars(&legend, &rows.collect::<Vec<_>>())
}
