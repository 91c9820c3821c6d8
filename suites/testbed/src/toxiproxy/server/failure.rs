//! Refusals: Toxiproxy's texts and status codes.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::super::api::Failure;
use crate::link;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// The body does not fit the call.
    #[error("bad request body: {0}")]
    Body(String),
    /// The body lacks something.
    #[error("missing required field: {0}")]
    Field(String),
    /// No such proxy.
    #[error("proxy not found")]
    NoProxy,
    /// The name of a new proxy is taken.
    #[error("proxy already exists")]
    ProxyExists,
    /// No such direction.
    #[error(transparent)]
    Stream(#[from] crate::fault::UnknownStream),
    /// No such toxic type.
    #[error("invalid toxic type")]
    ToxicType,
    /// The name of a new toxic is taken.
    #[error("toxic already exists")]
    ToxicExists,
    /// No such toxic.
    #[error("toxic not found")]
    NoToxic,
    /// The proxy cannot listen.
    #[error("{0}")]
    Listen(String),
}

impl Failed {
    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        let status = match self {
            Self::Body(_) | Self::Field(_) | Self::Stream(_) | Self::ToxicType => {
                StatusCode::BAD_REQUEST
            }
            Self::NoProxy | Self::NoToxic => StatusCode::NOT_FOUND,
            Self::ProxyExists | Self::ToxicExists => StatusCode::CONFLICT,
            Self::Listen(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        status.as_u16()
    }

    pub(super) fn body(&self) -> Failure {
        Failure {
            message: self.to_string(),
            status: self.status(),
        }
    }

    pub(super) fn code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl From<link::Taken> for Failed {
    fn from(_: link::Taken) -> Self {
        Self::ToxicExists
    }
}

impl From<link::Error> for Failed {
    fn from(why: link::Error) -> Self {
        Self::Listen(why.to_string())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (self.code(), Json(self.body())).into_response()
    }
}
