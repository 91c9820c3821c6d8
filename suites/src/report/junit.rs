//! JUnit XML with names: a suite a target, a test case a case, so that a CI server shows what was promised.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::terminal::evidence;
use crate::run::Conformance;
use crate::verdict::{Result as CaseResult, Standing, Verdict};

/// The report of a run. `strict` says whether promises of level `should` count.
///
/// # Errors
/// Never for a report of this suite.
pub fn conformance(
    report: &Conformance,
    strict: bool,
) -> Result<String, quick_junit::SerializeError> {
    let mut junit = Report::new("shardproof");
    for judged in &report.targets {
        let mut suite = TestSuite::new(&judged.target);
        suite.set_time(judged.took);
        for result in &judged.results {
            let (group, name) = result.case.split_once('/').unwrap_or(("", &result.case));
            let mut case = TestCase::new(name, status(result, strict));
            case.set_classname(format!("{}.{group}", judged.target));
            case.set_time(result.took);
            suite.add_test_case(case);
        }
        junit.add_test_suite(suite);
    }
    junit.to_string()
}

fn status(result: &CaseResult, strict: bool) -> TestCaseStatus {
    let failed = |kind, message: String| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_message(message);
        status
    };
    match (&result.verdict, result.standing()) {
        (Verdict::Fail(found), Standing::Broken) if result.breaks(strict) => {
            let mut status = failed(NonSuccessKind::Failure, result.promise.clone());
            status.set_type(found.word());
            status.set_description(evidence(result, found));
            status
        }
        (Verdict::Unknown { why }, _) => failed(NonSuccessKind::Error, why.clone()),
        (_, Standing::Mended) => failed(
            NonSuccessKind::Failure,
            "a recorded deviation no longer occurs: remove its row".to_owned(),
        ),
        (Verdict::Skip { reason }, _) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(reason.clone());
            status
        }
        (Verdict::Fail(found), _) => {
            let mut status = TestCaseStatus::skipped();
            let why = result
                .deviation
                .as_ref()
                .map_or("not a must", |known| &known.why);
            status.set_message(format!("known, {}: {why}", found.word()));
            status
        }
        (Verdict::Pass, _) => TestCaseStatus::success(),
    }
}
