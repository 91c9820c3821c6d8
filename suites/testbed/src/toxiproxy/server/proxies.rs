//! `/proxies` and `/proxies/{proxy}`.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};

use super::super::api::Proxy;
use super::body::NewProxy;
use super::{Failed, Shared};

pub(super) fn routes() -> Router<Shared> {
    let one = get(show).patch(change).post(change).delete(delete);
    Router::new()
        .route("/proxies", get(list).post(create))
        .route("/proxies/{proxy}", one)
}

async fn list(State(shared): State<Shared>) -> Json<BTreeMap<String, Proxy>> {
    let collection = shared.lock().await;
    let shown = collection.all().map(|proxy| proxy.shown());
    Json(shown.map(|proxy| (proxy.name.clone(), proxy)).collect())
}

async fn create(
    State(shared): State<Shared>,
    body: Bytes,
) -> Result<(StatusCode, Json<Proxy>), Failed> {
    let proxy = shared.lock().await.create(NewProxy::read(&body)?).await?;
    Ok((StatusCode::CREATED, Json(proxy)))
}

async fn show(
    State(shared): State<Shared>,
    Path(name): Path<String>,
) -> Result<Json<Proxy>, Failed> {
    Ok(Json(shared.lock().await.find(&name)?.shown()))
}

/// PATCH, and POST as before Toxiproxy 2.6.
async fn change(
    State(shared): State<Shared>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Proxy>, Failed> {
    let mut collection = shared.lock().await;
    let proxy = collection.find(&name)?;
    let change = proxy.unchanged().read(&body)?;
    proxy.change(change).await?;
    Ok(Json(proxy.shown()))
}

async fn delete(
    State(shared): State<Shared>,
    Path(name): Path<String>,
) -> Result<StatusCode, Failed> {
    shared.lock().await.delete(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
