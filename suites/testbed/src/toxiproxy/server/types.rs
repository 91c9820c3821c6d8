//! `/toxics`: all types of toxics with their attributes, for clients to discover. Toxiproxy has no such route.

use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;

use super::Shared;
use crate::fault::{Default, Parameter, Row, Stream, ToxicKind, Unit};

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/toxics", get(list))
}

/// One type of toxic.
#[derive(Debug, Serialize)]
struct Type {
    #[serde(rename = "type")]
    name: &'static str,
    summary: &'static str,
    /// The directions that it works on.
    streams: Vec<Stream>,
    attributes: Vec<Attribute>,
}

/// One attribute of a toxic.
#[derive(Debug, Serialize)]
struct Attribute {
    name: &'static str,
    /// `number` or `string`.
    #[serde(rename = "type")]
    kind: &'static str,
    unit: &'static str,
    default: serde_json::Value,
    /// All values, if it is a choice of words.
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<&'static [&'static str]>,
}

async fn list() -> Json<Vec<Type>> {
    Json(ToxicKind::rows().into_iter().map(Type::of).collect())
}

impl Type {
    fn of(row: &Row) -> Self {
        let mut streams = vec![Stream::Downstream];
        if row.selection.is_empty() {
            streams.push(Stream::Upstream);
        }
        Self {
            name: row.name,
            summary: row.summary,
            streams,
            attributes: row.all_parameters().map(Attribute::of).collect(),
        }
    }
}

impl Attribute {
    fn of(parameter: &Parameter) -> Self {
        let (kind, default) = match parameter.default {
            Default::Number(number) => ("number", number.into()),
            Default::Text(text) => ("string", text.into()),
        };
        let choices = match parameter.unit {
            Unit::Choice(words) => Some(words),
            _ => None,
        };
        Self {
            name: parameter.name,
            kind,
            unit: parameter.unit.name(),
            default,
            choices,
        }
    }
}
