//! A conformance run: one suite per target, one test case per case.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::{failed, skipped, text};
use crate::report::summary::sentence;
use crate::report::terminal::evidence;
use conformance::report::Conformance;
use conformance::verdict::{Known, Level, Result as CaseResult, Status, Verdict};

/// The report of a run. Failures of levels that do not count are skipped test cases that say so.
///
/// # Errors
/// Never for a report of this suite.
pub fn conformance(report: &Conformance) -> Result<String, quick_junit::SerializeError> {
    let mut junit = Report::new("shardproof");
    for judged in &report.targets {
        let mut suite = TestSuite::new(&judged.target);
        suite.set_time(judged.took);
        let sentence = sentence(&judged.summary, &report.counted);
        suite.add_property(("summary", sentence.as_str()));
        for result in &judged.results {
            let (group, name) = result.case.split_once('/').unwrap_or(("", &result.case));
            let mut case = TestCase::new(name, status(result, &report.counted));
            case.set_classname(format!("{}.{group}", judged.target));
            case.set_time(result.took);
            suite.add_test_case(case);
        }
        junit.add_test_suite(suite);
    }
    text(&junit)
}

fn status(result: &CaseResult, counted: &[Level]) -> TestCaseStatus {
    match (&result.verdict, result.status()) {
        (Verdict::Fail(found), Status::Broken) if counted.contains(&result.level) => {
            let mut status = failed(NonSuccessKind::Failure, result.promise.clone());
            status.set_type(found.class.name());
            status.set_description(evidence(result, found));
            status
        }
        (Verdict::Unknown { why }, _) => failed(NonSuccessKind::Error, why.clone()),
        (_, Status::Mended) => failed(
            NonSuccessKind::Failure,
            result
                .deviation
                .as_ref()
                .map_or(String::new(), Known::remedy),
        ),
        (Verdict::Skip { reason }, _) => skipped(reason.clone()),
        (Verdict::Fail(found), Status::Broken) => {
            let (level, word) = (result.level.name(), found.class.name());
            skipped(format!(
                "FAIL, {level} (not counted), {word}: {}",
                result.promise
            ))
        }
        (verdict, Status::Known) => {
            let why = result.deviation.as_ref().map_or("", |known| &known.why);
            skipped(match verdict {
                Verdict::Fail(found) => format!("known, {}: {why}", found.class.name()),
                _ => format!("known, did not show in this run: {why}"),
            })
        }
        _ => TestCaseStatus::success(),
    }
}
