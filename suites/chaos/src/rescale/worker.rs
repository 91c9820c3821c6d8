//! The worker of the story: an ordinary client that writes keys with a time to live in pipelines, and reads them back.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisConnectionInfo, RedisError, RedisResult, Value};
use testbed::client::{self, Client};
use testbed::endpoint::Endpoint;

use crate::ledger::Read;

/// Requests per pipeline, as a batch job would send them.
pub(super) const PIPELINE: usize = 100;
/// Far beyond any proxy's own limit, so that the proxy answers first.
const RESPONSE_WITHIN: Duration = Duration::from_secs(10);

/// The worker does not get an answer.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] client::Error),
    /// An error of its client library.
    #[error(transparent)]
    Library(#[from] RedisError),
}

pub(super) struct Worker {
    connection: MultiplexedConnection,
    pipeline: usize,
}

impl Worker {
    /// Connects as an ordinary client that is careful with proxies: without `CLIENT SETINFO`, which some refuse by
    /// closing.
    pub(super) async fn connect(proxy: Endpoint, pipeline: usize) -> Result<Self, WorkerError> {
        let stream = Client::connect(proxy, RESPONSE_WITHIN)
            .await?
            .into_stream()?;
        let settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(RESPONSE_WITHIN));
        let connected = MultiplexedConnection::new_with_config(&settings, stream, config).await;
        let (connection, driver) = connected?;
        // Ends when the connection is dropped.
        tokio::spawn(driver);
        Ok(Self {
            connection,
            pipeline,
        })
    }

    /// Writes all pairs; for each whether the write was acknowledged.
    pub(super) async fn write(
        &mut self,
        pairs: &[(&[u8], Vec<u8>)],
        ttl_s: u64,
    ) -> RedisResult<Vec<bool>> {
        let mut acknowledged = Vec::with_capacity(pairs.len());
        for batch in pairs.chunks(self.pipeline) {
            let mut pipe = redis::pipe();
            for (key, value) in batch {
                pipe.cmd("SET").arg(*key).arg(value).arg("EX").arg(ttl_s);
            }
            let replies = self.send(&mut pipe).await?;
            acknowledged.extend(replies.iter().map(|reply| matches!(reply, Ok(Value::Okay))));
        }
        Ok(acknowledged)
    }

    /// Reads all keys.
    pub(super) async fn read(&mut self, keys: &[&[u8]]) -> RedisResult<Vec<Read>> {
        let mut reads = Vec::with_capacity(keys.len());
        for batch in keys.chunks(self.pipeline) {
            let mut pipe = redis::pipe();
            for key in batch {
                pipe.cmd("GET").arg(*key);
            }
            reads.extend(self.send(&mut pipe).await?.into_iter().map(read));
        }
        Ok(reads)
    }

    async fn send(
        &mut self,
        pipe: &mut redis::Pipeline,
    ) -> RedisResult<Vec<Result<Value, RedisError>>> {
        pipe.ignore_errors().query_async(&mut self.connection).await
    }
}

fn read(reply: Result<Value, RedisError>) -> Read {
    match reply {
        Ok(Value::BulkString(value)) => Read::Value(value),
        Ok(Value::Nil) => Read::Missing,
        Ok(other) => Read::Error(format!("{other:?}")),
        Err(error) => Read::Error(error.to_string()),
    }
}
