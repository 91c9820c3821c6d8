//! The bytes that went through a link.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::fault::Stream;

/// Bytes in and out of both directions, over all connections. Grows while they flow.
#[derive(Debug, Default)]
pub struct Traffic {
    upstream: Direction,
    downstream: Direction,
}

#[derive(Debug, Default)]
struct Direction {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Traffic {
    /// Bytes that came from the sender of a direction.
    #[must_use]
    pub fn received(&self, stream: Stream) -> u64 {
        self.direction(stream).received.load(Ordering::Relaxed)
    }

    /// Bytes that went to the receiver of a direction.
    #[must_use]
    pub fn sent(&self, stream: Stream) -> u64 {
        self.direction(stream).sent.load(Ordering::Relaxed)
    }

    pub(super) fn count_received(&self, stream: Stream, bytes: usize) {
        let received = &self.direction(stream).received;
        received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn count_sent(&self, stream: Stream, bytes: usize) {
        let sent = &self.direction(stream).sent;
        sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn direction(&self, stream: Stream) -> &Direction {
        match stream {
            Stream::Upstream => &self.upstream,
            Stream::Downstream => &self.downstream,
        }
    }
}
