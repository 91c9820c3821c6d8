//! What each of several proxies finds in the end.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::law::{KeyOnProxies, on_proxies};
use crate::ledger::{KeyOutcome, Tally};
use crate::observed::{Observed, ProxyView, Subject};
use testbed::wire::quoted;

/// Acknowledged keys as several proxies find them, each compared with the last write through any of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProxiesReport {
    /// Acknowledged keys.
    pub keys: usize,
    /// Each proxy.
    pub proxies: Vec<ProxyKeys>,
    /// The keys that proxies ask different nodes for.
    pub differing: Vec<DifferingKey>,
    /// How many of these were to be expected from the lists of nodes. None if the lists are not known.
    pub predicted: Option<usize>,
}

/// The keys as one proxy finds them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProxyKeys {
    /// Its address.
    pub proxy: String,
    /// The letters of the nodes that it asks.
    pub nodes: Vec<String>,
    /// Number of keys by outcome.
    pub found: Tally,
}

/// A key that proxies ask different nodes for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DifferingKey {
    /// The key.
    pub key: String,
    /// For each proxy the letter of the node that it asks.
    pub nodes: Vec<String>,
    /// For each proxy what it finds.
    pub outcomes: Vec<KeyOutcome>,
}

impl ProxiesReport {
    /// None if there is one proxy.
    pub(super) fn new(observed: &Observed) -> Option<Self> {
        let keys = on_proxies(observed);
        let proxies = observed.proxies.iter().enumerate().map(|(place, proxy)| {
            let outcomes = keys.iter().map(|key| outcome(key, place));
            ProxyKeys {
                proxy: proxy.addr.clone(),
                nodes: asked(proxy),
                found: outcomes.collect(),
            }
        });
        (!observed.proxies.is_empty()).then(|| Self {
            keys: keys.len(),
            proxies: proxies.collect(),
            differing: keys
                .iter()
                .filter(|key| key.differs())
                .map(differing)
                .collect(),
            predicted: predicted(observed, &keys),
        })
    }

    /// A summary, one sentence per line: first the keys with several nodes, then each proxy.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let (keys, differing) = (self.keys, self.differing.len());
        let as_predicted = match self.predicted {
            Some(predicted) => format!(" ({predicted} predicted from the lists of nodes)"),
            None => String::new(),
        };
        let mut lines = vec![format!(
            "{differing} of {keys} keys have different nodes for different proxies{as_predicted}"
        )];
        lines.extend(self.proxies.iter().map(|proxy| {
            let found = &proxy.found;
            format!(
                "through {} over nodes {}: {} found, {} stale, {} unreachable, {} lost, {} wrong, {} failed",
                proxy.proxy, proxy.nodes.join(" "), found.found, found.stale, found.unreachable, found.lost, found.wrong, found.failed
            )
        }));
        lines
    }
}

impl DifferingKey {
    /// One line: what each proxy asks, and finds.
    #[must_use]
    pub fn line(&self, proxies: &[ProxyKeys]) -> String {
        let each = proxies.iter().zip(self.nodes.iter().zip(&self.outcomes));
        let each = each.map(|(proxy, (node, outcome))| {
            format!("{} asks {node}: {}", proxy.proxy, outcome.name())
        });
        format!("{}: {}", self.key, each.collect::<Vec<_>>().join(", "))
    }
}

/// The nodes that a proxy asks.
fn asked(proxy: &ProxyView) -> Vec<String> {
    let nodes: BTreeSet<u16> = proxy.owners.values().copied().collect();
    let nodes = nodes.into_iter().map(Subject::Node);
    nodes.map(|node| node.to_string()).collect()
}

fn outcome(key: &KeyOnProxies, place: usize) -> KeyOutcome {
    key.outcomes[place].unwrap_or(KeyOutcome::Failed)
}

fn differing(key: &KeyOnProxies) -> DifferingKey {
    let nodes = key
        .asked
        .iter()
        .map(|node| Subject::Node(*node).to_string());
    DifferingKey {
        key: quoted(&key.key),
        nodes: nodes.collect(),
        outcomes: (0..key.asked.len())
            .map(|place| outcome(key, place))
            .collect(),
    }
}

/// The keys that the lists of nodes give to different nodes.
fn predicted(observed: &Observed, keys: &[KeyOnProxies]) -> Option<usize> {
    let nodes = |key: &KeyOnProxies| {
        let proxies = observed.proxies.iter();
        let nodes = proxies.map(|proxy| proxy.predicted.get(&key.key));
        nodes.collect::<Option<Vec<&u16>>>()
    };
    let nodes: Option<Vec<_>> = keys.iter().map(nodes).collect();
    let differ = |nodes: &&Vec<&u16>| nodes.iter().any(|node| *node != nodes[0]);
    Some(nodes?.iter().filter(differ).count())
}
