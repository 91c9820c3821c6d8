//! One client connection as the judge uses it: any bytes out, strictly decoded replies in, a deadline on everything.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::wire::{self, Dialogue, Malformed, Value};

/// How long a node of our own may take to answer; it has microseconds of work.
pub const NODE_DEADLINE: Duration = Duration::from_secs(5);

/// What came instead of a reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No connection.
    #[error("no connection to {addr}: {why}")]
    Connect {
        /// Who was called.
        addr: SocketAddr,
        /// The operating system's reason.
        why: String,
    },
    /// The other side closed; `pending` are the bytes of an unfinished reply.
    #[error("the connection was closed {}", describe(.pending))]
    Closed {
        /// What had come of the next reply.
        pending: Vec<u8>,
    },
    /// Nothing more came in time.
    #[error("nothing came within {waited_ms} ms {}", describe(.pending))]
    Silent {
        /// How long was waited.
        waited_ms: u128,
        /// What had come of the next reply.
        pending: Vec<u8>,
    },
    /// What came is not in the protocol of the connection.
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
    stream: TcpStream,
    ahead: Vec<u8>,
    dialogue: Dialogue,
}

impl Client {
    /// Connects within `within`.
    ///
    /// # Errors
    /// [`Error::Connect`].
    pub async fn connect(addr: SocketAddr, within: Duration) -> Result<Self, Error> {
        let failed = |why: String| Error::Connect { addr, why };
        let stream = tokio::time::timeout(within, TcpStream::connect(addr))
            .await
            .map_err(|_| failed(format!("no answer within {} ms", within.as_millis())))?
            .map_err(|why| failed(why.to_string()))?;
        stream
            .set_nodelay(true)
            .map_err(|why| failed(why.to_string()))?;
        Ok(Self {
            stream,
            ahead: Vec::new(),
            dialogue: Dialogue::default(),
        })
    }

    /// Writes bytes as they are.
    ///
    /// # Errors
    /// [`Error::Closed`] when the other side is gone, [`Error::Silent`] when it does not read.
    pub async fn write(&mut self, bytes: &[u8], within: Duration) -> Result<(), Error> {
        self.dialogue.sent(bytes);
        match tokio::time::timeout(within, self.stream.write_all(bytes)).await {
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
        let deadline = Instant::now() + within;
        loop {
            if let Some((value, length)) = self.dialogue.reply(&self.ahead)? {
                self.ahead.drain(..length);
                return Ok(value);
            }
            self.read_more(deadline, within).await?;
        }
    }

    /// The next `count` bytes, whatever they are.
    ///
    /// # Errors
    /// [`Error::Closed`] and [`Error::Silent`], with what had come.
    pub async fn take(&mut self, count: usize, within: Duration) -> Result<Vec<u8>, Error> {
        let deadline = Instant::now() + within;
        while self.ahead.len() < count {
            self.read_more(deadline, within).await?;
        }
        let behind = self.ahead.split_off(count);
        Ok(std::mem::replace(&mut self.ahead, behind))
    }

    async fn read_more(&mut self, deadline: Instant, within: Duration) -> Result<(), Error> {
        match timeout_at(deadline, self.stream.read_buf(&mut self.ahead)).await {
            Err(_) => Err(self.silent(within)),
            Ok(Ok(0) | Err(_)) => Err(Error::Closed {
                pending: std::mem::take(&mut self.ahead),
            }),
            Ok(Ok(_)) => Ok(()),
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

    /// Says that nothing more will be sent, and goes on reading.
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
            pending: self.ahead.clone(),
        }
    }
}

/// Whether somebody at `addr` answers PING as Redis does.
///
/// # Errors
/// What came instead.
pub async fn ping(addr: SocketAddr) -> Result<(), Error> {
    let mut client = Client::connect(addr, NODE_DEADLINE).await?;
    match client.call(&["PING"], NODE_DEADLINE).await? {
        Value::Simple(pong) if pong == b"PONG" => Ok(()),
        other => Err(Error::Connect {
            addr,
            why: format!("PING was answered with {other}"),
        }),
    }
}
