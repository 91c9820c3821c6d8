//! The result.

use placement::Cluster;

use super::home_made::HomeMade;
use super::hypothesis::{Hypothesis, Tried};
use super::naming::Naming;
use super::observation::{Observation, Why};
use super::{near_equal, policies, words};
use crate::planner::plan::{Balance, balance};
use crate::planner::quality::{concentration, longest_run};

/// The result of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The result.
    pub outcome: Outcome,
    /// Keys that were written.
    pub keys: usize,
    /// Number of keys that ruled out every other candidate.
    pub needed: usize,
    /// Candidates that were tried.
    pub tried: usize,
    /// The candidates that explain the most keys, the best first, one per policy and naming, including the result.
    pub nearest: Vec<NearMiss>,
    /// The share of keys that an unrelated placement would explain.
    pub chance: f64,
    /// How well the keys are spread.
    pub quality: Quality,
}

/// Result of a search.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// One placement explains every key.
    Found(Box<Found>),
    /// A rule that no cluster file describes explains every key.
    HomeMade(HomeMade),
    /// Keys move to another node when they are written again: this is not a placement.
    Scatter {
        /// Keys that were written again.
        rewritten: usize,
        /// Number of them then stored on several nodes.
        scattered: usize,
    },
    /// No candidate explains every key.
    Unexplained,
}

/// The placement that explains every key.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its description.
    pub cluster: Cluster,
    /// For each node of the description, its place among the nodes that were given.
    pub order: Vec<usize>,
    /// The name of nodes that is hashed.
    pub naming: Naming,
    /// The share of all digests that each given node owns.
    pub shares: Vec<f64>,
    /// Minimum ring sizes that make the same ring, when this is a ring.
    pub same_ring: Option<(u32, u32)>,
    /// How other descriptions differ that place every key on the same node, as far as can be observed.
    pub alike: Vec<String>,
    /// How the remaining descriptions differ; more keys could distinguish them.
    pub undecided: Vec<String>,
}

/// A candidate with the share of keys that it explains.
#[derive(Debug, Clone, PartialEq)]
pub struct NearMiss {
    /// Its description; the rule of tags is not part of it.
    pub cluster: Cluster,
    /// For each node of the description, its place among the nodes that were given.
    pub order: Vec<usize>,
    /// The name of nodes that is hashed.
    pub naming: Naming,
    /// Its policy in words.
    pub policy: String,
    /// From 0 to 1, of keys without tags.
    pub explained: f64,
}

/// Distribution of the written keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Quality {
    /// Random keys per node, in the order given.
    pub counts: Vec<u64>,
    /// How evenly, against the weights, or against even shares if weights are unknown.
    pub balance: Balance,
    /// Keys that count up, from 0.
    pub counted: usize,
    /// The longest run of them on one node: its first number and its length.
    pub longest_run: (usize, usize),
    /// Mean share of keys with the same braces that are on one node.
    pub tag_concentration: Option<f64>,
}

impl Quality {
    /// Of `observations`; `weights` run parallel to the nodes.
    pub(super) fn new(observations: &[Observation], weights: &[u32]) -> Self {
        let mut counts = vec![0; weights.len()];
        for observation in observations
            .iter()
            .filter(|observation| observation.why == Why::Drawn)
        {
            counts[observation.place] += 1;
        }
        let all: u32 = weights.iter().sum();
        let shares: Vec<f64> = weights
            .iter()
            .map(|weight| f64::from(*weight) / f64::from(all))
            .collect();
        let counted: Vec<usize> = observations
            .iter()
            .filter(|observation| observation.why == Why::Counted)
            .map(|observation| observation.place)
            .collect();
        Self {
            balance: balance(&counts, &shares),
            counted: counted.len(),
            longest_run: longest_run(&counted),
            tag_concentration: concentration(&groups(observations)),
            counts,
        }
    }
}

impl Quality {
    /// The share of keys on which two unrelated placements agree that both spread keys like this.
    pub(super) fn chance(&self) -> f64 {
        let all: u64 = self.counts.iter().sum();
        let share = |count: &u64| *count as f64 / all.max(1) as f64;
        self.counts.iter().map(|count| share(count).powi(2)).sum()
    }
}

/// The places of the keys of each group.
fn groups(observations: &[Observation]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for observation in observations {
        if let Why::Tagged(group) = observation.why {
            if groups.len() <= group {
                groups.resize(group + 1, Vec::new());
            }
            groups[group].push(observation.place);
        }
    }
    groups.retain(|group| !group.is_empty());
    groups
}

impl Found {
    /// The policy with its parameters, as text.
    #[must_use]
    pub fn policy(&self) -> String {
        policies::words(&self.cluster.policy)
    }

    /// The part of a key that is hashed, in words.
    #[must_use]
    pub fn tags(&self) -> String {
        words::tags(self.cluster.tags)
    }

    pub(super) fn new(
        hypothesis: &Hypothesis,
        alike: &[Hypothesis],
        undecided: &[Hypothesis],
    ) -> Self {
        let same_ring = near_equal::same_ring(hypothesis);
        // A range of sizes already covers it.
        let is_in_range = |other: &&Hypothesis| {
            same_ring.is_some() && near_equal::is_uncut(other) && other.same_table(hypothesis)
        };
        let others = alike.iter().filter(|other| !is_in_range(other));
        let others: Vec<Hypothesis> = others.cloned().collect();
        Self {
            cluster: hypothesis.cluster(),
            order: hypothesis.candidate.order.clone(),
            naming: hypothesis.candidate.naming,
            shares: hypothesis.shares(),
            same_ring,
            alike: words::differences(hypothesis, &others),
            undecided: words::differences(hypothesis, undecided),
        }
    }
}

impl NearMiss {
    pub(super) fn new((explained, candidate): &Tried) -> Self {
        Self {
            cluster: candidate.cluster.clone(),
            order: candidate.order.clone(),
            naming: candidate.naming,
            policy: policies::words(&candidate.cluster.policy),
            explained: *explained,
        }
    }
}
