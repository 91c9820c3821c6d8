//! ACL users: a client that one node accepts must be accepted by all. Rules contain hashes of passwords, and are never
//! shown.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::{Finding, Level, Point, unknown, usual};

/// All nodes that keys are placed on should have the same users with the same rules.
pub(super) fn compare(placed: &[Facts]) -> Vec<Finding> {
    let mut findings = unknown(placed, Point::Users, |facts| &facts.users);
    let mut all: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
    for (name, rules) in placed.iter().flat_map(|facts| &facts.users).flatten() {
        all.entry(name).or_default().push(rules);
    }
    for (name, rules) in all {
        let Some(usual) = usual(&rules) else { continue };
        for facts in placed {
            let Ok(own) = &facts.users else { continue };
            let what = match own.get(name) {
                None => format!("user {} is missing", name.escape_debug()),
                Some(own) if own != usual => format!(
                    "user {} has other rules or passwords than on other nodes",
                    name.escape_debug()
                ),
                Some(_) => continue,
            };
            findings.push(facts.finding(Point::Users, Level::Differs, what));
        }
    }
    findings
}
