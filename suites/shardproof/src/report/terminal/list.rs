//! Cases, scenarios and targets, as text.

use std::fmt::Write;

use chaos::scenario::Scenario;
use conformance::{Case, Template};
use testbed::targets::Target;

/// All cases with their promises, all scenarios with their purposes, all targets with their titles.
#[must_use]
pub fn list(cases: &[Case], scenarios: &[Scenario], targets: &[Target]) -> String {
    let mut text = format!("{} cases\n", cases.len());
    for cases in cases.chunk_by(|one, next| one.template.is_some() && one.template == next.template)
    {
        text += &listed(&cases[0], cases);
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

/// A case, or a template with those of its shapes that are listed.
fn listed(first: &Case, cases: &[Case]) -> String {
    let Some(template) = &first.template else {
        return format!("  {}\n      {}\n", first.id, first.promise);
    };
    let shape = |case: &Case| case.id[template.id.len() + 1..].to_owned();
    let shapes: Vec<String> = cases.iter().map(shape).collect();
    let Template { id, promise, .. } = template;
    format!("  {id}@N\n      {promise}\n      N: {}\n", shapes.join(" "))
}
