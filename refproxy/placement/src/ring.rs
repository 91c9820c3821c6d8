//! A ring: numbers in ascending order, each owned by a node; a digest belongs to the first that is not below it.
//!
//! Envoy's ring hash and twemproxy's ketama differ in how they make points and agree on how points are read.

use crate::NodeId;

/// Points of 64 bits (ring hash) or 32 (ketama).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ring<P> {
    points: Box<[P]>,
    owners: Box<[NodeId]>,
    /// For each value of the upper bits of a digest, the place where the search begins.
    starts: Box<[u32]>,
    shift: u32,
}

/// A point's number, comparable with digests.
pub(crate) trait Point: Copy + Ord {
    const BITS: u32;
    fn wide(self) -> u64;
    fn from_digest(digest: u64) -> Self;
}

impl Point for u64 {
    const BITS: u32 = 64;
    fn wide(self) -> u64 {
        self
    }
    fn from_digest(digest: u64) -> Self {
        digest
    }
}

impl Point for u32 {
    const BITS: u32 = 32;
    fn wide(self) -> u64 {
        u64::from(self)
    }
    fn from_digest(digest: u64) -> Self {
        // A digest of these policies has 32 bits.
        digest as Self
    }
}

impl<P: Point> Ring<P> {
    /// From points in ascending order, at least one.
    pub(crate) fn new(sorted: &[(P, NodeId)]) -> Self {
        let points: Box<[P]> = sorted.iter().map(|(point, _)| *point).collect();
        // About one point in each bucket, so that a search takes about one step.
        let bits = points
            .len()
            .next_power_of_two()
            .trailing_zeros()
            .clamp(1, 24);
        let shift = P::BITS - bits;
        let mut next = 0;
        let starts = (0..1_u64 << bits)
            .map(|bucket| {
                while next < points.len() && points[next].wide() >> shift < bucket {
                    next += 1;
                }
                // At most 2^23 points and one.
                next as u32
            })
            .collect();
        Self {
            points,
            owners: sorted.iter().map(|(_, owner)| *owner).collect(),
            starts,
            shift,
        }
    }

    /// The owner of the first point at or above `digest`; above the last point it is the first.
    pub(crate) fn node(&self, digest: u64) -> NodeId {
        let wanted = P::from_digest(digest);
        let mut place = self.starts[(digest >> self.shift) as usize] as usize;
        while place < self.points.len() && self.points[place] < wanted {
            place += 1;
        }
        self.owners[if place == self.points.len() { 0 } else { place }]
    }

    /// The points in ascending order, with their owners.
    pub(crate) fn points(&self) -> impl ExactSizeIterator<Item = (u64, NodeId)> + '_ {
        self.points
            .iter()
            .zip(&self.owners)
            .map(|(point, owner)| (point.wide(), *owner))
    }

    /// The share of all digests of each of `nodes` nodes.
    pub(crate) fn shares(&self, nodes: usize) -> Vec<f64> {
        let whole = 2.0_f64.powi(P::BITS as i32);
        let mut shares = vec![0.0; nodes];
        // Digests above the last point belong to the first one.
        let last = self.points.last().map_or(0, |point| point.wide());
        let mut before = last as f64 - whole;
        for (point, owner) in self.points() {
            shares[owner.index()] += (point as f64 - before) / whole;
            before = point as f64;
        }
        shares
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{NodeId, Ring};

    /// The definition, without the shortcut.
    fn first_not_below(sorted: &[(u32, NodeId)], digest: u32) -> NodeId {
        let place = sorted.partition_point(|(point, _)| *point < digest);
        sorted[place % sorted.len()].1
    }

    proptest! {
        #[test]
        fn the_first_point_not_below_a_digest_owns_it(
            mut points in prop::collection::vec((any::<u32>(), 0_u16..9), 1..200),
            digests in prop::collection::vec(any::<u32>(), 50),
        ) {
            points.sort();
            let sorted: Vec<_> = points.iter().map(|(point, node)| (*point, NodeId(*node))).collect();
            let ring = Ring::new(&sorted);
            let edges = points.iter().flat_map(|(point, _)| [point.wrapping_sub(1), *point, point.wrapping_add(1)]);
            for digest in digests.into_iter().chain([0, u32::MAX]).chain(edges) {
                prop_assert_eq!(ring.node(u64::from(digest)), first_not_below(&sorted, digest));
            }
            let wide: Vec<_> = sorted.iter().map(|(point, node)| (u64::from(*point) << 32, *node)).collect();
            let wide = Ring::new(&wide);
            for (point, _) in &points {
                prop_assert_eq!(wide.node(u64::from(*point) << 32), first_not_below(&sorted, *point));
            }
        }
    }
}
