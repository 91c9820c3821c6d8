//! The names of nodes that a proxy may hash.

use std::collections::HashSet;

use placement::{Node, Policy};

use super::query::{Known, Query};

/// Which of a node's names is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// The address that the proxy was configured with.
    Seen,
    /// The name given by the user.
    Given,
    /// The address at which the node is reached: the resolved host name.
    Reached,
    /// The host without its port.
    Host,
}

impl Naming {
    /// Each that these nodes can have and that differs from those before it.
    pub(super) fn possible(question: &Query) -> Vec<Self> {
        let mut known: Vec<Vec<String>> = Vec::new();
        let mut possible = Vec::new();
        for naming in [Self::Seen, Self::Given, Self::Reached, Self::Host] {
            let texts: Option<Vec<String>> = question
                .nodes
                .iter()
                .map(|node| naming.text(node))
                .collect();
            let Some(texts) = texts else { continue };
            let distinct = texts.iter().collect::<HashSet<_>>().len() == texts.len();
            if distinct && !known.contains(&texts) {
                known.push(texts);
                possible.push(naming);
            }
        }
        possible
    }

    /// The name of a node, if it has one.
    pub(super) fn text(self, node: &Known) -> Option<String> {
        match self {
            Self::Seen => Some(node.seen.clone()),
            Self::Given => node.name.clone(),
            Self::Reached => Some(node.reached.clone()),
            Self::Host => Some(host(&node.seen).to_owned()),
        }
    }

    /// `node` as a cluster under `policy` describes it, so that this name is hashed.
    pub(super) fn node(self, node: &Known, policy: &Policy) -> Node {
        let mut described = Node::at(match self {
            Self::Reached => &node.reached,
            Self::Seen | Self::Given | Self::Host => &node.seen,
        });
        match self {
            Self::Seen | Self::Reached => {}
            Self::Given => {
                described.name.clone_from(&node.name);
                described.hash_key.clone_from(&node.name);
            }
            Self::Host if policy.supports_hostnames() => {
                described.hostname = Some(host(&node.seen).to_owned());
            }
            Self::Host => described.hash_key = Some(host(&node.seen).to_owned()),
        }
        described
    }

    /// Its description for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seen => "addresses as the proxy sees them",
            Self::Given => "the given names",
            Self::Reached => "addresses as they are reached",
            Self::Host => "hosts without ports",
        }
    }
}

fn host(address: &str) -> &str {
    address.rsplit_once(':').map_or(address, |(host, _)| host)
}
