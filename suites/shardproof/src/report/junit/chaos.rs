//! A chaos run: one suite per target, one test case per law of each scenario.

use std::time::Duration;

use chaos::report::{Chaos, KnownViolation, LawReport, ScenarioReport, Verdict};
use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::{failed, skipped, text};

/// The report of a run. Violations of optional laws are skipped test cases that say so, unless the run is strict.
///
/// # Errors
/// Never for a report of this suite.
pub fn chaos(report: &Chaos) -> Result<String, SerializeError> {
    let mut junit = Report::new("shardproof");
    for target in &report.targets {
        let mut suite = TestSuite::new(format!("{} chaos", target.target));
        for scenario in &target.scenarios {
            for (name, status) in cases(scenario, report.strict) {
                let mut case = TestCase::new(name, status);
                case.set_classname(format!("{}.chaos.{}", target.target, scenario.scenario));
                case.set_time(Duration::from_millis(scenario.took_ms));
                suite.add_test_case(case);
            }
        }
        junit.add_test_suite(suite);
    }
    text(&junit)
}

/// The test cases of a scenario: its laws, or one for all laws if there was no run.
fn cases(scenario: &ScenarioReport, strict: bool) -> Vec<(String, TestCaseStatus)> {
    let why = scenario.why.clone().unwrap_or_default();
    match (scenario.laws.is_empty(), scenario.verdict) {
        (true, Verdict::Skipped) => vec![("run".to_owned(), skipped(why))],
        (true, _) => vec![("run".to_owned(), failed(NonSuccessKind::Error, why))],
        (false, _) => {
            let laws = scenario.laws.iter();
            laws.map(|law| (law.law.clone(), status(law, &shrunk(scenario, law), strict)))
                .collect()
        }
    }
}

/// What the scenario was cut down to for this law, as lines.
fn shrunk(scenario: &ScenarioReport, law: &LawReport) -> String {
    let shrunk = scenario.shrunk.as_ref();
    let Some(shrunk) = shrunk.filter(|shrunk| shrunk.law == law.law) else {
        return String::new();
    };
    let repeat = shrunk.smallest.as_ref().map_or("", |it| &it.repeat);
    format!(
        "\n{}\n{repeat}\n{}",
        shrunk.sentence(),
        shrunk.case_sentence()
    )
}

fn status(law: &LawReport, shrunk: &str, strict: bool) -> TestCaseStatus {
    let known = law.known.as_ref().map_or("", |known| &known.why);
    match law.verdict {
        Verdict::Kept => TestCaseStatus::success(),
        Verdict::Skipped => skipped(law.sentence.clone()),
        Verdict::Known => skipped(format!("known: {known}")),
        Verdict::Unknown => failed(NonSuccessKind::Error, law.sentence.clone()),
        Verdict::Mended => failed(
            NonSuccessKind::Failure,
            law.known
                .as_ref()
                .map_or(String::new(), KnownViolation::remedy),
        ),
        Verdict::Broken if law.optional && !strict => {
            skipped(format!("BROKEN, optional (not counted): {}", law.sentence))
        }
        Verdict::Broken => {
            let mut status = failed(NonSuccessKind::Failure, law.promise.clone());
            let evidence = law.evidence.join("\n");
            status.set_description(format!("{}\n{evidence}{shrunk}", law.sentence));
            status
        }
    }
}
