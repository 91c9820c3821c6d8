//! A connection to a client or a node: TCP, a Unix socket or TLS.
//!
//! Its kind is looked at once per read or write of many requests. Never called through a trait object.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix;
use tokio::net::{TcpStream, UnixStream};

use crate::tls::TlsStream;

/// A connection.
#[derive(Debug)]
pub(crate) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
    Tls(Box<TlsStream>),
}

/// Calls a method of the connection of whatever kind.
macro_rules! delegate {
    ($stream:expr, $inner:ident => $call:expr) => {
        match $stream {
            Stream::Tcp($inner) => $call,
            Stream::Unix($inner) => $call,
            Stream::Tls($inner) => $call,
        }
    };
}

impl Stream {
    pub(crate) fn descriptor(&self) -> RawFd {
        match self {
            Self::Tcp(stream) => stream.as_raw_fd(),
            Self::Unix(stream) => stream.as_raw_fd(),
            Self::Tls(stream) => stream.get_ref().0.as_raw_fd(),
        }
    }

    /// Writes the bytes if there is room for them at once.
    pub(crate) fn try_write(&self, bytes: &[u8]) {
        // A connection that is closed in any case.
        let _ = match self {
            Self::Tcp(stream) => stream.try_write(bytes),
            Self::Unix(stream) => stream.try_write(bytes),
            Self::Tls(_) => return,
        };
    }

    pub(crate) fn is_unix(&self) -> bool {
        matches!(self, Self::Unix(_))
    }

    /// The addresses of both ends, the other one first, as Redis shows them: the ends of a Unix socket have the path that
    /// was listened on. Empty if they are not known any more.
    pub(crate) fn ends(&self) -> (String, String) {
        match self {
            Self::Tcp(stream) => ends(stream),
            Self::Tls(stream) => ends(stream.get_ref().0),
            Self::Unix(stream) => {
                let end = stream.local_addr().ok();
                let path = end.as_ref().and_then(unix::SocketAddr::as_pathname);
                let shown = path.map_or(String::new(), |path| format!("{}:0", path.display()));
                (shown.clone(), shown)
            }
        }
    }
}

fn ends(stream: &TcpStream) -> (String, String) {
    let shown = |end: io::Result<SocketAddr>| end.map_or(String::new(), |end| end.to_string());
    (shown(stream.peer_addr()), shown(stream.local_addr()))
}

impl AsyncRead for Stream {
    #[inline]
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf).map(ended),
        }
    }
}

/// Many clients close without the end that TLS has. Requests and replies have lengths of their own, so it is an end like
/// that of TCP.
fn ended(read: io::Result<()>) -> io::Result<()> {
    match read {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        read => read,
    }
}

impl AsyncWrite for Stream {
    #[inline]
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_write(cx, bytes))
    }

    #[inline]
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        delegate!(self, stream => stream.is_write_vectored())
    }

    #[inline]
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(cx))
    }
}
