//! Connections that end when a request does not arrive in time, so that half a request does not hold a connection for
//! ever.

use std::future::Future as _;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::Next;
use axum::response::Response;
use axum::serve::IncomingStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep};

/// Accepts connections with a limit to receive each request's head.
#[derive(Debug)]
pub(super) struct Listener {
    inner: TcpListener,
    limit: Duration,
}

/// A connection. Its timeout runs while a request head is awaited, and restarts with each write.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    limit: Duration,
    expiry: Pin<Box<Sleep>>,
    timing: Timing,
}

/// Whether a request of a connection is being served.
#[derive(Debug, Clone, Default)]
pub(super) struct Timing {
    serving: Arc<AtomicBool>,
}

/// A request's head has arrived: the time of its connection stops.
pub(super) async fn begin(
    ConnectInfo(timing): ConnectInfo<Timing>,
    request: Request,
    next: Next,
) -> Response {
    timing.serving.store(true, Ordering::Relaxed);
    next.run(request).await
}

impl Listener {
    pub(super) fn new(inner: TcpListener, limit: Duration) -> Self {
        Self { inner, limit }
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = axum::serve::Listener::accept(&mut self.inner).await;
        let connection = Connection {
            stream,
            limit: self.limit,
            expiry: Box::pin(tokio::time::sleep(self.limit)),
            timing: Timing::default(),
        };
        (connection, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl Connected<IncomingStream<'_, Listener>> for Timing {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().timing.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let serving = self.timing.serving.load(Ordering::Relaxed);
        if !serving && self.expiry.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let expiry = Instant::now() + self.limit;
        self.expiry.as_mut().reset(expiry);
        self.timing.serving.store(false, Ordering::Relaxed);
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
