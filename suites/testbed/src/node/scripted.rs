//! A node that answers by script, for behaviour that no Redis has: garbage, truncated replies, unsolicited replies.
//!
//! Never used if a real server would do.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use crate::wire::{self, Arguments};

/// The reaction of a scripted node to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Sends these bytes.
    Send(Vec<u8>),
    /// Sends these bytes and closes the connection.
    SendAndClose(Vec<u8>),
    /// Sends nothing.
    Silence,
}

/// A server whose answers are a function of the request. It stops when dropped.
#[derive(Debug)]
pub struct Scripted {
    addr: SocketAddr,
    server: JoinHandle<()>,
}

impl Scripted {
    /// Listens on a free loopback port. `script` decides about each request, on every connection.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn start(
        script: impl Fn(&Arguments) -> Act + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Ok(Self {
            addr: listener.local_addr()?,
            server: tokio::spawn(serve(listener, Arc::new(script))),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Script = dyn Fn(&Arguments) -> Act + Send + Sync;

async fn serve(listener: TcpListener, script: Arc<Script>) {
    // Dropped with this task, and the connections with it.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(answer(stream, Arc::clone(&script)));
    }
}

/// Answers until the script or the other side closes, or the other side sends bytes that are not a request.
async fn answer(mut stream: TcpStream, script: Arc<Script>) {
    let mut ahead = Vec::new();
    while matches!(stream.read_buf(&mut ahead).await, Ok(length) if length > 0) {
        while let Ok(Some((request, length))) = wire::request(&ahead) {
            ahead.drain(..length);
            let (bytes, closes) = match script(&request) {
                Act::Send(bytes) => (bytes, false),
                Act::SendAndClose(bytes) => (bytes, true),
                Act::Silence => continue,
            };
            if stream.write_all(&bytes).await.is_err() || closes {
                return;
            }
        }
    }
}
