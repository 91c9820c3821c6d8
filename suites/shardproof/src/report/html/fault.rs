//! A fault during a rescale as a page: what failed while it lasted, and the ledger during and after.

use std::fmt::Write;

use super::page;
use crate::report::svg::escaped;
use chaos::rescale::FaultReport;

/// The page of one or more faults.
#[must_use]
pub fn faults(reports: &[FaultReport]) -> String {
    let mut body = String::from("<h1>shardproof: rescale with a fault</h1>\n");
    for report in reports {
        body.push_str(&story(report));
    }
    page("shardproof: rescale with a fault", &body)
}

fn story(report: &FaultReport) -> String {
    let mut html = format!(
        "<h2>{} {}, {}: {} → {} nodes, fault <code>{}</code> on node {}</h2>\n<p class=\"dim\">{} keys, seed <code>{}</code></p>\n<div class=\"cards\">",
        escaped(&report.target),
        escaped(&report.version),
        escaped(&report.policy),
        report.from,
        report.to,
        escaped(&report.fault),
        report.node,
        report.keys,
        escaped(&report.seed)
    );
    let untrue = [report.during, report.after]
        .iter()
        .map(|tally| tally.wrong + tally.stale)
        .sum();
    for (count, what) in [
        (
            report.during.failed,
            "failed: an error while the fault lasted",
        ),
        (
            report.after.failed,
            "failed: an error when the fault was over",
        ),
        (
            report.after.lost,
            "lost: on no node when the fault was over",
        ),
        (untrue, "wrong or stale: an untrue answer"),
    ] {
        let percent = 100.0 * count as f64 / report.keys.max(1) as f64;
        let _ = write!(
            html,
            "<div class=\"card\"><div class=\"number {}\">{percent:.1} %</div><p>{count} keys</p><p class=\"dim\">{what}</p></div>",
            if count == 0 { "zero" } else { "some" },
        );
    }
    html.push_str("</div>\n");
    html + &ledger(report) + &notes(report)
}

fn ledger(report: &FaultReport) -> String {
    let mut html = String::from(
        "<div class=\"wide\"><table><thead><tr><th>fate</th><th class=\"number-cell\">while it lasts</th><th class=\"number-cell\">when it is over</th></tr></thead><tbody>",
    );
    let (during, after) = (&report.during, &report.after);
    for (name, during, after) in [
        ("found", during.found, after.found),
        ("unreachable", during.unreachable, after.unreachable),
        ("lost", during.lost, after.lost),
        ("stale", during.stale, after.stale),
        ("wrong", during.wrong, after.wrong),
        ("failed", during.failed, after.failed),
    ] {
        let _ = write!(
            html,
            "<tr><td>{name}</td><td class=\"number-cell\">{during}</td><td class=\"number-cell\">{after}</td></tr>"
        );
    }
    html + "</tbody></table></div>\n"
}

fn notes(report: &FaultReport) -> String {
    let mut notes = vec![
        format!("written again while it lasted: {} keys", report.rewritten),
        format!(
            "all served again after {} ms; {} keys failed at first",
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
                "as forecast: {} keys, {} of them with more than one fate possible; {} differ",
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
    let line = |note: &String| format!("<p class=\"dim\">{}</p>\n", escaped(note));
    notes.iter().map(line).collect()
}
