//! Toxics of replies: what they see of a reply of the node, and what they decide.
//!
//! As with bytes, a toxic only decides; the link cuts the bytes into replies, finds the request that each one answers, and
//! acts. Never sees a socket, a clock or chance of its own.

mod part;
mod selection;

use std::time::Duration;

pub use part::Part;
pub(in crate::fault) use part::{head_length, length_range};
pub use selection::{Counts, Request, SELECTION, Selection};

/// A whole reply of the node, in the place of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    /// Its bytes, at least three.
    pub bytes: &'a [u8],
    /// The request that it answers; `None` if there was no request, or it was not RESP.
    pub request: Option<&'a Request>,
}

impl Reply<'_> {
    /// The byte that says its type; an attribute counts as one.
    #[must_use]
    pub fn kind(&self) -> u8 {
        self.bytes.first().copied().unwrap_or_default()
    }
}

/// What happens to a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplyDecision {
    /// These bytes are sent instead, possibly none.
    Send {
        /// The bytes.
        bytes: Vec<u8>,
        /// What follows them.
        then: Then,
    },
    /// It waits, and so do all later replies of its connection.
    Wait {
        /// How long; without a time, until the toxic is removed.
        time: Option<Duration>,
    },
    /// It is sent after the next reply of its connection, and waits for that one.
    Swap,
}

impl ReplyDecision {
    /// Sends these bytes instead of the reply; the connection stays open.
    pub(in crate::fault) fn send(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Send {
            bytes: bytes.into(),
            then: Then::Continue,
        }
    }
}

/// What follows a reply on its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The next reply.
    Continue,
    /// The end of the connection, in order.
    Close,
    /// Nothing more; the connection closes when the toxic is removed.
    Silence,
}

/// The law of one toxic of replies.
pub trait ReplyRule {
    /// Which replies it acts on.
    fn selection(&self) -> &Selection;

    /// Whether it can act on such a reply. One that it cannot act on is not counted.
    fn fits(&self, reply: Reply<'_>) -> bool {
        let _ = reply;
        true
    }

    /// What happens to a selected reply.
    fn on_reply(&self, reply: Reply<'_>) -> ReplyDecision;
}

#[cfg(test)]
mod tests;
