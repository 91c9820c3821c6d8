//! Loaded modules: a node without a module refuses values of its data types, and its commands.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::{Finding, Level, Point, unknown};

/// Every module of any node must be on each of the first `placed` nodes, in the same version.
pub(super) fn compare(facts: &[Facts], placed: usize) -> Vec<Finding> {
    let mut all: BTreeMap<&String, (&String, &String)> = BTreeMap::new();
    for facts in facts {
        for (name, version) in facts.modules.iter().flatten() {
            all.entry(name).or_insert((version, &facts.node));
        }
    }
    let mut findings = unknown(facts, Point::Modules, |facts| &facts.modules);
    for facts in &facts[..placed] {
        let Ok(own) = &facts.modules else { continue };
        for (name, (version, from)) in &all {
            let (level, what) = match own.get(*name) {
                None => (
                    Level::Blocks,
                    format!("module {name} is missing, which {from} has"),
                ),
                Some(own) if own != *version => (
                    Level::Differs,
                    format!("module {name} has version {own}, and {version} on {from}"),
                ),
                Some(_) => continue,
            };
            findings.push(facts.finding(Point::Modules, level, what));
        }
    }
    findings
}
