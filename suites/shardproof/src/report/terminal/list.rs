//! Cases, scenarios and targets, as text.

use std::fmt::Write;

use chaos::scenario::Scenario;
use conformance::Case;
use testbed::targets::Target;

/// All cases with their promises, all scenarios with their purposes, all targets with their titles.
#[must_use]
pub fn list(cases: &[Case], scenarios: &[Scenario], targets: &[Target]) -> String {
    let mut text = format!("{} cases\n", cases.len());
    for case in cases {
        let _ = writeln!(text, "  {}\n      {}", case.id, case.promise);
    }
    if !scenarios.is_empty() {
        let _ = writeln!(text, "\n{} scenarios", scenarios.len());
    }
    for scenario in scenarios {
        let _ = writeln!(text, "  {}\n      {}", scenario.id, scenario.shows);
    }
    let _ = writeln!(text, "\n{} targets", targets.len());
    for target in targets {
        let _ = writeln!(text, "  {:<12} {}", target.name, target.title);
    }
    text
}
