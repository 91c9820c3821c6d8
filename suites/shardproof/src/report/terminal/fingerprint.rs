//! Result of a fingerprint as text.

use std::fmt::Write;

use comfy_table::{CellAlignment, Table, presets};

use crate::planner::fingerprint::report::{Fingerprint, HomeMade, Nearest, Outcome, Placed};
use crate::report::yaml;

/// Descriptions without a difference that are shown.
const SHOWN: usize = 6;

/// One fingerprint.
#[must_use]
pub fn fingerprint(report: &Fingerprint) -> String {
    let mut text = format!("{}: {}\n\n", report.proxy, headline(report));
    let mut line = |words: &str| {
        let _ = writeln!(text, "{}", format!("  {words}").trim_end());
    };
    if let Some(found) = &report.found {
        details(found).iter().for_each(|detail| line(detail));
    } else if let Some(home_made) = &report.home_made {
        home_made_details(home_made)
            .iter()
            .for_each(|detail| line(detail));
    } else if report.scatter.is_none() {
        nearest(report).iter().for_each(|near| line(near));
    }
    line(&effort(report));
    line("");
    nodes(report).lines().for_each(|row| line(row.trim_end()));
    line("");
    quality(report).iter().for_each(|figure| line(figure));
    if let Some(found) = &report.found {
        line("");
        line("The cluster, as a file for `plan` and `locate`:");
        line("");
        let description = yaml::cluster(&found.cluster);
        description
            .lines()
            .for_each(|row| line(&format!("  {row}")));
    }
    text
}

fn headline(report: &Fingerprint) -> String {
    if let Some(found) = &report.home_made {
        return format!("home-made: {}", found.rule);
    }
    match (&report.found, &report.scatter) {
        (Some(found), _) if report.outcome == Outcome::Undecided => format!(
            "{}, or another one of {} descriptions that a larger --count would distinguish",
            found.policy,
            found.undecided.len() + 1
        ),
        (Some(found), _) => found.policy.clone(),
        (None, Some(scatter)) => format!(
            "keys scatter: {} of {} keys are also on another node after a second write, so this is not a placement",
            scatter.scattered, scatter.rewritten
        ),
        (None, None) if report.nodes.iter().filter(|node| node.keys > 0).count() == 1 => {
            "every key is on one node, which is not a usual placement and no evidence for another"
                .to_owned()
        }
        (None, None) => format!(
            "no known placement explains the nodes of the keys ({} were tried)",
            report.candidates
        ),
    }
}

fn details(found: &Placed) -> Vec<String> {
    let mut lines = vec![
        format!("hashed of keys    {}", found.tags),
        format!("hashed of nodes   {}", found.naming),
    ];
    if let Some((least, most)) = found.same_ring {
        lines.push(format!(
            "the same ring     minimum ring sizes from {least} to {most}"
        ));
    }
    for alike in found.alike.iter().take(SHOWN) {
        lines.push(format!("no key differs    {alike}"));
    }
    if let Some(more) = found.alike.len().checked_sub(SHOWN + 1) {
        lines.push(format!("no key differs    {} others, see --json", more + 1));
    }
    for undecided in &found.undecided {
        lines.push(format!("undecided         {undecided}"));
    }
    lines
}

fn home_made_details(found: &HomeMade) -> Vec<String> {
    let mut lines = vec![
        format!("digest            {}", found.digest),
        format!("hashed of keys    {}", found.tags),
    ];
    if let Some(naming) = &found.naming {
        lines.push(format!("hashed of nodes   {naming}"));
    }
    lines.push(
        "no file           no cluster file describes it, so `plan` cannot compute with it"
            .to_owned(),
    );
    lines
}

fn nearest(report: &Fingerprint) -> Vec<String> {
    let percent = |share: f64| format!("{:>5.1} %", 100.0 * share);
    let near = |near: &Nearest| {
        format!(
            "explained  {}  {}, hashed are {}",
            percent(near.explained),
            near.policy,
            near.naming
        )
    };
    let mut lines: Vec<String> = report.nearest.iter().map(near).collect();
    lines.push(format!("by chance  {}", percent(report.chance)));
    lines.push(
        "not tried  names of nodes but those of --node-name, tags but {} and those of --tag, weights above 10 but those of \
         --node, sizes that --table-size and --ring-size may name"
            .to_owned(),
    );
    lines
}

fn effort(report: &Fingerprint) -> String {
    match &report.found {
        Some(_) => format!(
            "how sure          explains all {} keys; the first {} rule out the other candidates, {} were tried",
            report.keys, report.keys_needed, report.candidates
        ),
        None if report.home_made.is_some() => {
            format!("how sure          explains all {} keys", report.keys)
        }
        None => format!("written    {} keys", report.keys),
    }
}

fn nodes(report: &Fingerprint) -> Table {
    let numbers = report.home_made.as_ref();
    let numbers = numbers.and_then(|found| found.numbers.as_ref());
    let mut table = Table::new();
    let header = ["node", "weight", "share of all keys", "drawn keys"];
    let header = header.into_iter().chain(numbers.map(|_| "numbers"));
    table.load_style(presets::NOTHING).set_header(header);
    for (place, node) in report.nodes.iter().enumerate() {
        let row = [
            node.address.clone(),
            node.weight
                .map_or("-".to_owned(), |weight| weight.to_string()),
            node.share
                .map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share)),
            node.keys.to_string(),
        ];
        let numbers = numbers.map(|numbers| list(&numbers[place]));
        table.add_row(row.into_iter().chain(numbers));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

fn list(numbers: &[usize]) -> String {
    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    numbers.join(",")
}

fn quality(report: &Fingerprint) -> Vec<String> {
    let quality = &report.quality;
    let balance = &quality.balance;
    let mut lines = vec![format!(
        "spread of drawn keys  the fullest node has {:.2} times its share; chi-square {:.1} over {} degrees, p {:.3}",
        balance.max_over_mean, balance.chi_square, balance.degrees, balance.p_value
    )];
    if quality.counted > 0 {
        lines.push(format!(
            "keys that count up    {} of {} in a row on one node, from user:{} on",
            quality.longest_run, quality.counted, quality.longest_run_from
        ));
    }
    if let Some(share) = quality.tag_concentration {
        lines.push(format!(
            "keys of one tag       {:.0} % of them on one node",
            100.0 * share
        ));
    }
    lines
}
