//! How a proxy is started: as a program, or as code in this process.

use std::fmt::{self, Display};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use super::file::Target;
use super::proxy::{Error, find};
use super::setting::Setting;
use crate::program::Search;

/// How a proxy is started.
#[derive(Debug, Clone)]
pub enum Launcher {
    /// A program, with the arguments and the configuration of its target file.
    Program(PathBuf),
    /// Code in this process.
    InProcess(Serve),
}

impl Launcher {
    /// The program of a target file.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn program(target: &Target, search: &Search) -> Result<Self, Error> {
        find(target, search).map(Self::Program)
    }
}

type Served = Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// The code of a proxy: listens on an address until its future is dropped.
///
/// Each start runs it on a thread with a tokio runtime of its own. A stop drops that runtime with all tasks on it, as
/// the end of a process closes all of its sockets.
#[derive(Clone)]
pub struct Serve(Arc<dyn Fn(SocketAddr, Setting) -> Served + Send + Sync>);

impl Serve {
    /// `serve` gets the address to listen on, and the nodes and limits. It must not block its thread: a future that
    /// never yields cannot be stopped.
    pub fn new<E: Display>(
        serve: impl AsyncFn(SocketAddr, Setting) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        let serve = Arc::new(serve);
        Self(Arc::new(move |listen, setting| {
            let serve = Arc::clone(&serve);
            Box::pin(async move {
                let served = serve(listen, setting).await;
                served.map_err(|why| why.to_string())
            })
        }))
    }

    pub(super) fn serve(&self, listen: SocketAddr, setting: Setting) -> Served {
        (self.0)(listen, setting)
    }
}

impl fmt::Debug for Serve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Serve")
    }
}
