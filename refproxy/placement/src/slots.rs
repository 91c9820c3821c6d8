//! Redis Cluster's slots: 16384 of them, each owned by a node because somebody said so.

use std::ops::RangeInclusive;

use super::{Error, Node, NodeId};

/// How many there are.
pub(super) const COUNT: u16 = 16_384;

/// The owner of each slot: as the nodes say or, when none says anything, in even runs as `redis-cli --cluster create` deals
/// them (Redis 7.0 `redis-cli.c`, `clusterManagerCommandCreate`).
pub(super) fn owners(nodes: &[Node]) -> Result<Vec<NodeId>, Error> {
    if nodes.iter().all(|node| node.slots.is_empty()) {
        return Ok(even(nodes.len()));
    }
    let mut owners: Vec<Option<NodeId>> = vec![None; usize::from(COUNT)];
    for (id, node) in (0..).map(NodeId).zip(nodes) {
        for slot in node.slots.iter().flat_map(RangeInclusive::clone) {
            let owner = owners
                .get_mut(usize::from(slot))
                .ok_or(Error::NoSuchSlot(slot))?;
            if owner.replace(id).is_some_and(|other| other != id) {
                return Err(Error::SlotTwice(slot));
            }
        }
    }
    (0..)
        .zip(owners)
        .map(|(slot, owner)| owner.ok_or(Error::SlotWithoutNode(slot)))
        .collect()
}

/// Runs whose ends are rounded, the last one to the end.
fn even(nodes: usize) -> Vec<NodeId> {
    let per_node = f32::from(COUNT) / nodes as f32;
    let mut owners = Vec::with_capacity(usize::from(COUNT));
    let mut cursor = 0.0_f32;
    for id in 0..nodes {
        let last = if id + 1 == nodes {
            COUNT - 1
        } else {
            (cursor + per_node - 1.0).round() as u16
        };
        // A node beyond the 16384th gets nothing.
        while owners.len() <= usize::from(last) {
            // At most 65535 nodes.
            owners.push(NodeId(id as u16));
        }
        cursor += per_node;
    }
    owners
}
