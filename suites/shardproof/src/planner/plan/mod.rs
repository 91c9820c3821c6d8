//! A plan: what changing a cluster costs, counted key by key without keeping the keys.
//!
//! Counts are additive, so any number of threads can count parts of the keys separately, in the same memory for any
//! number of keys.

mod alternatives;
mod balance;
mod curve;
mod report;
mod sample;
mod tags;

use std::collections::HashMap;

use placement::hash::murmur2_64;

use super::description::Described;
use super::{Cluster, Node, NodeId, Placement, Policy, TagRule};

pub use alternatives::{Alternative, Alternatives};
pub use balance::Balance;
pub(in crate::planner) use balance::balance;
pub use curve::{Curve, Point};
pub use report::{Detail, Flow, NodeKeys, Report, Side};
pub use tags::{HotTag, HotTags};

use sample::Sample;
use tags::Tags;

/// The most nodes of a cluster: pairs of nodes are counted.
const NODES_MAX: usize = 2048;

/// A change cannot be counted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no placement.
    #[error(transparent)]
    Placement(#[from] placement::Error),
    /// Each pair of nodes has a counter.
    #[error("a cluster of {0} nodes, at most {NODES_MAX} are supported")]
    TooManyNodes(usize),
}

/// Two clusters, before and after. Nodes are matched by their addresses, as the proxy sees them.
#[derive(Debug, Clone)]
pub struct Change {
    from: Described,
    to: Described,
    before: Placement,
    after: Placement,
    /// One digest does for both.
    alike: bool,
    /// The digest before is the one that samples are taken by.
    digests_whole_keys: bool,
    /// The addresses of all nodes, those before first.
    addresses: Vec<String>,
    /// Where a node before is in that list.
    rows: Vec<usize>,
    /// Where a node after is in that list.
    columns: Vec<usize>,
}

/// Keys that are tried to see whether a placement is the same.
const SAMPLED: u64 = 1000;

/// A key that has another node after the change: places in [`Change::addresses`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// Its node before.
    pub from: usize,
    /// Its node after.
    pub to: usize,
}

impl Change {
    /// The change from one cluster to another one.
    ///
    /// # Errors
    /// There is no placement over one of them, or too many nodes.
    pub fn new(from: Described, to: Described) -> Result<Self, Error> {
        for described in [&from, &to] {
            let nodes = described.cluster.nodes.len();
            if nodes > NODES_MAX {
                return Err(Error::TooManyNodes(nodes));
            }
        }
        let (before, after) = (Placement::new(&from.cluster)?, Placement::new(&to.cluster)?);
        let mut addresses = Vec::new();
        let mut known = HashMap::new();
        let mut places = |described: &Described| -> Vec<usize> {
            let nodes = described.cluster.nodes.iter();
            let place = nodes.map(|node| {
                *known.entry(node.address.clone()).or_insert_with(|| {
                    addresses.push(node.address.clone());
                    addresses.len() - 1
                })
            });
            place.collect()
        };
        let (rows, columns) = (places(&from), places(&to));
        Ok(Self {
            alike: before.digests_like(&after),
            digests_whole_keys: before.digests_like(&sampled_alike()?),
            from,
            to,
            before,
            after,
            addresses,
            rows,
            columns,
        })
    }

    /// The addresses of all nodes as the proxy sees them: those before, in their order, then those that are new.
    #[must_use]
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// What a change of nothing but addresses does, if it is one.
    #[must_use]
    pub fn new_addresses(&self) -> Option<String> {
        let [from, to] = [&self.from.cluster, &self.to.cluster];
        let weights = |cluster: &Cluster| -> Vec<u32> {
            let nodes = cluster.nodes.iter();
            nodes.map(|node| node.weight).collect()
        };
        let places = self.rows.iter().zip(&self.columns);
        let changed = places.filter(|(from, to)| from != to).count();
        let staying = self.rows.iter().filter(|node| self.columns.contains(node));
        // Otherwise a node has another place in the list.
        let in_place = staying.count() + changed == self.rows.len();
        let alike = from.policy == to.policy && weights(from) == weights(to);
        if changed == 0 || !in_place || !alike {
            return None;
        }
        let (all, keys) = (self.rows.len(), 0..SAMPLED);
        let keeps = keys
            .map(|number| format!("key:{number}").into_bytes())
            .all(|key| {
                let (before, after) = self.places(&key, self.before.digest(&key));
                before == after
            });
        Some(match keeps {
            true => format!(
                "{changed} of {all} nodes have another address, and each keeps its keys: copy the data of each node as a whole"
            ),
            false => format!(
                "{changed} of {all} nodes have another address, and the policy hashes addresses, so keys move between all \
                 nodes. Names would keep the placement: twemproxy's HOST:PORT:WEIGHT NAME, Envoy's hash_key, ADDR=SEEN here"
            ),
        })
    }

    /// Empty counts.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            keys: 0,
            routed_elsewhere: 0,
            cells: vec![0; self.rows.len() * self.columns.len()],
            sample: Sample::default(),
            tags: Tags::new(self.tag_rule()),
        }
    }

    /// Counts `key`; tells where it moves, if it does.
    pub fn count(&self, counts: &mut Counts, key: &[u8]) -> Option<Move> {
        if !self.takes(key) {
            counts.routed_elsewhere += 1;
            return None;
        }
        let digest = self.before.digest(key);
        let (from, to) = self.places(key, digest);
        counts.keys += 1;
        counts.cells[from.index() * self.columns.len() + to.index()] += 1;
        let whole = if self.digests_whole_keys {
            digest
        } else {
            murmur2_64(key)
        };
        counts.sample.offer(key, whole);
        counts.tags.offer(key);
        let (from, to) = (self.rows[from.index()], self.columns[to.index()]);
        (from != to).then_some(Move { from, to })
    }

    /// Whether the proxy sends `key` to these clusters, before and after.
    fn takes(&self, key: &[u8]) -> bool {
        self.from.routing.takes(key) && self.to.routing.takes(key)
    }

    /// Its node before, by its `digest`, and its node after.
    fn places(&self, key: &[u8], digest: u64) -> (NodeId, NodeId) {
        let other = if self.alike {
            digest
        } else {
            self.after.digest(key)
        };
        (
            self.before.node_of_digest(digest),
            self.after.node_of_digest(other),
        )
    }

    /// The rule by which tags are counted: one that is on, or else the usual one.
    fn tag_rule(&self) -> TagRule {
        let rules = [self.from.cluster.tags, self.to.cluster.tags];
        let on = rules.into_iter().find(|rule| *rule != TagRule::WholeKey);
        on.unwrap_or(TagRule::BRACES)
    }
}

/// Counts of some keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    keys: u64,
    /// Keys that the proxy sends to another cluster, or to none. They are not counted elsewhere.
    routed_elsewhere: u64,
    /// For each node before, a counter for each node after.
    cells: Vec<u64>,
    sample: Sample,
    tags: Tags,
}

impl Counts {
    /// How many keys.
    #[must_use]
    pub fn keys(&self) -> u64 {
        self.keys
    }

    /// Adds the counts of other keys for the same change.
    pub fn add(&mut self, other: Self) {
        self.keys += other.keys;
        self.routed_elsewhere += other.routed_elsewhere;
        for (cell, more) in self.cells.iter_mut().zip(other.cells) {
            *cell += more;
        }
        self.sample.add(other.sample);
        self.tags.add(other.tags);
    }
}

/// A placement that digests whole keys by [`murmur2_64`].
fn sampled_alike() -> Result<Placement, placement::Error> {
    let node = Node::at("any:1");
    Placement::new(&Cluster::new(Policy::Rendezvous, vec![node]))
}

/// A part of a whole; 0 of an empty whole.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests;
