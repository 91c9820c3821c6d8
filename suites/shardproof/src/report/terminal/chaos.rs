//! Chaos results as text: one line per scenario, the evidence below broken laws, a headline at the end.

use std::fmt::Write;

use super::table::table;
use crate::report::summary::{self, word};
use chaos::report::{
    CaseFile, Cell, Chaos, KnownViolation, LawReport, ProxiesReport, ScenarioReport, Shrunk,
    Stressed, Verdict,
};

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
    if let Some(proxies) = scenario
        .observed
        .as_ref()
        .and_then(|it| it.proxies.as_ref())
    {
        text.push_str(&of_proxies(proxies));
    }
    if matches!(scenario.verdict, Verdict::Broken | Verdict::Unknown) {
        let _ = writeln!(text, "          repeat: {}", scenario.repeat);
    }
    text
}

/// Keys with different nodes that are shown; the JSON report has all.
const SHOWN_KEYS: usize = 4;

/// What each of several proxies finds, and some of the keys that they ask different nodes for.
fn of_proxies(proxies: &ProxiesReport) -> String {
    let mut text = String::new();
    let differing = proxies.differing.iter().take(SHOWN_KEYS);
    let keys = differing.map(|key| key.line(&proxies.proxies));
    for line in proxies.lines().into_iter().chain(keys) {
        let _ = writeln!(text, "          {line}");
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
                "    {:<7} {}: recorded, but no longer occurs: {}",
                word(law.verdict),
                law.law,
                law.known.as_ref().map_or(String::new(), remedy)
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

/// What to do with a row that no longer occurs: one of a baseline names its place.
fn remedy(known: &KnownViolation) -> String {
    match known.row {
        Some(_) => known.remedy(),
        None => known.why.clone(),
    }
}

fn milliseconds(us: u64) -> String {
    format!("{:.1}", us as f64 / 1000.0)
}

/// Every scenario on every target if there are several, and the headline: one line per target.
#[must_use]
pub fn chaos(report: &Chaos) -> String {
    let lines = report.targets.iter().map(|target| headline(report, target));
    let verdicts = report.targets.iter().map(|target| {
        let verdict = summary::verdict_on_scenarios(report, target);
        format!("{}: {verdict}", target.target)
    });
    let lines = lines.chain(verdicts);
    let matrix = match report.targets.len() {
        0 | 1 => String::new(),
        _ => format!("\n{}", matrix(report)),
    };
    format!("{matrix}\n{}\n", lines.collect::<Vec<_>>().join("\n"))
}

/// One row per scenario: its verdict on each target, and how long it took.
fn matrix(report: &Chaos) -> String {
    let cell = |cell: &Option<Cell>| match cell {
        None => "-".to_owned(),
        Some(cell) if cell.verdict == Verdict::Skipped => word(cell.verdict).to_owned(),
        Some(cell) => {
            let took = cell.took_ms as f64 / 1000.0;
            format!("{:<7} {took:>5.1} s", word(cell.verdict))
        }
    };
    let targets = report.targets.iter().map(|target| target.target.as_str());
    let head: Vec<&str> = ["scenario"].into_iter().chain(targets).collect();
    let rows = report.rows();
    let rows = rows.iter().map(|row| {
        let cells = row.cells.iter().map(cell);
        [row.scenario.to_owned()].into_iter().chain(cells).collect()
    });
    table(&head, rows, head.len())
}

fn headline(report: &Chaos, target: &Stressed) -> String {
    let scenarios = target.scenarios.iter();
    let requests: u64 = scenarios
        .filter_map(|it| it.observed.as_ref())
        .map(|it| it.requests)
        .sum();
    let (name, version, seed) = (&target.target, &target.version, &report.seed);
    format!(
        "{name} {version}: {}; {requests} requests, seed {seed}",
        summary::chaos(target)
    )
}

#[cfg(test)]
mod tests {
    use chaos::scenario::Scenario;
    use testbed::fixtures::Source;

    use super::*;

    fn ran(id: &str, verdict: Verdict, took_ms: u64) -> ScenarioReport {
        let text = "# Shows it.\nduration = \"1s\"\nlaws = [\"isolation\"]\ncovers = []\n\
                    [[workload]]\nkind = \"register\"\nclients = 1\nkeys = 1\n";
        let source = Source {
            path: format!("{id}.toml"),
            id: id.to_owned(),
            text: text.to_owned(),
        };
        let scenario = Scenario::parse(&source).unwrap_or_else(|error| panic!("{error}"));
        ScenarioReport {
            took_ms,
            ..ScenarioReport::without_run(&scenario, verdict, String::new())
        }
    }

    fn stressed(target: &str, scenarios: Vec<ScenarioReport>) -> Stressed {
        Stressed {
            target: target.to_owned(),
            version: "1".to_owned(),
            server: "redis 7.0.15".to_owned(),
            scenarios,
        }
    }

    #[test]
    fn scenarios_are_rows_and_targets_are_columns() {
        let first = vec![
            ran("node-slow", Verdict::Kept, 2110),
            ran("node-busy", Verdict::Broken, 12_000),
        ];
        let second = vec![
            ran("node-slow", Verdict::Known, 1900),
            ran("node-moved", Verdict::Skipped, 0),
        ];
        let targets = vec![stressed("one", first), stressed("another", second)];
        let expected = [
            "  scenario    one              another",
            "  node-slow   kept      2.1 s  known     1.9 s",
            "  node-busy   BROKEN   12.0 s  -",
            "  node-moved  -                skipped",
            "",
        ];
        let expected = expected.join("\n");
        assert_eq!(matrix(&Chaos::new(7, false, targets)), expected);
    }
}
