//! Cases as tests. Failures of levels that do not count are skipped tests that say so.

use super::{Headline, Outcome, Suite, Test};
use crate::report::summary::sentence;
use crate::report::terminal::evidence;
use conformance::report::{Conformance, Judged};
use conformance::verdict::{Known, Level, Result as CaseResult, Status, Verdict};

/// One suite per target.
#[must_use]
pub fn conformance(report: &Conformance) -> Vec<Suite> {
    let suite = |judged: &Judged| Suite {
        target: judged.target.clone(),
        version: judged.version.clone(),
        kind: "",
        sentence: sentence(&judged.summary, &report.counted),
        headline: Headline {
            count: judged.summary.wrong,
            word: "wrong",
        },
        took: Some(judged.took),
        tests: judged
            .results
            .iter()
            .map(|result| test(&judged.target, result, &report.counted))
            .chain(stopped(judged))
            .collect(),
    };
    report.targets.iter().map(suite).collect()
}

fn stopped(judged: &Judged) -> Option<Test> {
    let why = judged.stopped.as_ref()?;
    Some(Test::stopped(vec![judged.target.clone()], why))
}

fn test(target: &str, result: &CaseResult, counted: &[Level]) -> Test {
    let (group, name) = result.case.split_once('/').unwrap_or(("", &result.case));
    let found = match &result.verdict {
        Verdict::Fail(found) => Some(found),
        _ => None,
    };
    let (outcome, message) = outcome(result, counted);
    let failed = found.filter(|_| outcome == Outcome::Failed);
    Test {
        path: vec![target.to_owned(), group.to_owned()],
        name: name.to_owned(),
        outcome,
        word: result.status().word(),
        level: Some(result.level.name()),
        class: found.map(|found| found.class.name()),
        message,
        evidence: failed.map(|found| evidence(result, found)),
        repeats: result.repeats.as_ref().map(|it| (it.failed, it.judged)),
        took: result.took,
    }
}

fn outcome(result: &CaseResult, counted: &[Level]) -> (Outcome, String) {
    match (&result.verdict, result.status()) {
        (Verdict::Fail(_), Status::Broken) if counted.contains(&result.level) => {
            (Outcome::Failed, result.promise.clone())
        }
        (Verdict::Unknown { why }, _) => (Outcome::Unjudged, why.clone()),
        (_, Status::Mended) => {
            let remedy = result.deviation.as_ref().map(Known::remedy);
            (Outcome::Failed, remedy.unwrap_or_default())
        }
        (Verdict::Skip { reason }, _) => (Outcome::Skipped, reason.clone()),
        (Verdict::Fail(found), Status::Broken) => {
            let (level, word) = (result.level.name(), found.class.name());
            let promise = &result.promise;
            let message = format!("FAIL, {level} (not counted), {word}: {promise}");
            (Outcome::Skipped, message)
        }
        (verdict, Status::Known) => {
            let why = result.deviation.as_ref().map_or("", |known| &known.why);
            let message = match verdict {
                Verdict::Fail(found) => format!("known, {}: {why}", found.class.name()),
                _ => format!("known, did not show in this run: {why}"),
            };
            (Outcome::Skipped, message)
        }
        _ => (Outcome::Passed, String::new()),
    }
}
