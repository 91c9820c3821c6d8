//! Where one key is, and why: its hashed part, its digest, its node.

use schemars::JsonSchema;
use serde::Serialize;

use super::Placement;
use super::description::Described;

/// The format of the JSON lines.
const FORMAT: &str = "shardproof.location/1";

/// Where a key is placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Located<'a> {
    /// The key.
    pub key: &'a [u8],
    /// The bytes of it that are hashed.
    pub hashed: &'a [u8],
    /// The digest.
    pub digest: u64,
    /// The place of its node in the cluster; `None` if the proxy sends the key to another cluster, or to none.
    pub index: Option<usize>,
    /// The address of its node as the proxy sees it.
    pub node: Option<&'a str>,
}

impl<'a> Located<'a> {
    /// Places `key`.
    #[must_use]
    pub fn new(described: &'a Described, placement: &Placement, key: &'a [u8]) -> Self {
        let digest = placement.digest(key);
        let is_here = described.routing.takes(key);
        let index = is_here.then(|| placement.node_of_digest(digest).index());
        Self {
            key,
            hashed: placement.hashed_part(key),
            digest,
            index,
            node: index.map(|index| &*described.cluster.nodes[index].address),
        }
    }
}

/// Where a key was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen<'a> {
    /// The addresses of the nodes that have it; `None` if nodes were not asked.
    pub on: Option<Vec<&'a str>>,
    /// Whether the proxy finds it; `None` if it was not asked.
    pub by_proxy: Option<bool>,
}

impl Seen<'_> {
    /// Whether a node has the key and the proxy does not find it.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        let held = self.on.as_ref().is_some_and(|on| !on.is_empty());
        held && self.by_proxy == Some(false)
    }
}

/// Placement and location of one key, as one line of JSON.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Location<'a> {
    /// `shardproof.location/1`
    pub format: &'static str,
    /// The key in hexadecimal.
    pub key_hex: String,
    /// The hashed bytes of the key, in hexadecimal.
    pub hashed_hex: String,
    /// The digest.
    pub digest: u64,
    /// The digest in hexadecimal, for readers whose numbers are floats.
    pub digest_hex: String,
    /// Address of its node, as the proxy sees it; null if the proxy routes the key to another cluster or to none.
    pub node: Option<&'a str>,
    /// Index of its node in the cluster, from 0; null if it has none.
    pub index: Option<usize>,
    /// Addresses of the nodes that have it; omitted if nodes were not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_on: Option<Vec<&'a str>>,
    /// Whether the proxy finds it; omitted if the proxy was not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_by_proxy: Option<bool>,
}

impl<'a> Location<'a> {
    /// The line of a key.
    #[must_use]
    pub fn new(located: &Located<'a>, seen: &Seen<'a>) -> Self {
        Self {
            format: FORMAT,
            key_hex: hex(located.key),
            hashed_hex: hex(located.hashed),
            digest: located.digest,
            digest_hex: format!("{:x}", located.digest),
            node: located.node,
            index: located.index,
            found_on: seen.on.clone(),
            found_by_proxy: seen.by_proxy,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Located, Location, Seen};
    use crate::planner::Placement;
    use crate::planner::description::{Hints, inline};

    /// The digest is a vector of Envoy's own tests.
    #[test]
    fn a_key_is_located_with_its_tag_and_digest() {
        let text = "maglev/hash_tags:127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003";
        let described = inline(text, &Hints::default()).unwrap();
        let placement = Placement::new(&described.cluster).unwrap();
        let located = Located::new(&described, &placement, b"\xff{foo}bar");
        let seen = Seen {
            on: Some(vec!["127.0.0.1:7002"]),
            by_proxy: Some(false),
        };
        assert!(seen.is_unreachable() && !Seen::default().is_unreachable());
        let line = serde_json::to_string(&Location::new(&located, &seen)).unwrap();
        assert_eq!(
            line,
            "{\"format\":\"shardproof.location/1\",\"key_hex\":\"ff7b666f6f7d626172\",\"hashed_hex\":\"666f6f\",\
             \"digest\":9631199822919835226,\"digest_hex\":\"85a8e535edf11e5a\",\"node\":\"127.0.0.1:7001\",\"index\":0,\
             \"found_on\":[\"127.0.0.1:7002\"],\"found_by_proxy\":false}"
        );
    }
}
