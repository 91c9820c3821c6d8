//! Policies that number nodes instead of hashing them: the order is read off the sightings, not guessed.

use placement::Policy;

use super::naming::Naming;
use super::question::Question;
use super::sighting::Sighting;
use super::theory::Candidate;
use placement::hash::TagRule;

/// `policy` with the order of nodes that the sightings tell, or `None` where they contradict each other. Nodes that hold
/// nothing are put last.
pub(super) fn ordered(
    question: &Question,
    policy: &Policy,
    sightings: &[Sighting],
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
    let numbers = candidate(&straight).theory(TagRule::WholeKey)?;
    let mut order: Vec<Option<usize>> = vec![None; count];
    for sighting in sightings {
        let number = numbers.place(&sighting.key);
        if order[number].is_none() && order.contains(&Some(sighting.place)) {
            return None;
        }
        if *order[number].get_or_insert(sighting.place) != sighting.place {
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
