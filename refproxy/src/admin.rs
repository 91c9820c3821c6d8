//! The admin interface: HTTP on its own thread, never on a worker's.
//!
//! `GET /ready`, `/clusters`, `/stats`, `/cluster`; `PUT /cluster` swaps the cluster and answers once every worker has.

use std::io;
use std::net::{SocketAddr, TcpListener};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use regex_lite::Regex;
use serde_json::json;

use crate::config::{ClusterFile, Error, one_line};
use crate::server::Handle;

/// Binds the address, so that one in use is found out at the start.
///
/// # Errors
/// What the operating system says.
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
        .route("/ready", get(|| async { "LIVE\n" }))
        .route("/stats", get(stats))
        .route("/clusters", get(clusters))
        .route("/cluster", get(cluster).put(put_cluster))
        .with_state(handle);
    axum::serve(listener, router).await
}

/// `/stats?usedonly&filter=REGEX`, as Envoy's admin has it.
#[derive(serde::Deserialize)]
struct Wanted {
    /// Given, with any value or none: only what has counted something.
    usedonly: Option<String>,
    /// Only names in which this is found.
    filter: Option<String>,
}

/// One `name: value` line each.
async fn stats(State(handle): State<Handle>, Query(wanted): Query<Wanted>) -> Response {
    let filter = match Regex::new(wanted.filter.as_deref().unwrap_or_default()) {
        Ok(filter) => filter,
        Err(why) => return refused(&format!("filter: {why}, expected a regular expression")),
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

async fn put_cluster(State(handle): State<Handle>, body: Bytes) -> Response {
    match swap(&handle, &body).await {
        Ok(generation) => Json(json!({ "generation": generation })).into_response(),
        Err(error) => refused(&error.to_string()),
    }
}

/// One line, as JSON.
fn refused(why: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": why }))).into_response()
}

async fn swap(handle: &Handle, body: &[u8]) -> Result<u64, Error> {
    let file: ClusterFile =
        serde_json::from_slice(body).map_err(|error| Error(one_line(&error.to_string())))?;
    handle
        .reload(file.check()?)
        .await
        .map_err(|error| Error(error.to_string()))
}
