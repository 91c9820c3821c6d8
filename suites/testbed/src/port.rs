//! Ports: free ones for proxies and nodes, and the lease on the fixed ones that links listen on.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

/// A loopback port that was free a moment ago. The caller retries if another process took it.
///
/// # Errors
/// When the operating system has none.
pub fn free() -> io::Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()
        .map(|addr| addr.port())
}

/// The right to use the fixed ports of one base; held by at most one process at a time.
///
/// Test runners start several processes at once, and a placement that hashes addresses needs the same ports in each.
#[derive(Debug)]
pub struct PortLock {
    /// Locked as long as it is open.
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
