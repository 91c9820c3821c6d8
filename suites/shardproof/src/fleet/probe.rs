//! Asks the proxy for keys, and compares its answers with the placement.

use super::connection::Connection;
use super::connections::Connections;
use super::report::{CopyState, KeyCopy, Probed};
use super::{Error, Fleet};
use testbed::endpoint::Endpoint;

/// Keys that are asked for before those that differ are asked for again, while the answers are fresh.
const BATCH: usize = 100;
/// Keys of each kind that are remembered as evidence for each node.
const REMEMBERED: usize = 200;

/// A connection to the proxy, and the keys that it finds.
pub(super) struct Probe {
    proxy: Connection,
    evidence: Evidence,
}

/// The keys that a proxy finds, with those that may prove which node it asks.
#[derive(Default)]
pub(super) struct Evidence {
    pub(super) probed: Probed,
    /// Kept keys that it finds: evidence unless a copy lies elsewhere.
    kept: Vec<Vec<u8>>,
    /// Keys whose node depends on the rule for hash tags.
    tagged: Vec<Vec<u8>>,
}

impl Probe {
    pub(super) async fn open(proxy: Endpoint) -> Result<Self, Error> {
        Ok(Self {
            proxy: Connection::open(&format!("the proxy at {proxy}"), proxy).await?,
            evidence: Evidence::default(),
        })
    }

    /// Asks for each key that was seen; copies are left out, because their keys are seen where they are kept. `nodes` is
    /// asked again where they differ.
    pub(super) async fn ask(
        &mut self,
        fleet: &Fleet,
        sightings: &[KeyCopy],
        nodes: &mut Connections,
    ) -> Result<(), Error> {
        let asked = |sighting: &&KeyCopy| {
            matches!(
                sighting.lies,
                CopyState::Kept | CopyState::Unreachable | CopyState::Conflict
            )
        };
        let asked: Vec<&KeyCopy> = sightings.iter().filter(asked).collect();
        for batch in asked.chunks(BATCH) {
            let keys: Vec<&[u8]> = batch.iter().map(|seen| seen.key.as_slice()).collect();
            let found = self.proxy.exist(&keys).await?;
            for (seen, found) in batch.iter().zip(found) {
                let agrees = found == (seen.lies == CopyState::Kept)
                    || self.agrees(&seen.key, nodes.to(seen.right).await?).await?;
                if agrees {
                    self.evidence.agrees(seen, found, fleet);
                } else {
                    self.differs(seen, fleet);
                }
            }
        }
        Ok(())
    }

    /// Asks again, because keys change: proxy and node differ only if the node answers the same before and after.
    async fn agrees(&mut self, key: &[u8], right: &mut Connection) -> Result<bool, Error> {
        let before = right.exist(&[key]).await?;
        let found = self.proxy.exist(&[key]).await?;
        let after = right.exist(&[key]).await?;
        Ok(found == after || before != after)
    }

    fn differs(&mut self, seen: &KeyCopy, fleet: &Fleet) {
        let (lies, proxy) = match seen.lies {
            CopyState::Kept => ("is", "does not find it"),
            _ => ("is missing", "finds it"),
        };
        self.evidence.probed.differs(format!(
            "{}: {lies} on {}, where it is placed, and the proxy {proxy}",
            seen.key.escape_ascii(),
            fleet.members()[seen.right].seen,
        ));
    }

    pub(super) fn done(self) -> Evidence {
        self.evidence
    }
}

impl Evidence {
    fn agrees(&mut self, seen: &KeyCopy, found: bool, fleet: &Fleet) {
        self.probed.agree += 1;
        let mut others = fleet.by_other_tags(&seen.key).peekable();
        let depends = others.peek().is_some();
        self.probed.tagged += u64::from(depends);
        if seen.lies == CopyState::Kept && found {
            remember(&mut self.kept, &seen.key);
            if depends {
                remember(&mut self.tagged, &seen.key);
            }
        } else if depends && !found && others.all(|other| other == seen.on) {
            // By another rule the proxy would ask the node where the key lies, and find it.
            self.probed.tagged_shown += 1;
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.probed.add(other.probed);
        self.kept.extend(other.kept);
        self.tagged.extend(other.tagged);
    }

    /// The result, when all keys with copies are known: such a key is found wherever the proxy asks.
    pub(super) fn settle(mut self, has_copy: impl Fn(&[u8]) -> bool) -> Probed {
        let only = |keys: &[Vec<u8>]| keys.iter().filter(|key| !has_copy(key)).count() as u64;
        self.probed.shown += only(&self.kept);
        self.probed.tagged_shown += only(&self.tagged);
        self.probed
    }
}

fn remember(keys: &mut Vec<Vec<u8>>, key: &[u8]) {
    if keys.len() < REMEMBERED {
        keys.push(key.to_vec());
    }
}
