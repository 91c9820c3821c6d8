//! Chaos results as text: one line per scenario, the evidence below broken laws, a headline at the end.

use std::fmt::Write;

use chaos::report::{CaseFile, Chaos, LawReport, ScenarioReport, Shrunk, Stressed, Verdict};

/// One scenario, with the evidence for broken laws and the line that repeats it.
#[must_use]
pub fn scenario(scenario: &ScenarioReport) -> String {
    let mut text = format!("  {}\n", line(scenario));
    // Where the run lacked something, that is the reason of every law that could not be judged.
    let uncovered = scenario.why.is_some();
    let laws = scenario.laws.iter();
    for law in laws.filter(|law| !uncovered || law.verdict != Verdict::Unknown) {
        text.push_str(&of_law(law));
    }
    if matches!(scenario.verdict, Verdict::Broken | Verdict::Unknown) {
        let _ = writeln!(text, "          repeat: {}", scenario.repeat);
    }
    text
}

/// What the run of a scenario was cut down to, below its own lines.
#[must_use]
pub fn shrunk(shrunk: &Shrunk) -> String {
    let mut text = format!("          {}\n", shrunk.sentence());
    if let Some(smallest) = &shrunk.smallest {
        let _ = writeln!(text, "          repeat the smallest: {}", smallest.repeat);
    }
    let _ = writeln!(text, "          {}", shrunk.case_sentence());
    if let CaseFile::Saved { repeat, .. } = &shrunk.case {
        let _ = writeln!(text, "          repeat the case: {repeat}");
    }
    text
}

/// One line: verdict, name, and what the clients saw.
fn line(scenario: &ScenarioReport) -> String {
    let name = &scenario.scenario;
    let mut text = format!("{:<7} {name}", word(scenario.verdict));
    if let Some(observed) = &scenario.observed {
        let _ = write!(
            text,
            ": {} requests, {} ok, {} failed, {} unknown to the client, p99 {} ms",
            observed.requests,
            observed.ok,
            observed.failed,
            observed.indefinite,
            milliseconds(observed.latency.p99_us),
        );
        let recovered = observed
            .recoveries
            .iter()
            .filter_map(|it| it.served_after_ms);
        if let Some(slowest) = recovered.max() {
            let _ = write!(text, ", served again after {slowest} ms");
        }
    }
    if let Some(why) = &scenario.why {
        let _ = write!(text, ": {why}");
    }
    text
}

fn of_law(law: &LawReport) -> String {
    let known = law.known.as_ref().map_or("", |known| &known.why);
    let mut text = String::new();
    match law.verdict {
        Verdict::Kept | Verdict::Skipped => {}
        Verdict::Known => {
            let _ = writeln!(text, "    {:<7} {}: {known}", word(law.verdict), law.law);
        }
        Verdict::Mended => {
            let _ = writeln!(
                text,
                "    {:<7} {}: recorded, but no longer occurs: {known}",
                word(law.verdict),
                law.law
            );
        }
        Verdict::Unknown => {
            let word = word(law.verdict);
            let _ = writeln!(text, "    {word:<7} {}: missing: {}", law.law, law.sentence);
        }
        Verdict::Broken => {
            let (word, count) = (word(law.verdict), law.violations);
            let optional = if law.optional { ", optional" } else { "" };
            let _ = writeln!(
                text,
                "    {word:<7} {} ({count}{optional}): {}",
                law.law, law.promise
            );
            let _ = writeln!(text, "          {}", law.sentence);
            for line in &law.evidence {
                let _ = writeln!(text, "            {line}");
            }
        }
    }
    text
}

/// The verdict as text; verdicts that need attention are in capitals.
fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Broken => "BROKEN",
        Verdict::Mended => "MENDED",
        Verdict::Unknown => "UNKNOWN",
        other => other.name(),
    }
}

fn milliseconds(us: u64) -> String {
    format!("{:.1}", us as f64 / 1000.0)
}

/// The headline: one line per target.
#[must_use]
pub fn chaos(report: &Chaos) -> String {
    let lines = report.targets.iter().map(|target| headline(report, target));
    format!("\n{}\n", lines.collect::<Vec<_>>().join("\n"))
}

fn headline(report: &Chaos, target: &Stressed) -> String {
    let scenarios = || target.scenarios.iter();
    let count = |verdict| scenarios().filter(|it| it.verdict == verdict).count();
    let mut parts = vec![format!("{} scenarios", target.scenarios.len())];
    for verdict in [
        Verdict::Kept,
        Verdict::Known,
        Verdict::Skipped,
        Verdict::Unknown,
        Verdict::Mended,
        Verdict::Broken,
    ] {
        let count = count(verdict);
        let always = matches!(verdict, Verdict::Kept | Verdict::Broken);
        if count > 0 || always {
            parts.push(format!("{count} {}", word(verdict)));
        }
    }
    let requests: u64 = scenarios()
        .filter_map(|it| it.observed.as_ref())
        .map(|it| it.requests)
        .sum();
    let (name, version, seed) = (&target.target, &target.version, &report.seed);
    format!(
        "{name} {version}: {}; {requests} requests, seed {seed}",
        parts.join(", ")
    )
}
