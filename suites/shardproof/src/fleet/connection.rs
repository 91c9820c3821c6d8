//! A connection with the name of its node, for errors.

use std::time::Duration;

use super::Error;
use testbed::client::{Client, cause};
use testbed::endpoint::Endpoint;
use testbed::exists;
use testbed::wire::Value;

/// How long a reply may take: the largest values are half a gigabyte.
const REPLY_WITHIN: Duration = Duration::from_secs(30);
/// Redis' limit for one value, plus the rest of the reply.
const REPLY_BYTES_MAX: usize = 513 * 1024 * 1024;
/// Nodes and proxies accept at once, or not at all.
const CONNECTED_WITHIN: Duration = Duration::from_secs(5);

/// A request: its arguments, as bytes.
pub(super) type Request<'a> = Vec<&'a [u8]>;

/// One connection to one node, or to the proxy.
pub(super) struct Connection {
    who: String,
    client: Client,
}

impl Connection {
    /// Connects to `addr`, which errors call `who`, and selects a database there.
    pub(super) async fn open_database(
        who: &str,
        addr: Endpoint,
        database: u32,
    ) -> Result<Self, Error> {
        // A server starts in database 0, and one that refuses SELECT serves no other.
        Self::open(who, addr.in_database(database)).await
    }

    /// Connects to `addr`, which errors call `who`.
    pub(super) async fn open(who: &str, addr: Endpoint) -> Result<Self, Error> {
        match Client::connect(addr, CONNECTED_WITHIN).await {
            Ok(client) => Ok(Self {
                who: who.to_owned(),
                client: client.with_reply_bytes_max(REPLY_BYTES_MAX),
            }),
            Err(why) => Err(Error::Lost {
                who: who.to_owned(),
                why,
            }),
        }
    }

    /// Sends one request and takes its reply.
    pub(super) async fn ask(&mut self, request: &[&[u8]]) -> Result<Value, Error> {
        let reply = self.client.call(request, REPLY_WITHIN).await;
        reply.map_err(|why| self.lost(why))
    }

    /// Sends all requests at once and takes as many replies.
    pub(super) async fn ask_all(&mut self, requests: &[Request<'_>]) -> Result<Vec<Value>, Error> {
        let replies = self.client.pipeline(requests, REPLY_WITHIN).await;
        replies.map_err(|why| self.lost(why))
    }

    /// Whether each key exists.
    pub(super) async fn exist(&mut self, keys: &[&[u8]]) -> Result<Vec<bool>, Error> {
        let found = exists::exist(&mut self.client, keys, REPLY_WITHIN).await;
        found.map_err(|why| match why {
            exists::Error::Client(why) => self.lost(why),
            exists::Error::Answer { answer, .. } => self.unexpected("EXISTS", &answer),
        })
    }

    /// The error for an unexpected reply.
    pub(super) fn unexpected(&self, asked: &'static str, answer: &Value) -> Error {
        Error::Answer {
            who: self.who.clone(),
            asked,
            answer: cause::of_answer(answer),
        }
    }

    fn lost(&self, why: testbed::client::Error) -> Error {
        Error::Lost {
            who: self.who.clone(),
            why: self.client.explain(why),
        }
    }
}
