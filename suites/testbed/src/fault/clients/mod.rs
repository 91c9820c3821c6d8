//! Clients that misbehave: raw connections to a proxy. Their number and their requests are bounded.
//!
//! All of them ask for one key, so that they write nothing.

mod load;
mod run;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::client::Client;
use crate::endpoint::Endpoint;
use crate::stream::Stream;
use crate::wire::encode_request;

pub(super) use load::Load;

/// Deadline of a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Deadline to send a pipeline.
const WRITE_WITHIN: Duration = Duration::from_secs(5);
/// Silent clients that connect one after another before a pause. It keeps the listen queue of the proxy short.
const TOGETHER: usize = 100;
/// Between two sets of silent clients that connect, or that leave.
const PAUSE: Duration = Duration::from_millis(10);
/// Small, so that unread replies stay at the proxy.
const RECEIVE_BYTES: u32 = 4096;

/// A client has no connection, or cannot send.
#[derive(Debug, thiserror::Error)]
#[error("no client can use {addr}: {why}")]
pub struct Error {
    addr: Endpoint,
    why: String,
}

/// The misbehaving clients of one proxy. All of them end when this is dropped.
#[derive(Debug)]
pub struct Clients {
    addr: Endpoint,
    key: Vec<u8>,
    /// Clients that stay, by their fault, in sets of those that connected together.
    running: Mutex<BTreeMap<&'static str, Vec<JoinSet<()>>>>,
}

impl Clients {
    /// Clients of the proxy at `addr`, which ask for `key`.
    #[must_use]
    pub fn new(addr: impl Into<Endpoint>, key: &[u8]) -> Self {
        Self {
            addr: addr.into(),
            key: key.to_vec(),
            running: Mutex::default(),
        }
    }

    /// Clients that still run, of all faults. One that has all that it wanted is done.
    #[must_use]
    pub fn running(&self) -> usize {
        let mut running = self.lock();
        for clients in running.values_mut().flatten() {
            while clients.try_join_next().is_some() {}
        }
        running.values().flatten().map(JoinSet::len).sum()
    }

    /// Ends the clients of a fault.
    pub(super) fn end(&self, fault: &'static str) {
        self.lock().remove(fault);
    }

    /// Ends the clients of a fault as slowly as they connected.
    pub(super) async fn end_slowly(&self, fault: &'static str) {
        let ended = self.lock().remove(fault);
        for clients in ended.unwrap_or_default() {
            drop(clients);
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(super) async fn disconnect(&self, load: Load) -> Result<(), Error> {
        for _ in 0..load.clients {
            let mut client = self.connect().await?;
            let mut bytes = self.pipeline(load.requests);
            bytes.truncate(bytes.len().saturating_sub(1));
            self.write(&mut client, &bytes).await?;
        }
        Ok(())
    }

    pub(super) async fn half_open(&self, fault: &'static str, load: Load) -> Result<(), Error> {
        for _ in 0..load.clients {
            let mut client = self.connect().await?;
            self.write(&mut client, &self.pipeline(load.requests))
                .await?;
            let ended = client.shutdown().await;
            ended.map_err(|why| self.failed(why))?;
            self.keep(fault, run::hold(client));
        }
        Ok(())
    }

    pub(super) async fn slow_reader(
        &self,
        fault: &'static str,
        load: Load,
        rate_kb: i64,
    ) -> Result<(), Error> {
        for _ in 0..load.clients {
            let client = self.connect().await?;
            let bytes = self.pipeline(load.requests);
            self.keep(fault, run::read_slowly(client, bytes, rate_kb));
        }
        Ok(())
    }

    pub(super) async fn slow_writer(&self, fault: &'static str, load: Load) -> Result<(), Error> {
        for _ in 0..load.clients {
            let client = self.connect().await?;
            self.keep(
                fault,
                run::write_slowly(client, self.pipeline(load.requests)),
            );
        }
        Ok(())
    }

    pub(super) async fn flood(&self, fault: &'static str, load: Load) -> Result<(), Error> {
        for number in 1..=load.clients {
            let client = self.connect().await?;
            self.keep(fault, run::hold(client));
            if number % TOGETHER == 0 {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }

    pub(super) async fn pipeline_flood(
        &self,
        fault: &'static str,
        load: Load,
    ) -> Result<(), Error> {
        for _ in 0..load.clients {
            let client = self.connect().await?;
            let bytes = self.pipeline(load.requests);
            self.keep(fault, run::read_all(client, bytes, load.requests));
        }
        Ok(())
    }

    async fn connect(&self) -> Result<Stream, Error> {
        let client = Client::connect_with(self.addr, CONNECT_WITHIN, Some(RECEIVE_BYTES)).await;
        client
            .and_then(Client::into_stream)
            .map_err(|why| self.failed(why))
    }

    async fn write(&self, client: &mut Stream, bytes: &[u8]) -> Result<(), Error> {
        match tokio::time::timeout(WRITE_WITHIN, run::write(client, bytes)).await {
            Ok(written) => written.map_err(|why| self.failed(why)),
            // The proxy reads no more than it can answer, as it may.
            Err(_) => Ok(()),
        }
    }

    fn pipeline(&self, requests: usize) -> Vec<u8> {
        encode_request(&[b"GET", &self.key[..]]).repeat(requests)
    }

    fn keep(&self, fault: &'static str, client: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.lock();
        let sets = running.entry(fault).or_default();
        if sets.last().is_none_or(|set| set.len() >= TOGETHER) {
            sets.push(JoinSet::new());
        }
        if let Some(set) = sets.last_mut() {
            set.spawn(client);
        }
    }

    fn failed(&self, why: impl std::fmt::Display) -> Error {
        Error {
            addr: self.addr,
            why: why.to_string(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Vec<JoinSet<()>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
