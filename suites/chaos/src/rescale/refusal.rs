//! Requests that a sharding proxy has to refuse, judged from both sides: a clear error, and no node asked.

use std::net::SocketAddr;
use std::time::Duration;

use serde::Serialize;

use testbed::client::{Client, Error};
use testbed::link::{Tap, What};
use testbed::wire::Value;

/// The proxy refuses without asking a node, so the nodes do not delay it.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// Outcome of a request that must be refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The request.
    pub request: String,
    /// The reply that the client got.
    pub answer: String,
    /// Whether that is an error.
    pub refused: bool,
    /// Whether the connection serves on.
    pub serves_on: bool,
    /// How often nodes were asked with this command.
    pub asked: usize,
}

impl Refusal {
    /// Whether it is correct: an error, by the proxy itself, without effect on other requests.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        self.refused && self.serves_on && self.asked == 0
    }
}

/// Sends each request on a connection of its own.
pub(super) async fn ask(
    proxy: SocketAddr,
    tap: &Tap,
    requests: &[Vec<String>],
) -> Result<Vec<Refusal>, Error> {
    let recorded = tap.is_paused();
    tap.set_paused(false);
    let mut refusals = Vec::with_capacity(requests.len());
    for request in requests {
        refusals.push(ask_one(proxy, tap, request).await?);
    }
    tap.set_paused(recorded);
    tap.forget();
    Ok(refusals)
}

async fn ask_one(proxy: SocketAddr, tap: &Tap, request: &[String]) -> Result<Refusal, Error> {
    let mark = tap.mark();
    let mut client = Client::connect(proxy, ANSWERED_WITHIN).await?;
    let answer = client.call(request, ANSWERED_WITHIN).await;
    let pong = client.call(&["PING"], ANSWERED_WITHIN).await;
    let command = request.first().map(String::as_bytes).unwrap_or_default();
    let asks = |what: &What| matches!(what, What::Asked(words) if words.first().is_some_and(|word| word.eq_ignore_ascii_case(command)));
    Ok(Refusal {
        request: request.join(" "),
        refused: matches!(answer, Ok(Value::Error(_))),
        answer: match answer {
            Ok(value) => value.to_string(),
            Err(why) => why.to_string(),
        },
        serves_on: matches!(pong, Ok(Value::Simple(pong)) if pong == b"PONG"),
        asked: tap
            .since(mark)
            .iter()
            .filter(|event| asks(&event.what))
            .count(),
    })
}
