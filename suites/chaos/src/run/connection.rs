//! One connection of a client, by either library: a pipeline of requests out, their replies with times in.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisError};
use testbed::client::{self, Client};
use testbed::endpoint::Endpoint;
use testbed::wire::{Arguments, Value, encode_request};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::clock::Clock;
use super::library;
use crate::history::Library;
use crate::observed::Closer;

/// A connection to the proxy.
pub(super) enum Connection {
    /// A plain socket.
    Raw(Client),
    /// The `redis` crate.
    Library(Driven),
}

/// A connection of the `redis` crate, with the task that drives it. Both end together.
pub(super) struct Driven {
    connection: MultiplexedConnection,
    _driver: JoinSet<()>,
}

/// The result of a pipeline.
pub(super) struct Replies {
    /// For each request its reply and when it was read, up to the last reply.
    pub(super) replies: Vec<(u64, Value)>,
    /// How the connection ended, if it did.
    pub(super) ended: Option<Closer>,
}

impl Connection {
    /// Connects, as an ordinary client that is careful with proxies: without `CLIENT SETINFO`, which some refuse by
    /// closing.
    pub(super) async fn open(proxy: Endpoint, library: Library, within: Duration) -> Option<Self> {
        match library {
            Library::Raw => Client::connect(proxy, within).await.ok().map(Self::Raw),
            Library::Redis => open(proxy, within).await.map(Self::Library),
        }
    }

    /// Sends a pipeline and reads its replies, at most for `within`.
    pub(super) async fn exchange(
        &mut self,
        batch: &[Arguments],
        clock: &Clock,
        within: Duration,
    ) -> Replies {
        match self {
            Self::Raw(client) => exchange_raw(client, batch, clock, within).await,
            Self::Library(driven) => exchange(&mut driven.connection, batch, clock, within).await,
        }
    }
}

async fn open(proxy: Endpoint, within: Duration) -> Option<Driven> {
    let stream = Client::connect(proxy, within)
        .await
        .ok()?
        .into_stream()
        .ok()?;
    // The connection is logged in, and its database selected.
    let settings = RedisConnectionInfo::default().set_skip_set_lib_name();
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let opening = MultiplexedConnection::new_with_config(&settings, stream, config);
    let (connection, driver) = timeout(within, opening).await.ok()?.ok()?;
    let mut driving = JoinSet::new();
    driving.spawn(driver);
    Some(Driven {
        connection,
        _driver: driving,
    })
}

async fn exchange_raw(
    client: &mut Client,
    batch: &[Arguments],
    clock: &Clock,
    within: Duration,
) -> Replies {
    let deadline = Instant::now() + within;
    let mut replies = Vec::with_capacity(batch.len());
    let bytes: Vec<u8> = batch
        .iter()
        .flat_map(|request| encode_request(request))
        .collect();
    let mut ended = client.write(&bytes, within).await.err();
    while ended.is_none() && replies.len() < batch.len() {
        let left = deadline.saturating_duration_since(Instant::now());
        match client.reply(left).await {
            Ok(reply) => replies.push((clock.now(), reply)),
            Err(error) => ended = Some(error),
        }
    }
    let ended = ended.map(|error| match error {
        client::Error::Closed { .. } => Closer::Proxy,
        _ => Closer::Client,
    });
    Replies { replies, ended }
}

async fn exchange(
    connection: &mut MultiplexedConnection,
    batch: &[Arguments],
    clock: &Clock,
    within: Duration,
) -> Replies {
    let mut pipe = redis::pipe();
    pipe.ignore_errors();
    for request in batch {
        let mut words = request.iter();
        let mut command = redis::Cmd::new();
        words.by_ref().for_each(|word| {
            command.arg(word);
        });
        pipe.add_command(command);
    }
    let sending = pipe.query_async::<Vec<Result<redis::Value, RedisError>>>(connection);
    let answered = timeout(within, sending).await;
    let at = clock.now();
    let none = |ended| Replies {
        replies: Vec::new(),
        ended: Some(ended),
    };
    match answered {
        Err(_) => none(Closer::Client),
        Ok(Err(error)) if error.is_io_error() => none(Closer::Proxy),
        // A malformed reply: the library has lost its position in the stream.
        Ok(Err(_)) => none(Closer::Client),
        Ok(Ok(replies)) => Replies {
            replies: replies
                .into_iter()
                .map(|reply| (at, library::value(reply)))
                .collect(),
            ended: None,
        },
    }
}
