//! The admin interface: HTTP on its own thread, never on a worker's.
//!
//! `GET /ready`, `/clusters`, `/stats`, `/cluster`; `PUT /cluster` swaps the cluster and answers once every worker has.
//! Every error is JSON: `{"error": "one line"}`. While the proxy drains, `/ready` and `PUT /cluster` are 503.

mod connection;
mod guard;

use std::net::{SocketAddr, TcpListener};
use std::{io, time::Duration};

use axum::body::{Body, HttpBody as _};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
use regex_lite::Regex;
use serde_json::json;

use crate::server::{Handle, ReloadError};
use connection::{Listener, Timing};
use placement::file::{ClusterFile, one_line};

/// Bytes of the body of `PUT /cluster`.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;
const TOO_LARGE: &str = "body of more than 16 MiB";
/// To receive the head of a request, and again to receive its body.
const RECEIVE_LIMIT: Duration = Duration::from_secs(10);

/// Binds the address, so that an address in use is found at the start.
///
/// # Errors
/// The error of the operating system.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves the interface until the runtime ends.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(listener: TcpListener, handle: Handle) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let router = Router::new()
        .route("/ready", get(ready))
        .route("/stats", get(stats))
        .route("/clusters", get(clusters))
        .route("/cluster", get(cluster).put(put_cluster))
        .fallback(async || failed(StatusCode::NOT_FOUND, "no such path"))
        .method_not_allowed_fallback(async || {
            failed(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
        })
        .layer(middleware::from_fn(guard::check_host))
        .layer(middleware::from_fn(connection::begin))
        .with_state(handle);
    let service = router.into_make_service_with_connect_info::<Timing>();
    axum::serve(Listener::new(listener, RECEIVE_LIMIT), service).await
}

/// One line, as JSON.
fn failed(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": one_line(why) }))).into_response()
}

async fn ready(State(handle): State<Handle>) -> Response {
    match handle.is_draining() {
        true => unavailable(),
        false => "LIVE\n".into_response(),
    }
}

fn unavailable() -> Response {
    failed(
        StatusCode::SERVICE_UNAVAILABLE,
        &ReloadError::Draining.to_string(),
    )
}

/// `/stats?usedonly&filter=REGEX`, as in Envoy's admin.
#[derive(serde::Deserialize)]
struct Wanted {
    /// Given, with any value or none: only counters above 0.
    usedonly: Option<String>,
    /// Only names that contain this text.
    filter: Option<String>,
}

/// One `name: value` line each.
async fn stats(
    State(handle): State<Handle>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let Query(wanted) = match wanted {
        Ok(wanted) => wanted,
        Err(why) => return failed(StatusCode::BAD_REQUEST, &why.body_text()),
    };
    let filter = match Regex::new(wanted.filter.as_deref().unwrap_or_default()) {
        Ok(filter) => filter,
        Err(why) => {
            let why = format!("filter: {why}, expected a regular expression");
            return failed(StatusCode::BAD_REQUEST, &why);
        }
    };
    let (generation, _) = handle.cluster().await;
    let generation = ("refproxy.cluster_generation".to_owned(), generation);
    let mut text = String::new();
    for (name, count) in handle.counters().into_iter().chain([generation]) {
        if filter.is_match(&name) && (count > 0 || wanted.usedonly.is_none()) {
            text.push_str(&format!("{name}: {count}\n"));
        }
    }
    text.into_response()
}

async fn clusters(State(handle): State<Handle>) -> Response {
    let (generation, _) = handle.cluster().await;
    Json(json!({ "generation": generation, "nodes": handle.nodes().await })).into_response()
}

async fn cluster(State(handle): State<Handle>) -> Response {
    let (_, cluster) = handle.cluster().await;
    Json(ClusterFile::of(&cluster)).into_response()
}

async fn put_cluster(State(handle): State<Handle>, body: Body) -> Response {
    if handle.is_draining() {
        return unavailable();
    }
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return failed(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE);
    }
    let received = tokio::time::timeout(RECEIVE_LIMIT, axum::body::to_bytes(body, BODY_BYTES_MAX));
    let body = match received.await {
        Ok(Ok(body)) => body,
        // Either it is too large without a length that says so, or the connection has ended.
        Ok(Err(why)) => return failed(StatusCode::PAYLOAD_TOO_LARGE, &why.to_string()),
        Err(_) => return failed(StatusCode::REQUEST_TIMEOUT, "the body is incomplete"),
    };
    let file = match serde_json::from_slice::<ClusterFile>(&body) {
        Ok(file) => file,
        Err(why) => return failed(StatusCode::BAD_REQUEST, &why.to_string()),
    };
    let cluster = match file.cluster() {
        Ok(cluster) => cluster,
        Err(why) => return failed(StatusCode::BAD_REQUEST, &why.to_string()),
    };
    match handle.reload(cluster).await {
        Ok(generation) => Json(json!({ "generation": generation })).into_response(),
        Err(ReloadError::Draining) => unavailable(),
        Err(why @ ReloadError::Cluster(_)) => failed(StatusCode::BAD_REQUEST, &why.to_string()),
        Err(why @ ReloadError::Panicked) => {
            failed(StatusCode::INTERNAL_SERVER_ERROR, &why.to_string())
        }
    }
}
