//! The operations that a search has taken, the value that they leave, and the operations that can be taken next.

use super::intern::Register;
use super::operation::{Act, Operation};
use super::options::SessionOrder;

/// A prefix of an order.
pub(super) struct Taken<'a> {
    operations: &'a [Operation<u32>],
    session_order: SessionOrder,
    /// One bit per operation.
    bits: Vec<u64>,
    /// Operations below this took effect for certain.
    certain: usize,
    /// The operations in the order in which they were taken, each with the value before.
    order: Vec<(u32, Option<u32>)>,
    value: Option<u32>,
    /// The certain operations that are missing.
    missing: usize,
    /// Of these, those that need some value, no matter which.
    any_needs: usize,
    /// By value, and last for the absent key: operations not taken that need it, and those that can give it.
    needs: Vec<u32>,
    gives: Vec<u32>,
    /// Whether some operations may need an absent key.
    creates: bool,
    /// By session, the pass in which an operation of it was found to wait, and its sequence number.
    blocked: Vec<(u32, u64)>,
    pass: u32,
}

impl<'a> Taken<'a> {
    pub(super) fn new(
        register: &'a Register,
        session_order: SessionOrder,
        sessions: usize,
    ) -> Self {
        let operations = &register.operations[..];
        let mut taken = Self {
            operations,
            session_order,
            bits: vec![0; operations.len().div_ceil(64)],
            certain: operations.partition_point(Operation::is_certain),
            order: Vec::with_capacity(operations.len()),
            value: None,
            missing: 0,
            any_needs: 0,
            needs: vec![0; register.values + 1],
            gives: vec![0; register.values + 1],
            creates: false,
            blocked: vec![(0, 0); sessions],
            pass: 0,
        };
        for operation in operations {
            taken.count(operation, Change::Add);
            taken.creates |= matches!(operation.act, Act::Create(_));
        }
        taken
    }

    /// Whether every certain operation is taken.
    pub(super) fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// The number of operations taken.
    pub(super) fn depth(&self) -> usize {
        self.order.len()
    }

    /// The set of operations and the value, in a form that only equals itself.
    pub(super) fn configuration(&self) -> Box<[u64]> {
        let first = self
            .bits
            .iter()
            .take_while(|word| **word == u64::MAX)
            .count();
        let last = self.bits.iter().rposition(|word| *word != 0);
        let words = self.bits.get(first..last.map_or(first, |last| last + 1));
        let value = self.value.map_or(0, |value| u64::from(value) + 1);
        [(first as u64) << 32 | value]
            .into_iter()
            .chain(words.unwrap_or_default().iter().copied())
            .collect()
    }

    /// Takes an operation that changes the value, unless that leaves a need that no other operation can fill.
    pub(super) fn take(&mut self, index: u32) -> bool {
        let operation = &self.operations[index as usize];
        let Some(after) = operation.act.apply(self.value) else {
            return false;
        };
        let before = self.value;
        self.push(index, after);
        let left = self.slot(before);
        if after != before && self.needs[left] > 0 && self.gives[left] == 0 {
            self.undo(self.depth() - 1);
            return false;
        }
        true
    }

    /// Takes every read that fits, until none does.
    pub(super) fn take_reads(&mut self) {
        let mut found = vec![0];
        while !found.is_empty() {
            let value = self.value;
            found = self.candidates(|operation| {
                operation.act.is_read() && operation.act.apply(value).is_some()
            });
            for index in &found {
                self.push(*index, value);
            }
        }
    }

    /// The operations that can be taken next and change the value. An operation that may never have taken effect is
    /// listed only where it helps.
    pub(super) fn choices(&mut self) -> Vec<u32> {
        let mut found = self.candidates(|operation| !operation.act.is_read());
        found.retain(|index| self.is_useful(&self.operations[*index as usize]));
        found
    }

    fn is_useful(&self, operation: &Operation<u32>) -> bool {
        let Some(after) = operation.act.apply(self.value) else {
            return false;
        };
        let fills = || match after {
            _ if self.needs[self.slot(after)] > 0 => true,
            Some(_) => self.any_needs > 0,
            None => self.creates,
        };
        operation.is_certain() || after != self.value && fills()
    }

    /// Undoes all operations but the first `depth`.
    pub(super) fn undo(&mut self, depth: usize) {
        while self.order.len() > depth
            && let Some((index, before)) = self.order.pop()
        {
            self.bits[index as usize / 64] &= !(1 << (index % 64));
            self.value = before;
            self.count(&self.operations[index as usize], Change::Add);
        }
    }

    fn push(&mut self, index: u32, after: Option<u32>) {
        self.bits[index as usize / 64] |= 1 << (index % 64);
        self.order.push((index, self.value));
        self.value = after;
        self.count(&self.operations[index as usize], Change::Remove);
    }

    fn count(&mut self, operation: &Operation<u32>, change: Change) {
        let needs = operation.act.needs().map(|value| self.slot(value));
        let gives = operation.act.gives().map(|value| self.slot(value));
        // A possible operation that needs a certain value does not have to be taken.
        if operation.is_certain() {
            change.count(&mut self.missing);
            if let Some(slot) = needs {
                change.count_small(&mut self.needs[slot]);
            }
            if operation.act.needs_any() {
                change.count(&mut self.any_needs);
            }
        }
        if let Some(slot) = gives {
            change.count_small(&mut self.gives[slot]);
        }
    }

    fn slot(&self, value: Option<u32>) -> usize {
        value.map_or(self.needs.len() - 1, |value| value as usize)
    }

    /// The wanted operations that no other one must precede, those that took effect for certain first.
    fn candidates(&mut self, wanted: impl Fn(&Operation<u32>) -> bool) -> Vec<u32> {
        self.pass += 1;
        let mut found = Vec::new();
        let mut earliest_end = u64::MAX;
        let mut next = self.untaken(0);
        while let Some(index) = next {
            let operation = &self.operations[index];
            next = match operation.sent <= earliest_end {
                true => {
                    earliest_end = earliest_end.min(operation.end);
                    if self.in_session_order(operation) && wanted(operation) {
                        found.push(index as u32);
                    }
                    self.untaken(index + 1)
                }
                // Certain operations come first, each part in the order in which it was sent.
                false if operation.is_certain() => self.untaken(self.certain.max(index + 1)),
                false => None,
            };
        }
        found
    }

    /// The first operation from `index` on that is not taken.
    fn untaken(&self, index: usize) -> Option<usize> {
        let mut word = index / 64;
        let mut free = !*self.bits.get(word)? & (u64::MAX << (index % 64));
        while free == 0 {
            word += 1;
            free = !*self.bits.get(word)?;
        }
        let index = 64 * word + free.trailing_zeros() as usize;
        (index < self.operations.len()).then_some(index)
    }

    /// Whether no operation of its session waits that must precede it. Asked in the order in which they were sent.
    fn in_session_order(&mut self, operation: &Operation<u32>) -> bool {
        let blocked = &mut self.blocked[operation.session as usize];
        let waits = blocked.0 == self.pass && blocked.1 < operation.sequence;
        if operation.binds_session() && blocked.0 != self.pass {
            *blocked = (self.pass, operation.sequence);
        }
        self.session_order == SessionOrder::Ignored || !waits
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Add,
    Remove,
}

impl Change {
    fn count(self, number: &mut usize) {
        match self {
            Self::Add => *number += 1,
            Self::Remove => *number -= 1,
        }
    }

    fn count_small(self, number: &mut u32) {
        match self {
            Self::Add => *number += 1,
            Self::Remove => *number -= 1,
        }
    }
}
