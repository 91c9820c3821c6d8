//! Maglev as Envoy builds it: every node walks its own permutation of the table and takes free slots in turn.
//!
//! Bit-exact with Envoy 1.40 (`maglev_lb.cc`), so the order of the floating-point operations is part of the contract.

use xxhash_rust::xxh64::xxh64;

use super::{ENVOY, Policy, Row};
use crate::hosts::Host;
use crate::table::Table;
use crate::{Error, NodeId};

/// Envoy's default number of slots.
pub const TABLE_SIZE_DEFAULT: u32 = 65_537;
/// Envoy's largest number of slots.
pub const TABLE_SIZE_MAX: u32 = 5_000_011;

pub(super) static ROW: Row = Row {
    name: "maglev",
    default: Policy::Maglev {
        table_size: TABLE_SIZE_DEFAULT,
        hash_hostnames: false,
    },
    properties: ENVOY,
};

/// The table; the slot of a digest is its remainder.
pub(super) fn table(hosts: &[Host<'_>], table_size: u32) -> Result<Table, Error> {
    slots(hosts, table_size).map(Table::remainder)
}

/// The owner of each slot.
fn slots(hosts: &[Host<'_>], table_size: u32) -> Result<Vec<NodeId>, Error> {
    check_size(table_size, hosts.len())?;
    let mut slots = vec![FREE; table_size as usize];
    fill(&mut slots, &mut walkers(hosts, table_size));
    Ok(slots)
}

/// A free slot. No node has this id: a cluster has at most 65535 nodes.
const FREE: NodeId = NodeId(u16::MAX);

/// One node on its way through its permutation of the slots.
struct Walker {
    id: NodeId,
    position: u64,
    skip: u64,
    share: f64,
    /// The node takes a turn in a round whose `round * share` is at least this.
    target: f64,
}

/// The walkers in the order in which they take turns: by host key, bytewise.
fn walkers(hosts: &[Host<'_>], table_size: u32) -> Vec<Walker> {
    let size = u64::from(table_size);
    let mut order: Vec<&Host<'_>> = hosts.iter().collect();
    order.sort_by_key(|host| host.key.as_bytes());
    order
        .into_iter()
        .map(|host| Walker {
            id: host.id,
            position: xxh64(host.key.as_bytes(), 0) % size,
            skip: xxh64(host.key.as_bytes(), 1) % (size - 1) + 1,
            share: host.share,
            target: 0.0,
        })
        .collect()
}

/// Fills every slot. A node takes a turn when `round * share` equals its target, and the largest share is accumulated by
/// addition: both as in Envoy, and both change the result.
fn fill(slots: &mut [NodeId], walkers: &mut [Walker]) {
    let size = slots.len() as u64;
    let share_max = walkers
        .iter()
        .fold(0.0_f64, |max, walker| max.max(walker.share));
    let mut left = slots.len();
    let mut round = 0.0;
    while left > 0 {
        round += 1.0;
        for walker in &mut *walkers {
            if left == 0 {
                return;
            }
            if round * walker.share < walker.target {
                continue;
            }
            walker.target += share_max;
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
