//! Routes of the whole server: `/populate`, `/reset`, `/version`.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use super::body::NewProxy;
use super::{Failed, Shared};

/// The version of the API, and the server's name. Build metadata does not affect the order of versions.
const VERSION: &str = concat!("2.13.0+shardproof.", env!("CARGO_PKG_VERSION"));

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/populate", post(populate))
        .route("/reset", post(reset))
        .route("/version", get(version))
}

/// A failure carries the proxies that were made before it.
async fn populate(State(shared): State<Shared>, body: Bytes) -> Response {
    let proxies = match NewProxy::list(&body) {
        Ok(proxies) => proxies,
        Err(why) => return populated(&[], Err(why)),
    };
    let (made, result) = shared.lock().await.populate(proxies).await;
    populated(&made, result)
}

fn populated(made: &[super::super::api::Proxy], result: Result<(), Failed>) -> Response {
    match result {
        Ok(()) => (StatusCode::CREATED, Json(json!({ "proxies": made }))).into_response(),
        Err(why) => {
            let failure = why.body();
            let body = json!({
                "error": failure.message,
                "status": failure.status,
                "proxies": made,
            });
            (why.code(), Json(body)).into_response()
        }
    }
}

async fn reset(State(shared): State<Shared>) -> Result<StatusCode, Failed> {
    shared.lock().await.reset().await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn version() -> Json<serde_json::Value> {
    Json(json!({ "version": VERSION }))
}
