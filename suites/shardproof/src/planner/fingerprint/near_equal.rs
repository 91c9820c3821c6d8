//! Near equals: hypotheses that differ so little that keys which were not chosen for it may not distinguish them.

use placement::hash::TagRule;

use super::hypothesis::{Candidate, Hypothesis};
use super::order;
use super::policies::Ring;
use super::query::Query;
use super::weights::{WEIGHT_MAX, divisor};

/// Up to this many nodes all orders of a ring are rivals; beyond, the reverse and swapped neighbours.
const PERMUTED_MAX: usize = 3;
/// Nodes beyond this are not tried with a weight changed.
const WEIGHED_MAX: usize = 16;
/// How many sizes around a ring's size are tried for the same ring.
const SAME_RING_MAX: u32 = 64;

/// The candidates next to this one: sizes of a ring, orders, weights. Other tables and digests are never next to it.
pub(super) fn next_to(question: &Query, hypothesis: &Hypothesis) -> Vec<Candidate> {
    let candidate = &*hypothesis.candidate;
    let mut rivals = Vec::new();
    if let Some(ring) = Ring::of(&candidate.cluster.policy) {
        let sizes = sizes(ring, candidate.order.len() as u32);
        let rings = sizes.map(|ring| candidate.under(&ring.policy()));
        let rings: Vec<Candidate> = rings.collect();
        rivals.extend(rings.iter().cloned());
        // If a ring is cut, the order decides whose point is missing.
        for order in order::others(&candidate.order, PERMUTED_MAX) {
            let rings = rings.iter().chain([candidate]);
            rivals.extend(rings.map(|ring| order::reordered(question, ring, &order)));
        }
    }
    if candidate.cluster.policy.supports_weights() && question.weights.is_none() {
        rivals.extend(
            weights(&candidate.weights()).map(|weights| reweighed(question, candidate, &weights)),
        );
    }
    rivals
}

/// One point per node more or less, and the same ring cut at its size.
fn sizes(ring: Ring, nodes: u32) -> impl Iterator<Item = Ring> {
    let Ring {
        size_min, function, ..
    } = ring;
    let around = [
        size_min.saturating_sub(nodes),
        size_min + nodes,
        size_min + 2 * nodes,
    ];
    let cut = size_min.saturating_sub(1)..=size_min + nodes;
    around
        .into_iter()
        .map(move |size| Ring::uncut(size, function))
        .chain(cut.map(move |size| Ring::cut(size, function)))
        .filter(move |other| other.size_min > 0 && *other != ring)
}

/// One weight changed by one; if all are equal, by a tenth.
fn weights(weights: &[u32]) -> impl Iterator<Item = Vec<u32>> {
    let equal = weights.iter().all(|weight| *weight == weights[0]);
    let base: Vec<u32> = if equal {
        vec![WEIGHT_MAX - 1; weights.len()]
    } else {
        weights.to_vec()
    };
    (0..base.len().min(WEIGHED_MAX)).flat_map(move |node| {
        let changed = |weight: u32| {
            let mut changed = base.clone();
            changed[node] = weight;
            (weight > 0 && divisor(&changed) == 1).then_some(changed)
        };
        let both = [changed(base[node] + 1), changed(base[node] - 1)];
        both.into_iter().flatten()
    })
}

fn reweighed(question: &Query, candidate: &Candidate, weights: &[u32]) -> Candidate {
    let policy = candidate.cluster.policy.clone();
    Candidate::new(
        question,
        policy,
        candidate.naming,
        &candidate.order,
        weights,
    )
}

/// The least and greatest minimum size that make the same ring, as far as was looked.
pub(super) fn same_ring(hypothesis: &Hypothesis) -> Option<(u32, u32)> {
    let candidate = &hypothesis.candidate;
    let ring = Ring::of(&candidate.cluster.policy)?;
    let size_min = ring.size_min;
    let same = |size: &u32| {
        let resized = Ring {
            size_min: *size,
            ..ring
        };
        let other = candidate.under(&resized.policy());
        other
            .hypothesis(TagRule::WholeKey)
            .is_some_and(|other| other.same_table(hypothesis))
    };
    let least = (size_min.saturating_sub(SAME_RING_MAX).max(1)..size_min)
        .rev()
        .take_while(same)
        .last();
    let most = (size_min + 1..=size_min + SAME_RING_MAX)
        .take_while(same)
        .last();
    Some((least.unwrap_or(size_min), most.unwrap_or(size_min)))
}

/// Whether this is a ring that its maximum size does not cut.
pub(super) fn is_uncut(hypothesis: &Hypothesis) -> bool {
    Ring::of(&hypothesis.candidate.cluster.policy).is_some_and(Ring::is_uncut)
}
