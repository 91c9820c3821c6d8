//! Input and decisions of a toxic.
//!
//! A toxic only decides, from one direction of one connection. It never sees a socket, a clock, a case or its own
//! randomness. The relay acts.

use std::time::Duration;

use tokio::time::Instant;

use crate::chance::Chance;
use crate::fault::reply::ReplyRule;

/// What a toxic sees of one direction of one connection.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// The piece at the head of the toxic's queue.
    pub head: Head,
    /// Since when no bytes have arrived: the last arrival, or the start of the toxic on this connection.
    pub quiet_since: Instant,
    /// Bytes that passed through the toxic.
    pub passed: u64,
    /// When the last of them were due.
    pub last_due: Option<Instant>,
    /// A draw for this head; the same each time the toxic is asked about it.
    pub chance: Chance,
}

/// The piece at the head of the queue of a toxic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// Nothing at all.
    Nothing,
    /// A chunk of bytes.
    Bytes {
        /// How many; at least one.
        length: usize,
        /// When they were read, or left the last toxic that delayed them.
        read_at: Instant,
        /// When they came to this toxic.
        came_at: Instant,
    },
    /// The end of the stream.
    End {
        /// When it came to this toxic.
        came_at: Instant,
    },
}

/// What happens to the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Its first bytes, or the end, pass.
    Pass {
        /// How many bytes; all of them if there are fewer.
        length: usize,
        /// Not before this time.
        due: Instant,
    },
    /// It waits until something else comes, or the toxic is changed or gone.
    Wait,
    /// It is thrown away.
    Drop,
    /// The connection is closed after all earlier bytes.
    Close {
        /// Not before this time.
        due: Instant,
    },
    /// The connection is reset in both directions.
    Reset {
        /// Not before this time.
        due: Instant,
    },
}

/// What happens to a connection when a toxic that acted on it is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Waiting bytes are sent, in order.
    Deliver,
    /// The connection is closed: bytes were dropped, so later bytes would be wrong.
    Close,
}

/// The buffer before a toxic: it is full when either limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BufferLimit {
    /// Chunks, as they were read.
    pub chunks: usize,
    /// Bytes in all of them.
    pub bytes: usize,
}

/// What a toxic acts on, and how it decides.
#[derive(Clone, Copy)]
pub(crate) enum Law<'a> {
    /// Bytes, as they come.
    Bytes(&'a dyn Rule),
    /// Replies of the node, one after the other.
    Replies(&'a dyn ReplyRule),
}

/// The law of one toxic of bytes.
pub trait Rule {
    /// Decides about the head. Called again whenever the view or the toxics of the link change.
    fn decide(&self, view: &View) -> Decision;

    /// How much may wait in front of the toxic until its sender is no longer read. One chunk always may.
    fn room(&self) -> BufferLimit {
        BufferLimit::default()
    }

    /// Why the API of the fault server refuses these attributes, if it does.
    fn refused(&self) -> Option<&'static str> {
        None
    }

    /// What happens to a connection when the toxic is removed.
    fn removal(&self) -> Removal {
        Removal::Deliver
    }
}

/// The instant after a delay, capped far beyond any deadline.
pub(crate) fn later(at: Instant, time: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    at + time.min(NEVER)
}

/// A time in milliseconds; a negative one is zero.
pub(in crate::fault) fn ms(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
