//! JSON for machines: one object, which starts with its format.

use serde::Serialize;

use super::Report;
use crate::diff::Diff;
use crate::fleet::{Check, Migration};
use crate::planner::fingerprint::report::Fingerprint;
use crate::planner::locate::Location;
use crate::planner::plan;
use chaos::checker;
use chaos::history;
use chaos::report::Chaos;
use chaos::rescale::{self, FaultReport, Faults, Rescales};
use chaos::scenario::Scenario;
use conformance::Case;
use conformance::differential::Differential;
use conformance::matrix::Matrix;
use conformance::probe::Probe;
use conformance::report::Conformance;
use conformance::verdict::Level;
use testbed::targets::Target;

/// A report as one object in JSON.
///
/// # Errors
/// Never for a report of this suite.
pub fn text(report: &impl Report) -> serde_json::Result<String> {
    pretty(report)
}

fn pretty(document: &impl Serialize) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(document)?;
    text.push('\n');
    Ok(text)
}

/// The JSON schemas of this suite's formats, by format name without its version.
#[must_use]
pub fn schemas() -> [(&'static str, schemars::Schema); 15] {
    [
        of::<Chaos>(),
        of::<Check>(),
        of::<checker::Report>(),
        of::<Conformance>(),
        of::<Diff>(),
        of::<Differential>(),
        (Faults::KIND, schemars::schema_for!(FaultReport)),
        of::<Fingerprint>(),
        ("history", schemars::schema_for!(history::Line)),
        ("location", schemars::schema_for!(Location<'static>)),
        of::<plan::Report>(),
        of::<Migration>(),
        of::<Matrix>(),
        of::<Probe>(),
        (Rescales::KIND, schemars::schema_for!(rescale::Report)),
    ]
}

fn of<R: Report + schemars::JsonSchema>() -> (&'static str, schemars::Schema) {
    (R::KIND, schemars::schema_for!(R))
}

#[derive(Serialize)]
struct List<'a> {
    format: &'static str,
    cases: Vec<ListedCase<'a>>,
    scenarios: Vec<ListedScenario<'a>>,
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
struct ListedScenario<'a> {
    id: &'a str,
    shows: &'a str,
    source: Option<&'a str>,
    laws: Vec<&'static str>,
}

#[derive(Serialize)]
struct ListedTarget<'a> {
    name: &'a str,
    title: &'a str,
    policies: &'a [String],
    capabilities: &'a [String],
}

/// Cases, scenarios and targets as `shardproof.list/1`.
///
/// # Errors
/// Never for a list of this suite.
pub fn list(
    cases: &[Case],
    scenarios: &[Scenario],
    targets: &[Target],
) -> serde_json::Result<String> {
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
        scenarios: scenarios
            .iter()
            .map(|scenario| ListedScenario {
                id: &scenario.id,
                shows: &scenario.shows,
                source: scenario.source.as_deref(),
                laws: scenario.laws.iter().map(|law| law.id()).collect(),
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
