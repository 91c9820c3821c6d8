//! Data on servers: type, digest and expiry of each value, and consumer groups of streams.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{SystemTime, UNIX_EPOCH};

use super::connect;
use super::one_order::sorted;
use crate::harness::Error;
use testbed::client::{Client, NODE_DEADLINE};
use testbed::endpoint::Endpoint;
use testbed::wire::{Value, quoted};

/// Two servers do the same thing one after the other, so their times to live differ by that much at most.
const EXPIRY_TOLERANCE_MS: i64 = 3000;

/// Keys with their properties, and the number of keys of each database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Contents {
    entries: BTreeMap<Vec<u8>, Vec<Entry>>,
    databases: BTreeMap<String, u64>,
    /// Keys that could not be read, because a proxy refuses the requests for it. They are not compared.
    unread: BTreeSet<Vec<u8>>,
    /// Whether a server does not listen any more.
    gone: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// The place of its server.
    node: usize,
    kind: Value,
    digest: Value,
    expires_at_ms: i64,
    groups: Option<Value>,
}

impl Contents {
    /// The contents of servers, taken together.
    pub(super) async fn of(servers: &[Endpoint]) -> Result<Self, Error> {
        let mut contents = Self::default();
        for (node, addr) in servers.iter().enumerate() {
            match connect(*addr).await {
                Ok(client) => contents.add(client, *addr, node).await?,
                Err(_) => contents.gone = true,
            }
        }
        Ok(contents)
    }

    /// The given keys only, by requests that every proxy and every server may answer: for servers that others use.
    pub(super) async fn of_keys(servers: &[Endpoint], keys: &[Vec<u8>]) -> Result<Self, Error> {
        let mut contents = Self::default();
        for (node, addr) in servers.iter().enumerate() {
            match connect(*addr).await {
                Ok(client) => contents.add_keys(client, *addr, (node, keys)).await?,
                Err(_) => contents.gone = true,
            }
        }
        Ok(contents)
    }

    async fn add_keys(
        &mut self,
        mut client: Client,
        addr: Endpoint,
        (node, keys): (usize, &[Vec<u8>]),
    ) -> Result<(), Error> {
        let failed = |why: testbed::client::Error| Error::Unreachable { addr, why };
        let facts: Vec<Vec<&[u8]>> = keys
            .iter()
            .flat_map(|key| [vec![&b"TYPE"[..], key], vec![b"PTTL", key]])
            .collect();
        let facts = client.pipeline(&facts, NODE_DEADLINE).await;
        let facts = facts.map_err(failed)?;
        for (key, facts) in keys.iter().zip(facts.chunks_exact(2)) {
            let (Value::Simple(kind), Value::Integer(ttl_ms)) = (&facts[0], &facts[1]) else {
                self.unread.insert(key.clone());
                continue;
            };
            if kind == b"none" {
                continue;
            }
            let asked: Vec<Vec<&[u8]>> = vec![reading(kind, key), vec![b"XINFO", b"GROUPS", key]];
            let asked = &asked[..if kind == b"stream" { 2 } else { 1 }];
            let mut answers = client
                .pipeline(asked, NODE_DEADLINE)
                .await
                .map_err(failed)?;
            let groups = (kind == b"stream").then(|| answers.pop()).flatten();
            let Some(value) = answers.pop().filter(|value| !value.is_error()) else {
                self.unread.insert(key.clone());
                continue;
            };
            let entry = Entry {
                node,
                kind: facts[0].clone(),
                digest: in_order(kind, value),
                expires_at_ms: if *ttl_ms < 0 { -1 } else { now_ms() + ttl_ms },
                groups: groups.filter(|groups| !groups.is_error()),
            };
            self.entries.entry(key.clone()).or_default().push(entry);
        }
        Ok(())
    }

    async fn add(&mut self, mut client: Client, addr: Endpoint, node: usize) -> Result<(), Error> {
        let failed = |why: testbed::client::Error| Error::Unreachable { addr, why };
        let first = [vec!["KEYS", "*"], vec!["INFO", "keyspace"]];
        let mut first = client
            .pipeline(&first, NODE_DEADLINE)
            .await
            .map_err(failed)?;
        if let Some(Value::Bulk(keyspace)) = first.pop() {
            self.count(&String::from_utf8_lossy(&keyspace));
        }
        let Some(Value::Array(keys)) = first.pop() else {
            return Ok(());
        };
        for key in keys {
            let Value::Bulk(key) = key else { continue };
            let mut questions: Vec<Vec<&[u8]>> = vec![
                vec![b"TYPE", &key],
                vec![b"DEBUG", b"DIGEST-VALUE", &key],
                vec![b"PEXPIRETIME", &key],
            ];
            questions.push(vec![b"XINFO", b"GROUPS", &key]);
            let answers = client.pipeline(&questions, NODE_DEADLINE).await;
            let answers = answers.map_err(failed)?;
            let Ok([kind, digest, expiry, groups]) = <[Value; 4]>::try_from(answers) else {
                continue;
            };
            let entry = Entry {
                node,
                kind,
                digest,
                expires_at_ms: match expiry {
                    Value::Integer(at) => at,
                    _ => 0,
                },
                groups: (!groups.is_error()).then_some(groups),
            };
            self.entries.entry(key).or_default().push(entry);
        }
        Ok(())
    }

    /// Adds lines like `db0:keys=3,expires=0,avg_ttl=0`.
    fn count(&mut self, keyspace: &str) {
        for line in keyspace.lines() {
            let parts = line.split_once(":keys=");
            let Some((database, rest)) = parts else {
                continue;
            };
            let digits = rest.split(',').next().unwrap_or_default();
            let count: u64 = digits.parse().unwrap_or_default();
            *self.databases.entry(database.to_owned()).or_default() += count;
        }
    }

    /// A key on a node that the proxy does not ask for it, as text.
    pub(crate) fn stray(&self, owners: &BTreeMap<Vec<u8>, usize>) -> Option<String> {
        let astray = |(key, node): (&Vec<u8>, &usize)| {
            let held = self.entries.get(key)?;
            let wrongly = held.iter().any(|entry| entry.node != *node);
            wrongly.then(|| format!("{} is on a node that the proxy does not ask", quoted(key)))
        };
        owners.iter().find_map(astray)
    }

    fn read_entries(&self) -> impl Iterator<Item = (&Vec<u8>, &Vec<Entry>)> {
        let entries = self.entries.iter();
        entries.filter(|(key, _)| !self.unread.contains(*key))
    }

    /// The first difference between the data on the nodes and on the plain Redis, as text.
    pub(crate) fn difference(&self, plain: &Self) -> Option<String> {
        if self.gone != plain.gone {
            let (ended, lives) = ("a server has ended", "no server has ended");
            return Some(if self.gone { ended } else { lives }.to_owned());
        }
        for (key, found) in self.read_entries() {
            let [one] = &found[..] else {
                return Some(format!("{} is on {} nodes", quoted(key), found.len()));
            };
            match plain.entries.get(key).map(Vec::as_slice) {
                Some([other]) => {
                    if let Some(what) = one.difference(other) {
                        return Some(format!("{} {what}", quoted(key)));
                    }
                }
                _ => return Some(format!("{} is on a node and should not be", quoted(key))),
            }
        }
        let missing =
            |key: &&Vec<u8>| !self.entries.contains_key(*key) && !self.unread.contains(*key);
        if let Some(missing) = plain.entries.keys().find(missing) {
            return Some(format!("{} is on no node and should be", quoted(missing)));
        }
        (self.databases != plain.databases).then(|| {
            format!(
                "keys by database are {:?} and should be {:?}",
                self.databases, plain.databases
            )
        })
    }
}

/// The request for a whole value.
fn reading<'a>(kind: &[u8], key: &'a [u8]) -> Vec<&'a [u8]> {
    match kind {
        b"string" => vec![b"GET", key],
        b"list" => vec![b"LRANGE", key, b"0", b"-1"],
        b"set" => vec![b"SMEMBERS", key],
        b"zset" => vec![b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"],
        b"hash" => vec![b"HGETALL", key],
        b"stream" => vec![b"XRANGE", key, b"-", b"+"],
        // Of other types only the type and the time to live are compared.
        _ => vec![b"EXISTS", key],
    }
}

/// A value in an order that does not depend on the server.
fn in_order(kind: &[u8], value: Value) -> Value {
    match (kind, value) {
        (b"set", value) => sorted(&value),
        (b"hash", Value::Array(parts)) => {
            let pairs = parts.chunks_exact(2);
            let pairs = pairs.map(|pair| (pair[0].clone(), pair[1].clone()));
            sorted(&Value::Map(pairs.collect()))
        }
        (_, value) => value,
    }
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

impl Entry {
    fn difference(&self, plain: &Self) -> Option<String> {
        if self.kind != plain.kind {
            return Some(format!("is {} and should be {}", self.kind, plain.kind));
        }
        if self.digest != plain.digest {
            return Some("has a wrong value".to_owned());
        }
        if self.groups != plain.groups {
            return Some("has wrong consumer groups".to_owned());
        }
        let apart_ms = self.expires_at_ms.abs_diff(plain.expires_at_ms);
        let forever = (self.expires_at_ms < 0) != (plain.expires_at_ms < 0);
        (forever || apart_ms > EXPIRY_TOLERANCE_MS.unsigned_abs())
            .then(|| "has a wrong time to live".to_owned())
    }
}
