//! Shrinking: from a scenario that failed, the smallest one that still fails.
//!
//! - `candidate`: the smaller scenarios that are tried, in their order. `time`: those that are shorter.
//! - `size`: how large a scenario is.
//! - `driver`: which candidate runs next with which seed, and what its runs decide.
//!
//! Pure: never runs a scenario and never reads a clock. The caller does both, and reports the verdicts.

mod candidate;
mod driver;
mod size;
mod time;

#[cfg(test)]
mod tests;

pub use candidate::{Candidate, Cut, smaller};
pub use driver::{Attempt, Outcome, RUNS, Shrink};
pub use size::Size;
