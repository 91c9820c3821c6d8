//! One test per case on a proxy in the process of the test: `cargo run --example in_process -- multi-key`.
//!
//! In a package of your own, this is `tests/conformance.rs` of a `[[test]]` with `harness = false`.

#[path = "small_proxy/bug.rs"]
mod bug;
#[path = "small_proxy/proxy.rs"]
mod proxy;

use std::env;
use std::time::Duration;

use shardproof::harness::{Setting, Suite};

shardproof::harness!(
    Suite::in_process("small-proxy", async |listen, setting: Setting| {
        let bug = env::var("SMALL_PROXY_BUG").ok();
        let bug = bug.as_deref().and_then(bug::named);
        let time_limit = Duration::from_millis(setting.op_timeout_ms);
        proxy::serve(listen, &setting.nodes, time_limit, bug).await
    })
    .claims(&[
        "inline",
        "ping-local",
        "split-del",
        "split-mget",
        "split-mset"
    ])
    .known("framing/inline-quotes", "quotes are part of the word")
);
