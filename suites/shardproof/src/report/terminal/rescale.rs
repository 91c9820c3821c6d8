//! The story of a rescale as text.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use chaos::rescale::{Prediction, Report};

/// One rescale.
#[must_use]
pub fn rescale(report: &Report) -> String {
    let mut text = format!(
        "{} {}, {}, {} -> {} nodes, {} keys\n\n",
        report.target, report.version, report.policy, report.from, report.to, report.keys
    );
    let mut line = |words: String| {
        let _ = writeln!(text, "{}", format!("  {words}").trim_end());
    };
    nodes(report).lines().for_each(|row| line(row.to_owned()));
    line(String::new());
    line(format!("found        {}", part(report.found, report.keys)));
    line(format!(
        "unreachable  {}  on a node, missing through the proxy; these counts need {} moves at least",
        part(report.unreachable, report.keys),
        report.minimum,
    ));
    line(format!("lost         {}", part(report.lost, report.keys)));
    line(format!(
        "stale        {}  overwritten on {} nodes, old value read back on {}",
        part(report.stale, report.keys),
        report.to,
        report.from
    ));
    for (name, count) in [
        ("wrong", report.wrong),
        ("failed", report.failed),
        ("refused", report.refused),
    ] {
        if count > 0 {
            line(format!("{name:<12} {}", part(count, report.keys)));
        }
    }
    line(String::new());
    line(prediction(report));
    text
}

/// A published claim about two policies, next to the measurement. Empty without a measurement of one.
#[must_use]
pub fn claim(reports: &[Report]) -> String {
    let measured = |policy: &str| {
        let share = |report: &Report| (report.policy == policy).then_some(report.unreachable_share);
        reports.iter().find_map(share)
    };
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let claim = "It is claimed that MAGLEV moves more keys than RING_HASH; measured here:";
    match (measured("maglev"), measured("ring_hash")) {
        (None, None) => String::new(),
        (Some(maglev), Some(ring)) => format!(
            "{claim} maglev {}, ring_hash {}, so {}.\n",
            percent(maglev),
            percent(ring),
            match maglev.total_cmp(&ring) {
                std::cmp::Ordering::Greater => "it does",
                std::cmp::Ordering::Equal => "they move the same",
                std::cmp::Ordering::Less => "it moves fewer",
            }
        ),
        (Some(maglev), None) => format!(
            "{claim} maglev {}; ring_hash was not run (`--policy maglev --policy ring_hash`, on a target that has both).\n",
            percent(maglev)
        ),
        (None, Some(ring)) => format!("{claim} ring_hash {}; maglev was not run.\n", percent(ring)),
    }
}

fn nodes(report: &Report) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "node",
        "placed before",
        "placed after",
        "stored after",
    ]);
    for node in &report.nodes {
        table.add_row([
            node.addr.to_string(),
            node.before.to_string(),
            node.after.to_string(),
            node.held.to_string(),
        ]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn prediction(report: &Report) -> String {
    match &report.predicted {
        None => format!(
            "no prediction: this build has no specification of {}",
            report.policy
        ),
        Some(Prediction {
            agree, differ: 0, ..
        }) => format!("as predicted: all {agree} keys, before and after"),
        Some(Prediction {
            differ, examples, ..
        }) => format!(
            "NOT as predicted: {differ} keys, such as {}",
            examples.join("; ")
        ),
    }
}

fn part(count: usize, whole: usize) -> String {
    format!(
        "{count:>8} {:>6.1} %",
        100.0 * count as f64 / whole.max(1) as f64
    )
}
