//! Orders of nodes: on a ring they decide few points, so other orders are tried only for hypotheses that are nearly
//! right.

use super::hypothesis::{Batch, Candidate, Tried};
use super::policies::Ring;
use super::query::Query;

/// Up to this number of nodes all orders are tried; beyond, the reverse and swapped neighbours.
const PERMUTED_MAX: usize = 6;
/// About how many candidates are made of the nearest rings, and of how many rings at least.
const REORDERED: usize = 1500;
const RINGS_MIN: usize = 2;

/// The nearest rings that explain at least `near` of the keys, in other orders.
pub(super) fn batches<'a>(question: &'a Query, ranking: &[Tried], near: f64) -> Vec<Batch<'a>> {
    let orders = others(&(0..question.nodes.len()).collect::<Vec<_>>(), PERMUTED_MAX).len();
    let rings = (REORDERED / orders.max(1)).max(RINGS_MIN);
    ranking
        .iter()
        .filter(|(share, candidate)| {
            *share >= near && Ring::of(&candidate.cluster.policy).is_some()
        })
        .take(rings)
        .map(|(_, ring)| {
            let ring = ring.clone();
            let orders = others(&ring.order, PERMUTED_MAX).into_iter();
            let batch: Batch<'a> =
                Box::new(orders.map(move |order| reordered(question, &ring, &order)));
            batch
        })
        .collect()
}

/// The candidate with its nodes in another order.
pub(super) fn reordered(question: &Query, candidate: &Candidate, order: &[usize]) -> Candidate {
    let policy = candidate.cluster.policy.clone();
    Candidate::new(
        question,
        policy,
        candidate.naming,
        order,
        &candidate.weights(),
    )
}

/// Other orders of the same: all of them up to `permuted_max`, otherwise the reverse and every pair of neighbours changed.
pub(super) fn others(order: &[usize], permuted_max: usize) -> Vec<Vec<usize>> {
    let mut found = vec![order.iter().rev().copied().collect::<Vec<usize>>()];
    if order.len() <= permuted_max {
        permute(&mut order.to_vec(), 0, &mut found);
    } else {
        for left in 0..order.len() - 1 {
            let mut changed = order.to_vec();
            changed.swap(left, left + 1);
            found.push(changed);
        }
    }
    found.retain(|other| other != order);
    found
}

fn permute(order: &mut Vec<usize>, fixed: usize, found: &mut Vec<Vec<usize>>) {
    if fixed == order.len() {
        found.push(order.clone());
        return;
    }
    for place in fixed..order.len() {
        order.swap(fixed, place);
        permute(order, fixed + 1, found);
        order.swap(fixed, place);
    }
}

#[cfg(test)]
mod tests {
    use super::others;

    #[test]
    fn few_are_permuted_and_many_are_not() {
        // The reverse is first, and once more among all.
        assert_eq!(others(&[0, 1, 2, 3], 6).len(), 24);
        assert_eq!(others(&[2, 0, 1], 6)[0], [1, 0, 2]);
        assert_eq!(others(&[0, 1, 2, 3], 3).len(), 4);
    }
}
