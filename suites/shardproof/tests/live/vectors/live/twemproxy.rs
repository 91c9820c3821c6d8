//! Configurations of twemproxy.

use placement::hash::Digest;
use proptest::prelude::*;
use serde::Serialize;

use super::{rendered, some_addresses, weight};

#[derive(Debug, Clone, Serialize)]
struct Draw {
    distribution: &'static str,
    hash: &'static str,
    hash_tag: Option<&'static str>,
    /// `host:port:weight` and perhaps a name.
    servers: Vec<String>,
}

pub(super) fn texts() -> BoxedStrategy<String> {
    let hashes: Vec<&str> = Digest::all().map(Digest::name).collect();
    let draws = (
        prop::sample::select(vec!["ketama", "modula"]),
        prop::sample::select(hashes),
        prop::sample::select(vec![None, Some("{}"), Some("$$")]),
        servers(),
    );
    draws
        .prop_map(|(distribution, hash, hash_tag, servers)| {
            let draw = Draw {
                distribution,
                hash,
                hash_tag,
                servers,
            };
            rendered(include_str!("twemproxy.yaml.j2"), &draw)
        })
        .boxed()
}

fn servers() -> impl Strategy<Value = Vec<String>> {
    let extras = prop::collection::vec((weight(), prop::option::of("[a-z]{1,3}")), 9);
    (some_addresses(), extras).prop_map(|(addresses, extras)| {
        let servers = addresses.into_iter().zip(extras).enumerate();
        let lines = servers.map(|(place, (address, (weight, name)))| match name {
            // With its place, because names must be unique.
            Some(name) => format!("{address}:{weight} {name}{place}"),
            None => format!("{address}:{weight}"),
        });
        lines.collect()
    })
}
