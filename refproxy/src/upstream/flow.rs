//! Handling of a reply that is arriving: kept until it is complete, dropped, or forwarded piece by piece.

use std::time::Duration;

use crate::client::{Client, Closed};
use crate::clock::{Micros, micros};

/// A reply beyond this size is forwarded as it arrives, when it is its client's turn.
pub(super) const STREAM_FROM: usize = 4 * 1024 * 1024;
/// No more of such a reply is read while its client has this many bytes to receive.
const AHEAD_MAX: usize = 1024 * 1024;

/// Handling of the reply at the start of the input.
#[derive(Debug, Default)]
pub(super) enum Flow {
    #[default]
    Keeps,
    Drops,
    Streams(Stream),
}

/// A reply that is forwarded as it arrives.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pause: Option<Pause>,
    /// How long the connection was paused for it before.
    held_up: Micros,
}

#[derive(Debug)]
struct Pause {
    since: Micros,
    /// The client's received bytes when it last received any.
    taken: u64,
    taken_at: Micros,
    /// When it is checked again; `None` while the reply is read anyway, because others wait for the node.
    due: Option<Micros>,
}

/// How long a connection is paused for one client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// In all for one reply, while others wait for the node.
    pub(super) with_others: Duration,
    /// While the client receives nothing.
    pub(super) with_client: Duration,
}

impl Stream {
    /// Whether to stop reading now; the connection is woken when the client receives bytes. A client that receives none
    /// for too long is closed.
    pub(super) fn pauses(
        &mut self,
        client: &Client,
        output_max: usize,
        others_wait: bool,
        patience: Patience,
        now: Micros,
    ) -> bool {
        let unread = client.unread();
        let ahead = AHEAD_MAX.min(output_max / 4);
        let pause = match &mut self.pause {
            Some(pause) if unread >= ahead / 2 => pause,
            Some(pause) => {
                self.held_up += now - pause.since;
                self.pause = None;
                return false;
            }
            None if unread < ahead => return false,
            none => none.insert(Pause {
                since: now,
                taken: client.taken(),
                taken_at: now,
                due: None,
            }),
        };
        if client.taken() != pause.taken {
            (pause.taken, pause.taken_at) = (client.taken(), now);
        }
        let others_due = (pause.since + micros(patience.with_others)).saturating_sub(self.held_up);
        let client_due = pause.taken_at + micros(patience.with_client);
        pause.due = match others_wait {
            true if others_due <= now => None,
            true => Some(client_due.min(others_due)),
            false => Some(client_due),
        };
        if pause.due.is_some_and(|due| due <= now) {
            pause.due = None;
            client.close(Closed::Output);
        }
        pause.due.is_some()
    }

    /// While it is paused, when it is checked again.
    pub(super) fn paused_until(&self) -> Option<Micros> {
        self.pause.as_ref()?.due
    }
}

impl Flow {
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Keeps)
    }

    pub(super) fn paused_until(&self) -> Option<Micros> {
        match self {
            Self::Streams(stream) => stream.paused_until(),
            Self::Keeps | Self::Drops => None,
        }
    }
}
