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
    lines(evidence).for_each(|said| line(&said));
    text
}

/// The transcript, and the notes below it.
pub fn lines(evidence: &Evidence) -> impl Iterator<Item = String> {
    let said = evidence.transcript.iter().map(spoken);
    said.chain(notes(evidence))
}

/// Lines below the transcript: the keys by their names, as `keys: $a1 = sp-1, $b1 = sp-2`, and the end of the proxy's log.
fn notes(evidence: &Evidence) -> impl Iterator<Item = String> {
    let keys = evidence.keys.iter();
    let keys: Vec<String> = keys.map(|(name, key)| format!("{name} = {key}")).collect();
    let keys = (!keys.is_empty()).then(|| format!("keys: {}", keys.join(", ")));
    let log = evidence.log.iter().map(|line| format!("log: {line}"));
    keys.into_iter().chain(log)
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
