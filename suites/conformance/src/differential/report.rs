//! The results of differential tests, target by target: the model of every report on them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::matrix::{Skipped, by_reason};

/// Result of the differential test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Differential {
    /// `shardproof.differential/1`
    pub format: &'static str,
    /// Seed that repeats the run.
    pub seed: String,
    /// One entry per target, in the order of the command line.
    pub targets: Vec<Compared>,
}

/// A target, compared with one plain Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Compared {
    /// Name of the target.
    pub target: String,
    /// Version of the target.
    pub version: String,
    /// Commands that requests were drawn from: commands with keys that the target answers correctly in single calls.
    pub commands: usize,
    /// Requests that were sent to it.
    pub requests: usize,
    /// Number of requests that it answered without an error.
    pub answered: usize,
    /// Rounds that ended early, because the target refused a request by closing the connection.
    pub cut_short: usize,
    /// Commands that were left out because others use the proxy, sorted by command.
    pub left_out: Vec<Skipped>,
    /// The first difference from the plain Redis, if any.
    pub difference: Option<Parted>,
    /// Duration in milliseconds.
    pub took_ms: u64,
}

/// The shortest sequence of requests that shows a difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Parted {
    /// Expected and actual reply.
    pub what: String,
    /// Number of requests that reproduce the difference.
    pub steps: usize,
    /// The requests as a case file that expects the replies of the plain Redis.
    pub case: String,
    /// The command that reproduces it.
    pub repeat: String,
}

impl Compared {
    /// Why commands were left out, with the commands of each reason.
    #[must_use]
    pub fn left_out_by_reason(&self) -> BTreeMap<&str, Vec<&str>> {
        by_reason(&self.left_out)
    }
}

impl Differential {
    /// Whether no target differs from the plain Redis.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        let mut targets = self.targets.iter();
        targets.all(|compared| compared.difference.is_none())
    }
}
