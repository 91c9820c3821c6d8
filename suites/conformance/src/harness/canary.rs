//! The canary of a shared proxy: keys that are read over several new connections after every case.
//!
//! Never judges a case: it reports whether other clients still read the values that they wrote.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use testbed::client::{self, Client};
use testbed::endpoint::Endpoint;
use testbed::wire::Value;

/// A proxy of several workers has connections to its nodes for each, and a client cannot choose its worker: with
/// this many new connections the chance to miss one of two workers is below 1 in 30,000.
const CONNECTIONS: usize = 16;
/// Connections on which state is taken back; more than [`CONNECTIONS`], because each worker must be met.
const UNDONE_ON: usize = 64;
/// Number of keys if the nodes of the proxy are unknown: enough to reach most nodes of a small cluster.
pub(crate) const KEYS: usize = 8;
/// The keys expire if the suite cannot remove them.
const EXPIRE_S: &str = "3600";
/// They are written again long before they expire.
const RENEWED_AFTER: Duration = Duration::from_secs(900);

/// Keys with a known value, read through the proxy.
#[derive(Debug)]
pub(crate) struct Canary {
    proxy: Endpoint,
    keys: Vec<Vec<u8>>,
    value: Vec<u8>,
    within: Duration,
    written: Instant,
}

/// What new connections read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The value, on every connection.
    Intact,
    /// An error, an end, or silence: the proxy does not serve at the moment.
    Unserved(client::Error),
    /// An error reply.
    Refused(String),
    /// A result other than the value.
    Changed {
        /// Connections that read something else.
        wrong: usize,
        /// The other result.
        got: String,
    },
}

impl Canary {
    /// Writes `keys` through the proxy and reads them back on new connections.
    ///
    /// # Errors
    /// The result that was read instead of the value.
    pub(crate) async fn establish(
        proxy: Endpoint,
        keys: Vec<Vec<u8>>,
        value: Vec<u8>,
        within: Duration,
    ) -> Result<Self, Reading> {
        let mut canary = Self {
            proxy,
            keys,
            value,
            within,
            written: Instant::now(),
        };
        canary.write().await?;
        match canary.read().await {
            Reading::Intact => Ok(canary),
            other => Err(other),
        }
    }

    /// The keys, for their removal.
    pub(crate) fn keys(&self) -> &[Vec<u8>] {
        &self.keys
    }

    /// The value of every key.
    pub(crate) fn value(&self) -> &[u8] {
        &self.value
    }

    /// Writes the keys again before they expire.
    pub(crate) async fn renew(&mut self) -> Result<(), Reading> {
        match self.written.elapsed() > RENEWED_AFTER {
            true => self.write().await,
            false => Ok(()),
        }
    }

    /// Writes the keys where they were lost: on `nodes`, in the order of the keys, or through the proxy if no nodes are
    /// known.
    pub(crate) async fn restore(&mut self, nodes: &[Endpoint]) -> Result<(), Reading> {
        if nodes.is_empty() {
            return self.write().await;
        }
        for (key, node) in self.keys.iter().zip(nodes) {
            let set = vec![&b"SET"[..], key, &self.value, b"EX", EXPIRE_S.as_bytes()];
            let replies = speak(*node, &[set], self.within).await;
            replies.map_err(Reading::Unserved)?;
        }
        self.written = Instant::now();
        Ok(())
    }

    async fn write(&mut self) -> Result<(), Reading> {
        let set =
            |key| -> Vec<&[u8]> { vec![b"SET", key, &self.value, b"EX", EXPIRE_S.as_bytes()] };
        let requests: Vec<_> = self.keys.iter().map(|key| set(key)).collect();
        let replies = speak(self.proxy, &requests, self.within)
            .await
            .map_err(Reading::Unserved)?;
        match replies.into_iter().find(Value::is_error) {
            Some(error) => Err(Reading::Refused(error.to_string())),
            None => {
                self.written = Instant::now();
                Ok(())
            }
        }
    }

    /// Reads all keys on each of several new connections.
    pub(crate) async fn read(&self) -> Reading {
        let mut readers = JoinSet::new();
        for _ in 0..CONNECTIONS {
            let (proxy, within) = (self.proxy, self.within);
            let (keys, value) = (self.keys.clone(), self.value.clone());
            readers.spawn(async move {
                let requests: Vec<Vec<&[u8]>> =
                    keys.iter().map(|key| vec![&b"GET"[..], key]).collect();
                judge(speak(proxy, &requests, within).await, &value)
            });
        }
        let readings = readers.join_all().await;
        let wrong = |reading: &&Reading| matches!(reading, Reading::Changed { .. });
        let count = readings.iter().filter(wrong).count();
        let worst = readings.iter().find(wrong).or_else(|| {
            let bad = |reading: &&Reading| **reading != Reading::Intact;
            readings.iter().find(bad)
        });
        match worst {
            Some(Reading::Changed { got, .. }) => Reading::Changed {
                wrong: count,
                got: got.clone(),
            },
            Some(other) => other.clone(),
            None => Reading::Intact,
        }
    }

    /// Undoes what can be undone on shared connections: a transaction, and another database.
    pub(crate) async fn undo(&self, got: &str) {
        let select = vec![&b"SELECT"[..], b"0"];
        let requests = match got {
            "+QUEUED" => vec![vec![&b"DISCARD"[..]], select],
            _ => vec![select],
        };
        for _ in 0..UNDONE_ON / CONNECTIONS {
            let mut clients = JoinSet::new();
            for _ in 0..CONNECTIONS {
                let (proxy, within, requests) = (self.proxy, self.within, requests.clone());
                // Its effect is read afterwards.
                clients.spawn(async move { speak(proxy, &requests, within).await.map(drop) });
            }
            clients.join_all().await;
        }
    }

    /// The state of a disturbed proxy, and what its operator should do.
    pub(crate) async fn taken_back(&self, case: &str, wrong: usize, got: &str) -> String {
        self.undo(got).await;
        let now = self.read().await;
        let keys = "keys that did not change";
        let found = format!(
            "after {case}, {wrong} of {CONNECTIONS} new connections read {keys} wrongly (the reply to GET is {got}): \
             what one client sent changed the connections of others"
        );
        match now {
            Reading::Intact => format!(
                "{found}. SELECT 0 on {UNDONE_ON} new connections fixed it: all {CONNECTIONS} connections read \
                 their keys again. Until then other clients read and wrote another database; restart the proxy to be sure"
            ),
            Reading::Changed { wrong, .. } => format!(
                "{found}. SELECT 0 on {UNDONE_ON} new connections did not fix it: {wrong} of {CONNECTIONS} \
                 connections still read wrongly. RESTART THE PROXY NOW, or close its connections on each node \
                 (CLIENT KILL TYPE normal)"
            ),
            Reading::Unserved(_) | Reading::Refused(_) => format!(
                "{found}. Now it does not serve at all ({}). RESTART THE PROXY NOW",
                now.shown()
            ),
        }
    }
}

impl Reading {
    /// The result of the reading, as text.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Intact => "as before".to_owned(),
            Self::Unserved(why) => why.to_string(),
            Self::Refused(error) => format!("answered with {error}"),
            Self::Changed { got, .. } => format!("the reply to GET is {got}"),
        }
    }
}

fn judge(replies: Result<Vec<Value>, client::Error>, value: &[u8]) -> Reading {
    let changed = |got: String| Reading::Changed { wrong: 1, got };
    let replies = match replies {
        Ok(replies) => replies,
        Err(client::Error::Malformed(why)) => return changed(why.to_string()),
        Err(why) => return Reading::Unserved(why),
    };
    let intact = |reply: &Value| matches!(reply, Value::Bulk(bytes) if bytes == value);
    let other: Vec<&Value> = replies.iter().filter(|reply| !intact(reply)).collect();
    match other.iter().find(|reply| !reply.is_error()) {
        Some(got) => changed(got.to_string()),
        None => other
            .first()
            .map_or(Reading::Intact, |error| Reading::Refused(error.to_string())),
    }
}

async fn speak(
    addr: Endpoint,
    requests: &[Vec<&[u8]>],
    within: Duration,
) -> Result<Vec<Value>, client::Error> {
    let mut client = Client::connect(addr, within).await?;
    client.pipeline(requests, within).await
}
