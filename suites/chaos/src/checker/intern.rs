//! Values as numbers, and operations in the order in which they were sent, those that took effect for certain first.

use std::collections::HashMap;

use super::operation::{Act, Operation};

/// The operations on one key: first those that took effect for certain, each part sorted by the time at which they were
/// sent.
#[derive(Debug, Clone)]
pub(super) struct Register {
    pub(super) operations: Vec<Operation<u32>>,
    /// Values are numbered below this.
    pub(super) values: usize,
}

/// Numbers the values and sorts the operations.
pub(super) fn intern(operations: &[Operation<&[u8]>]) -> Register {
    let mut numbers: HashMap<&[u8], u32> = HashMap::with_capacity(operations.len());
    let mut number = |value| {
        let next = numbers.len() as u32;
        *numbers.entry(value).or_insert(next)
    };
    let mut operations: Vec<Operation<u32>> = operations
        .iter()
        .map(|operation| with_act(operation, operation.act.map(&mut number)))
        .collect();
    // Operations that one session sent at the same time keep their order.
    operations.sort_by_key(|operation| {
        let Operation {
            sent,
            session,
            sequence,
            ..
        } = *operation;
        (!operation.is_certain(), sent, session, sequence)
    });
    Register {
        operations,
        values: numbers.len(),
    }
}

fn with_act<V, W>(operation: &Operation<V>, act: Act<W>) -> Operation<W> {
    Operation {
        record: operation.record,
        session: operation.session,
        sequence: operation.sequence,
        sent: operation.sent,
        end: operation.end,
        act,
        effect: operation.effect,
        place: operation.place,
    }
}

impl<V: Copy> Act<V> {
    fn map<W>(self, mut to: impl FnMut(V) -> W) -> Act<W> {
        match self {
            Self::Read(value) => Act::Read(value.map(to)),
            Self::Exists => Act::Exists,
            Self::Write(value) => Act::Write(to(value)),
            Self::Swap { old, new } => Act::Swap {
                old: old.map(&mut to),
                new: to(new),
            },
            Self::Delete => Act::Delete,
            Self::Create(value) => Act::Create(to(value)),
            Self::Clear => Act::Clear,
        }
    }
}
