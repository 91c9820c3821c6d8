//! The first line of a history: its format and the run that it is of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The format of the first line.
pub const FORMAT: &str = "shardproof.history/1";

/// The run that a history is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// `shardproof.history/1`
    pub format: String,
    /// Seed that repeats the run, in hexadecimal digits.
    pub seed: String,
    /// The target.
    pub target: String,
    /// The scenario.
    pub scenario: String,
    /// Addresses of the nodes as the proxy sees them, in the order of the cluster.
    pub nodes: Vec<String>,
    /// Whether taps recorded every request to every node during the whole run. Only then is a request that no node saw
    /// certainly not executed.
    pub tapped: bool,
    /// What a history written by hand shows, and its verdict. No checker reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
}

/// Description and verdict of a history that was written by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// What the history shows, in one sentence.
    pub shows: String,
    /// The verdict: `linearizable`, `violation` or `unknown`.
    pub verdict: String,
}

impl Header {
    /// The header of a run without taps.
    #[must_use]
    pub fn new(target: &str, scenario: &str, seed: u64) -> Self {
        Self {
            format: FORMAT.to_owned(),
            seed: format!("{seed:x}"),
            target: target.to_owned(),
            scenario: scenario.to_owned(),
            nodes: Vec::new(),
            tapped: false,
            known: None,
        }
    }
}
