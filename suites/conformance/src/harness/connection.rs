//! Connection of one party: pending writes that leave at once, and replies.

use std::time::Duration;

use tokio::time::sleep;

use crate::cases::judge::Outcome;
use testbed::client::{self, Client};

/// Between two chunks, so that the proxy reads them separately. A stimulus; no event is awaited.
const BETWEEN_CHUNKS: Duration = Duration::from_millis(1);

pub(crate) struct Connection {
    client: Client,
    unsent: Vec<u8>,
    chunk: usize,
    /// Where the next write is cut.
    cut: Option<usize>,
}

impl Connection {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            unsent: Vec::new(),
            chunk: usize::MAX,
            cut: None,
        }
    }

    /// From now on this number of bytes is written at a time.
    pub(crate) fn cut_into(&mut self, bytes: usize) {
        self.chunk = bytes;
    }

    /// The next write leaves in two parts, the first with this number of bytes.
    pub(crate) fn cut_once(&mut self, bytes: usize) {
        self.cut = Some(bytes);
    }

    pub(crate) fn enqueue(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
    }

    /// Writes pending requests. A closed or blocked connection is noticed when a reply is read.
    pub(crate) async fn flush(&mut self, within: Duration) {
        let bytes = std::mem::take(&mut self.unsent);
        let (first, second) = bytes.split_at(self.cut.take().unwrap_or(0).min(bytes.len()));
        let parts = first.chunks(self.chunk).chain(second.chunks(self.chunk));
        for (index, chunk) in parts.enumerate() {
            if index > 0 {
                sleep(BETWEEN_CHUNKS).await;
            }
            if self.client.write(chunk, within).await.is_err() {
                break;
            }
        }
    }

    pub(crate) async fn half_close(&mut self) {
        // A connection that is gone shows where a reply is due.
        let _ = self.client.half_close().await;
    }

    /// The next reply, or the next raw bytes, or the failure.
    pub(crate) async fn outcome(&mut self, bytes: Option<usize>, within: Duration) -> Outcome {
        let outcome = match bytes {
            Some(count) => self.client.take(count, within).await.map(Outcome::Bytes),
            None => self.client.reply(within).await.map(Outcome::Reply),
        };
        outcome.unwrap_or_else(instead)
    }
}

fn instead(error: client::Error) -> Outcome {
    match error {
        client::Error::Closed { pending } => Outcome::Closed(pending),
        client::Error::Silent { pending, .. } => Outcome::Silent(pending),
        client::Error::Endless { pending } => Outcome::Endless(pending),
        client::Error::Malformed(why) => Outcome::Garbled(why.to_string()),
        client::Error::Connect { .. } | client::Error::Refused { .. } => {
            Outcome::Closed(Vec::new())
        }
    }
}
