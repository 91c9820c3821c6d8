//! The story of a rescale as text.

use std::fmt::Write;

use super::table::table;
use chaos::rescale::{LawVerdict, POLICY_UNKNOWN, Prediction, Report};

/// One rescale.
#[must_use]
pub fn rescale(report: &Report) -> String {
    let mut text = format!(
        "{} {}, {}, {} -> {} nodes, {} keys\n\n",
        report.target,
        report.version,
        policy(report),
        report.from,
        report.to,
        report.keys
    );
    let mut line = |words: String| {
        let _ = writeln!(text, "{}", format!("  {words}").trim_end());
    };
    nodes(report)
        .lines()
        .for_each(|row| line(row[1..].to_owned()));
    line(String::new());
    line(format!("found        {}", part(report.found, report.keys)));
    line(format!(
        "unreachable  {}  on a node, missing through the proxy; these counts need at least {} moves",
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
    laws(report).into_iter().for_each(&mut line);
    line(prediction(report));
    text
}

/// The name of the policy, in words.
pub(in crate::report) fn policy(report: &Report) -> &str {
    match report.policy.as_str() {
        POLICY_UNKNOWN => "unknown policy",
        known => known,
    }
}

/// The end of one or more rescales: for several a table of their figures, then the published claim.
#[must_use]
pub fn rescales(reports: &[Report]) -> String {
    match reports {
        [] | [_] => claim(reports),
        several => format!("{}\n{}", figures(several), claim(several)),
    }
}

/// The figures of each rescale, as shares of its keys.
fn figures(reports: &[Report]) -> String {
    let head = [
        "proxy",
        "policy",
        "nodes",
        "found",
        "unreachable",
        "lost",
        "stale on the way back",
    ];
    let rows = reports.iter().map(|report| {
        let counts = [report.found, report.unreachable, report.lost, report.stale];
        let shares = counts.map(|count| percent(count, report.keys));
        let names = [
            format!("{} {}", report.target, report.version),
            report.policy.clone(),
            format!("{} to {}", report.from, report.to),
        ];
        names.into_iter().chain(shares).collect()
    });
    table(&head, rows, 3)
}

/// A published claim about two policies, next to the measurement. Empty without a measurement of one.
#[must_use]
pub fn claim(reports: &[Report]) -> String {
    let measured = |policy: &str| {
        let of_policy = |report: &Report| {
            let predicted = report.predicted.as_ref();
            report.policy == policy && predicted.is_none_or(|it| it.differ == 0)
        };
        let share = |report: &Report| of_policy(report).then_some(report.unreachable_share);
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

fn nodes(report: &Report) -> String {
    let head = ["node", "placed before", "placed after", "stored after"];
    let rows = report.nodes.iter().map(|node| {
        let counts = [node.before, node.after, node.held].map(|count| count.to_string());
        std::iter::once(node.addr.to_string())
            .chain(counts)
            .collect()
    });
    table(&head, rows, 1)
}

/// One line for all laws that hold, and one for each other one.
pub(in crate::report) fn laws(report: &Report) -> Vec<String> {
    let names = |verdict: LawVerdict| {
        let of_verdict = report.laws.iter().filter(move |law| law.verdict == verdict);
        of_verdict.map(|law| law.law.name()).collect::<Vec<_>>()
    };
    let kept = names(LawVerdict::Kept);
    let mut lines = Vec::new();
    if !kept.is_empty() {
        lines.push(format!("laws kept, by the nodes: {}", kept.join(", ")));
    }
    for law in &report.laws {
        let (name, count, examples) = (law.law.name(), law.violations, law.examples.join("; "));
        match law.verdict {
            LawVerdict::Kept => {}
            LawVerdict::Broken => {
                lines.push(format!(
                    "law BROKEN: {name}, {count} times, such as {examples}"
                ));
            }
            LawVerdict::Unknown => {
                lines.push(format!(
                    "law not judged: {name}, too few keys ({examples} got none)"
                ));
            }
        }
    }
    lines
}

/// How the nodes compare with the computed placement.
pub(in crate::report) fn prediction(report: &Report) -> String {
    match &report.predicted {
        None if report.policy == POLICY_UNKNOWN => {
            "no prediction: give --policy, `shardproof fingerprint` finds it".to_owned()
        }
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

/// A count with its share, without padding.
fn percent(count: usize, whole: usize) -> String {
    let words = part(count, whole);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn part(count: usize, whole: usize) -> String {
    format!(
        "{count:>8} {:>6.1} %",
        100.0 * count as f64 / whole.max(1) as f64
    )
}
