//! The differences between two reports, in words.

use std::fmt::Write;

use crate::diff::{Change, Compared, Diff, Outcome, Side};

/// One line per difference, and one with the counts of each target at its end.
#[must_use]
pub fn diff(diff: &Diff) -> String {
    diff.targets.iter().map(of_target).collect()
}

fn of_target(compared: &Compared) -> String {
    let mut text = String::new();
    for (word, changes) in [
        ("fixed", &compared.fixed),
        ("gone", &compared.gone),
        ("changed", &compared.changed),
        ("new", &compared.new),
    ] {
        for change in changes {
            let _ = writeln!(text, "  {}", line(word, change));
        }
    }
    let _ = writeln!(
        text,
        "{}: {} fixed, {} new, {} gone, {} changed, {} fail as before",
        sides(compared),
        compared.fixed.len(),
        compared.new.len(),
        compared.gone.len(),
        compared.changed.len(),
        compared.same
    );
    text
}

fn line(word: &str, change: &Change) -> String {
    let (before, after) = (was(change.before), is(change.after));
    let note = match (change.fails, change.after) {
        (false, Outcome::Failed { counts: false, .. }) => " (not counted)",
        _ => "",
    };
    format!("{word:<7} {}: {before}, {after}{note}", change.case)
}

fn sides(compared: &Compared) -> String {
    let named = |side: &Side| format!("{} {}", side.target, side.version);
    match (&compared.before, &compared.after) {
        (Some(before), Some(after)) if before == after => named(after),
        (Some(before), Some(after)) => format!("{} -> {}", named(before), named(after)),
        (Some(before), None) => format!("{} (only in the first report)", named(before)),
        (None, Some(after)) => format!("{} (only in the second report)", named(after)),
        (None, None) => String::new(),
    }
}

fn was(outcome: Outcome) -> String {
    match outcome {
        Outcome::Passed => "passed".to_owned(),
        Outcome::Absent => "was not in the report".to_owned(),
        Outcome::NotJudged => "was not judged".to_owned(),
        Outcome::Failed { .. } | Outcome::Known { .. } => format!("was {}", failure(outcome)),
    }
}

fn is(outcome: Outcome) -> String {
    match outcome {
        Outcome::Passed => "passes".to_owned(),
        Outcome::Absent => "is not in the report".to_owned(),
        Outcome::NotJudged => "is not judged".to_owned(),
        Outcome::Failed { .. } | Outcome::Known { .. } => format!("is {}", failure(outcome)),
    }
}

fn failure(outcome: Outcome) -> String {
    let word = |class: Option<conformance::verdict::Class>| class.map_or("broken", |it| it.name());
    match outcome {
        Outcome::Failed { class, .. } => word(class).to_owned(),
        Outcome::Known { class } => format!("{} (known)", word(class)),
        Outcome::Passed | Outcome::NotJudged | Outcome::Absent => String::new(),
    }
}
