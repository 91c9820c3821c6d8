//! Keys by their nodes before and after a change of the cluster.
//!
//! Learnt from two other proxies of the target, each started with one of the clusters. Never from the proxy under test:
//! cases may be about keys that it has not seen, and about changes that it does not make.

use std::collections::BTreeMap;

use super::keys::{self, PROBES, ROUNDS_MAX};
use super::{Error, Harness};
use crate::cases::case::Case;
use crate::cases::members::Members;
use crate::cases::word::{Variable, letter};

/// Rounds of probes at least, because starting two proxies takes longer than a few rounds: later cases need keys too.
const ROUNDS_MIN: usize = 6;

/// Time limit of the two proxies for one request: nothing is judged by it.
const OP_TIMEOUT_MS: u64 = 5_000;

/// Unused keys, by their nodes before and after the change.
type ByNodes = BTreeMap<(usize, usize), Vec<Vec<u8>>>;

/// Unused keys for each change from the usual cluster to another one.
#[derive(Debug, Default)]
pub(crate) struct Moved(BTreeMap<Members, ByNodes>);

impl Moved {
    /// An unused key that goes from one node to another, or stays, when the cluster changes to `to`.
    pub(crate) fn take(&mut self, to: &Members, nodes: (usize, usize)) -> Option<Vec<u8>> {
        self.0.get_mut(to)?.get_mut(&nodes)?.pop()
    }

    /// The first of the wanted numbers of keys that is not there.
    fn missing(
        &self,
        to: &Members,
        wanted: &BTreeMap<(usize, usize), usize>,
    ) -> Option<(usize, usize)> {
        let free = |nodes| {
            let of_change = self.0.get(to);
            of_change
                .and_then(|keys| keys.get(nodes))
                .map_or(0, Vec::len)
        };
        let mut missing = wanted.iter().filter(|(nodes, count)| free(nodes) < **count);
        missing.next().map(|(nodes, _)| *nodes)
    }
}

impl Harness {
    /// Finds the keys of a case whose place after its first change matters.
    pub(super) async fn fill_moved(&mut self, case: &Case) -> Result<(), Error> {
        let Some(to) = case.clusters().next() else {
            return Ok(());
        };
        let mut wanted = BTreeMap::new();
        for nodes in case.variables.iter().filter_map(nodes) {
            *wanted.entry(nodes).or_insert(0) += 1;
        }
        if self.moved.missing(to, &wanted).is_none() {
            return Ok(());
        }
        let Some(proxy) = &self.proxy else {
            return Ok(());
        };
        let before = proxy
            .start_another(self.links_of(&Members::usual())?, OP_TIMEOUT_MS)
            .await?;
        let after = proxy
            .start_another(self.links_of(to)?, OP_TIMEOUT_MS)
            .await?;
        let nodes = &self.environment.nodes;
        for round in 0..ROUNDS_MAX {
            if round >= ROUNDS_MIN && self.moved.missing(to, &wanted).is_none() {
                break;
            }
            let keys: Vec<Vec<u8>> = (0..PROBES).map(|_| self.pool.fresh()).collect();
            let from = keys::owners(before.addr().into(), nodes, &keys).await?;
            let into = keys::owners(after.addr().into(), nodes, &keys).await?;
            let free = self.moved.0.entry(to.clone()).or_default();
            for ((key, from), into) in keys.into_iter().zip(from).zip(into) {
                free.entry((from, into)).or_default().push(key);
            }
        }
        match self.moved.missing(to, &wanted) {
            None => Ok(()),
            Some((before, after)) => Err(Error::Keys(keys::Error::Unmoved {
                before: letter(before),
                after: letter(after),
                tried: ROUNDS_MAX * PROBES,
            })),
        }
    }
}

/// The nodes of a key before and after the change, if both matter.
fn nodes(variable: &Variable) -> Option<(usize, usize)> {
    variable.node.zip(variable.moved)
}
