//! Options of the checker, and the method of its decision.

use schemars::JsonSchema;
use serde::Serialize;

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
