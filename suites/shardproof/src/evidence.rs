//! Evidence of a broken promise as text, with both sides of the proxy.

use std::fmt::Write;

use conformance::verdict::{Direction, Evidence, Line, Result as CaseResult};

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
    line(&format!("got {} [{}]", evidence.got, evidence.class.name()));
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
        Direction::ToProxy => "->",
        Direction::FromProxy => "<-",
        Direction::Event => "--",
    };
    format!(
        "{:>9.3} ms  {:<9} {arrow} {}",
        line.at.as_secs_f64() * 1000.0,
        line.party,
        line.text
    )
}
