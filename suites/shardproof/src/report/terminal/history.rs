//! The verdicts on the registers of a history, as text.

use std::fmt::Write;

use chaos::checker::Report;

/// Registers that are not linearizable, and registers that could not be judged: at most this many of each.
const SHOWN: usize = 20;

/// The whole report.
#[must_use]
pub fn history(report: &Report) -> String {
    let mut text = format!(
        "{}, scenario {}, seed {}: {} requests, {} operations on {} registers\n",
        report.target,
        report.scenario,
        report.seed,
        report.requests,
        report.operations,
        report.registers
    );
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "  {} indefinite requests decided by what the nodes saw, {} left",
        report.decided, report.indefinite
    );
    let linearizable = &report.linearizable;
    let _ = writeln!(
        text,
        "  {} linearizable ({} by the order of their node, {} by their reads, {} by search), \
         {} not, {} unknown",
        linearizable.all(),
        linearizable.by_witness,
        linearizable.by_clusters,
        linearizable.by_search,
        report.violations.len(),
        report.unknown.len()
    );
    for violation in report.violations.iter().take(SHOWN) {
        let _ = write!(text, "\n{}", violation.text);
    }
    for unknown in report.unknown.iter().take(SHOWN) {
        let _ = writeln!(text, "\nkey \"{}\": unknown: {}", unknown.key, unknown.why);
    }
    let hidden = [report.violations.len(), report.unknown.len()]
        .map(|count| count.saturating_sub(SHOWN))
        .iter()
        .sum::<usize>();
    if hidden > 0 {
        let _ = writeln!(text, "\n{hidden} more registers are in the JSON report");
    }
    text
}
