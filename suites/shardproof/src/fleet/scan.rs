//! Keys of live nodes by SCAN, batch by batch, in constant memory: those of one database of each node.
//!
//! SCAN returns every key that exists during the whole scan. It may return a key twice if the node shrinks its table
//! during the scan, after many deletes. Keys are not remembered here, so such a key is counted twice. Keys that are added or
//! deleted during the scan may be missing.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::connection::Connection;
use super::{Error, Member, RateLimit};
use testbed::wire::Value;

/// Pattern and step size of a scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanning {
    /// Approximate number of keys per step: SCAN's COUNT. A node serves no other client during a step.
    pub count: u32,
    /// Only keys that begin so.
    pub prefix: Vec<u8>,
}

impl Default for Scanning {
    fn default() -> Self {
        Self {
            count: 500,
            prefix: Vec::new(),
        }
    }
}

/// One scan of one node.
pub struct Scan {
    connection: Connection,
    scanning: Scanning,
    pace: Arc<RateLimit>,
    /// `None` when the scan is over.
    cursor: Option<Vec<u8>>,
}

impl Scan {
    /// Starts a scan of `node`, no faster than `pace`.
    ///
    /// # Errors
    /// When the node cannot be reached.
    pub async fn open(
        node: &Member,
        scanning: &Scanning,
        pace: Arc<RateLimit>,
    ) -> Result<Self, Error> {
        Ok(Self {
            connection: node.connect().await?,
            scanning: scanning.clone(),
            pace,
            cursor: Some(b"0".to_vec()),
        })
    }

    /// The next keys, at least one; `None` when there are no more.
    ///
    /// # Errors
    /// The node's answer, or the error.
    pub async fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, Error> {
        while let Some(cursor) = self.cursor.take() {
            let (cursor, keys) = self.step(&cursor).await?;
            self.cursor = (cursor != b"0").then_some(cursor);
            if !keys.is_empty() {
                self.pace.take(keys.len()).await;
                return Ok(Some(keys));
            }
        }
        Ok(None)
    }

    async fn step(&mut self, cursor: &[u8]) -> Result<(Vec<u8>, Vec<Vec<u8>>), Error> {
        let count = self.pace.batch(self.scanning.count as usize).to_string();
        let pattern = pattern(&self.scanning.prefix);
        let mut request: Vec<&[u8]> = vec![b"SCAN", cursor, b"COUNT", count.as_bytes()];
        if !self.scanning.prefix.is_empty() {
            request.extend([&b"MATCH"[..], &pattern]);
        }
        let answer = self.connection.ask(&request).await?;
        parse(&answer).ok_or_else(|| self.connection.unexpected("SCAN", &answer))
    }
}

/// Scans all `nodes` concurrently and sends their keys to `batches`; ends when they are done or the receiver is gone.
///
/// # Errors
/// The first node's that fails.
pub async fn scan_all(
    nodes: &[Member],
    scanning: &Scanning,
    pace: Arc<RateLimit>,
    batches: mpsc::Sender<Vec<Vec<u8>>>,
) -> Result<(), Error> {
    let mut scans = JoinSet::new();
    for node in nodes {
        let mut scan = Scan::open(node, scanning, Arc::clone(&pace)).await?;
        let batches = batches.clone();
        scans.spawn(async move {
            while let Some(keys) = scan.next().await? {
                if batches.send(keys).await.is_err() {
                    break;
                }
            }
            Ok(())
        });
    }
    drop(batches);
    join(&mut scans, |()| ()).await
}

/// Waits for all tasks. The first error ends the others, a panic is passed on.
pub(super) async fn join<T: 'static>(
    tasks: &mut JoinSet<Result<T, Error>>,
    mut take: impl FnMut(T),
) -> Result<(), Error> {
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(outcome) => take(outcome?),
            Err(why) if why.is_panic() => std::panic::resume_unwind(why.into_panic()),
            Err(_) => {}
        }
    }
    Ok(())
}

fn parse(answer: &Value) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let Value::Array(parts) = answer else {
        return None;
    };
    let [Value::Bulk(cursor), Value::Array(keys)] = parts.as_slice() else {
        return None;
    };
    let keys = keys.iter().map(|key| match key {
        Value::Bulk(key) => Some(key.clone()),
        _ => None,
    });
    Some((cursor.clone(), keys.collect::<Option<_>>()?))
}

/// The pattern of keys that begin with `prefix`, with any bytes in it.
fn pattern(prefix: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::with_capacity(prefix.len() + 1);
    for byte in prefix {
        if b"*?[]^-\\".contains(byte) {
            pattern.push(b'\\');
        }
        pattern.push(*byte);
    }
    pattern.push(b'*');
    pattern
}
