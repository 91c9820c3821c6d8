//! Slots that are not dealt evenly: their runs are read from the observations, and keys are chosen until each end is
//! known.
//!
//! A run between two seen slots whose owner is neither of theirs stays hidden.

use std::ops::RangeInclusive;

use placement::Policy;
use placement::hash::{TagRule, crc16_xmodem, hashed_part};

use super::hypothesis::Candidate;
use super::keys::Keys;
use super::naming::Naming;
use super::query::Query;

/// The number of slots.
const SLOTS: u16 = 16_384;
/// Slots seen for each run, at least: placements by other digests would show a run for nearly every slot.
const SEEN_PER_RUN: usize = 6;
/// Keys that are tried, without writing them, to find one in a gap.
const LOOKED_AT: usize = 200_000;

/// Owners of slots as far as they were seen, in ascending order of slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slots(Vec<(u16, usize)>);

impl Slots {
    /// The slots that these keys and their places show; `None` if a slot has two owners, or if too many neighbours
    /// differ.
    pub(super) fn seen<'a>(keys: impl Iterator<Item = (&'a [u8], usize)>) -> Option<Self> {
        let mut seen: Vec<(u16, usize)> = keys.map(|(key, place)| (slot(key), place)).collect();
        seen.sort_unstable();
        seen.dedup();
        let slots = seen.windows(2);
        if slots.clone().any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let changes = slots.filter(|pair| pair[0].1 != pair[1].1).count();
        (SEEN_PER_RUN * (changes + 1) <= seen.len()).then_some(Self(seen))
    }

    /// A key in the middle of each gap between two owners; empty when every end is known.
    pub(super) fn keys_between(&self, keys: &mut Keys) -> Vec<Vec<u8>> {
        let mut gaps: Vec<RangeInclusive<u16>> = self
            .0
            .windows(2)
            .filter(|pair| pair[0].1 != pair[1].1 && pair[1].0 - pair[0].0 > 1)
            .map(|pair| middle(pair[0].0 + 1, pair[1].0 - 1))
            .collect();
        let mut found = Vec::new();
        for _ in 0..LOOKED_AT {
            if gaps.is_empty() {
                break;
            }
            let key = keys.plain();
            let slot = slot(&key);
            if let Some(gap) = gaps.iter().position(|gap| gap.contains(&slot)) {
                gaps.swap_remove(gap);
                found.push(key);
            }
        }
        found
    }

    /// The cluster whose nodes own these runs; slots before the first seen one belong to its owner, and so on to the
    /// last.
    pub(super) fn candidate(&self, question: &Query) -> Candidate {
        let order: Vec<usize> = (0..question.nodes.len()).collect();
        let weights = vec![1; order.len()];
        let mut candidate = Candidate::new(question, Policy::Slots, Naming::Seen, &order, &weights);
        let mut begin = 0;
        for (index, (slot, owner)) in self.0.iter().enumerate() {
            let ends = self.0.get(index + 1).is_none_or(|next| next.1 != *owner);
            if ends {
                let last = if index + 1 == self.0.len() {
                    SLOTS - 1
                } else {
                    *slot
                };
                candidate.cluster.nodes[*owner].slots.push(begin..=last);
                begin = last + 1;
            }
        }
        candidate
    }
}

fn slot(key: &[u8]) -> u16 {
    crc16_xmodem(hashed_part(TagRule::BRACES, key)) % SLOTS
}

/// The middle half, so that each key halves the gap or nearly so; all of a short one.
fn middle(first: u16, last: u16) -> RangeInclusive<u16> {
    let quarter = (last - first) / 4;
    first + quarter..=last - quarter
}
