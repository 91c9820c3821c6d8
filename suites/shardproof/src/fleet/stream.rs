//! The keys of live nodes for work on blocking threads: batch by batch, prefetched up to a limit.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, block_in_place};

use super::scan::{Scanning, scan_all};
use super::{Error, Member, RateLimit};
use crate::keys::{self, Block, Source};

/// Batches that are scanned ahead.
const AHEAD: usize = 16;

/// A scan of several nodes at once, taken from by any thread.
#[derive(Debug)]
pub struct Stream {
    runtime: Handle,
    batches: mpsc::Receiver<Vec<Vec<u8>>>,
    /// `None` after its outcome was returned.
    scan: Option<JoinHandle<Result<(), Error>>>,
    /// Batches that were taken.
    taken: u64,
}

impl Stream {
    /// Begins to scan nodes, at most `rate` keys per second in total. One that does not answer shows when keys are taken.
    /// Needs the runtime that it scans on.
    #[must_use]
    pub fn open(members: Vec<Member>, scanning: Scanning, rate: Option<u64>) -> Self {
        let (sender, batches) = mpsc::channel(AHEAD);
        let pace = Arc::new(RateLimit::new(rate));
        let scan = async move { scan_all(&members, &scanning, pace, sender).await };
        Self {
            runtime: Handle::current(),
            batches,
            scan: Some(tokio::spawn(scan)),
            taken: 0,
        }
    }

    /// The next keys; `None` when there are no more. Blocks its thread, which may be one of a runtime with several.
    ///
    /// # Errors
    /// The node's answer or the error, when all keys before it were taken.
    pub fn take(&mut self) -> Result<Option<Vec<Vec<u8>>>, Error> {
        let runtime = self.runtime.clone();
        block_in_place(|| runtime.block_on(self.wait()))
    }

    async fn wait(&mut self) -> Result<Option<Vec<Vec<u8>>>, Error> {
        if let Some(keys) = self.batches.recv().await {
            return Ok(Some(keys));
        }
        match self.scan.take() {
            None => Ok(None),
            Some(scan) => match scan.await {
                Ok(outcome) => outcome.map(|()| None),
                Err(why) if why.is_panic() => std::panic::resume_unwind(why.into_panic()),
                // The scan ends early only if the runtime ends.
                Err(_) => Ok(None),
            },
        }
    }
}

impl Source for Stream {
    fn fill(&mut self, block: &mut Block) -> Result<bool, keys::Error> {
        let keys = self
            .take()
            .map_err(|why| keys::Error::Scan(why.to_string()))?;
        block.list();
        block.number = self.taken;
        self.taken += 1;
        for key in keys.iter().flatten() {
            block.push(key);
        }
        Ok(keys.is_some())
    }
}
