//! `/proxies/{proxy}/toxics` and `/proxies/{proxy}/toxics/{toxic}`.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};

use super::{Failed, Shared, body};
use crate::fault::Toxic;

pub(super) fn routes() -> Router<Shared> {
    let one = get(show).patch(change).post(change).delete(delete);
    Router::new()
        .route("/proxies/{proxy}/toxics", get(list).post(create))
        .route("/proxies/{proxy}/toxics/{toxic}", one)
}

async fn list(
    State(shared): State<Shared>,
    Path(proxy): Path<String>,
) -> Result<Json<Vec<Toxic>>, Failed> {
    Ok(Json(shared.lock().await.find(&proxy)?.shown().toxics))
}

/// 200, not 201: so does Toxiproxy.
async fn create(
    State(shared): State<Shared>,
    Path(proxy): Path<String>,
    body: Bytes,
) -> Result<Json<Toxic>, Failed> {
    let mut collection = shared.lock().await;
    let proxy = collection.find(&proxy)?;
    let toxic = body::new_toxic(&body, |name| proxy.toxics.find(name).is_some())?;
    proxy.toxics.add(toxic.clone())?;
    Ok(Json(toxic))
}

async fn show(
    State(shared): State<Shared>,
    Path((proxy, toxic)): Path<(String, String)>,
) -> Result<Json<Toxic>, Failed> {
    let mut collection = shared.lock().await;
    let found = collection.find(&proxy)?.toxics.find(&toxic);
    found.map(Json).ok_or(Failed::NoToxic)
}

/// PATCH, and POST as before Toxiproxy 2.6.
async fn change(
    State(shared): State<Shared>,
    Path((proxy, name)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Toxic>, Failed> {
    let mut collection = shared.lock().await;
    let toxics = &collection.find(&proxy)?.toxics;
    let toxic = toxics.find(&name).ok_or(Failed::NoToxic)?;
    let changed = body::changed_toxic(&body, &toxic)?;
    toxics.update(&name, |toxic| *toxic = changed.clone());
    Ok(Json(changed))
}

async fn delete(
    State(shared): State<Shared>,
    Path((proxy, name)): Path<(String, String)>,
) -> Result<StatusCode, Failed> {
    let mut collection = shared.lock().await;
    let toxics = &collection.find(&proxy)?.toxics;
    let removed = toxics.remove(|toxic| toxic.name == name);
    removed
        .then_some(StatusCode::NO_CONTENT)
        .ok_or(Failed::NoToxic)
}
