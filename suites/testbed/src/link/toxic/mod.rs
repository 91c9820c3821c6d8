//! Toxics: what can be wrong with a link. Names, streams and attributes are Toxiproxy's (its README, "Toxics").
//!
//! A toxic only decides, from what it sees of one direction of one connection; it never sees a socket, a clock, a case
//! or chance of its own. The relay acts.

mod bandwidth;
mod hold;
mod latency;
mod limit_data;
mod noop;
mod reset_peer;
mod slicer;
mod slow_close;
mod timeout;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::chance::Chance;

pub use bandwidth::Bandwidth;
pub use hold::Hold;
pub use latency::Latency;
pub use limit_data::LimitData;
pub use noop::Noop;
pub use reset_peer::ResetPeer;
pub use slicer::Slicer;
pub use slow_close::SlowClose;
pub use timeout::Timeout;

/// Every toxic by its name in files and reports.
pub const NAMES: &[&str] = &[
    "bandwidth",
    "hold",
    "latency",
    "limit_data",
    "noop",
    "reset_peer",
    "slicer",
    "slow_close",
    "timeout",
];

/// The direction that a toxic works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// From the proxy to the node: requests.
    Upstream,
    /// From the node to the proxy: replies.
    Downstream,
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Upstream => "upstream",
            Self::Downstream => "downstream",
        })
    }
}

/// The text names no direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stream was invalid, can be either upstream or downstream")]
pub struct UnknownStream;

impl FromStr for Stream {
    type Err = UnknownStream;

    fn from_str(text: &str) -> Result<Self, UnknownStream> {
        match text {
            "upstream" => Ok(Self::Upstream),
            "downstream" => Ok(Self::Downstream),
            _ => Err(UnknownStream),
        }
    }
}

/// What a toxic sees of one direction of one connection.
#[derive(Debug, Clone, Copy)]
pub struct View {
    /// What waits first before the toxic.
    pub head: Head,
    /// Since when nothing has come: the last arrival, or the start of the toxic on this connection.
    pub quiet_since: Instant,
    /// Bytes that went on through the toxic.
    pub passed: u64,
    /// When the last of them were due.
    pub last_due: Option<Instant>,
    /// A draw for this head; the same each time the toxic is asked about it.
    pub chance: Chance,
}

/// What waits first before a toxic.
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
    /// So many of its first bytes, or the end, go on.
    Pass {
        /// How many; all there are, when there are fewer.
        length: usize,
        /// Not before this time.
        due: Instant,
    },
    /// It waits until something else comes, or the toxic is changed or gone.
    Wait,
    /// It is thrown away.
    Drop,
    /// The connection is closed in order, behind what went on before.
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

/// What becomes of a connection when a toxic that worked on it is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// What waited goes on, in order.
    Deliver,
    /// The connection is closed: bytes were thrown away, so nothing true could follow.
    Close,
}

/// The buffer before a toxic: it is full when either limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Room {
    /// Chunks, as they were read.
    pub chunks: usize,
    /// Bytes in all of them.
    pub bytes: usize,
}

/// The law of one toxic.
pub trait Rule {
    /// What happens to the head. Asked again whenever the view or the toxics of the link change.
    fn decide(&self, view: &View) -> Decision;

    /// What may wait before the toxic until its sender is no longer read from. One chunk always may.
    fn room(&self) -> Room {
        Room::default()
    }

    /// What becomes of a connection when the toxic is removed.
    fn removal(&self) -> Removal {
        Removal::Deliver
    }
}

/// One toxic of a link: its type with its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "attributes", rename_all = "snake_case")]
pub enum Kind {
    /// Bytes flow at a limited rate.
    Bandwidth(Bandwidth),
    /// Bytes wait until the toxic is removed.
    Hold(Hold),
    /// Bytes arrive later.
    Latency(Latency),
    /// The connection closes after so many bytes.
    LimitData(LimitData),
    /// Nothing happens.
    Noop(Noop),
    /// The connection is reset as soon as bytes flow.
    ResetPeer(ResetPeer),
    /// Bytes arrive in small pieces.
    Slicer(Slicer),
    /// The end of the stream arrives later.
    SlowClose(SlowClose),
    /// Bytes are thrown away, and the connection closes.
    Timeout(Timeout),
}

impl Kind {
    pub(super) fn rule(&self) -> &dyn Rule {
        match self {
            Self::Bandwidth(rule) => rule,
            Self::Hold(rule) => rule,
            Self::Latency(rule) => rule,
            Self::LimitData(rule) => rule,
            Self::Noop(rule) => rule,
            Self::ResetPeer(rule) => rule,
            Self::Slicer(rule) => rule,
            Self::SlowClose(rule) => rule,
            Self::Timeout(rule) => rule,
        }
    }

    /// The name in files and reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Bandwidth(_) => "bandwidth",
            Self::Hold(_) => "hold",
            Self::Latency(_) => "latency",
            Self::LimitData(_) => "limit_data",
            Self::Noop(_) => "noop",
            Self::ResetPeer(_) => "reset_peer",
            Self::Slicer(_) => "slicer",
            Self::SlowClose(_) => "slow_close",
            Self::Timeout(_) => "timeout",
        }
    }
}

/// A toxic with its name, its direction, and how many connections it works on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Toxic {
    /// Unique on its link.
    pub name: String,
    /// The bytes that it works on.
    pub stream: Stream,
    /// The part of the connections that it works on, 0 to 1; drawn once for each connection when it starts there.
    pub toxicity: f32,
    /// What it does to them.
    #[serde(flatten)]
    pub kind: Kind,
}

impl Toxic {
    /// A toxic for all connections, named by its type and direction.
    #[must_use]
    pub fn new(stream: Stream, kind: Kind) -> Self {
        Self {
            name: format!("{}_{stream}", kind.name()),
            stream,
            toxicity: 1.0,
            kind,
        }
    }
}

/// That much later, or so late that nobody waits for it.
fn later(at: Instant, time: Duration) -> Instant {
    const NEVER: Duration = Duration::from_secs(30 * 365 * 24 * 3600);
    at + time.min(NEVER)
}

/// A time in milliseconds; a negative one is none.
fn ms(ms: i64) -> Duration {
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}

#[cfg(test)]
mod tests;
