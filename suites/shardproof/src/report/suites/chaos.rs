//! Laws of scenarios as tests, or one test for all laws if there was no run. Violations of optional laws are skipped tests
//! that say so, unless the run is strict.

use std::time::Duration;

use super::{Headline, Outcome, Suite, Test};
use crate::report::summary;
use chaos::report::{Chaos, KnownViolation, LawReport, ScenarioReport, Stressed, Verdict};

/// One suite per target.
#[must_use]
pub fn chaos(report: &Chaos) -> Vec<Suite> {
    let suite = |target: &Stressed| {
        let scenarios = target.scenarios.iter();
        let tests: Vec<Test> = scenarios
            .flat_map(|scenario| tests(&target.target, scenario, report.strict))
            .collect();
        let broken = tests
            .iter()
            .filter(|test| test.word == Verdict::Broken.name());
        Suite {
            target: target.target.clone(),
            version: target.version.clone(),
            kind: "chaos",
            sentence: summary::chaos(target),
            headline: Headline {
                count: broken.count(),
                word: "broken",
            },
            took: None,
            tests,
        }
    };
    report.targets.iter().map(suite).collect()
}

fn tests(target: &str, scenario: &ScenarioReport, strict: bool) -> Vec<Test> {
    let test = |name: &str, verdict: Verdict, (outcome, message): (Outcome, String)| Test {
        path: vec![
            target.to_owned(),
            "chaos".to_owned(),
            scenario.scenario.clone(),
        ],
        name: name.to_owned(),
        outcome,
        word: verdict.name(),
        level: None,
        class: None,
        message,
        evidence: None,
        repeats: None,
        took: Duration::from_millis(scenario.took_ms),
    };
    let why = scenario.why.clone().unwrap_or_default();
    match (scenario.laws.is_empty(), scenario.verdict) {
        (true, Verdict::Skipped) => {
            vec![test("run", Verdict::Skipped, (Outcome::Skipped, why))]
        }
        (true, verdict) => vec![test("run", verdict, (Outcome::Unjudged, why))],
        (false, _) => {
            let laws = scenario.laws.iter();
            laws.map(|law| {
                let found = outcome(law, strict);
                let failed = found.0 == Outcome::Failed && law.verdict == Verdict::Broken;
                Test {
                    evidence: failed.then(|| evidence(scenario, law)),
                    ..test(&law.law, law.verdict, found)
                }
            })
            .collect()
        }
    }
}

fn evidence(scenario: &ScenarioReport, law: &LawReport) -> String {
    let (evidence, shrunk) = (law.evidence.join("\n"), shrunk(scenario, law));
    format!("{}\n{evidence}{shrunk}", law.sentence)
}

/// The result of shrinking for this law, as lines.
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

fn outcome(law: &LawReport, strict: bool) -> (Outcome, String) {
    let known = law.known.as_ref().map_or("", |known| &known.why);
    match law.verdict {
        Verdict::Kept => (Outcome::Passed, String::new()),
        Verdict::Skipped => (Outcome::Skipped, law.sentence.clone()),
        Verdict::Known => (Outcome::Skipped, format!("known: {known}")),
        Verdict::Unknown => (Outcome::Unjudged, law.sentence.clone()),
        Verdict::Mended => {
            let remedy = law.known.as_ref().map(KnownViolation::remedy);
            (Outcome::Failed, remedy.unwrap_or_default())
        }
        Verdict::Broken if law.optional && !strict => {
            let sentence = &law.sentence;
            let message = format!("BROKEN, optional (not counted): {sentence}");
            (Outcome::Skipped, message)
        }
        Verdict::Broken => (Outcome::Failed, law.promise.clone()),
    }
}
