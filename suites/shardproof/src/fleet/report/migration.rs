//! The result of a migration, and where keys are afterwards.

use schemars::JsonSchema;
use serde::Serialize;

use super::examples::add_examples;
use super::{Check, Probed};

/// The format of the JSON report.
const FORMAT: &str = "shardproof.migrate/1";

/// Outcome of moving misplaced keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct MoveOutcome {
    /// Keys that are now on their right node only.
    pub moved: u64,
    /// Copies that were removed because the right node has its own value, which is taken as the newer one.
    pub superseded: u64,
    /// Copies that were kept because the right node has a different value.
    pub spared: u64,
    /// Keys that had expired or were deleted before they were moved.
    pub gone: u64,
    /// Keys that were written on the wrong node while they were moved: both copies stay.
    pub contested: u64,
    /// Keys that their right node refuses: they stay on their node.
    pub refused: u64,
    /// Copies that were left because another wrong node has a different value.
    pub conflicts: u64,
    /// Copies that were left because of their size.
    pub large: u64,
    /// Bytes of the moved values, in the format of DUMP.
    pub bytes: u64,
    /// Deletes that other clients sent to right nodes during the migration; `None` if the nodes do not report them. A key that was
    /// deleted before it was moved exists again.
    pub deletes: Option<u64>,
    /// Examples of contested and refused keys.
    pub examples: Vec<String>,
    /// Proof that the proxy places keys as described; `None` with `--unverified`.
    pub proof: Option<Probed>,
}

/// A migration: outcome of the moves, and location of the keys afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Migration {
    /// `shardproof.migrate/1`
    pub format: &'static str,
    /// Outcome of the moves; null in a dry run.
    pub carried: Option<MoveOutcome>,
    /// Duration in milliseconds.
    pub took_ms: u64,
    /// Location of the keys after the migration.
    pub check: Check,
}

impl MoveOutcome {
    pub(in crate::fleet) fn add(&mut self, other: Self) {
        self.moved += other.moved;
        self.superseded += other.superseded;
        self.spared += other.spared;
        self.gone += other.gone;
        self.contested += other.contested;
        self.refused += other.refused;
        self.conflicts += other.conflicts;
        self.large += other.large;
        self.bytes += other.bytes;
        add_examples(&mut self.examples, other.examples);
    }

    pub(in crate::fleet) fn example(&mut self, key: &[u8], what: &str) {
        let example = format!("{}: {what}", key.escape_ascii());
        add_examples(&mut self.examples, vec![example]);
    }
}

impl Migration {
    /// The moves of `took_ms`, and a check afterwards.
    #[must_use]
    pub fn new(carried: Option<MoveOutcome>, took_ms: u64, check: Check) -> Self {
        Self {
            format: FORMAT,
            carried,
            took_ms,
            check,
        }
    }
}
