//! Steps of both experiments: write and read keys through the proxy, find them on the nodes.

use std::time::{Duration, Instant};

use super::Error;
use super::nodes::{self, Contents};
use super::plan::Plan;
use super::worker::Worker;
use crate::ledger::Read;
use testbed::endpoint::Endpoint;

/// The keys of a plan on their way.
pub(super) struct Traffic<'a> {
    plan: &'a Plan,
    nodes: Vec<Endpoint>,
    /// Requests per pipeline.
    pipeline: usize,
    started: Instant,
}

/// Keys are written twice: before the change and after it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Round {
    First = 1,
    Second = 2,
}

impl<'a> Traffic<'a> {
    pub(super) fn new(plan: &'a Plan, nodes: Vec<Endpoint>, pipeline: usize) -> Self {
        Self {
            plan,
            nodes,
            pipeline,
            started: Instant::now(),
        }
    }

    /// All keys of the plan.
    pub(super) fn keys(&self) -> Vec<&'a [u8]> {
        self.plan.keys.iter().map(Vec::as_slice).collect()
    }

    /// Whether a worker can connect.
    pub(super) async fn connect(&self, proxy: Endpoint) -> Result<(), Error> {
        let connected = Worker::connect(proxy, self.pipeline).await;
        connected.map(|_| ()).map_err(|why| Error::Worker {
            doing: "connect",
            why,
        })
    }

    /// Writes the keys with their values of `round`; for each whether that was acknowledged.
    pub(super) async fn write(
        &self,
        proxy: Endpoint,
        keys: &[&[u8]],
        round: Round,
    ) -> Result<Vec<bool>, Error> {
        let pairs: Vec<(&[u8], Vec<u8>)> = keys
            .iter()
            .map(|key| (*key, self.value(key, round)))
            .collect();
        let written = async {
            let mut worker = Worker::connect(proxy, self.pipeline).await?;
            Ok(worker.write(&pairs, self.plan.ttl_s).await?)
        };
        written.await.map_err(|why| Error::Worker {
            doing: "write",
            why,
        })
    }

    /// Reads the keys.
    pub(super) async fn read(&self, proxy: Endpoint, keys: &[&[u8]]) -> Result<Vec<Read>, Error> {
        let read = async {
            let mut worker = Worker::connect(proxy, self.pipeline).await?;
            Ok(worker.read(keys).await?)
        };
        read.await
            .map_err(|why| Error::Worker { doing: "read", why })
    }

    /// The contents of every node.
    pub(super) async fn look(&self, keys: &[&[u8]]) -> Result<Contents, Error> {
        Ok(nodes::contents(&self.nodes, keys).await?)
    }

    /// The node that holds each key with its value of `round`.
    pub(super) fn holders(
        &self,
        keys: &[&[u8]],
        contents: &Contents,
        round: Round,
    ) -> Vec<Option<usize>> {
        let holder =
            |(index, key): (usize, &&[u8])| nodes::holder(contents, index, &self.value(key, round));
        keys.iter().enumerate().map(holder).collect()
    }

    /// All nodes that hold each key with its value of `round`.
    pub(super) fn all_holders(
        &self,
        keys: &[&[u8]],
        contents: &Contents,
        round: Round,
    ) -> Vec<Vec<usize>> {
        let holders = |(index, key): (usize, &&[u8])| {
            nodes::holders(contents, index, &self.value(key, round))
        };
        keys.iter().enumerate().map(holders).collect()
    }

    /// Tells the run, the round and the key, so that a value of another key is recognised.
    pub(super) fn value(&self, key: &[u8], round: Round) -> Vec<u8> {
        let mark = format!("{:x}:{}:", self.plan.seed, round as u8);
        [mark.as_bytes(), key].concat()
    }

    /// Deletes all keys. An error if they may have expired before that, because a missing key then proves nothing.
    pub(super) async fn finish(&self) -> Result<(), Error> {
        nodes::delete(&self.nodes, &self.keys()).await?;
        not_expired(self.started.elapsed(), self.plan.ttl_s)
    }
}

/// The keys whose write was acknowledged.
pub(super) fn kept<'a>(keys: &[&'a [u8]], acknowledged: &[bool]) -> Vec<&'a [u8]> {
    keys.iter()
        .zip(acknowledged)
        .filter_map(|(key, acknowledged)| acknowledged.then_some(*key))
        .collect()
}

fn not_expired(took: Duration, ttl_s: u64) -> Result<(), Error> {
    let took_s = took.as_secs();
    if took_s < ttl_s {
        Ok(())
    } else {
        Err(Error::Expired { took_s, ttl_s })
    }
}
