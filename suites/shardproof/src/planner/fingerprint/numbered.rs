//! Policies that number nodes instead of hashing them: the order is read from the observations, not guessed.

use placement::Policy;

use super::hypothesis::Candidate;
use super::naming::Naming;
use super::observation::Observation;
use super::query::Query;
use placement::hash::TagRule;

/// `policy` with the order of nodes that the observations show, or `None` if they contradict each other. Nodes without
/// keys are last.
pub(super) fn ordered(
    question: &Query,
    policy: &Policy,
    observations: &[Observation],
) -> Option<Candidate> {
    let count = question.nodes.len();
    let candidate = |order: &[usize]| {
        Candidate::new(
            question,
            policy.clone(),
            Naming::Seen,
            order,
            &vec![1; count],
        )
    };
    let straight: Vec<usize> = (0..count).collect();
    let numbers = candidate(&straight).hypothesis(TagRule::WholeKey)?;
    let mut order: Vec<Option<usize>> = vec![None; count];
    for observation in observations {
        let number = numbers.place(&observation.key);
        if order[number].is_none() && order.contains(&Some(observation.place)) {
            return None;
        }
        if *order[number].get_or_insert(observation.place) != observation.place {
            return None;
        }
    }
    let mut unseen = straight
        .into_iter()
        .filter(|place| !order.contains(&Some(*place)))
        .collect::<Vec<_>>()
        .into_iter();
    let order: Vec<usize> = order
        .iter()
        .filter_map(|place| place.or_else(|| unseen.next()))
        .collect();
    Some(candidate(&order))
}
