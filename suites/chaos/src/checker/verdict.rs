//! The verdicts of the checker on registers.

use super::explanation::Explanation;
use super::options::Method;

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
