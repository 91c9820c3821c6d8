//! Acknowledged keys as each of several proxies finds them in the end.
//!
//! Proxies whose lists of nodes differ ask different nodes for some keys. Such a key is one register per node: a proxy
//! finds the values that were written through those that ask the same node.

use std::collections::BTreeMap;

use super::keys::{by_key, is_nil, lasts};
use super::last::{Last, followed, value};
use super::operation::{Operation, operations};
use crate::history::History;
use crate::ledger::KeyOutcome;
use crate::observed::{Key, Observed, ProxyView};

/// An acknowledged key. All lists are parallel to the proxies.
pub(crate) struct KeyOnProxies {
    pub(crate) key: Key,
    /// The node that each proxy asks.
    pub(crate) asked: Vec<u16>,
    /// What each proxy finds, compared with the last write through any of them. None if its read failed.
    pub(crate) outcomes: Vec<Option<KeyOutcome>>,
    /// The same, compared with the last write through the proxies that ask the same node.
    pub(super) on_node: Vec<Option<KeyOutcome>>,
    /// The last writes of the key, as places in the history.
    pub(super) writes: Vec<usize>,
}

/// Writes that are shown for a key.
const SHOWN_WRITES: usize = 3;

impl KeyOnProxies {
    /// Whether the proxies ask different nodes.
    pub(crate) fn differs(&self) -> bool {
        differ(&self.asked)
    }
}

/// Every acknowledged key whose node is known for each proxy and lost nothing.
pub(crate) fn on_proxies(observed: &Observed) -> Vec<KeyOnProxies> {
    if observed.proxies.is_empty() {
        return Vec::new();
    }
    let operations = operations(&observed.history);
    let keys = by_key(&operations).into_iter();
    keys.filter_map(|(key, uses)| on_each(observed, key, &uses))
        .collect()
}

fn on_each(observed: &Observed, key: &[u8], uses: &[&Operation<'_>]) -> Option<KeyOnProxies> {
    let writes = || {
        let acknowledged = uses.iter().filter(|operation| operation.ok());
        acknowledged.filter(|operation| value(operation, key).is_some())
    };
    let register = uses.iter().all(|operation| followed(operation));
    if !register || writes().next().is_none() || !lasts(observed, key) {
        return None;
    }
    let asked = nodes(observed, key, |proxy| &proxy.owners)?;
    let all = Last::new(key, uses);
    let outcomes = observed.proxies.iter();
    let outcomes = outcomes.map(|proxy| outcome(observed, proxy, key, &all));
    let of_node = |(proxy, node): (&ProxyView, &u16)| {
        let asks_it =
            |operation: &&&Operation<'_>| asked.get(through(observed, operation)) == Some(node);
        let uses: Vec<&Operation<'_>> = uses.iter().filter(asks_it).copied().collect();
        let never_written = !uses.iter().any(|it| it.ok() && value(it, key).is_some());
        match outcome(observed, proxy, key, &Last::new(key, &uses)) {
            Some(KeyOutcome::Unreachable | KeyOutcome::Lost) if never_written => {
                Some(KeyOutcome::Found)
            }
            outcome => outcome,
        }
    };
    Some(KeyOnProxies {
        key: key.to_vec(),
        outcomes: outcomes.collect(),
        on_node: observed.proxies.iter().zip(&asked).map(of_node).collect(),
        writes: {
            let last = uses
                .iter()
                .rev()
                .filter(|operation| value(operation, key).is_some());
            last.take(SHOWN_WRITES)
                .flat_map(|operation| operation.records())
                .collect()
        },
        asked,
    })
}

/// The place of the proxy that a request was sent through.
fn through(observed: &Observed, operation: &Operation<'_>) -> usize {
    let session = observed.sessions.get(&operation.session);
    session.map_or(0, |session| session.proxy.into())
}

fn outcome(
    observed: &Observed,
    proxy: &ProxyView,
    key: &[u8],
    last: &Last<'_, '_>,
) -> Option<KeyOutcome> {
    let read = proxy.reads.get(key)?;
    let held = observed
        .contents
        .get(key)
        .is_some_and(|copies| !copies.is_empty());
    Some(match is_nil(read) {
        true if last.may_be_missing() => KeyOutcome::Found,
        true if held => KeyOutcome::Unreachable,
        true => KeyOutcome::Lost,
        false => last.outcome(read),
    })
}

/// The node of a key for each proxy, if all are known.
pub(super) fn nodes(
    observed: &Observed,
    key: &[u8],
    of: impl Fn(&ProxyView) -> &BTreeMap<Key, u16>,
) -> Option<Vec<u16>> {
    let proxies = observed.proxies.iter();
    proxies.map(|proxy| of(proxy).get(key).copied()).collect()
}

pub(super) fn differ(nodes: &[u16]) -> bool {
    nodes.windows(2).any(|pair| pair[0] != pair[1])
}

/// Renames each key that the lists of nodes give to different nodes, in the requests through each proxy, so that it is
/// one register per node.
pub(super) fn name_by_node(observed: &Observed, history: &mut History) {
    let keys = observed.owners.keys();
    let expected = |key: &Key| {
        let nodes = nodes(observed, key, |proxy| &proxy.predicted)?;
        differ(&nodes).then(|| (key.clone(), nodes))
    };
    let expected: BTreeMap<Key, Vec<u16>> = keys.filter_map(expected).collect();
    if expected.is_empty() {
        return;
    }
    for record in &mut history.records {
        let session = observed.sessions.get(&record.session);
        let proxy = session.map_or(0, |session| usize::from(session.proxy));
        for word in record.request.iter_mut().skip(1) {
            if let Some(node) = expected.get(word).and_then(|nodes| nodes.get(proxy)) {
                word.extend_from_slice(format!(" on node {node}").as_bytes());
            }
        }
    }
}
