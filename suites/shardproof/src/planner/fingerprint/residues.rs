//! Modula's weights, read exactly: keys with the same remainder share a node, whatever the names of the nodes.

use placement::hash::Digest;

use super::hypothesis::Candidate;
use super::observation::Observation;
use super::query::Query;
use super::{naming::Naming, policies, weights::WEIGHT_MAX};

/// How many observations per remainder are needed to believe that remainders agree.
const SIGHTINGS_PER_REMAINDER: usize = 4;

/// Every digest and sum of weights under which no two observations contradict each other, with the weights that follow, under
/// each naming.
pub(super) fn weighted(
    question: &Query,
    namings: &[Naming],
    observations: &[Observation],
) -> Vec<Candidate> {
    let nodes = question.nodes.len();
    let order: Vec<usize> = (0..nodes).collect();
    let sum_max = (nodes * WEIGHT_MAX as usize).min(observations.len() / SIGHTINGS_PER_REMAINDER);
    let mut candidates = Vec::new();
    for digest in Digest::all() {
        let seen: Vec<(usize, usize)> = observations
            .iter()
            .map(|observation| (digest.of(&observation.key) as usize, observation.place))
            .collect();
        for weights in (nodes..=sum_max).filter_map(|sum| weights(&seen, sum, nodes)) {
            let policy = policies::modula(digest);
            candidates.extend(
                namings.iter().map(|naming| {
                    Candidate::new(question, policy.clone(), *naming, &order, &weights)
                }),
            );
        }
    }
    candidates
}

/// How many of `sum` remainders each node owns. A remainder that was not seen belongs to the owner of the one before it,
/// because each node's remainders are in a row.
fn weights(seen: &[(usize, usize)], sum: usize, nodes: usize) -> Option<Vec<u32>> {
    let mut owners: Vec<Option<usize>> = vec![None; sum];
    for (digest, place) in seen {
        if *owners[digest % sum].get_or_insert(*place) != *place {
            return None;
        }
    }
    let mut weights = vec![0; nodes];
    let mut owner = owners.iter().flatten().next().copied()?;
    for seen in owners {
        owner = seen.unwrap_or(owner);
        weights[owner] += 1;
    }
    (!weights.contains(&0)).then_some(weights)
}
