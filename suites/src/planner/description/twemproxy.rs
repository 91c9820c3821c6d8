//! Twemproxy's file: pools of servers by name. Names of servers are hashed as they are written, and nothing is resolved.
//!
//! Source: nutcracker 0.5.0 `src/nc_conf.c`, `notes/recommendation.md`. Settings that place nothing are left to twemproxy.

use std::collections::BTreeMap;

use ::refproxy::config::yaml;
use ::refproxy::hash::{Digest, TagRule};
use ::refproxy::placement::{Cluster, Node, Policy};
use serde::Deserialize;
use serde_json::Value;
use serde_saphyr::Spanned;

use super::{Described, Error, Hints, Why, described, pick, place};

/// The settings of a pool that decide where keys are.
#[derive(Debug, Deserialize)]
struct Pool {
    hash: Option<String>,
    distribution: Option<String>,
    hash_tag: Option<String>,
    servers: Vec<Spanned<String>>,
}

/// Whether a file is one of pools.
pub(super) fn has_pools(top: &Value) -> bool {
    let pools = top
        .as_object()
        .into_iter()
        .flat_map(serde_json::Map::values);
    pools.into_iter().any(|pool| {
        pool.get("servers")
            .is_some_and(|servers| !servers.is_object())
    })
}

/// Reads the pool that is asked for, or the only one.
pub(super) fn read(text: &str, name: &str, hints: &Hints) -> Result<Described, Error> {
    let pools: BTreeMap<String, Spanned<Pool>> = yaml::parse(text, name)?;
    let pools: Vec<_> = pools.into_iter().collect();
    let pool = pick("pools", &pools, hints).map_err(|why| why.at(name))?;
    let at = place(name, pool);
    let pool = &pool.value;
    let wrong = |why: Why| why.at(at.clone());
    let nodes = pool
        .servers
        .iter()
        .map(|server| node(&server.value).map_err(|why| why.at(place(name, server))))
        .collect::<Result<Vec<Node>, Error>>()?;
    let mut cluster = Cluster::new(policy(pool).map_err(wrong)?, nodes);
    cluster.tags = tags(pool).map_err(wrong)?;
    let reach = cluster.nodes.iter().map(|node| node.address.clone());
    let reach = reach.collect();
    described(cluster, reach, at)
}

fn policy(pool: &Pool) -> Result<Policy, Why> {
    let digest = match pool.hash.as_deref() {
        None => Digest::Fnv1a64,
        Some(name) => Digest::named(name).ok_or_else(|| {
            let known: Vec<&str> = Digest::all().map(Digest::name).collect();
            let expected = format!("one of {} is expected", known.join(", "));
            Why::field(format!("hash `{name}`"), expected)
        })?,
    };
    match pool.distribution.as_deref() {
        None | Some("ketama") => Ok(Policy::Ketama { digest }),
        Some("modula") => Ok(Policy::Modula { digest }),
        Some("random") => Err(Why::Scatters("distribution random".to_owned())),
        Some(other) => {
            let expected = "ketama, modula or random is expected";
            Err(Why::field(format!("distribution `{other}`"), expected))
        }
    }
}

fn tags(pool: &Pool) -> Result<TagRule, Why> {
    match pool.hash_tag.as_deref().map(str::as_bytes) {
        None => Ok(TagRule::WholeKey),
        Some([open, close]) => Ok(TagRule::Between(*open, *close)),
        Some(other) => {
            let field = format!("hash_tag `{}`", String::from_utf8_lossy(other));
            Err(Why::field(field, "two characters are expected"))
        }
    }
}

/// `HOST:PORT:WEIGHT [NAME]` or `/PATH:WEIGHT [NAME]`.
fn node(server: &str) -> Result<Node, Why> {
    let wrong = || {
        let expected = "HOST:PORT:WEIGHT or /PATH:WEIGHT is expected, and perhaps a name behind it";
        Why::field(format!("server `{server}`"), expected)
    };
    let (place, name) = match server.rsplit_once(' ') {
        Some((place, name)) => (place.trim_end(), Some(name.to_owned())),
        None => (server, None),
    };
    let (address, weight) = place.rsplit_once(':').ok_or_else(wrong)?;
    let weight = weight.parse().map_err(|_| wrong())?;
    let is_path = address.starts_with('/');
    let is_address = address.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    if !is_path && !is_address {
        return Err(wrong());
    }
    Ok(Node {
        weight,
        hash_key: name.clone(),
        name,
        ..Node::at(address)
    })
}
