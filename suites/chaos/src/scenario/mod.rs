//! Scenarios: a cluster, workloads, timed faults, laws and coverage conditions, one TOML file each.
//!
//! - `file`: the contents of a file. `text`: durations, places and names in it.
//! - `schedule`: when faults are applied and healed, drawn from the seed where the file leaves it open.
//!
//! Pure: a scenario names no target, and no code here reads a clock.

mod file;
mod schedule;
mod text;

#[cfg(test)]
pub(crate) mod tests;

pub use file::{Cover, Error, FaultRow, Load, Pace, ProxyRow, RescaleRow, Scenario, load_all};
pub use schedule::{Change, Schedule, Step};
pub use text::{Moment, On, Time};

use include_dir::{Dir, include_dir};
use testbed::fixtures::{self, Fixtures, Source};

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../fixtures/chaos");

/// All scenario files, sorted by id.
///
/// # Errors
/// The file that cannot be read.
pub fn files(fixtures: &Fixtures) -> Result<Vec<Source>, fixtures::Error> {
    fixtures.all("chaos", &SCENARIOS, "toml")
}

/// The scenario files of the user's folder that replace files of this build.
///
/// # Errors
/// The file that cannot be read.
pub fn replacing(fixtures: &Fixtures) -> Result<Vec<Source>, fixtures::Error> {
    fixtures.replacing("chaos", &SCENARIOS, "toml")
}
