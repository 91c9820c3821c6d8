//! Sets a time to live on keys that were written by commands that cannot set one.

use super::TTL_S;
use super::sweep::connect;
use crate::client::NODE_DEADLINE;
use crate::endpoint::Endpoint;
use crate::wire::Value;

/// Sets a time to live of [`TTL_S`] seconds on every key that has none, in the first database of a node or through a
/// proxy. Keys that do not exist are left alone.
///
/// # Errors
/// The server's answer, or the error.
pub async fn expire(addr: Endpoint, keys: &[Vec<u8>]) -> Result<(), String> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut client = connect(addr).await?;
    let asked: Vec<Vec<&[u8]>> = keys.iter().map(|key| vec![&b"TTL"[..], key]).collect();
    let replies = client.pipeline(&asked, NODE_DEADLINE).await;
    let replies = replies.map_err(|why| why.to_string())?;
    let ttl = TTL_S.to_string();
    let lasting = keys
        .iter()
        .zip(replies)
        .filter(|(_, ttl)| *ttl == Value::Integer(-1));
    let requests: Vec<Vec<&[u8]>> = lasting
        .map(|(key, _)| vec![&b"EXPIRE"[..], key, ttl.as_bytes()])
        .collect();
    let done = client.pipeline(&requests, NODE_DEADLINE).await;
    match done
        .map_err(|why| why.to_string())?
        .iter()
        .find(|reply| reply.is_error())
    {
        Some(error) => Err(format!("the reply to EXPIRE is {error}")),
        None => Ok(()),
    }
}
