//! Keys by the node that they live on: learnt by writing through the proxy and looking on the nodes.
//!
//! Never computes a placement: a key lives where the proxy put it.

use testbed::chance::Draws;
use testbed::client::{self, Client, NODE_DEADLINE, cause};
use testbed::endpoint::Endpoint;
use testbed::exists::OTHER_NODES;
use testbed::leftovers::{Record, TTL_S};
use testbed::wire::Value;

use crate::cases::word::letter;

/// Keys written in one go.
pub(super) const PROBES: usize = 96;
/// Placements may be uneven. A node that gets no key in this many rounds stays without one.
pub(super) const ROUNDS_MAX: usize = 40;

/// No keys can be found for a node.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The proxy did not do its part.
    #[error("find keys: the proxy answered SET with {0}")]
    Proxy(String),
    /// A node did not do its part.
    #[error("find keys: node {node}: {why}")]
    Node {
        /// Its letter.
        node: char,
        /// The failure.
        why: String,
    },
    /// A key is on no node, or on several.
    #[error("find keys: one key written through the proxy is on {count} of the nodes{}", astray(*.count))]
    Astray {
        /// On how many.
        count: usize,
    },
    /// No key moves as a case needs it.
    #[error("find keys: none of {tried} keys goes from node {before} to node {after}")]
    Unmoved {
        /// The letter of the node before the change.
        before: char,
        /// The letter of the node after it.
        after: char,
        /// How many were tried.
        tried: usize,
    },
    /// No key goes to the node.
    #[error("find keys: none of {tried} keys went to node {node}")]
    Unreachable {
        /// Its letter.
        node: char,
        /// How many were tried.
        tried: usize,
    },
}

/// The meaning that a wrong number of copies may have.
fn astray(count: usize) -> String {
    match count {
        0 => format!(": {OTHER_NODES}"),
        _ => String::new(),
    }
}

/// Unused keys, by node.
#[derive(Debug)]
pub(crate) struct Pool {
    draws: Draws,
    prefix: String,
    free: Vec<Vec<Vec<u8>>>,
    /// On servers that the suite did not start: register of written keys.
    record: Option<Record>,
}

impl Pool {
    pub(crate) fn new(seed: u64, nodes: usize) -> Self {
        let mut draws = Draws::seeded(seed);
        Self {
            prefix: format!("sp-{:08x}-", draws.number() >> 32),
            draws,
            free: vec![Vec::new(); nodes],
            record: None,
        }
    }

    /// The same pool, which records the keys that it writes.
    pub(crate) fn recorded(self, record: Option<Record>) -> Self {
        Self { record, ..self }
    }

    /// The prefix of every key of this run.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// An unused key on any node.
    pub(crate) fn fresh(&mut self) -> Vec<u8> {
        let key = format!("{}{:010x}", self.prefix, self.draws.number() >> 24).into_bytes();
        if let Some(record) = &self.record {
            record.key(&key);
        }
        key
    }

    /// An unused key on a node, from the keys that were found before.
    pub(crate) fn take(&mut self, node: usize) -> Option<Vec<u8>> {
        self.free.get_mut(node)?.pop()
    }

    /// Finds keys until each node has at least `least` of them.
    pub(crate) async fn fill(
        &mut self,
        proxy: Endpoint,
        nodes: &[Endpoint],
        least: usize,
    ) -> Result<(), Error> {
        for _ in 0..ROUNDS_MAX {
            if self.poorest().is_none_or(|(_, count)| count >= least) {
                return Ok(());
            }
            let keys: Vec<Vec<u8>> = (0..PROBES).map(|_| self.fresh()).collect();
            let owners = owners(proxy, nodes, &keys).await?;
            for (key, owner) in keys.into_iter().zip(owners) {
                self.free[owner].push(key);
            }
        }
        match self.poorest() {
            Some((node, count)) if count < least => Err(Error::Unreachable {
                node: letter(node),
                tried: ROUNDS_MAX * PROBES,
            }),
            _ => Ok(()),
        }
    }

    fn poorest(&self) -> Option<(usize, usize)> {
        let counts = self.free.iter().map(Vec::len).enumerate();
        counts.min_by_key(|(_, count)| *count)
    }
}

/// The node that a proxy puts each key on. The keys are removed again.
pub(crate) async fn owners(
    proxy: Endpoint,
    nodes: &[Endpoint],
    keys: &[Vec<u8>],
) -> Result<Vec<usize>, Error> {
    write(proxy, keys).await?;
    let mut owners = vec![Vec::new(); keys.len()];
    for (index, addr) in nodes.iter().enumerate() {
        let found = take_off(*addr, keys).await.map_err(|why| Error::Node {
            node: letter(index),
            why,
        })?;
        for (owners, _) in owners.iter_mut().zip(&found).filter(|(_, found)| **found) {
            owners.push(index);
        }
    }
    let only = |owners: Vec<usize>| match owners[..] {
        [owner] => Ok(owner),
        _ => Err(Error::Astray {
            count: owners.len(),
        }),
    };
    owners.into_iter().map(only).collect()
}

async fn write(proxy: Endpoint, keys: &[Vec<u8>]) -> Result<(), Error> {
    let failed = |why: client::Error| Error::Proxy(why.to_string());
    let mut client = Client::connect(proxy, NODE_DEADLINE)
        .await
        .map_err(failed)?;
    let ttl = TTL_S.to_string();
    let sets: Vec<_> = keys
        .iter()
        .map(|key| vec![&b"SET"[..], key, b"probe", b"EX", ttl.as_bytes()])
        .collect();
    let replies = client
        .pipeline(&sets, NODE_DEADLINE)
        .await
        .map_err(failed)?;
    match replies
        .iter()
        .find(|reply| **reply != Value::Simple(b"OK".to_vec()))
    {
        None => Ok(()),
        Some(other) => Err(Error::Proxy(cause::of_answer(other))),
    }
}

/// Removes the keys from a node. Returns which of them existed.
async fn take_off(node: Endpoint, keys: &[Vec<u8>]) -> Result<Vec<bool>, String> {
    let mut client = Client::connect(node, NODE_DEADLINE)
        .await
        .map_err(|why| why.to_string())?;
    let dels: Vec<_> = keys.iter().map(|key| vec![&b"DEL"[..], key]).collect();
    let replies = client
        .pipeline(&dels, NODE_DEADLINE)
        .await
        .map_err(|why| why.to_string())?;
    replies
        .into_iter()
        .map(|reply| match reply {
            Value::Integer(count) => Ok(count == 1),
            other => Err(format!("the reply to DEL is {other}")),
        })
        .collect()
}
