//! JUnit XML with names, so that a CI server shows the promises.

mod chaos;
mod conformance;

use quick_junit::{NonSuccessKind, Report, SerializeError, TestCaseStatus};

pub use chaos::chaos;
pub use conformance::conformance;

/// The text of a report, without the two characters above U+FFFD that no XML may have, in any form.
fn text(junit: &Report) -> Result<String, SerializeError> {
    Ok(junit
        .to_string()?
        .replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
}

fn skipped(message: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}

fn failed(kind: NonSuccessKind, message: String) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_message(message);
    status
}
