//! Versions of the servers: a moved key may meet commands that its new node does not know.

use super::facts::Facts;
use super::{Finding, Level, Point, unknown, usual};

/// All nodes that keys are placed on should run the same version of the same program.
pub(super) fn compare(placed: &[Facts]) -> Vec<Finding> {
    let known: Vec<&String> = placed.iter().flat_map(|facts| &facts.version).collect();
    let mut findings = unknown(placed, Point::Versions, |facts| &facts.version);
    let Some(usual) = usual(&known) else {
        return findings;
    };
    for facts in placed {
        if let Ok(version) = &facts.version
            && version != usual
        {
            let what = format!("runs {version}, and other nodes {usual}");
            findings.push(facts.finding(Point::Versions, Level::Differs, what));
        }
    }
    findings
}
