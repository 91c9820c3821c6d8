//! Sockets to listen on for clients: one port that the workers share, or one Unix socket.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::{TcpListener, UnixListener};

use crate::config::ListenAddress;
use crate::socket;
use crate::stream::Stream;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// What all workers listen on.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) address: ListenAddress,
    /// One for each worker.
    pub(crate) sockets: Vec<Listener>,
    pub(crate) file: Option<SocketFile>,
}

/// A worker's socket to listen on, before its runtime exists.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
}

/// A worker's socket to listen on.
pub(crate) enum Accepting {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Listening {
    /// Listens on `address` with a socket for each worker.
    pub(crate) fn on(
        address: &ListenAddress,
        workers: usize,
        keepalive: Duration,
    ) -> io::Result<Self> {
        match address {
            ListenAddress::Tcp(address) => Self::on_port(*address, workers, keepalive),
            ListenAddress::Unix(path) => Self::on_path(path, workers),
        }
    }

    fn on_port(address: SocketAddr, workers: usize, keepalive: Duration) -> io::Result<Self> {
        // With SO_REUSEPORT a second proxy on the same port would silently take half of the clients.
        let probe = bound(address, Reuse::No)?;
        let address = probe.local_addr().and_then(ip)?;
        let socket = |_| listener(address, keepalive).map(Listener::Tcp);
        Ok(Self {
            address: ListenAddress::Tcp(address),
            sockets: (0..workers).map(socket).collect::<io::Result<_>>()?,
            file: None,
        })
    }

    /// A Unix socket has no counterpart of SO_REUSEPORT: the workers accept from the same one.
    fn on_path(path: &Path, workers: usize) -> io::Result<Self> {
        make_way(path)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        let file = SocketFile::at(path)?;
        socket.listen(BACKLOG)?;
        let copy = |_| Ok(Listener::Unix(socket.try_clone()?.into()));
        Ok(Self {
            address: ListenAddress::Unix(path.to_owned()),
            sockets: (0..workers).map(copy).collect::<io::Result<_>>()?,
            file: Some(file),
        })
    }

    /// The port; 0 without one, as in Redis.
    pub(crate) fn port(&self) -> u16 {
        match &self.address {
            ListenAddress::Tcp(address) => address.port(),
            ListenAddress::Unix(_) => 0,
        }
    }
}

impl Listener {
    /// For the runtime of this thread.
    pub(crate) fn start(self) -> io::Result<Accepting> {
        Ok(match self {
            Self::Tcp(listener) => Accepting::Tcp(TcpListener::from_std(listener)?),
            Self::Unix(listener) => Accepting::Unix(UnixListener::from_std(listener)?),
        })
    }
}

impl Accepting {
    /// The next connection, with the address of its other end if it has one.
    pub(crate) async fn accept(&self) -> io::Result<(Stream, Option<SocketAddr>)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Stream::Tcp(stream), Some(peer)))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Stream::Unix(stream), None))
            }
        }
    }
}

/// The file of a Unix socket that this process listens on; removed when dropped, unless another file has its place.
#[derive(Debug)]
pub(crate) struct SocketFile {
    path: PathBuf,
    identity: FileIdentity,
}

/// Distinguishes a file from a later one at the same path. The kernel reuses the number of an inode at once.
#[derive(Debug, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
    modified: (i64, i64),
}

impl FileIdentity {
    fn of(path: &Path) -> io::Result<Self> {
        let about = fs::symlink_metadata(path)?;
        Ok(Self {
            device: about.dev(),
            inode: about.ino(),
            modified: (about.mtime(), about.mtime_nsec()),
        })
    }
}

impl SocketFile {
    fn at(path: &Path) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            identity: FileIdentity::of(path)?,
        })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if FileIdentity::of(&self.path).is_ok_and(|now| now == self.identity)
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "the socket file is not removed");
        }
    }
}

/// Removes the socket file of a process that has ended: the kernel leaves it.
fn make_way(path: &Path) -> io::Result<()> {
    let about = match fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !about.file_type().is_socket() {
        return Err(io::Error::other(
            "a file that is not a socket is there, expected a free path",
        ));
    }
    if is_served(path)? {
        return Err(io::Error::other(
            "another process listens there, expected a free path",
        ));
    }
    fs::remove_file(path)
}

/// Whether a process listens on the socket at `path`.
fn is_served(path: &Path) -> io::Result<bool> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // A process that accepts nothing must not keep us waiting.
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Ok(()) => Ok(true),
        Err(error) => match error.kind() {
            io::ErrorKind::WouldBlock => Ok(true),
            io::ErrorKind::ConnectionRefused => Ok(false),
            _ => Err(error),
        },
    }
}

/// Whether several sockets share a port.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reuse {
    No,
    Yes,
}

/// A socket bound to `address` that does not listen: a connection that it took would be reset when it closes.
fn bound(address: SocketAddr, reuse: Reuse) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    if reuse == Reuse::Yes {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

fn listener(address: SocketAddr, keepalive: Duration) -> io::Result<std::net::TcpListener> {
    let socket = bound(address, Reuse::Yes)?;
    // Connections that are accepted inherit it.
    socket::set_keepalive(&socket, keepalive)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn ip(address: SockAddr) -> io::Result<SocketAddr> {
    address
        .as_socket()
        .ok_or_else(|| io::Error::other("not an IP address"))
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::TcpStream;
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::time::Duration;

    use super::{ListenAddress, Listening, Reuse, bound, ip, listener};

    #[test]
    fn the_probe_takes_no_connection_and_finds_a_port_in_use() {
        let any = "127.0.0.1:0".parse().unwrap();
        let probe = bound(any, Reuse::No).unwrap();
        let address = ip(probe.local_addr().unwrap()).unwrap();
        let refused = TcpStream::connect(address).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        let keepalive = Duration::from_secs(300);
        let _workers = [(); 2].map(|()| listener(address, keepalive).unwrap());
        drop(probe);
        TcpStream::connect(address).unwrap();
        let in_use = bound(address, Reuse::No).unwrap_err();
        assert_eq!(in_use.kind(), ErrorKind::AddrInUse);
    }

    #[test]
    fn a_socket_file_is_removed_by_its_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let address = ListenAddress::Unix(path.clone());
        let on = || Listening::on(&address, 2, Duration::from_secs(1));
        // Left by a process that has ended.
        drop(UnixListener::bind(&path).unwrap());
        let first = on().unwrap();
        UnixStream::connect(&path).unwrap();
        let said = on().unwrap_err().to_string();
        assert!(said.starts_with("another process listens"), "{said}");
        std::fs::remove_file(&path).unwrap();
        let second = on().unwrap();
        drop(first);
        assert!(path.exists(), "it belongs to the second one");
        drop(second);
        assert!(!path.exists());
        std::fs::write(&path, "").unwrap();
        let said = on().unwrap_err().to_string();
        assert!(said.starts_with("a file that is not a socket"), "{said}");
    }
}
