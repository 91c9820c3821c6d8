//! The closest candidates, the best first: later stages of the search begin with them, and reports show them.

use placement::hash::TagRule;

use super::finding::NearMiss;
use super::hypothesis::{Candidate, Tried};
use super::observation::Observation;

/// How many of the closest candidates are remembered, and how many are shown.
const RANKING: usize = 48;
const NEAREST: usize = 5;

/// The nearest candidates with the share that each explains, sorted and few.
#[derive(Default)]
pub(super) struct Ranking(Vec<Tried>);

impl Ranking {
    /// The best first.
    pub(super) fn best(&self) -> &[Tried] {
        &self.0
    }

    /// The share that a candidate must exceed to be remembered.
    pub(super) fn worst(&self) -> f64 {
        self.0.get(RANKING - 1).map_or(0.0, |worst| worst.0)
    }

    /// Remembers a candidate if it is among the best.
    pub(super) fn remember(&mut self, share: f64, candidate: Candidate) {
        let place = self.0.partition_point(|other| other.0 >= share);
        if place < RANKING {
            self.0.insert(place, (share, candidate));
            self.0.truncate(RANKING);
        }
    }

    /// Judges all again by all that was seen since.
    pub(super) fn rank(&mut self, plain: &[Observation]) {
        for (share, candidate) in &mut self.0 {
            if let Some(hypothesis) = candidate.clone().hypothesis(TagRule::WholeKey) {
                *share = hypothesis.explained(plain) as f64 / plain.len() as f64;
            }
        }
        self.0.sort_by(|one, other| other.0.total_cmp(&one.0));
    }

    /// The best of each policy and naming.
    pub(super) fn nearest(&self) -> Vec<NearMiss> {
        let mut nearest: Vec<NearMiss> = Vec::new();
        for near in self.0.iter().map(NearMiss::new) {
            let is_known =
                |other: &NearMiss| other.policy == near.policy && other.naming == near.naming;
            if !nearest.iter().any(is_known) {
                nearest.push(near);
            }
        }
        nearest.truncate(NEAREST);
        nearest
    }
}
