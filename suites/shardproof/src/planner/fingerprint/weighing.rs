//! Weights by trial: the search climbs from weights that fit the counts, because weights that are nearly right place
//! most keys right.

use placement::Policy;
use placement::hash::TagRule;

use super::hypothesis::Candidate;
use super::naming::Naming;
use super::observation::Observation;
use super::query::Query;
use super::weights::{WEIGHT_MAX, divisor, rounded};

/// How many beginnings are climbed from.
const CLIMBS: usize = 3;
/// A beginning that explains less is on no hill.
const FOOT: f64 = 0.4;

/// `policy` with the weights that explain most, the best first; empty if all explain little.
pub(super) fn weighed(
    question: &Query,
    policy: &Policy,
    naming: Naming,
    observations: &[Observation],
) -> Vec<Candidate> {
    let mut counts = vec![0; question.nodes.len()];
    for observation in observations {
        counts[observation.place] += 1;
    }
    let order: Vec<usize> = (0..counts.len()).collect();
    let candidate =
        |weights: &[u32]| Candidate::new(question, policy.clone(), naming, &order, weights);
    let height = |weights: &[u32]| {
        let hypothesis = candidate(weights).hypothesis(TagRule::WholeKey);
        hypothesis.map_or(0, |hypothesis| hypothesis.explained(observations))
    };
    let mut begun: Vec<(usize, Vec<u32>)> = rounded(&counts)
        .into_iter()
        .map(|weights| (height(&weights), weights))
        .collect();
    begun.sort_by_key(|(height, _)| std::cmp::Reverse(*height));
    begun.retain(|(height, _)| *height as f64 >= FOOT * observations.len() as f64);
    let mut tops: Vec<(usize, Vec<u32>)> = begun
        .into_iter()
        .take(CLIMBS)
        .map(|foot| climb(foot, height, observations.len()))
        .collect();
    tops.sort_by_key(|(height, _)| std::cmp::Reverse(*height));
    tops.dedup();
    tops.iter().map(|(_, weights)| candidate(weights)).collect()
}

/// Climbs, changing one weight by one at a time, until no neighbour is higher or it cannot be higher than `highest`.
fn climb(
    mut here: (usize, Vec<u32>),
    height: impl Fn(&[u32]) -> usize,
    highest: usize,
) -> (usize, Vec<u32>) {
    while here.0 < highest {
        let best = neighbours(&here.1)
            .map(|weights| (height(&weights), weights))
            .max_by_key(|(height, _)| *height);
        match best {
            Some(best) if best.0 > here.0 => here = best,
            _ => break,
        }
    }
    here
}

/// Every vector with one weight changed by one.
fn neighbours(weights: &[u32]) -> impl Iterator<Item = Vec<u32>> + '_ {
    (0..weights.len()).flat_map(move |node| {
        [weights[node] - 1, weights[node] + 1]
            .into_iter()
            .filter(|weight| (1..=WEIGHT_MAX).contains(weight))
            .map(move |weight| {
                let mut changed = weights.to_vec();
                changed[node] = weight;
                changed
            })
            .filter(|changed| divisor(changed) == 1)
    })
}
