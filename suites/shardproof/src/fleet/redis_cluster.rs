//! Nodes of a Redis Cluster: each serves only the keys of its slots, and keys are moved with their slots.
//!
//! Source: Redis 7 `CLUSTER NODES` (a slot that moves is `[SLOT->-ID]` where it leaves, `[SLOT-<-ID]` where it arrives) and
//! `CLUSTER INFO` (`cluster_size`: the nodes that own slots).

use testbed::wire::Value;

use super::connection::Connection;
use super::members::field_of;
use super::{Error, Fleet};
use crate::planner::Policy;

/// Checks that no slot moves. Keys of such a slot are on two nodes, and each of them refuses those that the other one has.
pub(super) async fn check_settled(fleet: &Fleet) -> Result<(), Error> {
    if fleet.policy != Policy::Slots.name() {
        return Ok(());
    }
    for place in 0..fleet.placed() {
        let mut node = fleet.connect(place).await?;
        // A node that is not in cluster mode answers with an error.
        if let Some(nodes) = text(&mut node, &[b"CLUSTER", b"NODES"]).await?
            && let Some(slot) = moving(&nodes)
        {
            return Err(Error::SlotMoves {
                node: fleet.members()[place].seen.clone(),
                slot: slot.to_owned(),
            });
        }
    }
    Ok(())
}

/// Checks that no node shares the slots of a Redis Cluster with others. One that owns all slots is like a node of its own.
pub(super) async fn check_none(fleet: &Fleet) -> Result<(), Error> {
    for (place, member) in fleet.members().iter().enumerate() {
        let mut node = fleet.connect(place).await?;
        let info = text(&mut node, &[b"INFO", b"cluster"]).await?;
        let enabled = info.and_then(|info| field_of(info.as_bytes(), "cluster_enabled:"));
        if enabled.as_deref() != Some("1") {
            continue;
        }
        let info = text(&mut node, &[b"CLUSTER", b"INFO"]).await?;
        let size = info.and_then(|info| field_of(info.as_bytes(), "cluster_size:"));
        if !matches!(size.as_deref(), Some("0" | "1")) {
            return Err(Error::RedisCluster(member.seen.clone()));
        }
    }
    Ok(())
}

/// A reply of text; `None` if the node refuses the request.
async fn text(node: &mut Connection, request: &[&[u8]]) -> Result<Option<String>, Error> {
    Ok(match node.ask(request).await? {
        Value::Bulk(text) => Some(String::from_utf8_lossy(&text).into_owned()),
        _ => None,
    })
}

/// The first slot that the node itself is moving, by its line of CLUSTER NODES.
fn moving(nodes: &str) -> Option<&str> {
    let own = nodes.lines().find(|line| {
        let flags = line.split(' ').nth(2).unwrap_or_default();
        flags.split(',').any(|flag| flag == "myself")
    })?;
    let slots = own.split(' ').skip(8);
    slots
        .filter_map(|slot| slot.strip_prefix('[')?.strip_suffix(']'))
        .next()
}

#[cfg(test)]
mod tests {
    use super::moving;

    #[test]
    fn only_the_slots_that_the_node_itself_moves_count() {
        let line = |flags: &str, slots: &str| {
            format!("e7d1 127.0.0.1:1@2,host {flags} - 0 1426238317239 4 connected {slots}\n")
        };
        let other = line("master", "[7->-e7d1]");
        let settled = line("myself,master", "0-5460 5462") + &other;
        assert_eq!(moving(&settled), None);
        let moves = other + &line("myself,master", "0-5460 [93->-292f] [77-<-e7d1]");
        assert_eq!(moving(&moves), Some("93->-292f"));
        assert_eq!(moving(""), None);
    }
}
