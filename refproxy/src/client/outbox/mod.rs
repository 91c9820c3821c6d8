//! The replies that a client is owed, in the order of its requests, whichever node is faster.

use std::collections::VecDeque;

use bytes::Bytes;

use super::charge::Charge;
use super::reply::{Reply, is_large};
use super::window::Window;
use crate::buffer::WriteQueue;
use crate::join::{Joining, Progress, exec_misfit};

/// Requests are paused while this number of reply bytes waits to be written.
const BACKLOG_MAX: usize = 1024 * 1024;
/// A stash beyond this is not grown: replies are then kept one by one.
const STASH_MAX: usize = 64 * 1024;

#[derive(Debug)]
enum State {
    Waiting,
    /// It waits for the reply to EXEC of this many commands.
    Exec(u32),
    Joining(Box<Joining>),
    Stashed {
        start: u32,
        len: u32,
    },
    Kept(Bytes),
    /// The first `bytes` of it were forwarded; the rest follows.
    Streaming {
        bytes: usize,
    },
}

#[derive(Debug)]
struct Slot {
    /// Bytes of the request.
    cost: u32,
    state: State,
}

/// The replies owed, in request order.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    slots: VecDeque<Slot>,
    /// The number of the first slot; numbers wrap.
    base: u32,
    /// In order, to be written.
    pub(super) ready: WriteQueue,
    /// Small replies that came before their turn.
    stash: Vec<u8>,
    stashed: usize,
    /// Bytes of replies in slots.
    held: usize,
    /// Bytes of requests in slots.
    asked: usize,
    /// The maximum of pending requests.
    window: Window,
    /// Parts to be asked now, each with the number of its request.
    next_parts: Vec<(u32, u16)>,
    /// Whether a partly forwarded reply cannot be completed.
    pub(super) is_truncated: bool,
}

impl Outbox {
    /// Requests without a reply that is ready.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        self.slots.len()
    }

    /// Bytes that are ready to be written.
    #[inline]
    pub(crate) fn ready(&self) -> &WriteQueue {
        &self.ready
    }

    /// Whether the limit of pending requests is reached, so that the next one must wait.
    #[inline]
    pub(crate) fn is_full(&self, requests_max: usize, asked_bytes_max: usize) -> bool {
        self.slots.len() >= requests_max.min(self.window.requests())
            || self.asked >= asked_bytes_max
            || self.bytes() >= BACKLOG_MAX
    }

    /// Whether the session has work to do.
    #[inline]
    pub(super) fn has_news(&self) -> bool {
        !self.ready.is_empty() || !self.next_parts.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.ready.len() + self.held
    }

    /// How much of a node's debt limit the reply to the next request may take; see [`Charge`].
    #[inline]
    pub(crate) fn charge(&self) -> Charge {
        self.window.charge()
    }

    /// Makes room for the reply to a request of `cost` bytes. Returns the number to deliver it by.
    #[inline]
    pub(crate) fn expect(&mut self, cost: usize) -> u32 {
        self.push(cost, State::Waiting)
    }

    /// Makes room for the reply to EXEC of `queued` commands, which is forwarded unchanged if its length fits.
    pub(crate) fn expect_exec(&mut self, cost: usize, queued: usize) -> u32 {
        self.push(cost, State::Exec(u32::try_from(queued).unwrap_or(u32::MAX)))
    }

    /// Makes room for a reply that is joined of several.
    pub(crate) fn expect_joined(&mut self, cost: usize, joining: Joining) -> u32 {
        self.push(cost, State::Joining(Box::new(joining)))
    }

    #[inline]
    fn push(&mut self, cost: usize, state: State) -> u32 {
        let cost = u32::try_from(cost).unwrap_or(u32::MAX);
        self.asked += cost as usize;
        let number = self
            .base
            .wrapping_add(u32::try_from(self.slots.len()).unwrap_or(u32::MAX));
        self.slots.push_back(Slot { cost, state });
        number
    }

    /// Queues a reply of the proxy itself, in its turn; a large one is taken out of `reply`.
    pub(crate) fn answer(&mut self, reply: &mut Vec<u8>) {
        if is_large(reply.len()) {
            let number = self.expect(0);
            let window = self.window;
            let reply = Bytes::from(std::mem::take(reply));
            self.complete(number, 0, Reply::Large(reply));
            self.window = window;
        } else if self.slots.is_empty() {
            self.ready.put(reply);
        } else {
            let number = self.expect(0);
            self.complete(number, 0, Reply::Own(reply));
        }
    }

    /// Takes the reply, or the reply of one part, to the request with this number.
    #[inline]
    pub(crate) fn complete(&mut self, number: u32, part: u16, reply: Reply<'_>) {
        let place = number.wrapping_sub(self.base) as usize;
        match self.slots.get_mut(place).map(|slot| &mut slot.state) {
            Some(State::Waiting) => self.fill(place, reply),
            Some(State::Exec(queued)) => match exec_misfit(reply.as_bytes(), *queued as usize) {
                Some(error) => self.fill(place, Reply::Own(&error)),
                None => self.fill(place, reply),
            },
            Some(State::Joining(joining)) => {
                self.held += reply.len();
                match joining.take(part, reply.into_bytes()) {
                    Progress::Waits => {}
                    Progress::GoesOn(next) => self.next_parts.push((number, next)),
                    Progress::Done => self.finish(number),
                }
            }
            // It can only be an error in place of the rest.
            Some(State::Streaming { .. }) => self.is_truncated = true,
            Some(State::Stashed { .. } | State::Kept(_)) | None => {}
        }
    }

    /// Joins the parts that have arrived into the reply to the request with this number.
    pub(crate) fn finish(&mut self, number: u32) {
        let place = number.wrapping_sub(self.base) as usize;
        let Some(State::Joining(joining)) = self.slots.get(place).map(|slot| &slot.state) else {
            return;
        };
        self.held -= joining.held_bytes();
        let joined = joining.reply();
        match joined.first() {
            // It may be the proxy's own.
            Some(b'-') => self.fill(place, Reply::Own(&joined)),
            _ => self.fill(place, Reply::Large(Bytes::from(joined))),
        }
    }

    /// A part that is to be asked now, with the number of its request.
    pub(crate) fn next_part(&mut self) -> Option<(u32, u16)> {
        self.next_parts.pop()
    }

    /// Whether the client has sent no request after the one with this number.
    pub(crate) fn is_last(&self, number: u32) -> bool {
        number.wrapping_sub(self.base) as usize + 1 == self.slots.len()
    }

    /// Whether parts of the reply to the request of this number are to come.
    pub(crate) fn is_joining(&self, number: u32) -> bool {
        let place = number.wrapping_sub(self.base) as usize;
        let state = self.slots.get(place).map(|slot| &slot.state);
        matches!(state, Some(State::Joining(_)))
    }

    /// Whether the reply to the request with this number can be forwarded as it arrives: it is its turn, and it is not
    /// changed.
    pub(super) fn can_stream(&self, number: u32) -> bool {
        let front = self.slots.front().map(|slot| &slot.state);
        number == self.base && matches!(front, Some(State::Waiting))
    }

    /// The next piece of such a reply.
    pub(super) fn stream(&mut self, piece: Bytes, is_last: bool) {
        let Some(front) = self.slots.front_mut() else {
            return;
        };
        let before = match front.state {
            State::Streaming { bytes } => bytes,
            _ => 0,
        };
        let bytes = before + piece.len();
        front.state = State::Streaming { bytes };
        self.ready.put_shared(piece);
        if is_last {
            self.window.adapt(bytes);
            self.pop();
            self.settle();
        }
    }

    #[inline]
    fn fill(&mut self, place: usize, reply: Reply<'_>) {
        if !matches!(reply, Reply::Own(_)) {
            self.window.adapt(reply.len());
        }
        if place > 0 {
            return self.keep(place, reply);
        }
        match reply {
            Reply::Small(bytes) | Reply::Own(bytes) => self.ready.put(bytes),
            Reply::Large(bytes) => self.ready.put_shared(bytes),
        }
        self.pop();
        self.settle();
    }

    #[inline]
    fn pop(&mut self) -> Option<State> {
        let slot = self.slots.pop_front()?;
        self.base = self.base.wrapping_add(1);
        self.asked -= slot.cost as usize;
        Some(slot.state)
    }

    /// Keeps a reply whose turn has not come.
    fn keep(&mut self, place: usize, reply: Reply<'_>) {
        self.held += reply.len();
        let state = match reply {
            Reply::Small(bytes) | Reply::Own(bytes)
                if self.stash.len() + bytes.len() <= STASH_MAX =>
            {
                let start = self.stash.len();
                self.stash.extend_from_slice(bytes);
                self.stashed += 1;
                // Both are below STASH_MAX.
                State::Stashed {
                    start: u32::try_from(start).unwrap_or(0),
                    len: u32::try_from(bytes.len()).unwrap_or(0),
                }
            }
            other => State::Kept(other.into_bytes()),
        };
        if let Some(slot) = self.slots.get_mut(place) {
            slot.state = state;
        }
    }

    /// Moves the replies whose turn has come.
    #[inline]
    fn settle(&mut self) {
        while let Some(Slot {
            state: State::Stashed { .. } | State::Kept(_),
            ..
        }) = self.slots.front()
        {
            match self.pop() {
                Some(State::Stashed { start, len }) => {
                    let (start, len) = (start as usize, len as usize);
                    self.held -= len;
                    self.ready.put(&self.stash[start..start + len]);
                    self.stashed -= 1;
                    if self.stashed == 0 {
                        self.stash.clear();
                    }
                }
                Some(State::Kept(bytes)) => {
                    self.held -= bytes.len();
                    self.ready.put_shared(bytes);
                }
                Some(
                    State::Waiting | State::Exec(_) | State::Joining(_) | State::Streaming { .. },
                )
                | None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
