//! The fault server: Toxiproxy's REST API, one group of routes per file, over links in this process.
//!
//! As in Toxiproxy, browsers are refused by their User-Agent (a page must not reconfigure it), and no call takes longer
//! than 25 s. Bodies are read as Go reads them. Connections end with FIN when their proxy is disabled, deleted or gets
//! another address, and when their upstream cannot be reached or breaks; only the toxic `reset_peer` sends RST. An
//! address without a host listens on both families.
//!
//! Not as in Toxiproxy: `/metrics` needs no flag, there is no bearer token, a half-closed connection stays open in its
//! other direction, a toxic keeps its draw of toxicity when it is changed, the stream of a toxic is shown in lower case,
//! and a slicer whose average size is less than 1 is refused in all versions. In addition to Toxiproxy's toxics there
//! are `hold` and the toxics of replies, for connections that speak RESP; `GET /toxics` lists all types with their
//! attributes.

mod body;
mod collection;
mod failure;
mod json;
mod metrics;
mod proxies;
mod proxy;
mod toxics;
mod types;
mod whole;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::USER_AGENT;
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::chance::Chance;
use body::NewProxy;
use collection::Collection;

pub use failure::Failed;

const CALL_WITHIN: Duration = Duration::from_secs(25);

/// State that the routes share. Calls that change something run one at a time.
type Shared = Arc<Mutex<Collection>>;

/// The server cannot start.
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
    #[error("cannot create the proxies of --config: {0}")]
    Populate(#[from] Failed),
}

/// A fault server that runs. Ends with all its proxies when dropped.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Server {
    /// Serves the API on `listen` (`HOST:PORT`; port 0 is any free port). `config` is an array of proxies, as for
    /// `POST /populate`; every draw follows from `seed`.
    ///
    /// # Errors
    /// When the port is taken, or `config` cannot be applied.
    pub async fn start(listen: &str, config: Option<&[u8]>, seed: u64) -> Result<Self, Error> {
        let failed = |why| Error::Listen {
            listen: listen.to_owned(),
            why,
        };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let mut collection = Collection::new(Chance::seeded(seed));
        if let Some(config) = config {
            collection.populate(NewProxy::list(config)?).await.1?;
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
    let routes = Router::new()
        .merge(proxies::routes())
        .merge(toxics::routes())
        .merge(types::routes())
        .merge(whole::routes())
        .merge(metrics::routes())
        .route_layer(middleware::from_fn(no_head))
        .fallback(|| async { (StatusCode::NOT_FOUND, "404 page not found\n") })
        .layer(middleware::from_fn(guard))
        .with_state(shared);
    // Outside of the routes, which look at the path as it was sent.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::map_request(with_slashes))
}

/// A path is routed by its decoded form: `%2F` separates segments.
async fn with_slashes(mut request: Request) -> Request {
    let decoded = request.uri().to_string().replace("%2F", "/");
    // An unescaped path is usually still valid; otherwise it is routed as it was sent.
    if let Ok(uri) = decoded.replace("%2f", "/").parse() {
        *request.uri_mut() = uri;
    }
    request
}

/// A GET route does not accept HEAD.
async fn no_head(request: Request, next: Next) -> Response {
    if request.method() == Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    next.run(request).await
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
