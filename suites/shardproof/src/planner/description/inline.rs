//! A cluster in one word of a command line: `POLICY[/SETTING=VALUE]...:NODE,NODE...`.
//!
//! A setting is one of refproxy's file (`table_size`, `minimum_ring_size`, `hash`, `hash_tags`...); without a value it is
//! on. A node is `ADDR[=SEEN][*WEIGHT]`: `ring_hash/hash_tags:10.0.0.1:6379*2,127.0.0.1:7002=10.0.0.2:6379`.

use ::placement::file::ClusterFile;
use ::placement::{Node, Policy};
use serde_json::{Map, Value, json};

use super::{Described, Error, Hints, Unread, Why, check_address, refproxy};

/// Whether `text` begins like a description in one word, rather than like the path of a file.
#[must_use]
pub fn is_inline(text: &str) -> bool {
    let name = text.split(['/', ':']).next().unwrap_or_default();
    name.len() < text.len() && Policy::named(name).is_some()
}

/// Reads a description in one word.
///
/// # Errors
/// The error, and the expected text.
pub fn inline(text: &str, hints: &Hints) -> Result<Described, Error> {
    check_address(text).map_err(|why| Why::from(why).at("description"))?;
    let Some((head, nodes)) = text.split_once(':') else {
        let expected = "expected POLICY:NODE,NODE...";
        return Err(Why::field("nodes", expected).at(text));
    };
    let mut settings = head.split('/');
    let policy = settings.next().unwrap_or_default();
    let mut file = Map::from_iter([("policy".to_owned(), json!(policy))]);
    for setting in settings {
        let (name, value) = setting.split_once('=').unwrap_or((setting, "true"));
        file.insert(name.to_owned(), typed(value));
    }
    // One word does not set hash tags unless it names them.
    if let Some(on) = hints.hash_tags {
        file.entry("hash_tags").or_insert(json!(on));
    }
    let nodes = nodes.split(',').filter(|node| !node.is_empty());
    let (seen, reach): (Vec<Value>, Vec<String>) = nodes
        .map(|text| place(text, hints))
        .collect::<Result<Vec<_>, Why>>()
        .map_err(|why| why.at(text))?
        .into_iter()
        .unzip();
    file.insert("nodes".to_owned(), Value::Array(seen));
    let file: ClusterFile = serde_json::from_value(Value::Object(file))
        .map_err(|error| Unread(format!("{text}: {error}")))?;
    let described = refproxy::check(file, text, hints)?;
    Ok(Described { reach, ..described })
}

/// Reads one node of such a description, and the address to connect to.
///
/// # Errors
/// The error.
pub fn node(text: &str, hints: &Hints) -> Result<(Node, String), Error> {
    // It is checked as the only node of a cluster that takes any.
    let alone = format!("{}:{text}", Policy::Rendezvous.name());
    let hints = Hints {
        hash_tags: None,
        ..hints.clone()
    };
    let described = inline(&alone, &hints)?;
    let nodes = described.cluster.nodes.into_iter().zip(described.reach);
    let mut nodes: Vec<_> = nodes.collect();
    match (nodes.pop(), nodes.is_empty()) {
        (Some(node), true) => Ok(node),
        _ => Err(Why::field("node", "expected one").at(text)),
    }
}

/// A number, yes, no or a word, as in YAML.
fn typed(value: &str) -> Value {
    match serde_json::from_str(value) {
        Ok(value @ (Value::Number(_) | Value::Bool(_))) => value,
        _ => Value::String(value.to_owned()),
    }
}

/// A node as in refproxy's file, and the address at which we reach it.
fn place(text: &str, hints: &Hints) -> Result<(Value, String), Why> {
    let wrong = |expected: &str| Why::field(format!("node `{text}`"), expected);
    let (places, weight) = match text.split_once('*') {
        None => (text, 1),
        Some((places, weight)) => match weight.parse::<u32>() {
            Ok(weight) => (places, weight),
            Err(_) => return Err(wrong("expected a whole number after *")),
        },
    };
    let (reach, seen) = places.split_once('=').unwrap_or((places, places));
    if reach.is_empty() {
        return Err(wrong("expected an address before ="));
    }
    let address = resolved(seen, hints);
    Ok((
        json!({"address": address, "weight": weight}),
        reach.to_owned(),
    ))
}

/// The address as the proxy resolves it, if a hint gives its host.
fn resolved(address: &str, hints: &Hints) -> String {
    let Some((host, port)) = address.rsplit_once(':') else {
        return address.to_owned();
    };
    match hints.addresses(host).next() {
        Some(ip) if ip.is_ipv6() => format!("[{ip}]:{port}"),
        Some(ip) => format!("{ip}:{port}"),
        None => address.to_owned(),
    }
}
