//! The capabilities of a proxy, as text.

use std::fmt::Write;

use conformance::probe::{Found, Offered, Probe};
use testbed::targets::CAPABILITIES;

/// One line per capability, the list for a target file, and how it differs from the claims.
#[must_use]
pub fn probe(probe: &Probe) -> String {
    let count = |offered| {
        probe
            .found
            .iter()
            .filter(|it| it.offered == offered)
            .count()
    };
    let mut text = format!(
        "{} offers {} of {} capabilities, {} are unknown\n\n",
        probe.proxy,
        count(Offered::Yes),
        probe.found.len(),
        count(Offered::Unknown)
    );
    for found in &probe.found {
        let _ = writeln!(text, "  {}", line(found));
    }
    let _ = write!(text, "\n{}", probe.toml());
    for (what, names) in [
        ("claimed, not offered", &probe.claimed_not_offered),
        ("offered, not claimed", &probe.offered_not_claimed),
    ] {
        if !names.is_empty() {
            let _ = writeln!(text, "{what}: {}", names.join(", "));
        }
    }
    text
}

fn line(found: &Found) -> String {
    let name = &found.capability;
    let mut rows = CAPABILITIES.iter();
    let meaning = rows
        .find(|(known, _)| known == name)
        .map_or("", |row| row.1);
    let word = match found.offered {
        Offered::Yes => "yes",
        Offered::No => "no",
        Offered::Unknown => "unknown",
    };
    let why = found.why.as_deref().unwrap_or(meaning);
    format!("{name:<18} {word:<7} {why}")
}
