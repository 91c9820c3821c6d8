//! Laws of scenarios: their outcomes, and which of them are known.

use std::collections::BTreeMap;

use super::{Baseline, Outcome, Row};
use ::chaos::report::{KnownViolation, LawReport, ScenarioReport, Stressed, Verdict};
use testbed::targets::Occurs;

fn name(scenario: &str, law: &str) -> String {
    format!("{scenario}/{law}")
}

/// Whether a row of a baseline says that the violation is known.
fn is_accepted(law: &LawReport) -> bool {
    law.known.as_ref().is_some_and(|known| known.row.is_some())
}

impl Outcome {
    /// The outcomes of laws in all runs. Those with a recorded deviation of the target are left out.
    #[must_use]
    pub fn of_laws(stressed: &Stressed) -> Vec<Self> {
        let mut by_name: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for scenario in &stressed.scenarios {
            for law in &scenario.laws {
                if law.known.is_some() && !is_accepted(law) {
                    continue;
                }
                let (failed, judged) = by_name
                    .entry(name(&scenario.scenario, &law.law))
                    .or_default();
                let is_broken = law.violations > 0;
                *failed += usize::from(is_broken);
                *judged += usize::from(is_broken || is_kept(law.verdict));
            }
        }
        let outcome = |(case, (failed, judged))| Self {
            case,
            failed,
            judged,
            class: None,
        };
        by_name.into_iter().map(outcome).collect()
    }
}

/// Whether the law held in the run: one that is recorded may be known or mended.
fn is_kept(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Kept | Verdict::Known | Verdict::Mended)
}

impl Baseline {
    /// Marks the known violations of one run. Whether a row no longer occurs is known after all runs only.
    pub fn mark_scenario(&self, scenario: &mut ScenarioReport) {
        for law in &mut scenario.laws {
            let row = self.row(&name(&scenario.scenario, &law.law));
            if let (None, Some(row)) = (&law.known, row) {
                law.known = Some(self.violation(row));
                law.verdict = match (law.verdict, row.occurs) {
                    (Verdict::Broken, _) | (Verdict::Kept, Occurs::ByPlacement) => Verdict::Known,
                    (verdict, _) => verdict,
                };
            }
        }
        scenario.weigh();
    }

    /// Marks the known violations of all runs, and the rows that occurred in none of them.
    pub fn mark_laws(&self, stressed: &mut Stressed) {
        for scenario in &mut stressed.scenarios {
            self.mark_scenario(scenario);
        }
        let idle: Vec<String> = Outcome::of_laws(stressed)
            .into_iter()
            .filter(|outcome| outcome.failed == 0)
            .map(|outcome| outcome.case)
            .collect();
        for scenario in &mut stressed.scenarios {
            for law in &mut scenario.laws {
                let is_idle = idle.contains(&name(&scenario.scenario, &law.law));
                if is_idle && is_accepted(law) && law.verdict == Verdict::Kept {
                    law.verdict = Verdict::Mended;
                }
            }
            scenario.weigh();
        }
    }

    fn violation(&self, row: &Row) -> KnownViolation {
        KnownViolation {
            why: self.why(row),
            seen: row.seen.clone(),
            link: row.link.clone(),
            row: Some(self.at(row)),
        }
    }
}
