//! Envoy's priorities: the nodes that take part at each level, and the share of the digests of each level.
//!
//! Source: Envoy 1.40 `load_balancer_impl.cc` (`recalculatePerPriorityState`, `recalculatePerPriorityPanic`,
//! `recalculateLoadInTotalPanic`, `choosePriority`). All percentages are whole numbers, rounded down.

use crate::{Cluster, Health, Node, NodeId, Panic};

/// One priority with some load.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Level {
    /// Its number in the description.
    pub(crate) priority: u32,
    /// Digests whose `digest % 100 + 1` is at most this, and above the level before, belong here.
    pub(crate) up_to: u32,
    /// The nodes that hold keys, in the order of the description: the healthy ones, or in panic all.
    pub(crate) members: Vec<NodeId>,
    /// All nodes of the level. A locality keeps its weight even when none of its nodes is healthy.
    pub(crate) all: Vec<NodeId>,
}

/// The levels with load, in the order in which digests are compared with them: first the healthy nodes of each level, then
/// the degraded ones, so a level that has both is listed twice.
pub(crate) fn levels(cluster: &Cluster) -> Vec<Level> {
    let sets = sets(&cluster.nodes);
    let counts: Vec<Counts> = sets.iter().map(|set| count(set, &cluster.nodes)).collect();
    let (loads, panic) = loads(&counts, cluster.panic);
    let healthy = loads.healthy.into_iter().enumerate();
    let degraded = loads.degraded.into_iter().enumerate();
    let mut up_to = 0;
    let mut levels = Vec::new();
    for (level, load) in healthy.chain(degraded).filter(|(_, load)| *load > 0) {
        up_to += load;
        let all = sets[level].clone();
        let members = all
            .iter()
            .copied()
            .filter(|id| panic[level] || cluster.nodes[id.index()].health == Health::Healthy)
            .collect();
        levels.push(Level {
            // At most the number of nodes.
            priority: level as u32,
            up_to,
            members,
            all,
        });
    }
    levels
}

/// The nodes of each priority, from 0 to the last that has any.
fn sets(nodes: &[Node]) -> Vec<Vec<NodeId>> {
    let mut sets: Vec<Vec<NodeId>> = Vec::new();
    for (id, node) in (0..).map(NodeId).zip(nodes) {
        let level = node.priority as usize;
        if sets.len() <= level {
            sets.resize(level + 1, Vec::new());
        }
        sets[level].push(id);
    }
    sets
}

/// The number of nodes of a level in each state.
#[derive(Debug, Clone, Copy)]
struct Counts {
    all: u32,
    /// Envoy computes percentages of these: draining nodes are left out.
    counted: u32,
    healthy: u32,
    degraded: u32,
}

fn count(set: &[NodeId], nodes: &[Node]) -> Counts {
    // A cluster has at most 65535 nodes.
    let of = |health| {
        let found = set.iter().filter(|id| nodes[id.index()].health == health);
        found.count() as u32
    };
    Counts {
        all: set.len() as u32,
        counted: set.len() as u32 - of(Health::Draining),
        healthy: of(Health::Healthy),
        degraded: of(Health::Degraded),
    }
}

/// Percent of the digests for the healthy and for the degraded nodes of each level; 100 in all.
#[derive(Debug)]
struct Loads {
    healthy: Vec<u32>,
    degraded: Vec<u32>,
}

/// The loads, and whether each level is in panic.
fn loads(counts: &[Counts], panic: Panic) -> (Loads, Vec<bool>) {
    let available = |some: u32, all: u32| match all {
        0 => 0,
        // Any factor of 32 bits is allowed; the result is at most 100.
        all => {
            let percent = u64::from(panic.overprovisioning) * u64::from(some) / u64::from(all);
            percent.min(100) as u32
        }
    };
    let healthy: Vec<u32> = counts
        .iter()
        .map(|level| available(level.healthy, level.counted))
        .collect();
    let degraded: Vec<u32> = counts
        .iter()
        .map(|level| available(level.degraded, level.counted))
        .collect();
    let sum: u32 = healthy.iter().chain(&degraded).sum();
    let total = sum.min(100);
    let none = vec![0; counts.len()];
    if total == 0 && panic.threshold_percent == 0 {
        // No node is available and panic is off: the first level has all the load and no node.
        let mut healthy = none.clone();
        healthy[0] = 100;
        let calm = vec![false; counts.len()];
        let degraded = none;
        return (Loads { healthy, degraded }, calm);
    }
    let in_panic: Vec<bool> = counts
        .iter()
        .map(|level| total != 100 && is_in_panic(*level, panic.threshold_percent))
        .collect();
    let loads = if in_panic.iter().all(|panic| *panic) {
        Loads {
            healthy: by_size(counts),
            degraded: none,
        }
    } else {
        by_availability(&healthy, &degraded, total)
    };
    (loads, in_panic)
}

fn is_in_panic(level: Counts, threshold_percent: u32) -> bool {
    let percent = |some: u32| match level.counted {
        0 => 0.0,
        all => 100.0 * f64::from(some) / f64::from(all),
    };
    percent(level.healthy) + percent(level.degraded) < f64::from(threshold_percent.min(100))
}

/// When every level is in panic, unhealthy nodes count like the others.
fn by_size(counts: &[Counts]) -> Vec<u32> {
    let total: u32 = counts.iter().map(|level| level.all).sum();
    let mut loads: Vec<u32> = counts.iter().map(|level| 100 * level.all / total).collect();
    let rest = 100 - loads.iter().sum::<u32>();
    if let Some(first) = counts.iter().position(|level| level.all > 0) {
        loads[first] += rest;
    }
    loads
}

/// Healthy nodes first, then degraded ones; the remainder from rounding goes to the first level that has load.
fn by_availability(healthy: &[u32], degraded: &[u32], total: u32) -> Loads {
    let mut left = 100;
    let mut deal = |available: &[u32]| -> Vec<u32> {
        let dealt = available.iter().map(|percent| {
            let load = (percent * 100).checked_div(total).unwrap_or(0).min(left);
            left -= load;
            load
        });
        dealt.collect()
    };
    let mut loads = Loads {
        healthy: deal(healthy),
        degraded: deal(degraded),
    };
    let first = |available: &[u32]| available.iter().position(|percent| *percent > 0);
    if let Some(level) = first(healthy) {
        loads.healthy[level] += left;
    } else if let Some(level) = first(degraded) {
        loads.degraded[level] += left;
    }
    loads
}
