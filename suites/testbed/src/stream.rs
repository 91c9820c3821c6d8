//! A connection to a server, of any kind: TCP, TLS or a Unix socket. Bytes only.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, UnixStream};

use crate::endpoint::{Endpoint, Place, TlsStream};

/// An open connection.
#[derive(Debug)]
pub enum Stream {
    /// A plain one.
    Tcp(TcpStream),
    /// One by TLS.
    #[cfg(feature = "tls")]
    Tls(TlsStream),
    /// One by a Unix socket.
    Unix(UnixStream),
}

impl Stream {
    /// Connects. A receive buffer of the kernel is as small as `receive_bytes`, if that is given.
    ///
    /// # Errors
    /// The reason, in words.
    pub(crate) async fn open(
        endpoint: Endpoint,
        receive_bytes: Option<u32>,
    ) -> Result<Self, String> {
        let text = |why: io::Error| why.to_string();
        let addr = match endpoint.place() {
            Place::Unix(path) => {
                let connected = UnixStream::connect(path).await;
                return connected.map(Self::Unix).map_err(text);
            }
            Place::Tcp(addr) => addr,
        };
        let stream = match receive_bytes {
            None => TcpStream::connect(addr).await,
            Some(bytes) => {
                let socket = match addr.is_ipv4() {
                    true => TcpSocket::new_v4(),
                    false => TcpSocket::new_v6(),
                };
                let socket = socket.map_err(text)?;
                socket.set_recv_buffer_size(bytes).map_err(text)?;
                socket.connect(addr).await
            }
        };
        let stream = stream.map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        match endpoint.tls() {
            None => Ok(Self::Tcp(stream)),
            Some(tls) => Ok(tls.connect(stream).await?.into()),
        }
    }

    /// Both halves of the connection as one object.
    fn inner(self: Pin<&mut Self>) -> Pin<&mut dyn ReadWrite> {
        match self.get_mut() {
            Self::Tcp(stream) => Pin::new(stream),
            #[cfg(feature = "tls")]
            Self::Tls(stream) => Pin::new(stream),
            Self::Unix(stream) => Pin::new(stream),
        }
    }
}

/// Reads and writes.
trait ReadWrite: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> ReadWrite for T {}

#[cfg(feature = "tls")]
impl From<TlsStream> for Stream {
    fn from(stream: TlsStream) -> Self {
        Self::Tls(stream)
    }
}

#[cfg(not(feature = "tls"))]
impl From<TlsStream> for Stream {
    fn from(stream: TlsStream) -> Self {
        Self::Tcp(stream)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.inner().poll_read(cx, into)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.inner().poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        matches!(self, Self::Tcp(_) | Self::Unix(_))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner().poll_shutdown(cx)
    }
}
