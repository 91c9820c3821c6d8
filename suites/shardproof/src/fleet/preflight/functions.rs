//! Libraries of functions: FCALL with a moved key fails for good on a node that does not have them.

use std::collections::BTreeMap;

use super::facts::Facts;
use super::{Finding, Level, Point, unknown};

/// Every library of any node must be on each of the first `placed` nodes, with the same code.
pub(super) fn compare(facts: &[Facts], placed: usize) -> Vec<Finding> {
    let mut all: BTreeMap<&String, (&Vec<u8>, &String)> = BTreeMap::new();
    for facts in facts {
        for (name, code) in facts.functions.iter().flatten() {
            all.entry(name).or_insert((code, &facts.node));
        }
    }
    let mut findings = unknown(facts, Point::Functions, |facts| &facts.functions);
    for facts in &facts[..placed] {
        let Ok(own) = &facts.functions else { continue };
        for (name, (code, from)) in &all {
            let what = match own.get(*name) {
                None => format!("library {name} is missing, which {from} has"),
                Some(own) if own != *code => {
                    format!("library {name} has other code than on {from}")
                }
                Some(_) => continue,
            };
            findings.push(facts.finding(Point::Functions, Level::Blocks, what));
        }
    }
    findings
}
