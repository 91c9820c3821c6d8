//! The story of a fault during a rescale as text.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use chaos::ledger::Tally;
use chaos::rescale::{FaultReport, Refusals};

/// One fault during one rescale.
#[must_use]
pub fn fault(report: &FaultReport) -> String {
    let FaultReport {
        target,
        version,
        policy,
        from,
        to,
        fault,
        node,
        keys,
        ..
    } = report;
    let mut text = format!(
        "{target} {version}, {policy}, {from} -> {to} nodes, {keys} keys, fault {fault} on node {node}\n\n"
    );
    let mut line = |words: String| {
        let _ = writeln!(text, "{}", format!("  {words}").trim_end());
    };
    fates(report)
        .lines()
        .for_each(|row| line(row.trim_end().to_owned()));
    line(String::new());
    line(format!(
        "written again while it lasted  {} of {keys}",
        report.rewritten
    ));
    line(format!(
        "all served again after         {} ms; {} keys failed at first",
        report.recovered_ms, report.failed_at_first
    ));
    match &report.forecast {
        None => line(
            "no forecast: the policy cannot be computed, or the effect of the fault is not certain"
                .to_owned(),
        ),
        Some(forecast) => {
            line(format!(
                "as forecast                    {} of {keys}, {} of them with more than one fate possible",
                forecast.agree, forecast.open
            ));
            forecast.examples.iter().for_each(|it| line(it.clone()));
        }
    }
    let Refusals {
        asked,
        clear,
        unclear,
    } = &report.refusals;
    line(format!(
        "refused clearly                {clear} of {asked} requests"
    ));
    unclear.iter().for_each(|it| line(it.clone()));
    text
}

fn fates(report: &FaultReport) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["", "while it lasts", "when it is over"]);
    let row = |name: &str, of: fn(&Tally) -> usize| {
        [
            name.to_owned(),
            of(&report.during).to_string(),
            of(&report.after).to_string(),
        ]
    };
    table.add_row(row("found", |tally| tally.found));
    table.add_row(row("unreachable", |tally| tally.unreachable));
    table.add_row(row("lost", |tally| tally.lost));
    table.add_row(row("failed", |tally| tally.failed));
    table.add_row(row("stale", |tally| tally.stale));
    table.add_row(row("wrong", |tally| tally.wrong));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
