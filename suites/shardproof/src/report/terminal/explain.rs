//! A case in words: the promise, its steps as they are typed, and the targets that are known not to keep it.

use std::fmt::Write;

use conformance::{Action, Case, Party, Step, letter, print, text_of};
use testbed::targets::Target;

/// One case. `text` is its file.
#[must_use]
pub fn explain(case: &Case, text: &str, targets: &[Target]) -> String {
    let mut out = format!(
        "{} ({})\n  {}\n  {}\n\n",
        case.id,
        case.level.name(),
        case.promise,
        case.spec
    );
    let facts: Vec<String> = facts(case).collect();
    if !facts.is_empty() {
        let _ = writeln!(out, "{}\n", facts.join("\n"));
    }
    out += &by_hand(case, &text_of(case, text));
    let known: Vec<String> = targets
        .iter()
        .filter_map(|target| deviation(target, &case.id))
        .collect();
    match known.is_empty() {
        true => out += "\nNo target is known to break the promise.\n",
        false => {
            let _ = writeln!(out, "\nKnown not to keep it:\n{}", known.join("\n"));
        }
    }
    let _ = writeln!(
        out,
        "\nJudge it: shardproof run --target NAME --filter {}",
        case.id
    );
    out
}

/// What the case needs and what it does to others.
fn facts(case: &Case) -> impl Iterator<Item = String> {
    let needs = (!case.needs.is_empty()).then(|| {
        let needs = case.needs.join(", ");
        format!("  Judged on targets that claim {needs}")
    });
    let destroys = case.destructive.then(|| {
        "  Destroys data on the nodes: with --proxy only by --allow-destructive".to_owned()
    });
    let disturbs = (!case.disturbs.is_empty())
        .then(|| "  Can disturb other clients: with --proxy only by --allow-disturbing".to_owned());
    [needs, destroys, disturbs].into_iter().flatten()
}

/// The steps, each with the place where it is typed.
fn by_hand(case: &Case, text: &str) -> String {
    let mut out =
        "By hand, with a `redis-cli -p PORT` of the proxy per client, and one per node:\n"
            .to_owned();
    let keys: Vec<String> = case.variables.iter().map(ToString::to_string).collect();
    if !keys.is_empty() {
        let _ = writeln!(
            out,
            "  {}: keys of your choice; the letter is the node that has the key, as EXISTS shows there",
            keys.join(" ")
        );
    }
    for step in &case.steps {
        let (place, typed) = typed(step, text);
        let times = match step.times {
            1 => String::new(),
            times => format!("   ({times} times)"),
        };
        let _ = writeln!(out, "  {place:<9} {typed}{times}");
    }
    out
}

/// Where a step is typed, and what. Steps that redis-cli cannot do are shown as the case has them.
fn typed(step: &Step, text: &str) -> (String, String) {
    let node = |node: &usize| format!("node {}", letter(*node));
    match &step.action {
        Action::Given {
            node: at,
            key,
            value,
        } => {
            let words = [key, value].map(print::word);
            (node(at), format!("SET {} {}", words[0], words[1]))
        }
        Action::Send { from, words, group } => {
            let mut typed: Vec<String> = words.iter().map(print::word).collect();
            if let Some(group) = group {
                let words: Vec<String> = group.words.iter().map(print::word).collect();
                typed.push(format!("( {} )*{}", words.join(" "), group.times));
            }
            (party(*from), typed.join(" "))
        }
        Action::Want { from, .. } | Action::Likewise { from, .. } => (
            party(*from),
            format!("expect {}", patterns(&line(step, text))),
        ),
        Action::Eventually { within, send, want } => {
            let (place, request) = typed(send, text);
            let wanted = line(want, text);
            let wanted = patterns(&wanted);
            let within = within.as_secs_f64();
            (
                place,
                format!("{request}   (again until {wanted}, for {within} s)"),
            )
        }
        _ => ("-".to_owned(), line(step, text)),
    }
}

fn party(party: Party) -> String {
    match party {
        Party::Client(number) => format!("client {number}"),
        Party::EachClient => "client N".to_owned(),
        Party::Node(node) => format!("node {}", letter(node)),
    }
}

/// A `want` without its verb and its party.
fn patterns(line: &str) -> &str {
    let (_, rest) = line.split_once(char::is_whitespace).unwrap_or(("", line));
    let rest = rest.trim_start();
    match rest.strip_prefix('@') {
        Some(party) => party
            .split_once(char::is_whitespace)
            .map_or("", |(_, rest)| rest.trim_start()),
        None => rest,
    }
}

/// The line of a step in its file.
fn line(step: &Step, text: &str) -> String {
    let line = text.lines().nth(step.line.saturating_sub(1));
    let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
    words.join(" ")
}

fn deviation(target: &Target, case: &str) -> Option<String> {
    let row = target.deviation(case)?;
    let link = row.link.as_ref().map(|link| format!("\n    {link}"));
    Some(format!(
        "  {} {}: {}{}",
        target.name,
        row.seen,
        row.why,
        link.unwrap_or_default()
    ))
}
