//! JSON for machines: one object, which starts with its format.

use serde::Serialize;

use crate::fleet::{Check, Migration};
use crate::planner::locate::Location;
use crate::planner::plan;
use crate::run::{Conformance, Differential, Fingerprint, Matrix};
use chaos::rescale::Report;
use conformance::Case;
use conformance::verdict::Level;
use testbed::targets::Target;

#[derive(Serialize)]
struct Rescales<'a> {
    format: &'static str,
    reports: Vec<&'a Report>,
}

/// One rescale as `shardproof.rescale/1`; several as `shardproof.rescales/1`, which lists them.
///
/// # Errors
/// Never for a report of this suite.
pub fn rescales(reports: &[&Report]) -> serde_json::Result<String> {
    match reports {
        [report] => pretty(report),
        _ => pretty(&Rescales {
            format: "shardproof.rescales/1",
            reports: reports.to_vec(),
        }),
    }
}

fn pretty(document: &impl Serialize) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    Ok(text)
}

/// A conformance run as `shardproof.conformance/1`.
///
/// # Errors
/// Never for a report of this suite.
pub fn conformance(report: &Conformance) -> serde_json::Result<String> {
    pretty(report)
}

/// A plan as `shardproof.plan/1`.
///
/// # Errors
/// Never for a report of this suite.
pub fn plan(report: &plan::Report) -> serde_json::Result<String> {
    pretty(report)
}

/// A check of live nodes as `shardproof.check/1`.
///
/// # Errors
/// Never for a report of this suite.
pub fn check(report: &Check) -> serde_json::Result<String> {
    pretty(report)
}

/// A migration of keys as `shardproof.migrate/1`.
///
/// # Errors
/// Never for a report of this suite.
pub fn migration(report: &Migration) -> serde_json::Result<String> {
    pretty(report)
}

/// What was found out about a proxy as `shardproof.fingerprint/1`.
///
/// # Errors
/// Never for a report of this suite.
pub fn fingerprint(report: &Fingerprint) -> serde_json::Result<String> {
    pretty(report)
}

/// A command matrix as `shardproof.matrix/1`.
///
/// # Errors
/// Never for a matrix of this suite.
pub fn matrix(matrix: &Matrix) -> serde_json::Result<String> {
    pretty(matrix)
}

/// What random requests have shown as `shardproof.differential/1`.
///
/// # Errors
/// Never for a report of this suite.
pub fn differential(report: &Differential) -> serde_json::Result<String> {
    pretty(report)
}

/// The JSON schemas of what this suite writes, by format name without its version.
#[must_use]
pub fn schemas() -> [(&'static str, schemars::Schema); 9] {
    [
        ("check", schemars::schema_for!(Check)),
        ("conformance", schemars::schema_for!(Conformance)),
        ("differential", schemars::schema_for!(Differential)),
        ("fingerprint", schemars::schema_for!(Fingerprint)),
        ("location", schemars::schema_for!(Location<'static>)),
        ("plan", schemars::schema_for!(plan::Report)),
        ("migrate", schemars::schema_for!(Migration)),
        ("matrix", schemars::schema_for!(Matrix)),
        ("rescale", schemars::schema_for!(Report)),
    ]
}

#[derive(Serialize)]
struct List<'a> {
    format: &'static str,
    cases: Vec<ListedCase<'a>>,
    targets: Vec<ListedTarget<'a>>,
}

#[derive(Serialize)]
struct ListedCase<'a> {
    id: &'a str,
    promise: &'a str,
    level: Level,
    spec: &'a str,
    needs: &'a [String],
}

#[derive(Serialize)]
struct ListedTarget<'a> {
    name: &'a str,
    title: &'a str,
    policies: &'a [String],
    capabilities: &'a [String],
}

/// What can be run as `shardproof.list/1`.
///
/// # Errors
/// Never for a list of this suite.
pub fn list(cases: &[Case], targets: &[Target]) -> serde_json::Result<String> {
    pretty(&List {
        format: "shardproof.list/1",
        cases: cases
            .iter()
            .map(|case| ListedCase {
                id: &case.id,
                promise: &case.promise,
                level: case.level,
                spec: &case.spec,
                needs: &case.needs,
            })
            .collect(),
        targets: targets
            .iter()
            .map(|target| ListedTarget {
                name: &target.name,
                title: &target.title,
                policies: &target.policies,
                capabilities: &target.capabilities,
            })
            .collect(),
    })
}
