//! What can be run, as text.

use std::fmt::Write;

use conformance::Case;
use testbed::targets::Target;

/// All cases with their promises, all targets with their titles.
#[must_use]
pub fn list(cases: &[Case], targets: &[Target]) -> String {
    let mut text = format!("{} cases\n", cases.len());
    for case in cases {
        let _ = writeln!(text, "  {}\n      {}", case.id, case.promise);
    }
    let _ = writeln!(text, "\n{} targets", targets.len());
    for target in targets {
        let _ = writeln!(text, "  {:<12} {}", target.name, target.title);
    }
    text
}
