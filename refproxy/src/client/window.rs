//! The number of requests that a client may have pending: more for small replies, fewer for large ones.

use super::charge::Charge;
use super::reply::is_large;

/// Pending requests before any was answered; small replies allow more.
const START: u32 = 16;
/// The assumed size of a client's replies before any has arrived.
const EXPECTED_START: usize = BYTES / START as usize;
/// With large replies, it may have as many pending requests as make about this many bytes of replies, but at least
/// `MIN`. A reply must be read from the node once it is asked for, and other clients wait for it.
const BYTES: usize = 4 * 1024 * 1024;
const MIN: u32 = 4;

/// The limits that follow from the replies so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    requests: u32,
    /// How large the next reply may be, from those that came; 0 when they are small.
    expected: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            requests: START,
            expected: EXPECTED_START,
        }
    }
}

impl Window {
    #[inline]
    pub(super) fn requests(self) -> usize {
        self.requests as usize
    }

    /// How much of a node's debt limit the reply to the next request may take; see [`Charge`].
    #[inline]
    pub(super) fn charge(self) -> Charge {
        Charge::of(self.expected)
    }

    /// Learns from the size of a reply.
    #[inline]
    pub(super) fn adapt(&mut self, reply_bytes: usize) {
        if is_large(reply_bytes) {
            let fit = u32::try_from(BYTES / reply_bytes).unwrap_or(MIN);
            self.requests = self.requests.min(fit).max(MIN);
            self.expected = reply_bytes.max(self.expected / 2);
        } else {
            self.requests = self.requests.saturating_add(1);
            if self.expected != 0 {
                let less = self.expected / 2;
                self.expected = if is_large(less) { less } else { 0 };
            }
        }
    }
}
