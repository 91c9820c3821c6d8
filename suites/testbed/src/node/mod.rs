//! Nodes: the Redis servers of a cluster, and what can be done to them.
//!
//! Does not know the proxy of a node.

#[cfg(feature = "docker")]
mod docker;
mod external;
mod process;
mod scripted;
mod shutdown;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

#[cfg(feature = "docker")]
pub use docker::Docker;
pub use external::External;
pub use process::Process;
pub use scripted::{Act, Scripted};

use crate::endpoint::Endpoint;
use crate::program::Search;

/// One Redis server, started by the suite or not.
pub trait Node: Send + Sync {
    /// Where it listens.
    fn addr(&self) -> SocketAddr;

    /// Whether the suite started it, so that its settings may be changed.
    fn is_ours(&self) -> bool {
        true
    }

    /// Pauses it without closing anything (SIGSTOP): connections stay open, no request is answered.
    fn pause(&self) -> Step<'_>;

    /// Resumes a paused node.
    fn resume(&self) -> Step<'_>;

    /// Ends it in order (SIGTERM): it closes its connections. Its data is gone.
    fn stop(&self) -> Step<'_>;

    /// Ends it as a crash would (SIGKILL); its data is gone.
    fn kill(&self) -> Step<'_>;

    /// Starts it again, empty, at the same address, and waits until it answers. Ends it first if it runs.
    fn restart(&self) -> Step<'_>;

    /// Ends it in order and starts it again with its data, at the same address, and waits until it answers.
    fn restart_with_data(&self) -> Step<'_>;

    /// Ends it, and starts an empty one at another address instead, which is [`addr`](Self::addr) from then on.
    fn replace(&self) -> Step<'_>;

    /// Starts it again, empty, at its first address, if it was [replaced](Self::replace).
    fn return_home(&self) -> Step<'_> {
        self.restart()
    }

    /// Disconnects its network; it keeps running and keeps its data. Only for a node with a separate network.
    fn disconnect(&self) -> Step<'_>;

    /// Gives its network back, at the same address, and waits until it answers.
    fn connect(&self) -> Step<'_>;
}

/// A node in a container; see [`Error::NotBuilt`].
///
/// # Errors
/// When containers are not built in, no engine answers, or the node does not come up.
#[cfg(feature = "docker")]
pub async fn container(image: Option<&str>, search: &Search) -> Result<Box<dyn Node>, Error> {
    Ok(Box::new(Docker::start(image, search).await?))
}

/// A node in a container; see [`Error::NotBuilt`].
///
/// # Errors
/// Always: containers are not built in.
#[cfg(not(feature = "docker"))]
pub async fn container(_image: Option<&str>, _search: &Search) -> Result<Box<dyn Node>, Error> {
    Err(Error::NotBuilt)
}

/// Whether nodes in containers can be used: they are built in, and an engine answers.
///
/// # Errors
/// Why the suite could not judge.
#[cfg(feature = "docker")]
pub async fn containers() -> Result<(), Error> {
    docker::engine().await
}

/// Whether nodes in containers can be used: they are built in, and an engine answers.
///
/// # Errors
/// Always: they are not built in.
#[cfg(not(feature = "docker"))]
pub async fn containers() -> Result<(), Error> {
    Err(Error::NotBuilt)
}

/// Result of a node fault.
pub type Step<'a> = Pin<Box<dyn Future<Output = Result<(), Error>> + Send + 'a>>;

/// Why a node cannot be started or changed. Never a verdict on a proxy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server program is missing.
    #[error(transparent)]
    Missing(#[from] crate::program::Missing),
    /// The operating system refused to start it.
    #[error("cannot start redis-server: {0}")]
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
    #[error("cannot signal node {addr}: {why}")]
    Signal {
        /// The node.
        addr: SocketAddr,
        /// The operating system's reason.
        why: std::io::Error,
    },
    /// Cargo's feature `docker` is off.
    #[error(
        "nodes in containers are not built in: build shardproof with `--features docker`, or use --nodes process"
    )]
    NotBuilt,
    /// There is nothing to run containers with.
    #[error("no Docker engine is available ({why}): start one, or use --nodes process")]
    NoEngine {
        /// The failure.
        why: String,
    },
    /// The image is not there and cannot be pulled, or nothing starts from it.
    #[error(
        "cannot start a node from image {image}: {why}; `make images` builds an image without a registry"
    )]
    Image {
        /// The image.
        image: String,
        /// The engine's reason.
        why: String,
    },
    /// The engine refused a request.
    #[error("the Docker engine cannot {what} node {addr}: {why}")]
    Engine {
        /// The failed operation.
        what: &'static str,
        /// The node.
        addr: SocketAddr,
        /// The engine's reason.
        why: String,
    },
    /// A child process shares the network of its parent.
    #[error("node {addr} has no separate network: use --nodes docker, or the fault `down`")]
    NoNetwork {
        /// The node.
        addr: SocketAddr,
    },
    /// The node was not started by the suite.
    #[error("node {addr} was not started by shardproof and is not {wanted}")]
    NotOurs {
        /// The node.
        addr: SocketAddr,
        /// The state that was wanted.
        wanted: &'static str,
    },
    /// No Redis answers at the given address.
    #[error("node {addr} does not answer PING: {why}")]
    Unreachable {
        /// The node.
        addr: Endpoint,
        /// The failure.
        why: String,
    },
    /// It has no TCP address.
    #[error("node {addr} is a Unix socket: expected HOST:PORT here")]
    NoPort {
        /// The node.
        addr: Endpoint,
    },
}
