//! What a migration did, and where keys lie afterwards.

use schemars::JsonSchema;
use serde::Serialize;

use super::examples::add_examples;
use super::{Check, Probed};

/// The format of the JSON report.
const FORMAT: &str = "shardproof.migrate/1";

/// What became of misplaced keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct MoveOutcome {
    /// Keys that now lie on their right node only.
    pub moved: u64,
    /// Copies that were removed because the right node had a value of its own, which counts as the newer one.
    pub superseded: u64,
    /// Copies that were spared because the right node has another value.
    pub spared: u64,
    /// Keys that had expired or were deleted when it was their turn.
    pub gone: u64,
    /// Keys that were written where they do not belong while they were moved: both copies stay.
    pub contested: u64,
    /// Keys that their right node does not take: they stay where they were.
    pub refused: u64,
    /// Copies that were left because another wrong node has the key with another value.
    pub conflicts: u64,
    /// Copies that were left because they are too large.
    pub large: u64,
    /// Bytes of the values that were moved, as dumps.
    pub bytes: u64,
    /// Requests to delete that others sent to right nodes meanwhile; `None` where the nodes do not tell. A key that was
    /// deleted before it was moved is back.
    pub deletes: Option<u64>,
    /// Some of the contested and refused keys.
    pub examples: Vec<String>,
    /// What showed before that the proxy places keys as described; `None` where the caller answered for it.
    pub proof: Option<Probed>,
}

/// A migration: what was done, and where keys lie afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Migration {
    /// `shardproof.migrate/1`
    pub format: &'static str,
    /// What was done; nothing in a dry run.
    pub carried: Option<MoveOutcome>,
    /// How long that took, in milliseconds.
    pub took_ms: u64,
    /// Where the keys lie now.
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
    /// What was `carried` in `took_ms`, and where a check afterwards found the keys.
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
