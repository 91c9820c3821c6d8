//! Where a link listens: open, full or shut.

use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::port::listen_again;

/// Connecting within this machine takes microseconds: after this time the queue is full.
const FULL_AFTER: Duration = Duration::from_millis(300);
/// More than any queue of length 0 holds, including connections that wait to be accepted.
const CROWD_MAX: usize = 64;

/// A link cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("link cannot listen on {addr}: {why}")]
pub struct Error {
    pub(super) addr: SocketAddr,
    pub(super) why: io::Error,
}

impl Error {
    /// Whether another listener has the address.
    pub(crate) fn is_in_use(&self) -> bool {
        self.why.kind() == io::ErrorKind::AddrInUse
    }
}

/// The listening socket of a link.
pub(super) enum Door {
    /// Connections are accepted.
    Open(TcpListener),
    /// No connection is accepted, and the queue is full.
    Full {
        /// Never asked for a connection.
        _listener: TcpListener,
        /// Connections of our own, which take the places.
        _crowd: Vec<TcpStream>,
    },
    /// Nothing listens.
    Shut,
}

impl Door {
    /// The next connection; never returns while the door is not open.
    pub(super) async fn accept(&self) -> TcpStream {
        let Self::Open(listener) = self else {
            return std::future::pending().await;
        };
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return stream,
                // Out of files, or gone before it was accepted: the next one may do better.
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }

    /// Listens, unless it does already.
    pub(super) async fn open(&mut self, addr: SocketAddr) -> Result<(), Error> {
        if !matches!(self, Self::Open(_)) {
            // Connections that wait in a full queue are refused.
            *self = Self::Shut;
            *self = Self::Open(listen_again(Error::is_in_use, || listen(addr)).await?);
        }
        Ok(())
    }

    /// Fills the queue, unless it is full already.
    pub(super) async fn fill(&mut self, addr: SocketAddr) -> Result<(), Error> {
        let failed = |why| Error { addr, why };
        let listener = match std::mem::replace(self, Self::Shut) {
            Self::Open(listener) => listener,
            Self::Shut => return Err(failed(io::Error::other("it is down"))),
            full @ Self::Full { .. } => {
                *self = full;
                return Ok(());
            }
        };
        SockRef::from(&listener).listen(0).map_err(failed)?;
        let mut crowd = Vec::new();
        while crowd.len() < CROWD_MAX {
            match timeout(FULL_AFTER, TcpStream::connect(addr)).await {
                Ok(Ok(stream)) => crowd.push(stream),
                Ok(Err(why)) => return Err(failed(why)),
                Err(_) => {
                    *self = Self::Full {
                        _listener: listener,
                        _crowd: crowd,
                    };
                    return Ok(());
                }
            }
        }
        *self = Self::Open(listener);
        Err(failed(io::Error::other("its queue does not fill up")))
    }
}

/// Listens on an address. One that names no host means both families, as in Go, if the machine has both.
pub(super) fn listen(addr: SocketAddr) -> Result<TcpListener, Error> {
    if addr.ip().is_unspecified() {
        let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, addr.port()));
        if let Ok(listener) = listen_on(both) {
            return Ok(listener);
        }
    }
    listen_on(addr)
}

/// SO_REUSEADDR, so that a link that went down can listen again at once.
fn listen_on(addr: SocketAddr) -> Result<TcpListener, Error> {
    let listen = || {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
        if addr.ip() == Ipv6Addr::UNSPECIFIED {
            socket.set_only_v6(false)?;
        }
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&addr.into())?;
        socket.listen(1024)?;
        TcpListener::from_std(socket.into())
    };
    listen().map_err(|why| Error { addr, why })
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    /// The copy is that of a child between its start and its own program.
    #[tokio::test]
    async fn a_link_listens_again_when_a_copy_of_its_listener_is_gone() {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let addr = listener.local_addr().unwrap();
        let copy = listener.as_fd().try_clone_to_owned().unwrap();
        drop(listener);
        assert!(listen(addr).is_err(), "the copy does not hold the address");
        let mut door = Door::Shut;
        let (opened, ()) = tokio::join!(door.open(addr), async move { drop(copy) });
        opened.unwrap();
        assert!(matches!(door, Door::Open(_)));
    }
}
