//! The results of differential tests, target by target: the model of every report on them.

use schemars::JsonSchema;
use serde::Serialize;

/// What random requests have shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Differential {
    /// `shardproof.differential/1`
    pub format: &'static str,
    /// What the run can be repeated with.
    pub seed: String,
    /// One entry a target, in the order asked for.
    pub targets: Vec<Compared>,
}

/// A target beside one plain Redis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Compared {
    /// Its name.
    pub target: String,
    /// Its version.
    pub version: String,
    /// Commands that requests were drawn from: those that it answers rightly one call at a time, and that have keys.
    pub commands: usize,
    /// Requests that it got.
    pub requests: usize,
    /// How many of them it answered without an error.
    pub answered: usize,
    /// Rounds that ended early, because it refused something by closing the connection.
    pub cut_short: usize,
    /// Where it and the plain Redis part, if they do.
    pub difference: Option<Parted>,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
}

/// The shortest way to a difference that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Parted {
    /// What was expected and what came.
    pub what: String,
    /// Number of requests that lead there.
    pub steps: usize,
    /// They as a case file, with what the plain Redis says.
    pub case: String,
    /// The command that finds it again.
    pub repeat: String,
}

impl Differential {
    /// Whether no target parts from the plain Redis.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        let mut targets = self.targets.iter();
        targets.all(|compared| compared.difference.is_none())
    }
}
