//! Conformance results as text: a tree of cases, the evidence below what is broken, one line a target.

use std::fmt::Write;

use crate::report::summary::sentence;
use crate::run::{Conformance, Judged};
use conformance::verdict::{Evidence, Line, Result as CaseResult, Standing, Verdict, Way};

/// One target: its cases by group.
#[must_use]
pub fn target(judged: &Judged, seed: u64) -> String {
    let mut text = format!("\n{} {}\n", judged.target, judged.version);
    let mut group = "";
    for result in &judged.results {
        let (folder, name) = result.case.split_once('/').unwrap_or(("", &result.case));
        if folder != group {
            group = folder;
            let _ = writeln!(text, "  {group}");
        }
        let _ = writeln!(
            text,
            "    {:<7} {name}{}",
            result.standing().word(),
            remark(result)
        );
        if let (Verdict::Fail(evidence), Standing::Broken) = (&result.verdict, result.standing()) {
            text.push_str(&self::evidence(result, evidence));
            let _ = writeln!(
                text,
                "            repeat: {}",
                judged.repeat(&result.case, &format!("{seed:x}"))
            );
        }
    }
    text
}

/// One line for a case that did not pass, for those who watch the run.
#[must_use]
pub fn not_passed(result: &CaseResult) -> Option<String> {
    match result.verdict {
        Verdict::Skip { .. } => None,
        Verdict::Pass if result.standing() == Standing::Kept => None,
        _ => Some(format!(
            "{:<7} {}{}",
            result.standing().word(),
            result.case,
            remark(result)
        )),
    }
}

/// One line a target, the number that matters most last.
#[must_use]
pub fn summary(report: &Conformance) -> String {
    let mut text = String::from("\n");
    for judged in &report.targets {
        if let Some(why) = &judged.stopped {
            let _ = writeln!(text, "{}: stopped: {why}", judged.target);
        }
        let _ = writeln!(
            text,
            "{} {}: {} ({:.1} s)",
            judged.target,
            judged.version,
            sentence(&judged.summary, &report.counted),
            judged.took.as_secs_f64()
        );
    }
    text
}

/// The evidence of a broken promise, with both sides of the proxy.
#[must_use]
pub fn evidence(result: &CaseResult, evidence: &Evidence) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        let _ = writeln!(text, "            {words}");
    };
    line(&result.promise);
    line(&format!("{} ({})", result.spec, result.level.name()));
    line(&format!("{}: expected {}", evidence.at, evidence.expected));
    line(&format!("got {} [{}]", evidence.got, evidence.word()));
    evidence
        .transcript
        .iter()
        .for_each(|said| line(&spoken(said)));
    text
}

/// One line of a transcript.
#[must_use]
pub fn spoken(line: &Line) -> String {
    let arrow = match line.way {
        Way::ToProxy => "->",
        Way::FromProxy => "<-",
        Way::Event => "--",
    };
    format!(
        "{:>9.3} ms  {:<9} {arrow} {}",
        line.at.as_secs_f64() * 1000.0,
        line.party,
        line.text
    )
}

/// What a reader wants to know at a glance.
fn remark(result: &CaseResult) -> String {
    match (&result.verdict, &result.deviation) {
        (Verdict::Skip { reason }, _) => format!("  ({reason})"),
        (Verdict::Unknown { why }, _) => format!("  ({why})"),
        (Verdict::Fail(evidence), Some(known)) if result.standing() == Standing::Known => {
            format!("  [{}] {}", evidence.word(), known.why)
        }
        (Verdict::Fail(evidence), _) => {
            format!("  [{}, {}]", evidence.word(), result.level.name())
        }
        (Verdict::Pass, Some(known)) if known.always => {
            format!(
                "  (recorded as broken: {}; remove the deviation)",
                known.why
            )
        }
        (Verdict::Pass, Some(known)) => {
            format!("  (did not show in this run: {})", known.why)
        }
        (Verdict::Pass, None) => String::new(),
    }
}
