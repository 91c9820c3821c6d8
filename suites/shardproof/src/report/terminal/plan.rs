//! A plan as text.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use crate::planner::plan::{Balance, Flow, HotTags, Report};

/// The most nodes whose flows are shown as a matrix; the largest flows are listed otherwise.
const MATRIX_MAX: usize = 8;
/// Flows that are listed.
const FLOWS_MAX: usize = 20;

/// The cost of a change.
#[must_use]
pub fn plan(report: &Report) -> String {
    let mut text = heading(report);
    let mut line = |words: &str| {
        let _ = writeln!(text, "{}", format!("  {words}").trim_end());
    };
    nodes(report).lines().for_each(|row| line(&row));
    line("");
    for (name, count, share, what) in [
        (
            "moved",
            report.moved,
            report.moved_share,
            "have another node after the change",
        ),
        (
            "minimum",
            report.minimum,
            report.minimum_share,
            "is the fewest that lead from these counts to those",
        ),
        (
            "unforced",
            report.unforced,
            report.unforced_share,
            "move between nodes that are in both clusters",
        ),
    ] {
        line(&format!(
            "{name:<9}{count:>12} {:>6.1} %  {what}",
            100.0 * share
        ));
    }
    line(&format!(
        "expected {:>19.1} %  is the minimum for random keys, by the shares of the nodes",
        100.0 * report.expected_minimum_share
    ));
    if report.routed_elsewhere > 0 {
        line(&format!(
            "elsewhere{:>12}           left out: the routes of the proxy send them to another cluster or to none",
            report.routed_elsewhere
        ));
    }
    line("");
    line(&format!(
        "balance before  {}",
        balance(&report.balance_before)
    ));
    line(&format!(
        "balance after   {}",
        balance(&report.balance_after)
    ));
    line("");
    if !report.flows.is_empty() {
        line("keys that move, from row to column:");
        flows(report).lines().for_each(|row| line(&row));
        line("");
    }
    line(&format!("{}, on {}:", comparison(report), asked(report)));
    alternatives(report).lines().for_each(|row| line(&row));
    if let Some(tags) = &report.hot_tags {
        line("");
        line(&tag_heading(tags));
        hot_tags(tags).lines().for_each(|row| line(&row));
    }
    text
}

fn heading(report: &Report) -> String {
    let (from, to) = (&report.from, &report.to);
    let policies = if from.policy == to.policy {
        from.policy.clone()
    } else {
        format!("{} -> {}", from.policy, to.policy)
    };
    let tags = match (&from.tags, &to.tags) {
        (None, None) => String::new(),
        (one, two) if one == two => format!(", tags {}", one.as_deref().unwrap_or_default()),
        (one, two) => {
            let shown = |tags: &Option<String>| tags.clone().unwrap_or_else(|| "off".to_owned());
            format!(", tags {} -> {}", shown(one), shown(two))
        }
    };
    format!(
        "{policies}{tags}, {} -> {} nodes, {} keys {}\nfrom  {}\nto    {}\n\n",
        from.nodes, to.nodes, report.keys, report.source, from.description, to.description
    )
}

fn table(header: &[&str], text_columns: usize) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut().skip(text_columns) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn nodes(report: &Report) -> Table {
    let header = [
        "node",
        "keys before",
        "keys after",
        "arriving",
        "leaving",
        "",
    ];
    let mut table = table(&header, 1);
    let count =
        |count: Option<u64>| count.map_or_else(|| "-".to_owned(), |count| count.to_string());
    for node in &report.nodes {
        table.add_row([
            node.address.clone(),
            count(node.before),
            count(node.after),
            node.arriving.to_string(),
            node.leaving.to_string(),
            node.name.clone().unwrap_or_default(),
        ]);
    }
    if let Some(names) = table.column_mut(5) {
        names.set_cell_alignment(CellAlignment::Left);
    }
    table
}

fn balance(balance: &Balance) -> String {
    format!(
        "fullest node {:.3} x its part, chi-square {:.1} ({}), {}",
        balance.max_over_mean,
        balance.chi_square,
        degrees(balance),
        chance(balance)
    )
}

fn degrees(balance: &Balance) -> String {
    let plural = if balance.degrees == 1 { "" } else { "s" };
    format!("{} degree{plural} of freedom", balance.degrees)
}

/// The probability of the balance, in words.
pub(in crate::report) fn chance(balance: &Balance) -> String {
    match balance.p_value {
        p if p < 1e-4 => "p < 0.0001, less even than chance".to_owned(),
        p if p < 0.01 => format!("p {p:.4}, less even than chance"),
        p => format!("p {p:.2}, as even as chance"),
    }
}

/// A matrix if it fits, the largest flows otherwise.
fn flows(report: &Report) -> Table {
    let senders: Vec<&str> = shown(report, |flow| &flow.from);
    let receivers: Vec<&str> = shown(report, |flow| &flow.to);
    if senders.len().max(receivers.len()) > MATRIX_MAX {
        return largest(report);
    }
    let header: Vec<&str> = [""].into_iter().chain(receivers.iter().copied()).collect();
    let mut table = table(&header, 1);
    for from in senders {
        let cells = receivers.iter().map(|to| {
            let mut flows = report.flows.iter();
            let flow = flows.find(|flow| flow.from == from && flow.to == *to);
            flow.map_or_else(|| "-".to_owned(), |flow| flow.keys.to_string())
        });
        table.add_row([from.to_owned()].into_iter().chain(cells));
    }
    table
}

/// The addresses at one end of any flow, in the order of the nodes.
fn shown(report: &Report, end: fn(&Flow) -> &String) -> Vec<&str> {
    let nodes = report.nodes.iter().map(|node| node.address.as_str());
    nodes
        .filter(|address| report.flows.iter().any(|flow| end(flow) == address))
        .collect()
}

fn largest(report: &Report) -> Table {
    let mut flows: Vec<_> = report.flows.iter().collect();
    flows.sort_by_key(|flow| std::cmp::Reverse(flow.keys));
    let mut table = table(&["from", "to", "keys"], 2);
    for flow in flows.iter().take(FLOWS_MAX) {
        table.add_row([flow.from.clone(), flow.to.clone(), flow.keys.to_string()]);
    }
    if flows.len() > FLOWS_MAX {
        let more = format!("and {} more", flows.len() - FLOWS_MAX);
        table.add_row([more, String::new(), String::new()]);
    }
    table
}

/// The heading of the other policies.
pub(in crate::report) fn comparison(report: &Report) -> &'static str {
    if report.from.policy == report.to.policy {
        "the same change under other policies"
    } else {
        "the same change of nodes, each policy before and after"
    }
}

fn asked(report: &Report) -> String {
    let keys = report.alternatives.keys;
    if report.alternatives.all_keys {
        format!("all {keys} keys")
    } else {
        format!("a sample of {keys} keys")
    }
}

fn alternatives(report: &Report) -> Table {
    let mut table = table(&["policy", "moved", "fullest node after", ""], 1);
    for other in &report.alternatives.policies {
        let moved = other
            .moved_share
            .map(|share| format!("{:.1} %", 100.0 * share));
        let fullest = other
            .balance
            .map(|balance| format!("{:.3} x", balance.max_over_mean));
        table.add_row([
            other.policy.clone(),
            moved.unwrap_or_else(|| "-".to_owned()),
            fullest.unwrap_or_else(|| "-".to_owned()),
            other.note.clone().unwrap_or_default(),
        ]);
    }
    if let Some(notes) = table.column_mut(3) {
        notes.set_cell_alignment(CellAlignment::Left);
    }
    table
}

fn tag_heading(tags: &HotTags) -> String {
    let on = if tags.on { "" } else { ", if tags were on" };
    let exact = match tags.uncounted_max {
        0 => String::new(),
        more => format!(", each perhaps {more} more"),
    };
    format!(
        "hot tags, all keys of a tag on one node{on} ({} keys have a tag{exact}):",
        tags.keys
    )
}

fn hot_tags(tags: &HotTags) -> Table {
    let mut table = table(&["tag", "keys", "share"], 1);
    for tag in &tags.top {
        table.add_row([
            tag.tag.clone(),
            tag.keys.to_string(),
            format!("{:.1} %", 100.0 * tag.share),
        ]);
    }
    table
}
