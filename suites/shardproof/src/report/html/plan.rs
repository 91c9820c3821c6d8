//! A plan as a page: what moves, where keys were and will be, and what other policies would cost.

use std::fmt::Write;

use super::page;
use crate::planner::plan::{Balance, Curve, Flow, HotTags, NodeKeys, Report, Side};
use crate::report::svg::bars::{Row, bars};
use crate::report::svg::escaped;
use crate::report::svg::flow::{Ribbon, flow};
use crate::report::svg::heat::heat;
use crate::report::svg::lines::{Line, lines};
use crate::report::terminal::{chance, comparison};

/// The most nodes whose flows are ribbons; more make a matrix.
const RIBBONS_MAX: usize = 16;

/// The page of a plan.
#[must_use]
pub fn plan(report: &Report) -> String {
    let mut body = String::from("<h1>shardproof: plan</h1>\n");
    body.push_str(&heading(report));
    body.push_str(&cards(report));
    body.push_str("<h2>Keys on each node</h2>\n<div class=\"picture\">");
    body.push_str(&bars(&["before", "after"], &rows(report)));
    body.push_str("</div>\n");
    body.push_str(&nodes(report));
    body.push_str("<h2>Who gives to whom</h2>\n");
    body.push_str(&flows(report));
    body.push_str("<h2>Other policies</h2>\n");
    body.push_str(&alternatives(report));
    if let Some(curves) = &report.curves {
        body.push_str("<h2>What one node more costs</h2>\n");
        body.push_str(&curve(curves));
    }
    if let Some(tags) = &report.hot_tags {
        body.push_str("<h2>Hot tags</h2>\n");
        body.push_str(&hot_tags(tags));
    }
    page("shardproof: plan", &body)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn heading(report: &Report) -> String {
    let side = |what: &str, side: &Side| {
        let tags = side
            .tags
            .as_ref()
            .map_or_else(String::new, |tags| format!(", tags {tags}"));
        format!(
            "<p><b>{what}</b> {}{}, {} nodes <code class=\"long\">{}</code></p>\n",
            escaped(&side.policy),
            escaped(&tags),
            side.nodes,
            escaped(&side.description)
        )
    };
    format!(
        "{}{}<p class=\"dim\">{} keys {}</p>\n",
        side("from", &report.from),
        side("to", &report.to),
        report.keys,
        escaped(&report.source)
    )
}

fn cards(report: &Report) -> String {
    let mut html = String::from("<div class=\"cards\">");
    for (share, count, class, what) in [
        (
            report.moved_share,
            report.moved,
            "some",
            "moved: another node after the change",
        ),
        (
            report.minimum_share,
            report.minimum,
            "zero",
            "minimum: the fewest that lead from these counts to those",
        ),
        (
            report.unforced_share,
            report.unforced,
            "some",
            "unforced: between nodes that are in both clusters",
        ),
    ] {
        let class = if count == 0 { "zero" } else { class };
        let _ = write!(
            html,
            "<div class=\"card\"><div class=\"number {class}\">{}</div><p>{count} keys</p><p class=\"dim\">{what}</p></div>",
            percent(share)
        );
    }
    html.push_str("</div>\n");
    let _ = writeln!(
        html,
        "<p class=\"dim\">Expectation: {} of any set of keys must move, by the shares of the digests.</p>",
        percent(report.expected_minimum_share)
    );
    if report.routed_elsewhere > 0 {
        let _ = writeln!(
            html,
            "<p class=\"dim\">{} keys are left out: the routes of the proxy send them to another cluster or to none.</p>",
            report.routed_elsewhere
        );
    }
    html
}

fn rows(report: &Report) -> Vec<Row> {
    let nodes = report.nodes.iter().map(|node| Row {
        name: node.address.clone(),
        // What is counted is in memory, so it fits.
        lengths: [node.before, node.after]
            .map(|keys| keys.unwrap_or(0) as usize)
            .to_vec(),
    });
    nodes.collect()
}

fn nodes(report: &Report) -> String {
    let mut html = String::from(
        "<div class=\"wide\"><table><thead><tr><th>node</th><th class=\"number-cell\">before</th><th class=\"number-cell\">after</th>\
         <th class=\"number-cell\">arriving</th><th class=\"number-cell\">leaving</th></tr></thead><tbody>",
    );
    let count =
        |count: Option<u64>| count.map_or_else(|| "–".to_owned(), |count| count.to_string());
    for node in &report.nodes {
        let name = node
            .name
            .as_ref()
            .map_or_else(String::new, |name| format!(" ({name})"));
        let _ = write!(
            html,
            "<tr><td class=\"id\">{}{}</td>{}</tr>",
            escaped(&node.address),
            escaped(&name),
            cells(&[
                count(node.before),
                count(node.after),
                node.arriving.to_string(),
                node.leaving.to_string()
            ])
        );
    }
    html.push_str("</tbody></table></div>\n");
    for (when, balance) in [
        ("before", &report.balance_before),
        ("after", &report.balance_after),
    ] {
        let _ = writeln!(html, "<p class=\"dim\">{when}: {}</p>", evenness(balance));
    }
    html
}

fn cells(texts: &[String]) -> String {
    let cells = texts
        .iter()
        .map(|text| format!("<td class=\"number-cell\">{}</td>", escaped(text)));
    cells.collect()
}

fn evenness(balance: &Balance) -> String {
    format!(
        "the fullest node has {:.3} times its part; χ² = {:.1} at {} degrees of freedom, {}",
        balance.max_over_mean,
        balance.chi_square,
        balance.degrees,
        escaped(&chance(balance))
    )
}

/// Ribbons for few nodes, a matrix for many.
fn flows(report: &Report) -> String {
    let side = |keys: fn(&NodeKeys) -> Option<u64>| -> Vec<String> {
        let nodes = report.nodes.iter().filter(|node| keys(node).is_some());
        nodes.map(|node| node.address.clone()).collect()
    };
    let (before, after) = (side(|node| node.before), side(|node| node.after));
    let picture = if before.len().max(after.len()) <= RIBBONS_MAX {
        format!(
            "<p class=\"dim\"><span class=\"key flow-stay\"></span> stay <span class=\"key flow-move\"></span> move \
             <span class=\"key flow-unforced\"></span> move between nodes that are in both clusters</p>\n\
             <div class=\"picture\">{}</div>\n",
            flow(&before, &after, &ribbons(report, &before, &after))
        )
    } else {
        let cells: Vec<_> = report
            .flows
            .iter()
            .filter_map(|flow| {
                Some((
                    place(&before, &flow.from)?,
                    place(&after, &flow.to)?,
                    flow.keys,
                ))
            })
            .collect();
        format!(
            "<div class=\"picture\">{}</div>\n",
            heat(&before, &after, &cells)
        )
    };
    if report.flows.is_empty() {
        return "<p>Nothing moves.</p>\n".to_owned();
    }
    picture
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

fn alternatives(report: &Report) -> String {
    let asked = &report.alternatives;
    let of = if asked.all_keys { "all" } else { "a sample of" };
    let mut html = format!(
        "<p class=\"dim\">{}, on {of} {} keys</p>\n<div class=\"wide\"><table><thead><tr><th>policy</th><th class=\"number-cell\">moved</th>\
         <th class=\"number-cell\">fullest node after</th><th></th></tr></thead><tbody>",
        comparison(report),
        asked.keys
    );
    for other in &asked.policies {
        let dash = || "–".to_owned();
        let moved = other.moved_share.map_or_else(dash, percent);
        let fullest = other
            .balance
            .map_or_else(dash, |balance| format!("{:.3} ×", balance.max_over_mean));
        let _ = write!(
            html,
            "<tr><td>{}</td>{}<td class=\"dim\">{}</td></tr>",
            escaped(&other.policy),
            cells(&[moved, fullest]),
            escaped(other.note.as_deref().unwrap_or_default())
        );
    }
    html + "</tbody></table></div>\n"
}

fn curve(curves: &[Curve]) -> String {
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
    format!(
        "<p class=\"dim\">keys that move when one node is added, on a sample of the keys, over nodes of equal weight</p>\n\
         <div class=\"picture\">{}</div>\n",
        lines("nodes before", &drawn)
    )
}

fn hot_tags(tags: &HotTags) -> String {
    let on = if tags.on {
        "all keys of a tag are on one node"
    } else {
        "tags are not hashed; if they were, all keys of a tag would be on one node"
    };
    let exact = match tags.uncounted_max {
        0 => String::new(),
        more => format!("; a tag may have {more} keys more than shown"),
    };
    let mut html = format!(
        "<p class=\"dim\">{on}; {} keys have a tag{exact}</p>\n<div class=\"wide\"><table><thead><tr><th>tag</th>\
         <th class=\"number-cell\">keys</th><th class=\"number-cell\">share</th></tr></thead><tbody>",
        tags.keys
    );
    for tag in &tags.top {
        let _ = write!(
            html,
            "<tr><td class=\"id\">{}</td>{}</tr>",
            escaped(&tag.tag),
            cells(&[tag.keys.to_string(), percent(tag.share)])
        );
    }
    html + "</tbody></table></div>\n"
}
