//! Fields of INFO that count several things: keys per database, calls per command, errors per kind.

use std::collections::BTreeMap;

use crate::command::goes_to_every_node;

/// Whether a field counts several things: `db0:keys=1,expires=0,avg_ttl=0`, `db0_distrib_lists_items:1=7,1K=2`.
pub(super) fn is_tally(name: &str) -> bool {
    let database = name.strip_prefix("db");
    let of_it = database.map(|name| name.trim_start_matches(|at: char| at.is_ascii_digit()));
    of_it.is_some_and(|of_it| of_it.is_empty() || of_it.starts_with(BY_SIZE))
        || name.starts_with("cmdstat_")
        || name.starts_with("errorstat_")
}

/// The number of keys per size.
const BY_SIZE: &str = "_distrib_";

/// The number of a size as `human` and Redis write it: `512`, `1K`.
fn size(label: &str) -> Option<u64> {
    let number = label.trim_end_matches(|at: char| at.is_ascii_alphabetic());
    let shift = match &label[number.len()..] {
        "" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_shl(shift)
}

/// Counts add up; averages are weighted. If the proxy sends a command to every node, each node counts a client's call
/// once: the number of calls is the maximum of the nodes.
pub(super) fn tally(name: &str, values: &[&str]) -> Option<String> {
    let command = name.strip_prefix("cmdstat_");
    let is_fan_out = command.is_some_and(goes_to_every_node);
    let mut names: Vec<&str> = Vec::new();
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for value in values {
        let parts: Option<Vec<(&str, f64)>> = value
            .split(',')
            .map(|part| {
                let (name, number) = part.split_once('=')?;
                Some((name, number.parse().ok()?))
            })
            .collect();
        let parts = parts?;
        let of = |wanted: &str| parts.iter().find(|(name, _)| *name == wanted);
        for (name, number) in &parts {
            let weight = match *name {
                "avg_ttl" => of("expires").map_or(0.0, |(_, expires)| *expires),
                _ => 1.0,
            };
            if !names.contains(name) {
                names.push(name);
            }
            let sum = sums.entry(name).or_default();
            match is_fan_out && name.ends_with("calls") {
                true => *sum = sum.max(*number),
                false => *sum += weight * number,
            }
        }
    }
    if name.contains(BY_SIZE) {
        names.sort_by_key(|label| size(label));
    }
    let of = |name: &str| sums.get(name).copied().unwrap_or_default();
    let ratio = |sum: f64, count: f64| if count > 0.0 { sum / count } else { 0.0 };
    let shown = names.iter().map(|name| match *name {
        "avg_ttl" => format!("{name}={:.0}", ratio(of(name), of("expires")).floor()),
        "usec_per_call" => format!("{name}={:.2}", ratio(of("usec"), of("calls"))),
        _ => format!("{name}={:.0}", of(name)),
    });
    Some(shown.collect::<Vec<_>>().join(","))
}
