//! Nodes: where the Redis servers of a cluster come from, and what can be done to them.
//!
//! Never knows which proxy stands before a node.

mod external;
mod process;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

pub use external::External;
pub use process::Process;

/// One Redis server, whoever runs it.
pub trait Node: Send + Sync {
    /// Where it listens.
    fn addr(&self) -> SocketAddr;

    /// Stops it from running without closing anything (SIGSTOP): connections stay, nothing is answered.
    fn pause(&self) -> Step<'_>;

    /// Lets a paused node go on.
    fn resume(&self) -> Step<'_>;

    /// Ends it as a crash would (SIGKILL); its data is gone.
    fn kill(&self) -> Step<'_>;

    /// Starts it again, empty, at the same address, and waits until it answers.
    fn restart(&self) -> Step<'_>;
}

/// What a node fault comes to.
pub type Step<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// Why there is no node, or why it could not be treated so. Never a verdict on a proxy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing to start.
    #[error(transparent)]
    Missing(#[from] crate::program::Missing),
    /// The operating system refused to start it.
    #[error("redis-server does not start: {0}")]
    Spawn(std::io::Error),
    /// It ended, or did not answer in time.
    #[error("redis-server at {addr} {what}; the end of its log:\n{log}")]
    NotReady {
        /// Where it was to listen.
        addr: SocketAddr,
        /// What happened instead.
        what: String,
        /// Its last lines.
        log: String,
    },
    /// No signal could be sent.
    #[error("node {addr} cannot be signalled: {why}")]
    Signal {
        /// The node.
        addr: SocketAddr,
        /// The operating system's reason.
        why: std::io::Error,
    },
    /// The node was started by somebody else.
    #[error("node {addr} was not started by shardproof, so it is not {wanted}")]
    NotOurs {
        /// The node.
        addr: SocketAddr,
        /// What was to be done to it.
        wanted: &'static str,
    },
    /// Nobody answers as Redis at the given address.
    #[error("node {addr} does not answer PING: {why}")]
    Unreachable {
        /// The node.
        addr: SocketAddr,
        /// What came instead.
        why: String,
    },
}
