//! `/metrics`: Toxiproxy's byte counters in Prometheus' text format.

use std::fmt::Write;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

use super::Shared;
use super::proxy::Proxy;
use crate::fault::Stream;
use crate::link::Traffic;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/metrics", get(metrics))
}

async fn metrics(State(shared): State<Shared>) -> impl IntoResponse {
    let collection = shared.lock().await;
    let proxies: Vec<&Proxy> = collection.all().collect();
    let text = counter("received", &proxies, Traffic::received)
        + &counter("sent", &proxies, Traffic::sent);
    ([(CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

/// Unlike Toxiproxy's, which count when a connection ends, these grow while bytes flow.
fn counter(what: &str, proxies: &[&Proxy], count: fn(&Traffic, Stream) -> u64) -> String {
    let name = format!("toxiproxy_proxy_{what}_bytes_total");
    let mut text = format!("# TYPE {name} counter\n");
    for proxy in proxies {
        let shown = proxy.shown();
        for stream in [Stream::Upstream, Stream::Downstream] {
            // Writing to a String never fails.
            let _ = writeln!(
                text,
                "{name}{{direction=\"{stream}\",listener=\"{}\",proxy=\"{}\",upstream=\"{}\"}} {}",
                escaped(&shown.listen),
                escaped(&shown.name),
                escaped(&shown.upstream),
                count(&proxy.traffic, stream),
            );
        }
    }
    text
}

fn escaped(label: &str) -> String {
    label
        .replace('\\', r"\\")
        .replace('"', "\\\"")
        .replace('\n', r"\n")
}
