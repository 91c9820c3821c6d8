//! Finds and removes keys on one server. Never touches a key that is neither recorded nor under the run's prefix.

use super::left::Place;
use crate::client::{self, Client, NODE_DEADLINE};
use crate::endpoint::Endpoint;
use crate::wire::Value;

/// Keys per pipeline.
const BATCH: usize = 100;
/// SCAN's COUNT: the node answers no other client during a step.
const STEP: &[u8] = b"1000";
/// Pending requests may write after a sweep, so it is repeated until it finds nothing.
const ROUNDS_MAX: usize = 5;

/// Removes keys through a proxy, one key per request: not every proxy splits DEL. Returns the place if keys remain.
pub(super) async fn proxy(addr: Endpoint, keys: &[Vec<u8>]) -> Option<Place> {
    let removed = async {
        delete(addr, keys).await?;
        // A key that is gone is not deleted again.
        let again = delete(addr, keys).await?;
        match again {
            0 => Ok(0),
            _ => delete(addr, keys).await,
        }
    };
    match removed.await {
        Ok(0) => None,
        Ok(keys) => Some(Place::left(addr, 0, keys).through_proxy()),
        Err(_) if keys.is_empty() => None,
        Err(why) => Some(Place::unknown(addr, why).through_proxy()),
    }
}

/// Removes keys from a node: those recorded, and those of every database that contain `prefix`.
pub(super) async fn node(addr: Endpoint, prefix: Option<&str>, keys: &[Vec<u8>]) -> Vec<Place> {
    match try_node(addr, prefix, keys).await {
        Ok(places) => places,
        Err(why) => vec![Place::unknown(addr, why)],
    }
}

async fn try_node(
    addr: Endpoint,
    prefix: Option<&str>,
    keys: &[Vec<u8>],
) -> Result<Vec<Place>, String> {
    let Some(prefix) = prefix else {
        delete(addr, keys).await?;
        let left = delete(addr, keys).await?;
        return Ok((left > 0)
            .then(|| Place::left(addr, addr.database(), left))
            .into_iter()
            .collect());
    };
    let mut client = connect(addr).await?;
    let mut places = Vec::new();
    for database in databases(&mut client).await? {
        let number = database.to_string();
        expect_ok(&mut client, &[b"SELECT", number.as_bytes()]).await?;
        let mut left = 0;
        for _ in 0..ROUNDS_MAX {
            left = sweep(&mut client, prefix).await?;
            if left == 0 {
                break;
            }
        }
        if left > 0 {
            places.push(Place::left(addr, database, left));
        }
    }
    Ok(places)
}

/// Removes all keys of the selected database that contain `prefix`. Returns how many there were.
async fn sweep(client: &mut Client, prefix: &str) -> Result<u64, String> {
    let pattern = format!("*{prefix}*");
    let mut cursor = b"0".to_vec();
    let mut removed = 0;
    loop {
        let scan: [&[u8]; 6] = [
            b"SCAN",
            &cursor,
            b"MATCH",
            pattern.as_bytes(),
            b"COUNT",
            STEP,
        ];
        let page = client.call(&scan, NODE_DEADLINE).await;
        let page = page.map_err(|why| why.to_string())?;
        let (next, keys) = read_page(page)?;
        removed += delete_on(client, &keys).await?;
        if next == b"0" {
            return Ok(removed);
        }
        cursor = next;
    }
}

fn read_page(page: Value) -> Result<(Vec<u8>, Vec<Vec<u8>>), String> {
    let refused = |page: &Value| format!("the reply to SCAN is {page}");
    let Value::Array(parts) = &page else {
        return Err(refused(&page));
    };
    let [Value::Bulk(cursor), Value::Array(keys)] = &parts[..] else {
        return Err(refused(&page));
    };
    let key = |key: &Value| match key {
        Value::Bulk(key) => Ok(key.clone()),
        other => Err(refused(other)),
    };
    Ok((
        cursor.clone(),
        keys.iter().map(key).collect::<Result<_, _>>()?,
    ))
}

/// Databases with keys, by INFO; the first if INFO does not list them.
pub(super) async fn databases(client: &mut Client) -> Result<Vec<u32>, String> {
    let info = client.call(&["INFO", "keyspace"], NODE_DEADLINE).await;
    let Value::Bulk(text) = info.map_err(|why| why.to_string())? else {
        return Ok(vec![0]);
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let number = |line: &str| line.strip_prefix("db")?.split_once(':')?.0.parse().ok();
    Ok(text.lines().filter_map(number).collect())
}

async fn delete_on(client: &mut Client, keys: &[Vec<u8>]) -> Result<u64, String> {
    let mut removed = 0;
    for batch in keys.chunks(BATCH) {
        let requests: Vec<Vec<&[u8]>> = batch.iter().map(|key| vec![&b"DEL"[..], key]).collect();
        let replies = client.pipeline(&requests, NODE_DEADLINE).await;
        for reply in replies.map_err(|why| why.to_string())? {
            match reply {
                Value::Integer(count) => removed += u64::from(count > 0),
                other => return Err(format!("the reply to DEL is {other}")),
            }
        }
    }
    Ok(removed)
}

/// Deletes keys one per request, and returns how many there were.
///
/// # Errors
/// The node's answer, or why it cannot be reached.
pub async fn delete(addr: Endpoint, keys: &[Vec<u8>]) -> Result<u64, String> {
    if keys.is_empty() {
        return Ok(0);
    }
    delete_on(&mut connect(addr).await?, keys).await
}

pub(super) async fn connect(addr: Endpoint) -> Result<Client, String> {
    let client = Client::connect(addr, NODE_DEADLINE).await;
    client.map_err(|why: client::Error| why.to_string())
}

async fn expect_ok(client: &mut Client, request: &[&[u8]]) -> Result<(), String> {
    let reply = client.call(request, NODE_DEADLINE).await;
    match reply.map_err(|why| why.to_string())? {
        Value::Error(why) => Err(why.escape_ascii().to_string()),
        _ => Ok(()),
    }
}
