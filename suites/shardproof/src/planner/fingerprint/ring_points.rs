//! A ring of unknown weights and size, point by point: the number of points of each node can be climbed one node at a
//! time, because a node's points do not depend on the others'. The ratios of these numbers are the weights.

use placement::RingFunction;
use placement::hash::TagRule;

use super::hypothesis::Candidate;
use super::naming::Naming;
use super::observation::Observation;
use super::policies::{RING_SIZE, Ring};
use super::query::Query;
use super::weights::rounded;

/// Sizes of rings to begin with.
const BEGINNINGS: [u32; 6] = [RING_SIZE, 64, 256, 512, 2048, 4096];
/// A start that explains less is not a ring of these nodes.
const FOOT: f64 = 0.4;
/// Rounds over all nodes, at most; each ends with smaller steps unless it led upwards.
const ROUNDS: usize = 40;
/// Vectors of weights that are tried.
const VECTORS: usize = 12;

/// Rings with the weights that the counts of points tell, the smallest weights first; the usual size before the fitted one.
pub(super) fn fitted(
    question: &Query,
    function: RingFunction,
    naming: Naming,
    observations: &[Observation],
) -> Vec<Candidate> {
    let order: Vec<usize> = (0..question.nodes.len()).collect();
    let ring = |weights: &[u32], size_min: u32| {
        let policy = Ring::uncut(size_min, function).policy();
        Candidate::new(question, policy, naming, &order, weights)
    };
    // With its points as weights and their sum as size, a node has exactly that many points.
    let height = |points: &[u32]| {
        let hypothesis = ring(points, points.iter().sum()).hypothesis(TagRule::WholeKey);
        hypothesis.map_or(0, |hypothesis| hypothesis.explained(observations))
    };
    let begin = |size: u32| -> (usize, Vec<u32>) {
        let points = beginning(observations, question.nodes.len(), size);
        (height(&points), points)
    };
    // The first of equal starts: max_by_key returns the last.
    let Some(begun) = BEGINNINGS
        .into_iter()
        .rev()
        .map(begin)
        .max_by_key(|(height, _)| *height)
    else {
        return Vec::new();
    };
    if (begun.0 as f64) < FOOT * observations.len() as f64 {
        return Vec::new();
    }
    let points = climb(begun, height);
    let mut candidates = Vec::new();
    for weights in ratios(&points) {
        let sum: u32 = weights.iter().sum();
        let unit = points.iter().sum::<u32>() / sum;
        candidates.push(ring(&weights, RING_SIZE));
        let units = unit.saturating_sub(2).max(1)..=unit + 3;
        candidates.extend(units.map(|unit| ring(&weights, unit * sum)));
    }
    candidates
}

/// As many points as the counts of keys make likely.
fn beginning(observations: &[Observation], nodes: usize, size: u32) -> Vec<u32> {
    let mut points = vec![1; nodes];
    for observation in observations {
        points[observation.place] += 1;
    }
    let all: u32 = points.iter().sum();
    points
        .iter()
        .map(|count| (count * size / all).max(1))
        .collect()
}

/// The highest counts that steps of one node at a time lead to.
fn climb(mut here: (usize, Vec<u32>), height: impl Fn(&[u32]) -> usize) -> Vec<u32> {
    let mut step = 4;
    for _ in 0..ROUNDS {
        let before = here.0;
        for node in 0..here.1.len() {
            let stride = (here.1[node] / step).max(1);
            for points in [
                here.1[node].saturating_sub(stride).max(1),
                here.1[node] + stride,
            ] {
                let mut changed = here.1.clone();
                changed[node] = points;
                let reached = height(&changed);
                if reached > here.0 {
                    here = (reached, changed);
                }
            }
        }
        if here.0 == before {
            if here.1.iter().all(|points| *points < step) {
                break;
            }
            step *= 2;
        }
    }
    here.1
}

/// Weights that these counts of points may come from: those that come nearest, the smallest first.
fn ratios(points: &[u32]) -> Vec<Vec<u32>> {
    let counts: Vec<u64> = points.iter().map(|count| u64::from(*count)).collect();
    let mut nearest = rounded(&counts);
    nearest.sort_by(|one, other| off(one, points).total_cmp(&off(other, points)));
    nearest.truncate(VECTORS);
    nearest.sort_by_key(|weights| weights.iter().sum::<u32>());
    nearest
}

/// How far counts of points are from those that the weights predict, relative to the expected deviation.
fn off(weights: &[u32], points: &[u32]) -> f64 {
    let ratio = f64::from(points.iter().sum::<u32>()) / f64::from(weights.iter().sum::<u32>());
    weights
        .iter()
        .zip(points)
        .map(|(weight, count)| {
            let due = f64::from(*weight) * ratio;
            (due - f64::from(*count)).powi(2) / due
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::ratios;

    #[test]
    fn counts_that_are_a_little_off_still_show_their_weights() {
        let found = ratios(&[405, 37, 43, 276, 122, 80, 78]);
        assert!(found.contains(&vec![10, 1, 1, 7, 3, 2, 2]), "{found:?}");
    }
}
