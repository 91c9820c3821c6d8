//! The fault server: Toxiproxy's REST API, one group of routes a file, over links in this process.
//!
//! As in Toxiproxy, browsers are refused by their User-Agent (a page must not reconfigure it), and no call takes longer
//! than 25 s. Not as in Toxiproxy: `/metrics` needs no flag, there is no bearer token, and negative attributes are
//! refused instead of meaning something else for each toxic.

mod body;
mod collection;
mod failure;
mod metrics;
mod proxies;
mod proxy;
mod toxics;
mod whole;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::USER_AGENT;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::link::Chance;
use collection::Collection;

pub use failure::Failed;

const CALL_WITHIN: Duration = Duration::from_secs(25);

/// What the routes share. Calls that change something follow one another.
type Shared = Arc<Mutex<Collection>>;

/// There is no server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Its port.
    #[error("the fault server cannot listen on {listen}: {why}")]
    Listen {
        /// The address asked for.
        listen: String,
        /// The operating system's reason.
        why: std::io::Error,
    },
    /// Its first proxies.
    #[error("the fault server cannot be populated: {0}")]
    Populate(#[from] Failed),
}

/// A fault server that runs. Ends with all its proxies when dropped.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Serves the API on `listen` (`HOST:PORT`; port 0 is any that is free). `config` is an array of proxies, as for
    /// `POST /populate`; every draw follows from `seed`.
    ///
    /// # Errors
    /// When the port is taken, or `config` cannot be carried out.
    pub async fn start(listen: &str, config: Option<&[u8]>, seed: u64) -> Result<Self, Error> {
        let failed = |why| Error::Listen {
            listen: listen.to_owned(),
            why,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let mut collection = Collection::new(Chance::seeded(seed));
        if let Some(config) = config {
            collection.populate(body::read(config)?).await.1?;
        }
        let router = router(Arc::new(Mutex::new(collection)));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { addr, serving })
    }

    /// Where the API is.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .merge(proxies::routes())
        .merge(toxics::routes())
        .merge(whole::routes())
        .merge(metrics::routes())
        .layer(middleware::from_fn(guard))
        .with_state(shared)
}

async fn guard(request: Request, next: Next) -> Response {
    let agent = request.headers().get(USER_AGENT);
    if agent.is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/")) {
        return (StatusCode::FORBIDDEN, "User agent not allowed\n").into_response();
    }
    match tokio::time::timeout(CALL_WITHIN, next.run(request)).await {
        Ok(response) => response,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

#[cfg(test)]
mod tests;
