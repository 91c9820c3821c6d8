//! The tap: requests to each node and its replies, in order, with times.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::wire::{Arguments, Value, quoted};

/// Words of a request that its text has.
const SHOWN_WORDS: usize = 100;

/// Something that happened on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Since the tap was opened.
    pub at: Duration,
    /// The place of the node in its cluster.
    pub node: usize,
    /// Connections are numbered over all links, from 1.
    pub connection: u64,
    /// What happened.
    pub what: What,
}

/// What happened on a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The proxy opened a connection.
    Opened,
    /// The proxy sent a whole request.
    Asked(Arguments),
    /// The node sent a whole reply.
    Answered(Value),
    /// The proxy got these bytes in the place of a reply of the node, or without having asked.
    Scripted(Vec<u8>),
    /// The toxic of this name acted on a reply that the node sent before.
    Acted(String),
    /// A reply that did not go on at once has left the link. Replies are counted from 0 on each connection, without pushes.
    Left {
        /// The number of the reply.
        reply: u64,
        /// Where it went.
        passage: Passage,
    },
    /// The proxy sent bytes that are not a request.
    GarbledRequest(String),
    /// The node sent bytes that are not a reply.
    GarbledReply(String),
    /// The connection was closed.
    Closed,
}

/// Where a reply went that did not go on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// To the proxy: its last byte was written.
    Sent,
    /// Nowhere: a toxic took it, changed it or cut it, or the link closed the connection.
    Lost,
    /// Nowhere: the proxy closed the connection first.
    HungUp,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened => f.write_str("opened"),
            Self::Closed => f.write_str("closed"),
            Self::Answered(value) => write!(f, "{value}"),
            Self::Acted(toxic) => write!(f, "toxic {toxic}"),
            Self::Left { reply, passage } => write!(f, "reply {reply} {passage}"),
            Self::Scripted(bytes) => write!(f, "scripted {}", quoted(bytes)),
            Self::GarbledRequest(why) | Self::GarbledReply(why) => f.write_str(why),
            Self::Asked(arguments) => {
                let first = arguments.iter().take(SHOWN_WORDS);
                let words: Vec<String> = first.map(|word| shown(word)).collect();
                f.write_str(&words.join(" "))?;
                match arguments.len() > SHOWN_WORDS {
                    true => write!(f, " ... ({} words)", arguments.len()),
                    false => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sent => "sent",
            Self::Lost => "lost",
            Self::HungUp => "not sent: the proxy has closed",
        })
    }
}

/// Plain words as they are, everything else in quotes.
fn shown(word: &[u8]) -> String {
    let plain = !word.is_empty() && word.len() <= 64 && word.iter().all(u8::is_ascii_graphic);
    match std::str::from_utf8(word) {
        Ok(text) if plain => text.to_owned(),
        _ => quoted(word),
    }
}

/// A place in the record, to read on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct TapPosition(usize);

/// The record of all links of a cluster. Clones share it.
#[derive(Debug, Clone)]
pub struct Tap {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    opened: Instant,
    record: Mutex<Record>,
    grown: Notify,
}

#[derive(Debug, Default)]
struct Record {
    /// Events before this were forgotten.
    forgotten: usize,
    events: Vec<Event>,
    connections: u64,
    paused: bool,
}

impl Default for Tap {
    fn default() -> Self {
        Self {
            shared: Arc::new(Shared {
                opened: Instant::now(),
                record: Mutex::default(),
                grown: Notify::new(),
            }),
        }
    }
}

impl Tap {
    /// The time of now in the record's own count.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.shared.opened.elapsed()
    }

    /// The end of the record.
    #[must_use]
    pub fn mark(&self) -> TapPosition {
        let record = self.record();
        TapPosition(record.forgotten + record.events.len())
    }

    /// Everything since `mark`.
    #[must_use]
    pub fn since(&self, mark: TapPosition) -> Vec<Event> {
        let record = self.record();
        let from = mark.0.saturating_sub(record.forgotten);
        record.events[from.min(record.events.len())..].to_vec()
    }

    /// Drops the record up to now; marks stay valid and continue from here.
    pub fn forget(&self) {
        let mut record = self.record();
        record.forgotten += record.events.len();
        record.events.clear();
    }

    /// Pauses or resumes recording, for work of which only the result is judged.
    pub fn set_paused(&self, paused: bool) {
        self.record().paused = paused;
    }

    /// Whether nothing is recorded at present.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.record().paused
    }

    /// Waits until the record since `mark` satisfies `enough`; the record either way.
    ///
    /// # Errors
    /// The record as it was when the time ran out.
    pub async fn wait(
        &self,
        mark: TapPosition,
        within: Duration,
        enough: impl Fn(&[Event]) -> bool,
    ) -> Result<Vec<Event>, Vec<Event>> {
        let deadline = Instant::now() + within;
        loop {
            let mut grown = std::pin::pin!(self.shared.grown.notified());
            // Registered before reading, so that no event is missed in between.
            grown.as_mut().enable();
            let events = self.since(mark);
            if enough(&events) {
                return Ok(events);
            }
            if timeout_at(deadline, grown).await.is_err() {
                return Err(events);
            }
        }
    }

    pub(super) fn open_connection(&self, node: usize) -> u64 {
        let connection = {
            let mut record = self.record();
            record.connections += 1;
            record.connections
        };
        self.add(node, connection, What::Opened);
        connection
    }

    pub(super) fn add(&self, node: usize, connection: u64, what: What) {
        let at = self.now();
        let mut record = self.record();
        if !record.paused {
            record.events.push(Event {
                at,
                node,
                connection,
                what,
            });
            drop(record);
            self.shared.grown.notify_waiters();
        }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.shared
            .record
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
