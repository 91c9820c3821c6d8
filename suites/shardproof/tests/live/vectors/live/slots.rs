//! The slots of a real Redis in cluster mode: `CLUSTER KEYSLOT` of every key.

use std::time::Duration;

use libtest_mimic::Failed;
use placement::{Cluster, Node, Placement, Policy};
use testbed::client::Client;
use testbed::wire::{self, Value};
use tokio::runtime::Runtime;

use crate::redis_cluster::ClusterNode;
use crate::vectors::Keys;

const WITHIN: Duration = Duration::from_secs(20);

/// Each key has the slot that Redis computes.
pub(super) fn run(keys: &Keys) -> Result<(), Failed> {
    let nodes = vec![Node::at("127.0.0.1:1")];
    let placement = Placement::new(&Cluster::new(Policy::Slots, nodes))?;
    let slots = Runtime::new()?.block_on(slots_of(keys))?;
    for (key, slot) in keys.iter().zip(slots) {
        let ours = i64::try_from(placement.digest(key))?;
        if slot != Value::Integer(ours) {
            let key = wire::quoted(key);
            return Err(format!("key {key}: Redis says {slot}, we say {ours}").into());
        }
    }
    Ok(())
}

async fn slots_of(keys: &Keys) -> Result<Vec<Value>, Failed> {
    let node = ClusterNode::start().await?;
    let mut client = Client::connect(node.addr(), WITHIN).await?;
    let asked: Vec<Vec<&[u8]>> = keys
        .iter()
        .map(|key| vec![&b"CLUSTER"[..], b"KEYSLOT", key])
        .collect();
    Ok(client.pipeline(&asked, WITHIN).await?)
}
