//! Asks the proxy whether it finds what it should by the placement: EXISTS, which reads no value and minds no type.

use std::net::SocketAddr;

use super::connection::Connection;
use super::connections::Connections;
use super::report::{EXAMPLES, Lies, Probed, Sighting};
use super::{Error, Fleet};

/// Requests a pipeline, as a client of a proxy would send them.
const PIPELINE: usize = 100;

/// A connection to the proxy, and what it finds.
pub(super) struct Probe {
    proxy: Connection,
    probed: Probed,
}

impl Probe {
    pub(super) async fn open(proxy: SocketAddr) -> Result<Self, Error> {
        Ok(Self {
            proxy: Connection::open(&format!("the proxy at {proxy}"), proxy).await?,
            probed: Probed::default(),
        })
    }

    /// Asks for each key that was seen; copies are left out, because their keys are seen where they are kept. `nodes` is
    /// asked again where they differ.
    pub(super) async fn ask(
        &mut self,
        fleet: &Fleet,
        sightings: &[Sighting],
        nodes: &mut Connections,
    ) -> Result<(), Error> {
        let asked = |sighting: &&Sighting| matches!(sighting.lies, Lies::Kept | Lies::Unreachable);
        let asked: Vec<&Sighting> = sightings.iter().filter(asked).collect();
        for batch in asked.chunks(PIPELINE) {
            let keys: Vec<&[u8]> = batch.iter().map(|seen| seen.key.as_slice()).collect();
            let found = self.proxy.exist(&keys).await?;
            for (seen, found) in batch.iter().zip(found) {
                let agrees = found == (seen.lies == Lies::Kept)
                    || self.agrees(&seen.key, nodes.to(seen.right).await?).await?;
                if agrees {
                    self.probed.agree += 1;
                } else {
                    self.differs(seen, fleet);
                }
            }
        }
        Ok(())
    }

    /// Asks again, because keys come and go: proxy and node differ only where the node's word stands before and after.
    async fn agrees(&mut self, key: &[u8], right: &mut Connection) -> Result<bool, Error> {
        let before = right.exist(&[key]).await?;
        let found = self.proxy.exist(&[key]).await?;
        let after = right.exist(&[key]).await?;
        Ok(found == after || before != after)
    }

    fn differs(&mut self, seen: &Sighting, fleet: &Fleet) {
        self.probed.differ += 1;
        if self.probed.examples.len() < EXAMPLES {
            let (lies, proxy) = match seen.lies {
                Lies::Kept => ("lies", "does not find it"),
                _ => ("does not lie", "finds it"),
            };
            self.probed.examples.push(format!(
                "{}: {lies} on {}, where it is placed, and the proxy {proxy}",
                seen.key.escape_ascii(),
                fleet.members()[seen.right].seen,
            ));
        }
    }

    pub(super) fn done(self) -> Probed {
        self.probed
    }
}
