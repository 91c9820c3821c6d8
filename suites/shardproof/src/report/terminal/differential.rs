//! Results of random requests, as text: one line per target, and the way to a difference as a case.

use std::fmt::Write;

use conformance::differential::{Compared, Differential};

/// The whole report.
#[must_use]
pub fn differential(report: &Differential) -> String {
    let mut text = String::new();
    for compared in &report.targets {
        text.push_str(&target(compared));
    }
    text
}

fn target(compared: &Compared) -> String {
    let mut text = format!("{} {}: ", compared.target, compared.version);
    let outcome = match compared.difference {
        Some(_) => "differs from one plain Redis",
        None => "no difference from one plain Redis",
    };
    let share = 100.0 * compared.answered as f64 / compared.requests.max(1) as f64;
    let _ = writeln!(
        text,
        "{outcome} in {} requests of {} commands, {share:.0} % of them answered, {:.1} s",
        compared.requests,
        compared.commands,
        compared.took_ms as f64 / 1000.0
    );
    if compared.cut_short > 0 {
        let rounds = compared.cut_short;
        let _ = writeln!(
            text,
            "  {rounds} rounds ended early: it refused something by closing the connection"
        );
    }
    for (reason, commands) in compared.left_out_by_reason() {
        let (count, all) = (commands.len(), commands.join(", "));
        let _ = writeln!(text, "  left out {count}: {reason}: {all}");
    }
    if let Some(parted) = &compared.difference {
        let _ = writeln!(
            text,
            "  {}\n  in {} requests:\n\n{}\n  repeat: {}",
            parted.what, parted.steps, parted.case, parted.repeat
        );
    }
    text
}
