//! Common Test Report Format, version 1.0.0: one JSON for CI servers and their plugins.
//!
//! Source: the specification and JSON schema of <https://github.com/ctrf-io/ctrf>.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::suites::{Outcome, Suite, Test};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    report_format: &'static str,
    spec_version: &'static str,
    generated_by: &'static str,
    results: Results<'a>,
}

#[derive(Serialize)]
struct Results<'a> {
    tool: Tool,
    summary: Summary,
    tests: Vec<Written<'a>>,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Summary {
    tests: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
    pending: usize,
    other: usize,
    suites: usize,
    start: u64,
    stop: u64,
    duration: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    name: &'a str,
    status: &'static str,
    duration: u64,
    suite: Vec<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
    raw_status: &'static str,
    labels: Labels,
}

#[derive(Serialize)]
struct Labels {
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<String>,
}

/// The tests of all suites. `stop` is the time at which the run ended.
///
/// # Errors
/// Never for suites of this program.
pub fn ctrf(suites: &[Suite], stop: SystemTime) -> serde_json::Result<String> {
    let tests = || suites.iter().flat_map(|suite| &suite.tests);
    let count = |outcome| tests().filter(|test| test.outcome == outcome).count();
    let took: Duration = tests().map(|test| test.took).sum();
    let stop = stop.duration_since(SystemTime::UNIX_EPOCH);
    let (stop, took) = (ms(stop.unwrap_or_default()), ms(took));
    let document = Document {
        report_format: "CTRF",
        spec_version: "1.0.0",
        generated_by: "shardproof",
        results: Results {
            tool: Tool {
                name: "shardproof",
                version: env!("CARGO_PKG_VERSION"),
            },
            summary: Summary {
                tests: tests().count(),
                passed: count(Outcome::Passed),
                failed: count(Outcome::Failed),
                skipped: count(Outcome::Skipped),
                pending: 0,
                other: count(Outcome::Unjudged),
                suites: suites.len(),
                start: stop.saturating_sub(took),
                stop,
                duration: took,
            },
            tests: tests().map(written).collect(),
        },
    };
    let mut text = serde_json::to_string_pretty(&document)?;
    text.push('\n');
    Ok(text)
}

fn written(test: &Test) -> Written<'_> {
    Written {
        name: &test.name,
        status: match test.outcome {
            Outcome::Passed => "passed",
            Outcome::Failed => "failed",
            Outcome::Skipped => "skipped",
            Outcome::Unjudged => "other",
        },
        duration: ms(test.took),
        suite: test.path.iter().map(String::as_str).collect(),
        message: &test.message,
        trace: test.evidence.as_deref(),
        raw_status: test.word,
        labels: Labels {
            level: test.level,
            class: test.class,
            seen: test
                .repeats
                .map(|(failed, judged)| format!("{failed} of {judged}")),
        },
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
