//! Reads the data of the nodes directly, past the proxy and the links.

use testbed::client::{Client, Error, NODE_DEADLINE};
use testbed::endpoint::Endpoint;
use testbed::wire::Value;

/// Keys per request.
const BATCH: usize = 500;

/// For each node, the value that it holds under each key.
pub(super) type Contents = Vec<Vec<Option<Vec<u8>>>>;

/// Asks every node for every key.
pub(super) async fn contents(nodes: &[Endpoint], keys: &[&[u8]]) -> Result<Contents, Error> {
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        let mut client = Client::connect(*node, NODE_DEADLINE).await?;
        let mut values = Vec::with_capacity(keys.len());
        for batch in keys.chunks(BATCH) {
            let request: Vec<&[u8]> = [&b"MGET"[..]]
                .into_iter()
                .chain(batch.iter().copied())
                .collect();
            match client.call(&request, NODE_DEADLINE).await? {
                Value::Array(found) => values.extend(found.into_iter().map(|value| match value {
                    Value::Bulk(value) => Some(value),
                    _ => None,
                })),
                other => {
                    return Err(Error::Connect {
                        addr: Box::new(*node),
                        why: format!("the reply to MGET is {other}"),
                    });
                }
            }
        }
        all.push(values);
    }
    Ok(all)
}

/// Deletes the keys from every node.
pub(super) async fn delete(nodes: &[Endpoint], keys: &[&[u8]]) -> Result<(), Error> {
    for node in nodes {
        let mut client = Client::connect(*node, NODE_DEADLINE).await?;
        for batch in keys.chunks(BATCH) {
            let request: Vec<&[u8]> = [&b"DEL"[..]]
                .into_iter()
                .chain(batch.iter().copied())
                .collect();
            client.call(&request, NODE_DEADLINE).await?;
        }
    }
    Ok(())
}

/// The place of the node that holds `value` under the key at `index`.
pub(super) fn holder(contents: &Contents, index: usize, value: &[u8]) -> Option<usize> {
    contents
        .iter()
        .position(|node| node[index].as_deref() == Some(value))
}

/// The places of all nodes that hold `value` under the key at `index`.
pub(super) fn holders(contents: &Contents, index: usize, value: &[u8]) -> Vec<usize> {
    let holds = |(_, node): &(usize, &Vec<Option<Vec<u8>>>)| node[index].as_deref() == Some(value);
    let holders = contents.iter().enumerate().filter(holds);
    holders.map(|(place, _)| place).collect()
}

/// Whether any node holds the key at `index`.
pub(super) fn held(contents: &Contents, index: usize) -> bool {
    contents.iter().any(|node| node[index].is_some())
}

/// Number of the keys that each node holds.
pub(super) fn counts(contents: &Contents) -> Vec<usize> {
    contents
        .iter()
        .map(|node| node.iter().filter(|value| value.is_some()).count())
        .collect()
}
