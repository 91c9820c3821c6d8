//! The verdicts of the checker on registers.

use schemars::JsonSchema;
use serde::Serialize;

use super::Explanation;

/// Whether a history is linearizable with session order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// There is an order of the operations that explains every reply.
    Linearizable,
    /// There is none.
    Violation(Explanation),
    /// It could not be decided, for this reason.
    Unknown(String),
}

/// Whether operations of one session take effect in the order in which it sent them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionOrder {
    /// They do, pipelined or not.
    #[default]
    Kept,
    /// Only if one was answered before the next was sent: plain linearizability.
    Ignored,
}

/// How to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Whether session order is a condition.
    pub session_order: SessionOrder,
    /// Configurations that a search may visit per key. The verdict is unknown when they are used up.
    pub budget: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            session_order: SessionOrder::Kept,
            budget: 1_000_000,
        }
    }
}

/// What decided that a key is linearizable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The order in which the node was asked explains every reply.
    Witness,
    /// Values are unique and not deleted, so that the order of the writes follows from the reads.
    Clusters,
    /// A search over the orders that are possible.
    Search,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The key.
    pub key: Vec<u8>,
    /// Operations on it, without those that certainly were not executed.
    pub operations: usize,
    /// What decided, if anything did.
    pub method: Option<Method>,
    /// The verdict.
    pub verdict: Verdict,
}
