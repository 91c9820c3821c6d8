//! The parts of scenarios: faults and laws.

use std::fmt::Write;

use chaos::law::{LAWS, Level};
use testbed::fault::Fault;

/// Every fault: its syntax, and its effect.
pub(super) fn faults() -> String {
    let mut text = String::new();
    for row in Fault::rows() {
        let _ = writeln!(text, "{}\n    {}", row.usage(), row.summary);
    }
    text
}

/// Every law: its name, its promise and its source.
pub(super) fn laws() -> String {
    let mut text = String::new();
    for law in LAWS {
        let optional = match law.level() {
            Level::Must => "",
            Level::Should => " (optional)",
        };
        let _ = writeln!(
            text,
            "{}{optional}\n    {}\n    {}",
            law.id(),
            law.promise(),
            law.source()
        );
    }
    text
}
