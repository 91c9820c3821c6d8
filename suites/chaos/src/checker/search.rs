//! Searches for a linearization (Wing and Gong, with the memory of Lowe), if clusters do not decide.
//!
//! Takes one operation after the other, of those that no other must precede, and backtracks if none fits. Reads that
//! fit are taken at once: they change no value, so taking them later gains nothing. A value is left only when all
//! operations that saw it are taken, or when it can be written again. A configuration, the set of operations taken and
//! the value, is visited once.

use std::collections::HashSet;

use super::intern::Register;
use super::options::SessionOrder;
use super::taken::Taken;

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A linearization.
    Linearization,
    /// There is no linearization.
    None,
    /// The budget was used up first.
    Exhausted,
}

/// Searches, visiting at most `budget` configurations. Of several operations, those of a low rank are tried first.
pub(super) fn search(
    register: &Register,
    ranks: &[u32],
    session_order: SessionOrder,
    sessions: usize,
    budget: usize,
) -> Found {
    let mut taken = Taken::new(register, session_order, sessions);
    let mut visited = HashSet::new();
    let mut path = vec![Branch::enter(&mut taken, 0, ranks)];
    while let Some(branch) = path.last_mut() {
        if taken.is_complete() {
            return Found::Linearization;
        }
        let depth = taken.depth();
        match branch.choices.pop() {
            None => {
                taken.undo(branch.depth);
                path.pop();
            }
            Some(choice) if taken.take(choice) => {
                let mut next = Branch::enter(&mut taken, depth, ranks);
                // A single choice leads to one configuration: remembering that one is enough.
                if next.choices.len() > 1 && !visited.insert(taken.configuration()) {
                    next.choices.clear();
                }
                path.push(next);
            }
            Some(_) => (),
        }
        if visited.len() > budget {
            return Found::Exhausted;
        }
    }
    Found::None
}

/// A point of the search with one or more operations to continue with.
struct Branch {
    /// The number of operations taken before the choice that led here.
    depth: usize,
    /// The operations to try, the best last.
    choices: Vec<u32>,
}

impl Branch {
    /// Takes the reads that fit, and lists the operations that change the value.
    fn enter(taken: &mut Taken<'_>, depth: usize, ranks: &[u32]) -> Self {
        taken.take_reads();
        let mut choices = taken.choices();
        choices.sort_by_key(|index| std::cmp::Reverse(ranks[*index as usize]));
        Self { depth, choices }
    }
}
