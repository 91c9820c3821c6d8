//! A hypothesis: one complete description of a placement, compared with observed keys.

use std::rc::Rc;

use placement::hash::{TagRule, hashed_part};
use placement::{Cluster, Placement, Policy};

use super::naming::Naming;
use super::observation::Observation;
use super::query::Query;

/// A candidate that was tried, with the share that it explained.
pub(super) type Tried = (f64, Candidate);

/// Similar candidates; if one of them survives, later batches need not be tried.
pub(super) type Batch<'a> = Box<dyn Iterator<Item = Candidate> + 'a>;

/// A possible configuration of a proxy. Its tags are those of the hypothesis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Candidate {
    pub(super) cluster: Cluster,
    /// For each node of the cluster, its place in the question.
    pub(super) order: Vec<usize>,
    pub(super) naming: Naming,
}

impl Candidate {
    /// `weights` run parallel to the question's nodes; `order` is the order in which the proxy lists them.
    pub(super) fn new(
        question: &Query,
        policy: Policy,
        naming: Naming,
        order: &[usize],
        weights: &[u32],
    ) -> Self {
        let policy = policy.with_hostnames(naming == Naming::Host);
        let nodes = order
            .iter()
            .map(|place| {
                let mut node = naming.node(&question.nodes[*place], &policy);
                node.weight = weights[*place];
                node
            })
            .collect();
        Self {
            cluster: Cluster::new(policy, nodes),
            order: order.to_vec(),
            naming,
        }
    }

    /// The hypothesis, or `None` if there is no such placement.
    pub(super) fn hypothesis(self, tags: TagRule) -> Option<Hypothesis> {
        let placement = Placement::new(&self.cluster).ok()?;
        Some(Hypothesis {
            candidate: Rc::new(self),
            placement: Rc::new(placement),
            tags,
        })
    }

    /// The same under another policy.
    pub(super) fn under(&self, policy: &Policy) -> Self {
        let mut candidate = self.clone();
        candidate.cluster.policy = policy.clone().with_hostnames(self.naming == Naming::Host);
        candidate
    }

    /// Weights by place in the question.
    pub(super) fn weights(&self) -> Vec<u32> {
        let mut weights = vec![1; self.order.len()];
        for (node, place) in self.cluster.nodes.iter().zip(&self.order) {
            weights[*place] = node.weight;
        }
        weights
    }
}

/// A candidate with its table.
#[derive(Debug, Clone)]
pub(super) struct Hypothesis {
    pub(super) candidate: Rc<Candidate>,
    placement: Rc<Placement>,
    pub(super) tags: TagRule,
}

impl Hypothesis {
    /// The same under another rule of tags, which needs no other table.
    pub(super) fn under(&self, tags: TagRule) -> Self {
        Self {
            tags,
            ..self.clone()
        }
    }

    /// Where `key` is, by place in the question.
    pub(super) fn place(&self, key: &[u8]) -> usize {
        let part = hashed_part(self.tags, key);
        self.candidate.order[self.placement.node(part).index()]
    }

    /// How many of the observations it explains.
    pub(super) fn explained(&self, observations: &[Observation]) -> usize {
        observations
            .iter()
            .filter(|observation| self.agrees(observation))
            .count()
    }

    /// The first observation that it does not explain.
    pub(super) fn first_miss(&self, observations: &[Observation]) -> Option<usize> {
        observations
            .iter()
            .position(|observation| !self.agrees(observation))
    }

    fn agrees(&self, observation: &Observation) -> bool {
        self.place(&observation.key) == observation.place
    }

    /// Whether the tables are the same, point by point.
    pub(super) fn same_table(&self, other: &Self) -> bool {
        self.candidate.order == other.candidate.order && self.placement == other.placement
    }

    /// The description with its rule of tags.
    pub(super) fn cluster(&self) -> Cluster {
        Cluster {
            tags: self.tags,
            ..self.candidate.cluster.clone()
        }
    }

    /// The share of all digests of each node, by place in the question.
    pub(super) fn shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.candidate.order.len()];
        for (share, place) in self.placement.shares().iter().zip(&self.candidate.order) {
            shares[*place] += share;
        }
        shares
    }
}
