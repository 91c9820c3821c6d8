//! The contents of the nodes. Each is asked directly, past the proxy and the links.

use std::collections::BTreeMap;
use std::time::Duration;

use testbed::client::{Client, Error, NODE_DEADLINE};
use testbed::endpoint::Endpoint;
use testbed::wait::Wait;
use testbed::wire::{Arguments, Value};

use crate::observed::Key;

/// Requests in one pipeline.
const BATCH: usize = 200;

/// Keys and the nodes that have them, with their values as the usual read of their type returns them.
pub(super) type Contents = BTreeMap<Key, Vec<(u16, Value)>>;

/// The values of `keys` on every node.
pub(super) async fn contents(nodes: &[Endpoint], keys: &[Key]) -> Result<Contents, Error> {
    let mut contents = Contents::new();
    for (node, addr) in (0..).zip(nodes) {
        let types = ask(*addr, keys.iter().map(|key| words(&[b"TYPE", key]))).await?;
        let there: Vec<(&Key, Arguments)> = keys
            .iter()
            .zip(&types)
            .filter_map(|(key, kind)| Some((key, read(key, kind)?)))
            .collect();
        let values = ask(*addr, there.iter().map(|(_, request)| request.clone())).await?;
        for ((key, _), value) in there.into_iter().zip(values) {
            contents.entry(key.clone()).or_default().push((node, value));
        }
    }
    Ok(contents)
}

/// The request that reads a whole value; `None` if there is no value.
fn read(key: &[u8], kind: &Value) -> Option<Arguments> {
    match kind {
        Value::Simple(name) if name == b"none" => None,
        Value::Simple(name) if name == b"list" => Some(words(&[b"LRANGE", key, b"0", b"-1"])),
        _ => Some(words(&[b"GET", key])),
    }
}

/// Node of each key: each is written through the proxy with a value that no client writes, found on the nodes, and
/// deleted there. Keys that the proxy does not accept within `within` are left out.
pub(super) async fn owners(
    proxy: Endpoint,
    nodes: &[Endpoint],
    keys: &[Key],
    within: Duration,
) -> Result<BTreeMap<Key, u16>, Error> {
    let mut wait = Wait::begin("an owner of each key", within);
    let probe = format!("probe-{}", keys.len()).into_bytes();
    let mut owners = BTreeMap::new();
    clear(nodes, keys).await?;
    loop {
        let missing: Vec<&Key> = keys
            .iter()
            .filter(|key| !owners.contains_key(*key))
            .collect();
        let sets = missing
            .iter()
            .map(|key| words(&[b"SET", key, &probe, b"EX", b"60"]));
        // A proxy that does not serve yet may refuse or close.
        let _ = ask(proxy, sets).await;
        let found = contents(nodes, &missing.into_iter().cloned().collect::<Vec<_>>()).await?;
        for (key, values) in found {
            let holders = values
                .iter()
                .filter(|(_, value)| *value == Value::Bulk(probe.clone()));
            owners.extend(holders.map(|(node, _)| (key.clone(), *node)).next());
        }
        let left = keys.len() - owners.len();
        if left == 0
            || wait
                .pause(format!("{left} keys are on no node"))
                .await
                .is_err()
        {
            break;
        }
    }
    clear(nodes, keys).await?;
    Ok(owners)
}

/// The values of `keys` as read through a proxy. Without keys whose read failed.
pub(super) async fn reads(proxy: Endpoint, keys: &[Key]) -> BTreeMap<Key, Value> {
    let gets = keys.iter().map(|key| words(&[b"GET", key]));
    let Ok(replies) = ask(proxy, gets).await else {
        return BTreeMap::new();
    };
    let read = keys.iter().cloned().zip(replies);
    read.filter(|(_, value)| !value.is_error()).collect()
}

/// Deletes keys on every node.
pub(super) async fn clear(nodes: &[Endpoint], keys: &[Key]) -> Result<(), Error> {
    for addr in nodes {
        ask(*addr, keys.iter().map(|key| words(&[b"DEL", key]))).await?;
    }
    Ok(())
}

/// Asks one server, in pipelines.
async fn ask(
    addr: Endpoint,
    requests: impl Iterator<Item = Arguments>,
) -> Result<Vec<Value>, Error> {
    let requests: Vec<Arguments> = requests.collect();
    let mut replies = Vec::with_capacity(requests.len());
    if requests.is_empty() {
        return Ok(replies);
    }
    let mut client = Client::connect(addr, NODE_DEADLINE).await?;
    for batch in requests.chunks(BATCH) {
        replies.extend(client.pipeline(batch, NODE_DEADLINE).await?);
    }
    Ok(replies)
}

fn words(words: &[&[u8]]) -> Arguments {
    words.iter().map(|word| word.to_vec()).collect()
}
