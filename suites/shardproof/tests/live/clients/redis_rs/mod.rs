//! redis-rs: the synchronous client and the one for tokio, in both protocols.

mod sync;
mod tasks;

use std::fmt::Debug;
use std::time::Duration;

use libtest_mimic::Failed;
use redis::RedisError;

use crate::clients::site::Site;
use crate::clients::{Client, named};

/// Its own time limits are none at all, and half a second: too short for a loaded machine.
const TIME_LIMIT: Duration = Duration::from_secs(20);
/// The end of a URL that asks for it.
const RESP3: &str = "?protocol=resp3";

pub(crate) fn client() -> Client {
    Client {
        name: "redis-rs",
        package: "redis-rs",
        missing: None,
        workloads: named(&[
            ("values", |site| sync::values(site, "")),
            ("values-in-resp3", |site| sync::values(site, RESP3)),
            ("pipelines", sync::pipelines),
            ("transactions", sync::transactions),
            ("scan", sync::scan),
            ("refusals", sync::refusals),
            ("node-down", sync::node_down),
            ("tokio", |site| tasks::work(site, "", 2)),
            ("tokio-resp3", |site| tasks::work(site, RESP3, 3)),
        ]),
    }
}

fn opened(site: &Site, options: &str) -> Result<redis::Client, Failed> {
    let url = format!("redis://{}/0{options}", site.addr());
    Ok(redis::Client::open(url)?)
}

fn expect<T: PartialEq + Debug>(step: &str, got: T, wanted: T) -> Result<(), Failed> {
    if got == wanted {
        return Ok(());
    }
    Err(format!("{step}: expected {wanted:?}, got {got:?}").into())
}

/// The step ended in an error with this code and text.
fn refused<T: Debug>(
    step: &str,
    got: Result<T, RedisError>,
    code: &str,
    text: &str,
) -> Result<(), Failed> {
    match got {
        Err(error) if error.code() == Some(code) && error.to_string().contains(text) => Ok(()),
        other => Err(format!("{step}: expected {code} with \"{text}\", got {other:?}").into()),
    }
}
