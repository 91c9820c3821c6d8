//! Redis Cluster's slots: 16384 of them, each assigned to a node by configuration.

use std::ops::RangeInclusive;

use super::{NEUTRAL, Policy, Properties, Row, Weights};
use crate::digest::SLOTS;
use crate::hash::TagRule;
use crate::table::Table;
use crate::{Error, Node, NodeId};

pub(super) static ROW: Row = Row {
    name: "slots",
    default: Policy::Slots,
    properties: Properties {
        weights: Weights::Unsupported,
        tags: Some(TagRule::BRACES),
        caveat: Some("slots dealt anew; moving single slots costs less"),
        ..NEUTRAL
    },
};

pub(super) fn table(nodes: &[Node]) -> Result<Table, Error> {
    owners(nodes).map(Table::remainder)
}

/// The owner of each slot: as configured or, when no node has slots, in even runs as `redis-cli --cluster create` assigns them
/// (Redis 7.0 `redis-cli.c`, `clusterManagerCommandCreate`).
fn owners(nodes: &[Node]) -> Result<Vec<NodeId>, Error> {
    if nodes.iter().all(|node| node.slots.is_empty()) {
        return Ok(even(nodes.len()));
    }
    let mut owners: Vec<Option<NodeId>> = vec![None; usize::from(SLOTS)];
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
    let per_node = f32::from(SLOTS) / nodes as f32;
    let mut owners = Vec::with_capacity(usize::from(SLOTS));
    let mut cursor = 0.0_f32;
    for id in 0..nodes {
        let last = if id + 1 == nodes {
            SLOTS - 1
        } else {
            (cursor + per_node - 1.0).round() as u16
        };
        // A node beyond the 16384th gets none.
        while owners.len() <= usize::from(last) {
            // At most 65535 nodes.
            owners.push(NodeId(id as u16));
        }
        cursor += per_node;
    }
    owners
}
