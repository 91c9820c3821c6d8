//! Decides by clusters: a write and the reads of its value, with no other operation in between.
//!
//! If each value is written once, the reads show which write they saw. A linearization is then a sequence of whole
//! clusters, so that one exists exactly if the clusters can be sorted: "some operation of A must come before some operation
//! of B" has no cycle (Gibbons and Korach, Testing shared memories, 1997; for any partial order and one location: Cantin,
//! Lipasti and Smith, The complexity of verifying memory coherence, 2003). GETSET and SET NX tie their cluster to the one
//! before it. Where keys are deleted, an absent key may have several causes: then a cycle still proves a violation, and
//! the sorted clusters guide the search.

use super::chains::{Chains, Link, chains};
use super::intern::Register;
use super::operation::{Act, Operation};
use super::options::SessionOrder;
use super::order::{Sessions, keeps_order};
use super::topological::{Zone, sort};

/// The result of the clusters of a register.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// There is a linearization.
    Linearizable,
    /// There is none.
    Impossible,
    /// By operation, the place of its cluster in an order that the clusters allow.
    Undecided(Vec<u32>),
}

/// Sorts the clusters of a register.
pub(super) fn decide(
    register: &Register,
    sessions: &mut Sessions,
    session_order: SessionOrder,
) -> Outcome {
    let operations = &register.operations;
    let Some(roles) = Roles::new(register) else {
        return Outcome::Undecided(by_end(operations));
    };
    let Some(chains) = roles.chains(operations) else {
        return Outcome::Impossible;
    };
    let in_order = |chain: &[u32]| {
        let order = chain.iter().map(|index| &operations[*index as usize]);
        keeps_order(order, sessions, session_order)
    };
    if !chains.iter().all(in_order) {
        return Outcome::Impossible;
    }
    let zones = zones(operations, &chains);
    let edges = match session_order {
        SessionOrder::Kept => edges(operations, &chains),
        SessionOrder::Ignored => Vec::new(),
    };
    match sort(&zones, &edges, chains.first) {
        None => Outcome::Impossible,
        Some(_) if roles.decisive => Outcome::Linearizable,
        Some(order) => Outcome::Undecided(ranks(operations, &chains, &order)),
    }
}

/// The role of each operation in the clusters.
struct Roles {
    /// By value, the operation that writes it.
    writers: Vec<Option<u32>>,
    /// By value, whether an operation saw it.
    observed: Vec<bool>,
    /// Whether a key is absent only before its first write.
    absent_once: bool,
    /// Whether every operation belongs to a cluster, or can be left out.
    decisive: bool,
}

impl Roles {
    /// `None` if a value is written twice.
    fn new(register: &Register) -> Option<Self> {
        let mut roles = Self {
            writers: vec![None; register.values],
            observed: vec![false; register.values],
            absent_once: true,
            decisive: true,
        };
        for (index, operation) in (0..).zip(&register.operations) {
            if let Some(Some(value)) = operation.act.needs() {
                roles.observed[value as usize] = true;
            }
            match operation.act.gives() {
                Some(Some(value)) => {
                    let writer = &mut roles.writers[value as usize];
                    if writer.replace(index).is_some() {
                        return None;
                    }
                }
                Some(None) => roles.absent_once = false,
                None => (),
            }
            roles.decisive &= !operation.act.needs_any();
        }
        roles.decisive &= roles.absent_once;
        Some(roles)
    }

    /// `None` if a value that was seen cannot have been there.
    fn chains(&self, operations: &[Operation<u32>]) -> Option<Chains> {
        let links = operations.iter().map(|operation| self.link(operation));
        chains(&links.collect::<Vec<_>>(), &self.writers)
    }

    fn link(&self, operation: &Operation<u32>) -> Link {
        let observed = |value: u32| self.observed[value as usize];
        match operation.act {
            Act::Read(None) if !self.absent_once => Link::None,
            Act::Read(value) => Link::Reads(value),
            Act::Exists => Link::None,
            Act::Write(new) | Act::Create(new) if !operation.is_certain() && !observed(new) => {
                Link::None
            }
            Act::Write(_) => Link::Writes { after: None },
            // It was executed, so that the key was absent.
            Act::Create(_) if self.absent_once => Link::Writes { after: Some(None) },
            Act::Create(_) => Link::Writes { after: None },
            Act::Swap { old: None, .. } if !self.absent_once => Link::Writes { after: None },
            Act::Swap { old, .. } => Link::Writes { after: Some(old) },
            Act::Delete | Act::Clear if operation.is_certain() => Link::Writes { after: None },
            Act::Delete | Act::Clear => Link::None,
        }
    }
}

/// When each chain must have begun to end, and when its last operation was sent.
fn zones(operations: &[Operation<u32>], chains: &Chains) -> Vec<Zone> {
    let zone = |members: &[u32]| {
        let members = || members.iter().map(|index| &operations[*index as usize]);
        Zone {
            end: members().map(|member| member.end).min().unwrap_or(u64::MAX),
            sent: members().map(|member| member.sent).max().unwrap_or(0),
        }
    };
    chains.iter().map(zone).collect()
}

/// Which chain must come before which, because a session sent an operation of the one before an operation of the other.
fn edges(operations: &[Operation<u32>], chains: &Chains) -> Vec<(u32, u32)> {
    let mut placed: Vec<(u32, u64, u32, bool)> = Vec::with_capacity(operations.len());
    for (operation, chain) in operations.iter().zip(&chains.of) {
        if let Some(chain) = *chain {
            let binds = operation.binds_session();
            placed.push((operation.session, operation.sequence, chain, binds));
        }
    }
    placed.sort_unstable();
    let mut edges = Vec::new();
    let mut last: Option<(u32, u32)> = None;
    for (session, _, chain, binds) in placed {
        if let Some((of, before)) = last
            && of == session
            && before != chain
        {
            edges.push((before, chain));
        }
        if binds {
            last = Some((session, chain));
        }
    }
    edges
}

/// By operation, the place of its chain; those without a chain come last.
fn ranks(operations: &[Operation<u32>], chains: &Chains, order: &[u32]) -> Vec<u32> {
    let mut places = vec![0; order.len()];
    for (place, chain) in (0..).zip(order) {
        places[*chain as usize] = place;
    }
    let place = |chain: &Option<u32>| chain.map_or(u32::MAX, |chain| places[chain as usize]);
    debug_assert_eq!(operations.len(), chains.of.len());
    chains.of.iter().map(place).collect()
}

/// Ranks for a register whose clusters are unknown: operations that end first come first.
fn by_end(operations: &[Operation<u32>]) -> Vec<u32> {
    let mut order: Vec<usize> = (0..operations.len()).collect();
    order.sort_by_key(|index| operations[*index].end);
    let mut ranks = vec![0; order.len()];
    for (rank, index) in (0..).zip(order) {
        ranks[index] = rank;
    }
    ranks
}
