//! Maglev as Envoy builds it: every node walks its own permutation of the table and takes free slots in turn.
//!
//! Bit-exact with Envoy 1.40 (`maglev_lb.cc`), so the order of the floating-point operations is part of the contract.

use xxhash_rust::xxh64::xxh64;

use super::{Error, NodeId};

/// Envoy's default number of slots.
pub const TABLE_SIZE_DEFAULT: u32 = 65_537;
/// Envoy's largest number of slots.
pub const TABLE_SIZE_MAX: u32 = 5_000_011;

/// What the build needs to know of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Host<'a> {
    pub(super) key: &'a str,
    pub(super) weight: u32,
}

/// Slot -> node; the slot of a digest is its remainder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    slots: Box<[u16]>,
    nodes: usize,
}

impl Table {
    pub(super) fn build(hosts: &[Host<'_>], table_size: u32) -> Result<Self, Error> {
        check_size(table_size, hosts.len())?;
        let mut slots = vec![FREE; table_size as usize].into_boxed_slice();
        fill(&mut slots, &mut walkers(hosts, table_size));
        Ok(Self {
            slots,
            nodes: hosts.len(),
        })
    }

    pub(super) fn node(&self, digest: u64) -> NodeId {
        // The remainder is below the table's length, which came from a u32.
        let slot = digest % self.slots.len() as u64;
        NodeId(self.slots[slot as usize])
    }

    pub(super) fn owners(&self) -> impl ExactSizeIterator<Item = NodeId> + '_ {
        self.slots.iter().map(|owner| NodeId(*owner))
    }

    pub(super) fn slots_per_node(&self) -> Vec<usize> {
        let mut counts = vec![0; self.nodes];
        for owner in self.owners() {
            counts[owner.index()] += 1;
        }
        counts
    }
}

/// Marks a slot that nobody has taken. No node has this id: a cluster has at most 65535 nodes.
const FREE: u16 = u16::MAX;

/// One node on its way through its permutation of the slots.
struct Walker {
    id: u16,
    position: u64,
    skip: u64,
    weight: f64,
    /// Turns are due while `round * weight` has not fallen behind this.
    target: f64,
}

/// The walkers in the order in which they take turns: by host key, bytewise.
fn walkers(hosts: &[Host<'_>], table_size: u32) -> Vec<Walker> {
    let size = u64::from(table_size);
    let sum: f64 = hosts.iter().map(|host| f64::from(host.weight)).sum();
    let mut order: Vec<(u16, &Host<'_>)> = (0..).zip(hosts).collect();
    order.sort_by_key(|(_, host)| host.key.as_bytes());
    order
        .into_iter()
        .map(|(id, host)| Walker {
            id,
            position: xxh64(host.key.as_bytes(), 0) % size,
            skip: xxh64(host.key.as_bytes(), 1) % (size - 1) + 1,
            weight: f64::from(host.weight) / sum,
            target: 0.0,
        })
        .collect()
}

/// Fills every slot. Equality of `round * weight` and the target takes a turn, and the largest weight is accumulated
/// by addition: both as in Envoy, both visible in the result.
fn fill(slots: &mut [u16], walkers: &mut [Walker]) {
    let size = slots.len() as u64;
    let weight_max = walkers
        .iter()
        .fold(0.0_f64, |max, walker| max.max(walker.weight));
    let mut left = slots.len();
    let mut round = 0.0;
    while left > 0 {
        round += 1.0;
        for walker in &mut *walkers {
            if left == 0 {
                return;
            }
            if round * walker.weight < walker.target {
                continue;
            }
            walker.target += weight_max;
            while slots[walker.position as usize] != FREE {
                walker.position = step(walker.position, walker.skip, size);
            }
            slots[walker.position as usize] = walker.id;
            walker.position = step(walker.position, walker.skip, size);
            left -= 1;
        }
    }
}

/// `(position + skip) mod size` without a division: both are below `size`.
fn step(position: u64, skip: u64, size: u64) -> u64 {
    let next = position + skip;
    if next >= size { next - size } else { next }
}

fn check_size(table_size: u32, nodes: usize) -> Result<(), Error> {
    if table_size > TABLE_SIZE_MAX || !is_prime(table_size) {
        return Err(Error::TableSize(table_size));
    }
    if (table_size as usize) < nodes {
        return Err(Error::TableTooSmall { table_size, nodes });
    }
    Ok(())
}

fn is_prime(number: u32) -> bool {
    number >= 2
        && (2..)
            .take_while(|divisor| divisor * divisor <= number)
            .all(|divisor| !number.is_multiple_of(divisor))
}
