//! Makes a violation small: cuts it where it first shows, and leaves out operations that it does not need.
//!
//! Leaves out only operations whose absence cannot cause a violation, so that the rest is a violation of the whole
//! history: the operations after a point in time, a read, a write together with all reads of its value.

use super::judge::{Judge, Ruling};
use super::operation::{Act, Effect, Operation};

type Operations<'a> = Vec<Operation<&'a [u8]>>;

/// Operations judged per violation, all trials together. Beyond that the violation stays larger than it could be.
const WORK_MAX: usize = 5_000_000;

/// Configurations that the search of one trial may visit. A trial that needs more leaves the violation as it is.
const TRIAL_BUDGET: usize = 10_000;

/// A small violation within a violation.
pub(super) fn minimise<'a>(
    operations: &[Operation<&'a [u8]>],
    judge: &mut Judge,
) -> Operations<'a> {
    let budget = judge.replace_budget(TRIAL_BUDGET.min(judge.options().budget));
    let kept = minimised(operations, judge);
    judge.replace_budget(budget);
    kept
}

fn minimised<'a>(operations: &[Operation<&'a [u8]>], judge: &mut Judge) -> Operations<'a> {
    let mut trials = Trials { judge, work: 0 };
    let mut kept = trials.first_prefix(operations);
    loop {
        let before = kept.len();
        for kind in [Kind::Reads, Kind::Absence, Kind::Values, Kind::Deletes] {
            kept = trials.without(kind, kept);
        }
        if kept.len() == before {
            return kept;
        }
    }
}

struct Trials<'a> {
    judge: &'a mut Judge,
    work: usize,
}

impl Trials<'_> {
    fn is_violation(&mut self, operations: &[Operation<&[u8]>]) -> bool {
        self.work += operations.len();
        self.work <= WORK_MAX && self.judge.rule_without_witness(operations) == Ruling::Impossible
    }

    /// The shortest prefix in time that is a violation.
    fn first_prefix<'a>(&mut self, operations: &[Operation<&'a [u8]>]) -> Operations<'a> {
        let ends = operations.iter().map(|operation| operation.end);
        let mut ends: Vec<u64> = ends.filter(|end| *end < u64::MAX).collect();
        ends.sort_unstable();
        ends.dedup();
        let first = ends.partition_point(|end| !self.is_violation(&prefix(operations, *end)));
        match ends.get(first) {
            Some(end) => prefix(operations, *end),
            None => operations.to_vec(),
        }
    }

    /// Leaves out groups of one kind, many at once at first.
    fn without<'a>(&mut self, kind: Kind, mut kept: Operations<'a>) -> Operations<'a> {
        let mut size = kind.groups(&kept).len().div_ceil(2);
        while size > 0 {
            let mut at = 0;
            loop {
                let groups = kind.groups(&kept);
                let Some(chunk) = groups.get(at..groups.len().min(at + size)) else {
                    break;
                };
                if chunk.is_empty() {
                    break;
                }
                let smaller = without(&kept, chunk);
                match self.is_violation(&smaller) {
                    true => kept = smaller,
                    false => at += size,
                }
            }
            size /= 2;
        }
        kept
    }
}

/// The history up to a time: requests that were not answered may have taken effect.
fn prefix<'a>(operations: &[Operation<&'a [u8]>], end: u64) -> Operations<'a> {
    let sent = operations.iter().filter(|operation| operation.sent <= end);
    sent.filter_map(|operation| match operation.end <= end {
        true => Some(*operation),
        false => pending(operation),
    })
    .collect()
}

fn pending<'a>(operation: &Operation<&'a [u8]>) -> Option<Operation<&'a [u8]>> {
    let act = match operation.act {
        Act::Read(_) | Act::Exists => return None,
        // SET NX could have had no effect; the trial keeps the effect that it had.
        Act::Swap { new, .. } => Act::Write(new),
        Act::Delete => Act::Clear,
        act @ (Act::Write(_) | Act::Create(_) | Act::Clear) => act,
    };
    Some(Operation {
        act,
        effect: Effect::Possible,
        end: u64::MAX,
        ..*operation
    })
}

/// Operations that are left out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One read.
    Reads,
    /// All that makes the key absent or needs it to be.
    Absence,
    /// A value: all operations that write it, see it, or write a value that depends on it.
    Values,
    /// One DEL.
    Deletes,
}

impl Kind {
    /// The groups of indices that can be left out; empty if their absence could cause a violation.
    fn groups(self, kept: &[Operation<&[u8]>]) -> Vec<Vec<usize>> {
        let any = |is: fn(&Act<&[u8]>) -> bool| kept.iter().any(|operation| is(&operation.act));
        let absence = |act: &Act<&[u8]>| {
            act.needs() == Some(None) || act.gives() == Some(None) || matches!(act, Act::Create(_))
        };
        let indices = |is: &dyn Fn(&Act<&[u8]>) -> bool| {
            let all = 0..kept.len();
            all.filter(|index| is(&kept[*index].act))
                .collect::<Vec<_>>()
        };
        match self {
            Self::Reads => each(indices(&|act| act.is_read())),
            // Without its value, the key could be absent where it has to exist.
            Self::Absence if !any(|act| *act == Act::Exists) => {
                let group = closure(kept, indices(&absence));
                if group.is_empty() {
                    Vec::new()
                } else {
                    vec![group]
                }
            }
            Self::Values if !any(|act| act.needs_any()) => values(kept),
            // Without DEL, the key could exist where it has to be absent.
            Self::Deletes
                if !any(|act| act.needs() == Some(None) || matches!(act, Act::Create(_))) =>
            {
                each(indices(&|act| act.gives() == Some(None)))
            }
            _ => Vec::new(),
        }
    }
}

fn each(indices: Vec<usize>) -> Vec<Vec<usize>> {
    indices.into_iter().map(|index| vec![index]).collect()
}

/// One group per value that is written.
fn values(kept: &[Operation<&[u8]>]) -> Vec<Vec<usize>> {
    let writes = (0..kept.len()).filter(|index| matches!(kept[*index].act.gives(), Some(Some(_))));
    writes.map(|index| closure(kept, vec![index])).collect()
}

/// A group with all operations that saw or wrote a value that one of the group writes.
fn closure(kept: &[Operation<&[u8]>], mut group: Vec<usize>) -> Vec<usize> {
    let mut at = 0;
    while let Some(index) = group.get(at) {
        if let Some(value @ Some(_)) = kept[*index].act.gives() {
            for (index, operation) in kept.iter().enumerate() {
                let act = operation.act;
                let touches = act.needs() == Some(value) || act.gives() == Some(value);
                if touches && !group.contains(&index) {
                    group.push(index);
                }
            }
        }
        at += 1;
    }
    group
}

fn without<'a>(kept: &[Operation<&'a [u8]>], groups: &[Vec<usize>]) -> Operations<'a> {
    let mut keeps = vec![true; kept.len()];
    for index in groups.iter().flatten() {
        keeps[*index] = false;
    }
    let kept = kept.iter().zip(keeps).filter(|(_, keeps)| *keeps);
    kept.map(|(operation, _)| *operation).collect()
}
