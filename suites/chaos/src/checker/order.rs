//! Verifies an order of operations: each reply, real time and session order, in one pass.

use super::operation::Operation;
use super::options::SessionOrder;

/// Sequence numbers that each session has reached in an order.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// By session: the pass that it belongs to and the highest sequence number.
    highest: Vec<(u32, u64)>,
    pass: u32,
}

impl Sessions {
    pub(super) fn new(sessions: usize) -> Self {
        Self {
            highest: vec![(0, 0); sessions],
            pass: 0,
        }
    }

    fn begin(&mut self) {
        self.pass += 1;
    }

    /// Whether an operation comes before all later ones of its session that bind it to do so.
    fn follows<V>(&mut self, operation: &Operation<V>) -> bool {
        let highest = &mut self.highest[operation.session as usize];
        if highest.0 != self.pass {
            *highest = (self.pass, operation.sequence);
            return true;
        }
        let follows = !operation.binds_session() || operation.sequence >= highest.1;
        highest.1 = highest.1.max(operation.sequence);
        follows
    }
}

/// Whether no operation of the order must come before an earlier one.
pub(super) fn keeps_order<'a, V: 'a>(
    order: impl Iterator<Item = &'a Operation<V>>,
    sessions: &mut Sessions,
    session_order: SessionOrder,
) -> bool {
    sessions.begin();
    let mut latest = 0;
    for operation in order {
        if operation.end < latest {
            return false;
        }
        latest = latest.max(operation.sent);
        if session_order == SessionOrder::Kept && !sessions.follows(operation) {
            return false;
        }
    }
    true
}

/// Whether each operation fits the value that the operations before it leave, starting with an absent key.
pub(super) fn explains<'a, V: Copy + PartialEq + 'a>(
    order: impl Iterator<Item = &'a Operation<V>>,
) -> bool {
    let mut value = None;
    for operation in order {
        match operation.act.apply(value) {
            Some(after) => value = after,
            None => return false,
        }
    }
    true
}
