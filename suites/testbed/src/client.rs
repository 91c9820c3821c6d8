//! One client connection as the judge uses it: any bytes out, strictly decoded replies in, a deadline on everything, and
//! a limit for one reply, because the other side may never end it.

pub mod cause;
mod login;

use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::endpoint::Endpoint;
use crate::stream::Stream;
use crate::wire::{self, Dialogue, Malformed, Value};

/// How long a node of our own may take to answer; it has microseconds of work.
pub const NODE_DEADLINE: Duration = Duration::from_secs(5);

/// Longest reply. Far above what any case asks for.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Most values in one reply, in all its aggregates.
const REPLY_VALUES_MAX: usize = 1024 * 1024;
/// What had arrived before the deadline counts even if it is read later. No socket buffers more.
const LATE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Room for one read.
const READ_BYTES: usize = 16 * 1024;
/// Bytes of an unfinished reply that errors keep.
const PENDING_BYTES: usize = 64 * 1024;

/// The failure instead of a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No connection.
    #[error("no connection to {addr}: {why}")]
    Connect {
        /// The server's address.
        addr: Box<Endpoint>,
        /// The operating system's reason.
        why: String,
    },
    /// The server does not let the suite in, or does not have the database.
    #[error("{addr} answered {asked} with an error: {why}")]
    Refused {
        /// The server's address.
        addr: Box<Endpoint>,
        /// The command.
        asked: &'static str,
        /// The cause. Never the server's own text for AUTH, which may repeat the password.
        why: String,
    },
    /// The other side closed; `pending` are the bytes of an unfinished reply.
    #[error("the connection was closed {}", describe(.pending))]
    Closed {
        /// The part of the next reply that arrived.
        pending: Vec<u8>,
    },
    /// Nothing more came in time.
    #[error("no reply within {waited_ms} ms {}", describe(.pending))]
    Silent {
        /// How long was waited.
        waited_ms: u128,
        /// The part of the next reply that arrived.
        pending: Vec<u8>,
    },
    /// The reply exceeds the size limit.
    #[error("a reply exceeds the size limit, after {}", wire::quoted(.pending))]
    Endless {
        /// The part of the reply that arrived, at least its beginning.
        pending: Vec<u8>,
    },
    /// The reply is not in the protocol of the connection.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

fn describe(pending: &[u8]) -> String {
    if pending.is_empty() {
        "with nothing pending".to_owned()
    } else {
        format!("in the middle of a reply, after {}", wire::quoted(pending))
    }
}

/// A connection, with the bytes that were read ahead. Its replies are RESP2 until a HELLO among the written requests is
/// answered otherwise.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    ahead: BytesMut,
    dialogue: Dialogue,
    reply_bytes_max: usize,
    addr: Endpoint,
    /// Whether any reply came.
    answered: bool,
}

impl Client {
    /// Connects within `within`, and logs in and selects a database where the endpoint says so.
    ///
    /// # Errors
    /// [`Error::Connect`] and [`Error::Refused`]; any other when the server does not answer AUTH or SELECT.
    pub async fn connect(addr: impl Into<Endpoint>, within: Duration) -> Result<Self, Error> {
        Self::connect_with(addr.into(), within, None).await
    }

    /// As [`Client::connect`], with a receive buffer of the kernel as small as given.
    pub(crate) async fn connect_with(
        addr: Endpoint,
        within: Duration,
        receive_bytes: Option<u32>,
    ) -> Result<Self, Error> {
        let deadline = Instant::now() + within;
        let failed = |why: String| Error::Connect {
            addr: Box::new(addr),
            why,
        };
        let late = match addr.is_tls() {
            true => ", or no TLS: the other side may not speak it",
            false => "",
        };
        let stream = timeout_at(deadline, Stream::open(addr, receive_bytes))
            .await
            .map_err(|_| failed(format!("no answer within {} ms{late}", within.as_millis())))?
            .map_err(failed)?;
        let mut client = Self {
            stream,
            ahead: BytesMut::new(),
            dialogue: Dialogue::default(),
            reply_bytes_max: REPLY_BYTES_MAX,
            addr,
            answered: false,
        };
        login::log_in(&mut client, addr, deadline).await?;
        Ok(client)
    }

    /// The same error with its likely cause, if no reply came on this connection at all: one side may speak TLS, and the
    /// other not.
    #[must_use]
    pub fn explain(&self, why: Error) -> Error {
        let cause = match self.answered || self.addr.is_tls() {
            true => None,
            false => cause::of_silence(&why, &self.ahead),
        };
        match cause {
            None => why,
            Some(cause) => Error::Connect {
                addr: Box::new(self.addr),
                why: format!("{why}: {cause}"),
            },
        }
    }

    /// The connection itself, for clients that write and read on their own.
    ///
    /// # Errors
    /// [`Error::Closed`] if the server sent more than it was asked for.
    pub fn into_stream(self) -> Result<Stream, Error> {
        match self.ahead.is_empty() {
            true => Ok(self.stream),
            false => Err(Error::Closed {
                pending: self.pending(),
            }),
        }
    }

    /// The same connection with another limit for the bytes of one reply.
    #[must_use]
    pub fn with_reply_bytes_max(self, reply_bytes_max: usize) -> Self {
        Self {
            reply_bytes_max,
            ..self
        }
    }

    /// Bytes that were read and are not decoded yet.
    #[must_use]
    pub fn ahead(&self) -> usize {
        self.ahead.len()
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// [`Error::Closed`] when the other side is gone, [`Error::Silent`] when it does not read.
    pub async fn write(&mut self, bytes: &[u8], within: Duration) -> Result<(), Error> {
        self.dialogue.sent(bytes);
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match tokio::time::timeout(within, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Error::Closed {
                pending: Vec::new(),
            }),
            Err(_) => Err(self.silent(within)),
        }
    }

    /// The next reply.
    ///
    /// # Errors
    /// All of [`Error`] but `Connect`.
    pub async fn reply(&mut self, within: Duration) -> Result<Value, Error> {
        let mut wait = Wait::new(within);
        loop {
            if let Some((value, length)) = self.dialogue.reply(&self.ahead)? {
                self.ahead.advance(length);
                self.answered = true;
                return Ok(value);
            }
            let too_long = self.ahead.len() > self.reply_bytes_max;
            if too_long || self.dialogue.values() > REPLY_VALUES_MAX {
                return Err(Error::Endless {
                    pending: self.pending(),
                });
            }
            self.read_more(&mut wait).await?;
        }
    }

    /// The next `count` bytes, of any content.
    ///
    /// # Errors
    /// [`Error::Closed`] and [`Error::Silent`], with the bytes that arrived.
    pub async fn take(&mut self, count: usize, within: Duration) -> Result<Vec<u8>, Error> {
        let mut wait = Wait::new(within);
        while self.ahead.len() < count {
            self.read_more(&mut wait).await?;
        }
        Ok(self.ahead.split_to(count).to_vec())
    }

    async fn read_more(&mut self, wait: &mut Wait) -> Result<(), Error> {
        if wait.late_bytes > LATE_BYTES_MAX {
            return Err(self.silent(wait.within));
        }
        self.ahead.reserve(READ_BYTES);
        // Bytes that have arrived are read even after the deadline.
        let read = timeout_at(wait.deadline, self.stream.read_buf(&mut self.ahead)).await;
        match read {
            Err(_) => Err(self.silent(wait.within)),
            Ok(Ok(0) | Err(_)) => {
                let pending = self.pending();
                self.ahead.clear();
                Err(Error::Closed { pending })
            }
            Ok(Ok(count)) => {
                if Instant::now() > wait.deadline {
                    wait.late_bytes += count;
                }
                Ok(())
            }
        }
    }

    /// Sends a request and takes the next reply.
    ///
    /// # Errors
    /// As [`Client::write`] and [`Client::reply`].
    pub async fn call<A: AsRef<[u8]>>(
        &mut self,
        arguments: &[A],
        within: Duration,
    ) -> Result<Value, Error> {
        self.write(&wire::encode_request(arguments), within).await?;
        self.reply(within).await
    }

    /// Sends all requests at once and takes as many replies.
    ///
    /// # Errors
    /// As [`Client::write`] and [`Client::reply`]; the deadline is for each reply.
    pub async fn pipeline<A: AsRef<[u8]>>(
        &mut self,
        requests: &[Vec<A>],
        within: Duration,
    ) -> Result<Vec<Value>, Error> {
        let bytes: Vec<u8> = requests
            .iter()
            .flat_map(|request| wire::encode_request(request))
            .collect();
        self.write(&bytes, within).await?;
        let mut replies = Vec::with_capacity(requests.len());
        for _ in requests {
            replies.push(self.reply(within).await?);
        }
        Ok(replies)
    }

    /// Closes the sending side, and keeps reading.
    ///
    /// # Errors
    /// [`Error::Closed`] when the other side is gone.
    pub async fn half_close(&mut self) -> Result<(), Error> {
        self.stream.shutdown().await.map_err(|_| Error::Closed {
            pending: Vec::new(),
        })
    }

    fn silent(&self, within: Duration) -> Error {
        Error::Silent {
            waited_ms: within.as_millis(),
            pending: self.pending(),
        }
    }

    fn pending(&self) -> Vec<u8> {
        self.ahead[..self.ahead.len().min(PENDING_BYTES)].to_vec()
    }
}

/// A wait for bytes.
struct Wait {
    within: Duration,
    deadline: Instant,
    /// Bytes that were read after the deadline.
    late_bytes: usize,
}

impl Wait {
    fn new(within: Duration) -> Self {
        Self {
            within,
            deadline: Instant::now() + within,
            late_bytes: 0,
        }
    }
}

/// Whether a server at `addr` answers PING as Redis does.
///
/// # Errors
/// If the server does not answer, or gives another reply. The error says the cause, where it is known.
pub async fn ping(addr: impl Into<Endpoint>) -> Result<(), Error> {
    let addr = addr.into();
    let mut client = Client::connect(addr, NODE_DEADLINE).await?;
    let failed = |why: String| Error::Connect {
        addr: Box::new(addr),
        why,
    };
    match client.call(&["PING"], NODE_DEADLINE).await {
        Ok(Value::Simple(pong)) if pong == b"PONG" => Ok(()),
        Ok(Value::Error(text)) => Err(failed(format!(
            "the reply to PING is {}",
            cause::explained(&text)
        ))),
        Ok(other) => Err(failed(format!("the reply to PING is {other}"))),
        Err(why) => Err(client.explain(why)),
    }
}

/// Name and version of the server at `addr`, as `redis 7.0.15`.
///
/// # Errors
/// If the server does not answer.
pub async fn server(addr: impl Into<Endpoint>) -> Result<String, Error> {
    let mut client = Client::connect(addr, NODE_DEADLINE).await?;
    let text = match client.call(&["INFO", "server"], NODE_DEADLINE).await? {
        Value::Bulk(text) => String::from_utf8_lossy(&text).into_owned(),
        other => other.to_string(),
    };
    let value_of = |field: &str| {
        let mut values = text.lines().filter_map(|line| line.strip_prefix(field));
        values.next().map(str::to_owned)
    };
    let valkey = value_of("valkey_version:").map(|version| format!("valkey {version}"));
    let version = value_of("redis_version:").unwrap_or_default();
    Ok(valkey.unwrap_or_else(|| format!("redis {version}")))
}

#[cfg(test)]
mod tests;
