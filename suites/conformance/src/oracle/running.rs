//! An oracle over a proxy that already runs: keys expire, and other clients notice nothing.

use super::{Oracle, Place, Site, cleaning, order};
use crate::cases::footprint;
use crate::harness::Error;
use crate::harness::deadlines::After;
use testbed::leftovers;
use testbed::node::Node;

impl Oracle {
    /// Name and version of the nodes, if they are those of others and known.
    pub(crate) async fn foreign_server(&self) -> Option<String> {
        match &self.site {
            Site::Own(_) => None,
            Site::Running(harness) => harness.server().await,
        }
    }

    /// Whether the proxy is one that others may use.
    pub(crate) fn is_running(&self) -> bool {
        matches!(self.site, Site::Running(_))
    }

    /// Registers all keys for removal, however the process ends.
    pub(super) fn record_keys(&self) {
        let Site::Running(harness) = &self.site else {
            return;
        };
        let record = harness.environment.record.iter();
        for record in record {
            self.together.iter().for_each(|key| record.key(key));
            self.apart.iter().for_each(|key| record.key(key));
        }
    }

    /// Registers the script of a request, which stays in the caches of nodes.
    pub(crate) fn record_script(&self, words: &[Vec<u8>]) {
        let Site::Running(harness) = &self.site else {
            return;
        };
        let script = footprint::script(words);
        if let (Some(record), Some(script)) = (&harness.environment.record, script) {
            record.script(script);
        }
    }

    /// Sets a time to live on the keys that have none, on the servers of others: if the suite is killed, its keys must
    /// go. The plain Redis gets the same, so that replies about times to live agree.
    pub(crate) async fn expire(&self, place: Place) {
        let Site::Running(_) = &self.site else {
            return;
        };
        for addr in self.site.places() {
            if let Err(why) = leftovers::expire(addr, self.keys(place)).await {
                tracing::debug!("keys at {addr} get no time to live: {why}");
                return;
            }
        }
        let plain = self.plain.addr().into();
        if let Err(why) = leftovers::expire(plain, self.keys(place)).await {
            tracing::debug!("keys of the plain Redis get no time to live: {why}");
        }
    }

    /// Removes all keys from a proxy of others and from the plain Redis. Then the proxy must serve every node, and its
    /// other clients must read what they wrote. `what` names the requests before; `destructive` ones may have removed
    /// keys of others.
    ///
    /// # Errors
    /// Keys remain, or the proxy is not as before.
    pub(crate) async fn restore(&mut self, what: &str, destructive: bool) -> Result<(), Error> {
        let Site::Running(harness) = &mut self.site else {
            return Ok(());
        };
        let addr = self.plain.addr().into();
        let cleaned = order(addr, &cleaning()).await;
        cleaned.map_err(|why| Error::Unclean { addr, why })?;
        harness.intact(what, destructive).await?;
        harness.settle(After::Calm).await?;
        let keys = [&self.together[..], &self.apart, &harness.canaries].concat();
        harness.clean(&keys).await
    }

    /// Removes everything from a proxy of others.
    ///
    /// # Errors
    /// If keys could not be removed.
    pub(crate) async fn finish(self) -> Result<(), Error> {
        match self.site {
            Site::Own(_) => Ok(()),
            Site::Running(harness) => harness.finish().await,
        }
    }
}
