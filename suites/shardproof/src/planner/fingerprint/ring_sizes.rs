//! Unusual sizes of a ring, found by hill climbing: rings of similar size place most keys alike.

use placement::RingFunction;
use placement::hash::TagRule;

use super::hypothesis::Candidate;
use super::naming::Naming;
use super::observation::Observation;
use super::policies::Ring;
use super::query::Query;

/// Points per node at the foot of each climb: each half as many again as the one before.
const FEET: [u32; 22] = [
    1, 2, 3, 5, 7, 11, 17, 26, 38, 58, 86, 130, 195, 292, 438, 657, 985, 1478, 2217, 3325, 4988,
    7482,
];
/// How far the best size may be off because few observations cannot tell its neighbours from it.
const AROUND: u32 = 3;

/// A ring of about the best size, and its neighbours: rings whose size is a multiple of the nodes, and rings cut at a maximum,
/// which need not be.
pub(super) fn around_best(
    question: &Query,
    function: RingFunction,
    naming: Naming,
    observations: &[Observation],
) -> Vec<Candidate> {
    let nodes = question.nodes.len() as u32;
    let best = climb(|points| {
        let ring = Ring::uncut(points * nodes, function);
        candidate(question, ring, naming)
            .hypothesis(TagRule::WholeKey)
            .map_or(0, |hypothesis| hypothesis.explained(observations))
    });
    let from = best.saturating_sub(AROUND).max(1);
    (from..=best + AROUND)
        .flat_map(|points| {
            let whole = points * nodes;
            let cut = (whole - nodes + 1..=whole).rev();
            let cut = cut.map(|size| Ring::cut(size, function));
            [Ring::uncut(whole, function)].into_iter().chain(cut)
        })
        .map(|ring| candidate(question, ring, naming))
        .collect()
}

/// The highest place that steps, which get smaller, find from the highest foot.
fn climb(height: impl Fn(u32) -> usize) -> u32 {
    // The smaller of two equal sizes: max_by_key returns the last.
    let mut best = FEET
        .into_iter()
        .map(|points| (height(points), points))
        .rev()
        .max_by_key(|(height, _)| *height)
        .unwrap_or((0, 1));
    let mut step = (best.1 / 4).max(1);
    loop {
        let neighbours = [best.1.saturating_sub(step).max(1), best.1 + step];
        let higher = neighbours
            .into_iter()
            .map(|points| (height(points), points))
            .find(|(height, _)| *height > best.0);
        match higher {
            Some(higher) => best = higher,
            None if step == 1 => return best.1,
            None => step = (step / 2).max(1),
        }
    }
}

fn candidate(question: &Query, ring: Ring, naming: Naming) -> Candidate {
    let order: Vec<usize> = (0..question.nodes.len()).collect();
    Candidate::new(
        question,
        ring.policy(),
        naming,
        &order,
        &question.usual_weights(),
    )
}

#[cfg(test)]
mod tests {
    use super::climb;

    #[test]
    fn a_single_peak_is_found() {
        for peak in [1, 4, 97, 334, 5000] {
            let height = |points: u32| 1_000_000 - points.abs_diff(peak) as usize;
            assert_eq!(climb(height), peak);
        }
    }
}
