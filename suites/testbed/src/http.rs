//! One HTTP request with a deadline: readiness, admin calls.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest body of an answer; a server may never end it.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The server's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// Whether the server did what it was asked for.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// There was no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{method} http://{addr}{path}: {why}")]
pub struct Error {
    method: Method,
    addr: SocketAddr,
    path: String,
    why: String,
}

/// Asks for `path`.
///
/// # Errors
/// When there is no answer in time.
pub async fn get(addr: SocketAddr, path: &str, within: Duration) -> Result<Answer, Error> {
    call(Method::GET, addr, path, String::new(), within).await
}

/// Puts a JSON body to `path`.
///
/// # Errors
/// When there is no answer in time.
pub async fn put(
    addr: SocketAddr,
    path: &str,
    body: String,
    within: Duration,
) -> Result<Answer, Error> {
    call(Method::PUT, addr, path, body, within).await
}

/// Posts a JSON body to `path`; it may be empty.
///
/// # Errors
/// When there is no answer in time.
pub async fn post(
    addr: SocketAddr,
    path: &str,
    body: String,
    within: Duration,
) -> Result<Answer, Error> {
    call(Method::POST, addr, path, body, within).await
}

/// Sends PATCH with a JSON body to `path`.
///
/// # Errors
/// When there is no answer in time.
pub async fn patch(
    addr: SocketAddr,
    path: &str,
    body: String,
    within: Duration,
) -> Result<Answer, Error> {
    call(Method::PATCH, addr, path, body, within).await
}

/// Sends DELETE to `path`.
///
/// # Errors
/// When there is no answer in time.
pub async fn delete(addr: SocketAddr, path: &str, within: Duration) -> Result<Answer, Error> {
    call(Method::DELETE, addr, path, String::new(), within).await
}

async fn call(
    method: Method,
    addr: SocketAddr,
    path: &str,
    body: String,
    within: Duration,
) -> Result<Answer, Error> {
    let failed = |why: String| Error {
        method: method.clone(),
        addr,
        path: path.to_owned(),
        why,
    };
    match timeout(within, exchange(&method, addr, path, body)).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => Err(failed(format!(
            "no answer within {} ms",
            within.as_millis()
        ))),
    }
}

async fn exchange(
    method: &Method,
    addr: SocketAddr,
    path: &str,
    body: String,
) -> Result<Answer, String> {
    let text = |why: &dyn std::fmt::Display| why.to_string();
    let stream = TcpStream::connect(addr).await.map_err(|why| text(&why))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|why| text(&why))?;
    let connection = tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", addr.to_string())
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|why| text(&why))?;
    let response = sender.send_request(request).await;
    let response = response.map_err(|why| text(&why))?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), BODY_BYTES_MAX);
    let body = body.collect().await;
    // Also if the body is incomplete.
    connection.abort();
    let body = body.map_err(|why| text(&why))?.to_bytes();
    Ok(Answer {
        status,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
