//! A rescale as a page: what is out of reach, where keys were and are, and the ledger.

use std::fmt::Write;

use super::page;
use crate::report::svg::bars::{Row, bars};
use crate::report::svg::escaped;
use crate::report::terminal::claim;
use chaos::rescale::Report;

/// The page of one or more rescales.
#[must_use]
pub fn rescales(reports: &[Report]) -> String {
    let mut body = String::from("<h1>shardproof: rescale</h1>\n");
    for report in reports {
        body.push_str(&story(report));
    }
    let _ = writeln!(body, "<p class=\"dim\">{}</p>", escaped(&claim(reports)));
    page("shardproof: rescale", &body)
}

fn story(report: &Report) -> String {
    let percent = |part: usize| format!("{:.1} %", 100.0 * part as f64 / report.keys.max(1) as f64);
    let mut html = format!(
        "<h2>{} {}, {}: {} → {} nodes</h2>\n<p class=\"dim\">{} keys, seed <code>{}</code></p>\n<div class=\"cards\">",
        escaped(&report.target),
        escaped(&report.version),
        escaped(&report.policy),
        report.from,
        report.to,
        report.keys,
        escaped(&report.seed)
    );
    for (count, what) in [
        (
            report.unreachable,
            "unreachable: on a node, missing through the proxy",
        ),
        (report.lost, "lost: on no node"),
        (report.stale, "stale: old value read on the way back"),
    ] {
        let _ = write!(
            html,
            "<div class=\"card\"><div class=\"number {}\">{}</div><p>{count} keys</p><p class=\"dim\">{what}</p></div>",
            if count == 0 { "zero" } else { "some" },
            percent(count)
        );
    }
    html.push_str("</div>\n<div class=\"picture\">");
    let rows: Vec<Row> = report
        .nodes
        .iter()
        .map(|node| Row {
            name: node.addr.to_string(),
            lengths: vec![node.before, node.after, node.held],
        })
        .collect();
    html.push_str(&bars(
        &["placed before", "placed after", "lies on it after"],
        &rows,
    ));
    html.push_str("</div>\n");
    html.push_str(&ledger(report));
    html
}

fn ledger(report: &Report) -> String {
    let mut html = format!(
        "<div class=\"wide\"><table><thead><tr><th>fate</th><th class=\"number-cell\">{} → {}</th><th class=\"number-cell\">and back</th></tr></thead><tbody>",
        report.from, report.to
    );
    let (there, back) = (&report.there, &report.back);
    for (name, there, back) in [
        ("found", there.found, back.found),
        ("unreachable", there.unreachable, back.unreachable),
        ("lost", there.lost, back.lost),
        ("stale", there.stale, back.stale),
        ("wrong", there.wrong, back.wrong),
        ("failed", there.failed, back.failed),
    ] {
        let _ = write!(
            html,
            "<tr><td>{name}</td><td class=\"number-cell\">{there}</td><td class=\"number-cell\">{back}</td></tr>"
        );
    }
    html.push_str("</tbody></table></div>\n");
    let predicted = match &report.predicted {
        None => "this build has no specification of the policy to predict with".to_owned(),
        Some(prediction) => format!(
            "predicted: {} keys agree, {} differ; these counts need {} moves at least",
            prediction.agree, prediction.differ, report.minimum
        ),
    };
    html + &format!("<p class=\"dim\">{}</p>\n", escaped(&predicted))
}
