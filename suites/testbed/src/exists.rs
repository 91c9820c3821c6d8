//! EXISTS: finds the keys that a node has, or that a proxy finds. It reads no value and accepts keys of any type.
//!
//! One key per request, because proxies differ in how they split a request of several keys.

use std::time::Duration;

use crate::client::{self, Client};
use crate::wire::Value;

/// The likely reason why a key that a proxy has written is on none of its nodes.
pub const OTHER_NODES: &str = "not all nodes are given, or they are those of another cluster or database; `shardproof fingerprint` says more";

/// Requests of one pipeline, as a client of a proxy would send them.
const PIPELINE: usize = 100;

/// Whether a key exists is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No answer.
    #[error(transparent)]
    Client(#[from] client::Error),
    /// An answer that is neither 0 nor 1.
    #[error("EXISTS {} was answered with {}", key.escape_ascii(), client::cause::of_answer(.answer))]
    Answer {
        /// The key.
        key: Vec<u8>,
        /// The answer.
        answer: Value,
    },
}

/// Whether each key exists, in order; `within` is the deadline of each answer.
///
/// # Errors
/// The first key without a valid answer.
pub async fn exist<K: AsRef<[u8]>>(
    client: &mut Client,
    keys: &[K],
    within: Duration,
) -> Result<Vec<bool>, Error> {
    let answers = answers(client, keys, within).await?;
    let both = keys.iter().zip(answers);
    both.map(|(key, answer)| {
        exists(&answer).ok_or_else(|| Error::Answer {
            key: key.as_ref().to_vec(),
            answer,
        })
    })
    .collect()
}

/// The answers themselves, for callers that judge errors too.
///
/// # Errors
/// An answer does not come.
pub async fn answers<K: AsRef<[u8]>>(
    client: &mut Client,
    keys: &[K],
    within: Duration,
) -> Result<Vec<Value>, client::Error> {
    let mut answers = Vec::with_capacity(keys.len());
    for batch in keys.chunks(PIPELINE) {
        let requests: Vec<Vec<&[u8]>> = batch
            .iter()
            .map(|key| vec![&b"EXISTS"[..], key.as_ref()])
            .collect();
        answers.extend(client.pipeline(&requests, within).await?);
    }
    Ok(answers)
}

/// Whether each key exists on a node of a Redis Cluster. Of keys that it sends elsewhere (`MOVED`, `ASK`) it has none, and a
/// slot that is arriving is served after ASKING. A server that is not in cluster mode is asked as any other.
///
/// # Errors
/// The first key without a valid answer.
pub async fn exist_in_redis_cluster<K: AsRef<[u8]>>(
    client: &mut Client,
    keys: &[K],
    within: Duration,
) -> Result<Vec<bool>, Error> {
    let mut found = Vec::with_capacity(keys.len());
    for batch in keys.chunks(PIPELINE / 2) {
        let asked = batch.iter().map(|key| vec![&b"EXISTS"[..], key.as_ref()]);
        let requests: Vec<Vec<&[u8]>> = asked
            .flat_map(|exists| [vec![&b"ASKING"[..]], exists])
            .collect();
        let answers = client.pipeline(&requests, within).await?;
        for (key, answer) in batch.iter().zip(answers.into_iter().skip(1).step_by(2)) {
            found.push(match &answer {
                Value::Error(text) if is_elsewhere(text) => false,
                _ => exists(&answer).ok_or_else(|| Error::Answer {
                    key: key.as_ref().to_vec(),
                    answer,
                })?,
            });
        }
    }
    Ok(found)
}

fn is_elsewhere(error: &[u8]) -> bool {
    error.starts_with(b"MOVED ") || error.starts_with(b"ASK ")
}

/// Whether the key exists according to an answer; `None` for any other answer.
#[must_use]
pub fn exists(answer: &Value) -> Option<bool> {
    match answer {
        Value::Integer(0) => Some(false),
        Value::Integer(1) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::TcpListener;

    use super::{Error, PIPELINE, exist};
    use crate::client::{Client, NODE_DEADLINE};
    use crate::wire::Value;

    /// A client of a server that has all keys that end with 1, and says of `moved` that another node has it.
    async fn client(moved: &'static str) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (read, mut write) = listener.accept().await.unwrap().0.into_split();
            let mut lines = BufReader::new(read).lines();
            let mut number = 0;
            while let Ok(Some(line)) = lines.next_line().await {
                number += 1;
                // The lines of a request are `*2`, `$6`, `EXISTS`, the length of the key, and the key.
                if number % 5 == 0 {
                    let answer = match line.as_str() {
                        key if key == moved => "-MOVED 1 127.0.0.1:1\r\n",
                        key if key.ends_with('1') => ":1\r\n",
                        _ => ":0\r\n",
                    };
                    write.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        });
        Client::connect(addr, NODE_DEADLINE).await.unwrap()
    }

    fn keys() -> Vec<String> {
        (0..3 * PIPELINE + 2).map(|key| key.to_string()).collect()
    }

    #[tokio::test]
    async fn answers_of_all_batches_are_in_the_order_of_their_keys() {
        let mut client = client("none").await;
        let found = exist(&mut client, &keys(), NODE_DEADLINE).await.unwrap();
        let there: Vec<bool> = keys().iter().map(|key| key.ends_with('1')).collect();
        assert_eq!(found, there);
    }

    #[tokio::test]
    async fn an_answer_that_is_no_number_names_its_key() {
        let mut client = client("107").await;
        let found = exist(&mut client, &keys(), NODE_DEADLINE).await;
        let expected = Error::Answer {
            key: b"107".to_vec(),
            answer: Value::Error(b"MOVED 1 127.0.0.1:1".to_vec()),
        };
        assert_eq!(found, Err(expected));
    }
}
