//! JUnit XML with names, so that a CI server shows the promises: one suite per proxy.

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCase, TestCaseStatus, TestSuite};

use super::suites::{Outcome, Suite, Test};

/// The text of all suites.
///
/// # Errors
/// Never for suites of this program.
pub fn junit(suites: &[Suite]) -> Result<String, SerializeError> {
    let mut junit = Report::new("shardproof");
    for suite in suites {
        let mut written = TestSuite::new(suite.name());
        if let Some(took) = suite.took {
            written.set_time(took);
        }
        written.add_property(("summary", suite.sentence.as_str()));
        for test in &suite.tests {
            let mut case = TestCase::new(&test.name, status(test));
            case.set_classname(test.path.join("."));
            case.set_time(test.took);
            written.add_test_case(case);
        }
        junit.add_test_suite(written);
    }
    // No XML may have these two characters above U+FFFD, in any form.
    Ok(junit
        .to_string()?
        .replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
}

fn status(test: &Test) -> TestCaseStatus {
    let mut status = match test.outcome {
        Outcome::Passed => return TestCaseStatus::success(),
        Outcome::Skipped => TestCaseStatus::skipped(),
        Outcome::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Unjudged => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    status.set_message(test.message.clone());
    if let Some(evidence) = &test.evidence {
        if let Some(class) = test.class {
            status.set_type(class);
        }
        status.set_description(evidence.clone());
    }
    status
}
