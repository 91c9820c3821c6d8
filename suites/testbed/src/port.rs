//! Ports: free ones for proxies and nodes, and the lease on the fixed ones that links listen on.

use std::fmt::Display;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use socket2::{Domain, Socket, Type};

use crate::wait::Wait;

/// The ports that are given: above the fixed ones of links, and below those that Linux (32768), BSD and macOS (49152) give
/// to outgoing connections. A connection would take the port of a server that is down, and it could not start again.
const GIVEN: Range<u16> = 23_000..32_768;
/// A child is started within milliseconds; a loaded machine takes longer.
const FREE_WITHIN: Duration = Duration::from_secs(2);
/// How many ports are tried until one is free.
const TRIED: usize = 1000;

/// A loopback port for a server that listens on TCP. While this lives, no other process that asks here gets the same one.
///
/// Two servers that listen with `SO_REUSEPORT`, as Envoy does, can share a port unnoticed, and each gets some of the
/// other's clients. The port of a server that is down would be free for every process.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// The lease: the UDP port of the same number, which the kernel gives to one socket at a time and takes back at our
    /// end.
    _lease: UdpSocket,
}

impl Port {
    /// Takes a port on which nothing listens. Another process may still be faster; use it under [`retry_if_taken`].
    ///
    /// # Errors
    /// When the operating system has none.
    pub fn free() -> io::Result<Self> {
        let mut taken = io::Error::from(io::ErrorKind::AddrInUse);
        for _ in 0..TRIED {
            let place = RandomState::new().hash_one(()) % u64::try_from(GIVEN.len()).unwrap_or(1);
            let number = GIVEN.start + u16::try_from(place).unwrap_or_default();
            match Self::lease(number) {
                Ok(port) => return Ok(port),
                Err(why) => taken = why,
            }
        }
        Err(taken)
    }

    fn lease(number: u16) -> io::Result<Self> {
        let addr = (Ipv4Addr::LOCALHOST, number);
        let lease = UdpSocket::bind(addr)?;
        TcpListener::bind(addr)?;
        Ok(Self {
            number,
            _lease: lease,
        })
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Its address on the loopback interface.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

/// How often a server is started if another process takes its port first.
pub(crate) const ATTEMPTS: usize = 3;

/// Calls `start`, which listens on ports from [`Port::free`]. Calls it again if another process was faster, which `taken`
/// recognises by the error.
///
/// # Errors
/// The last error of `start`.
pub async fn retry_if_taken<T, E>(
    taken: impl Fn(&E) -> bool,
    mut start: impl AsyncFnMut() -> Result<T, E>,
) -> Result<T, E> {
    for _ in 1..ATTEMPTS {
        match start().await {
            Err(error) if taken(&error) => {}
            other => return other,
        }
    }
    start().await
}

/// Calls `listen` on ports that are ours until it does, where a former listener of this process may still have them: a
/// child that another thread starts has a copy of each until it runs its own program.
///
/// # Errors
/// The last error of `listen`.
pub async fn listen_again<T, E: Display>(
    in_use: impl Fn(&E) -> bool,
    listen: impl Fn() -> Result<T, E>,
) -> Result<T, E> {
    let mut wait = Wait::begin("the ports of a former listener", FREE_WITHIN);
    loop {
        match listen() {
            Err(error) if in_use(&error) => {
                if wait.pause(error.to_string()).await.is_err() {
                    return Err(error);
                }
            }
            result => return result,
        }
    }
}

/// A loopback address that refuses connections: its port is ours, and no process listens on it.
#[derive(Debug)]
pub struct Refusing(Socket);

impl Refusing {
    /// Takes a port.
    ///
    /// # Errors
    /// When the operating system has none.
    pub fn bind() -> io::Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
        Ok(Self(socket))
    }

    /// The address.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn addr(&self) -> io::Result<SocketAddr> {
        let addr = self.0.local_addr()?.as_socket();
        addr.ok_or_else(|| io::Error::other("no address of IP"))
    }
}

/// The right to use the fixed ports of one base; held by at most one process at a time.
///
/// Test runners start several processes at once, and a placement that hashes addresses needs the same ports in each.
#[derive(Debug)]
pub struct PortLock {
    /// Locked while it is open.
    _lock: File,
}

impl PortLock {
    /// Waits until no other process holds the ports from `base` up.
    ///
    /// # Errors
    /// When the lock file cannot be made.
    pub async fn on(base: u16) -> io::Result<Self> {
        let lock = lock_file(base)?;
        let mut waiting = false;
        while flock(&lock, FlockOperation::NonBlockingLockExclusive).is_err() {
            if !waiting {
                tracing::info!("waiting for another run that uses the ports from {base}");
                waiting = true;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(Self { _lock: lock })
    }
}

fn lock_file(base: u16) -> io::Result<File> {
    let folder: PathBuf = std::env::temp_dir().join("shardproof");
    fs::create_dir_all(&folder)?;
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(format!("ports-{base}.lock")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_left_for_another() {
        let mut ports = vec![1, 1, 0];
        let started = retry_if_taken(
            |why| *why == "taken",
            async || match ports.pop() {
                Some(0) => Err("taken"),
                Some(port) => Ok(port),
                None => Err("all are gone"),
            },
        );
        assert_eq!(started.await, Ok(1));
        assert_eq!(ports, [1]);
    }

    #[tokio::test]
    async fn other_errors_and_the_last_one_are_returned() {
        let mut calls = 0;
        let start = async || {
            calls += 1;
            Err::<(), _>(calls)
        };
        assert_eq!(retry_if_taken(|_| true, start).await, Err(ATTEMPTS));
        let mut calls = 0;
        let start = async || {
            calls += 1;
            Err::<(), _>(calls)
        };
        assert_eq!(retry_if_taken(|_| false, start).await, Err(1));
    }

    #[test]
    fn a_port_is_given_once() {
        // By chance alone, 400 of 9,768 ports are all different once in 3,500 times.
        let ports: Vec<Port> = (0..400).map(|_| Port::free().unwrap()).collect();
        let numbers: BTreeSet<u16> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn outgoing_connections_do_not_take_the_ports() {
        let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
        let first: u16 = range.split_whitespace().next().unwrap().parse().unwrap();
        assert!(Port::free().unwrap().number() < first);
    }

    #[test]
    fn a_refusing_address_refuses() {
        let refusing = Refusing::bind().unwrap();
        let refused = std::net::TcpStream::connect(refusing.addr().unwrap());
        assert_eq!(
            refused.unwrap_err().kind(),
            io::ErrorKind::ConnectionRefused
        );
    }
}
