//! A rescale with a fault as a page: requests that failed during the fault, and the ledger during and after it.

use askama::Template;

use super::card::Card;
use chaos::rescale::FaultReport;

/// The page of one or more rescales with a fault.
#[must_use]
pub fn faults(reports: &[FaultReport]) -> String {
    let page = Page {
        parts: reports.iter().map(part).collect(),
    };
    page.to_string()
}

#[derive(Template)]
#[template(path = "fault.html")]
struct Page<'a> {
    parts: Vec<Part<'a>>,
}

struct Part<'a> {
    report: &'a FaultReport,
    cards: [Card; 4],
    /// Each fate, during the fault and after it.
    ledger: [(&'static str, usize, usize); 6],
    notes: Vec<String>,
}

fn part(report: &FaultReport) -> Part<'_> {
    let card = |(keys, meaning)| Card::new(keys, report.keys, meaning);
    let (during, after) = (&report.during, &report.after);
    let untrue = during.wrong + during.stale + after.wrong + after.stale;
    Part {
        report,
        cards: [
            (during.failed, "failed: an error during the fault"),
            (after.failed, "failed: an error after the fault"),
            (after.lost, "lost: on no node after the fault"),
            (untrue, "wrong or stale: an untrue answer"),
        ]
        .map(card),
        ledger: [
            ("found", during.found, after.found),
            ("unreachable", during.unreachable, after.unreachable),
            ("lost", during.lost, after.lost),
            ("stale", during.stale, after.stale),
            ("wrong", during.wrong, after.wrong),
            ("failed", during.failed, after.failed),
        ],
        notes: notes(report),
    }
}

fn notes(report: &FaultReport) -> Vec<String> {
    let mut notes = vec![
        format!("written again during the fault: {} keys", report.rewritten),
        format!(
            "all keys served again after {} ms; {} keys failed at first",
            report.recovered_ms, report.failed_at_first
        ),
    ];
    match &report.forecast {
        None => notes.push(
            "no forecast: the policy cannot be computed, or the effect of the fault is not certain"
                .to_owned(),
        ),
        Some(forecast) => {
            notes.push(format!(
                "as forecast: {} keys, {} of them with more than one possible fate; {} differ",
                forecast.agree, forecast.open, forecast.differ
            ));
            notes.extend(forecast.examples.iter().cloned());
        }
    }
    let refusals = &report.refusals;
    notes.push(format!(
        "refused clearly: {} of {} requests",
        refusals.clear, refusals.asked
    ));
    notes.extend(refusals.unclear.iter().cloned());
    notes
}
