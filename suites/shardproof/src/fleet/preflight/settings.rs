//! Settings that change how keys are served. Values of passwords are compared and never shown.

use std::collections::BTreeMap;

use super::facts::{Facts, SECRETS};
use super::{Finding, Level, Point, unknown, usual};

/// All nodes that keys are placed on should have the same settings. One that a server does not know is not compared.
pub(super) fn compare(placed: &[Facts]) -> Vec<Finding> {
    let mut findings = unknown(placed, Point::Settings, |facts| &facts.settings);
    let mut all: BTreeMap<&str, Vec<&Vec<u8>>> = BTreeMap::new();
    for (name, value) in placed.iter().flat_map(|facts| &facts.settings).flatten() {
        all.entry(name).or_default().push(value);
    }
    for (name, values) in all {
        let Some(usual) = usual(&values) else {
            continue;
        };
        for facts in placed {
            let own = facts.settings.as_ref().ok().and_then(|own| own.get(name));
            if let Some(own) = own.filter(|own| *own != usual) {
                let what = difference(name, own, usual);
                findings.push(facts.finding(Point::Settings, Level::Differs, what));
            }
        }
    }
    findings
}

fn difference(name: &str, own: &[u8], usual: &[u8]) -> String {
    if SECRETS.contains(&name) {
        let own = if own.is_empty() { "not set" } else { "set" };
        return format!("{name} is {own}, and different on other nodes");
    }
    let (own, usual) = (own.escape_ascii(), usual.escape_ascii());
    format!("{name} is \"{own}\", and \"{usual}\" on other nodes")
}
