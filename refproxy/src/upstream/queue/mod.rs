//! The queue of one node: bytes to be sent, and the clients of the replies in their order.
//!
//! Never touches a socket or the clock.

mod doubt;
mod entry;
mod fail;

use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;

use super::Payload;
use super::marker::Markers;
use crate::buffer::WriteQueue;
use crate::client::{Client, Reply};
use crate::clock::Micros;
use crate::error::{Executed, Kind};
pub(crate) use entry::Ticket;
use entry::{Entry, Role, log_answer};

/// Requests on their way, oldest first.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The node's address, for the log.
    node: Rc<str>,
    /// Whether the outcome of each request is logged; looked up once per turn.
    pub(super) logs: bool,
    /// Bytes of requests that are not sent yet.
    pub(super) out: WriteQueue,
    entries: VecDeque<Entry>,
    /// Whether the reply to the front entry has begun and keeps arriving, so that it is not late.
    comes: bool,
    /// How many entries at the front, or after the one whose reply is arriving, have failed already.
    failed: usize,
    /// Places in the stream of bytes to the node: after the last request, after the sent bytes, after the last reply.
    appended: u64,
    sent: u64,
    answered: u64,
    /// Charges of the requests whose reply has not arrived, failed ones included.
    owed: u64,
    markers: Markers,
    /// Where the last request ends that ran out of time after it was sent, and the last marker.
    late: u64,
    marked: u64,
    /// Whether a reply was treated as that of a timed-out request, and no marker has arrived since.
    in_doubt: bool,
    /// Requests whose replies arrived while it is in doubt.
    doubtful: VecDeque<(Entry, Bytes)>,
}

impl Queue {
    pub(super) fn new(node: Rc<str>) -> Self {
        Self {
            node,
            logs: false,
            out: WriteQueue::default(),
            entries: VecDeque::new(),
            comes: false,
            failed: 0,
            appended: 0,
            sent: 0,
            answered: 0,
            owed: 0,
            markers: Markers::new(),
            late: 0,
            marked: 0,
            in_doubt: false,
            doubtful: VecDeque::new(),
        }
    }

    /// Requests whose reply has not arrived, failed ones included.
    #[inline]
    pub(super) fn waiting(&self) -> usize {
        self.entries.len()
    }

    /// Whether any client still waits.
    pub(super) fn is_awaited(&self) -> bool {
        self.entries.len() > self.failed || !self.doubtful.is_empty()
    }

    /// Bytes of large replies that the node owes.
    pub(super) fn owed(&self) -> u64 {
        self.owed
    }

    #[inline]
    pub(super) fn unsent_bytes(&self) -> usize {
        self.out.len()
    }

    #[inline]
    pub(super) fn push(&mut self, payload: Payload<'_>, ticket: Ticket) {
        let len = match payload {
            Payload::Small(bytes) => {
                self.out.put(bytes);
                bytes.len()
            }
            Payload::Large(bytes) => {
                let len = bytes.len();
                self.out.put_shared(bytes);
                len
            }
        };
        self.appended += len as u64;
        self.owed += ticket.charge.bytes();
        self.entries.push_back(Entry {
            client: Some(ticket.client),
            number: ticket.number,
            part: ticket.part,
            role: match ticket.commits {
                true => Role::Commits,
                false => Role::Plain,
            },
            charge: ticket.charge,
            deadline: ticket.deadline,
            end: self.appended,
        });
    }

    /// `count` bytes are sent.
    pub(super) fn written(&mut self, count: usize) {
        self.out.advance(count);
        self.sent += count as u64;
    }

    /// Delivers a reply to the oldest request.
    ///
    /// # Errors
    /// The connection cannot be used any more: the reply answers no request, because the node has not got one, or the
    /// node has refused a request of which it has only a part, as Redis does with a protocol error, or has lost a
    /// reply.
    #[inline]
    pub(super) fn answer(&mut self, reply: Reply<'_>) -> Result<(), Kind> {
        let Some(front) = self.entries.front() else {
            return Err(Kind::Unasked);
        };
        let is_sent = front.end <= self.sent;
        if !is_sent && !self.is_refusal_of_a_part(&reply) {
            return Err(Kind::Unasked);
        }
        if front.client.is_none() || self.in_doubt {
            self.check_marker(&reply)?;
        }
        let Some(entry) = self.entries.pop_front() else {
            return Err(Kind::Unasked);
        };
        if self.failed > 0 && !self.comes {
            self.failed -= 1;
        }
        self.comes = false;
        self.answered = entry.end;
        self.owed -= entry.charge.bytes();
        if self.logs {
            log_answer(&self.node, &entry, &reply);
        }
        if entry.client.is_none() || self.in_doubt {
            self.doubt(entry, reply);
        } else if let Some(client) = entry.client {
            client.deliver(entry.number, entry.part, reply);
        }
        if is_sent { Ok(()) } else { Err(Kind::Lost) }
    }

    /// Whether a part of the oldest request is sent, and `reply` is an error.
    #[cold]
    fn is_refusal_of_a_part(&self, reply: &Reply<'_>) -> bool {
        self.sent > self.answered && matches!(reply.first_byte(), Some(b'-' | b'!'))
    }

    /// The place of the first entry that may become late.
    fn first_due(&self) -> usize {
        usize::from(self.comes) + self.failed
    }

    /// The deadline of the oldest request that has not failed and whose reply is not arriving.
    pub(super) fn next_deadline(&self) -> Option<Micros> {
        let doubtful = self.doubtful.front().map(|(entry, _)| entry.deadline);
        let first = self.entries.get(self.first_due());
        let first = first.map(|entry| entry.deadline);
        first.into_iter().chain(doubtful).min()
    }

    /// Whether a reply is not late because it keeps coming.
    pub(super) fn comes(&self) -> bool {
        self.comes
    }

    /// Whether the reply to the oldest request has begun and keeps coming. One that has stopped to come while requests
    /// after it ran out of time has run out of time too.
    pub(super) fn set_comes(&mut self, comes: bool, text: impl Fn(Executed) -> Vec<u8>) {
        if comes == self.comes || self.entries.is_empty() || comes && self.failed > 0 {
            return;
        }
        self.comes = comes;
        if !comes && self.failed > 0 {
            self.fail_front(text);
        }
    }

    /// Whether the reply to the oldest request, of which `len` bytes have arrived, is dropped: no client waits for it,
    /// or it is larger than `max`, which is reported to its client now.
    pub(super) fn gives_up(
        &mut self,
        bytes: usize,
        max: usize,
        text: impl Fn(Executed) -> Vec<u8>,
    ) -> bool {
        let client = self.entries.front().map(|entry| entry.client.as_ref());
        match client.flatten() {
            Some(client) if client.is_gone() => true,
            Some(_) if bytes <= max => false,
            Some(_) => {
                self.fail_front(text);
                true
            }
            None => true,
        }
    }

    /// Whether the reply to the oldest request can be forwarded as it arrives.
    pub(super) fn can_stream(&self) -> bool {
        let front = self.entries.front();
        let client = front.and_then(|entry| Some((entry.client.as_ref()?, entry)));
        !self.in_doubt
            && client.is_some_and(|(client, entry)| {
                entry.end <= self.sent && client.can_stream(entry.number)
            })
    }

    /// The client to which the reply to the oldest request is forwarded, unless it is gone.
    pub(super) fn streams_to(&self) -> Option<&Rc<Client>> {
        let client = self.entries.front()?.client.as_ref();
        client.filter(|client| !client.is_gone())
    }

    /// Forwards the next piece of the reply to the oldest request.
    ///
    /// # Errors
    /// As of [`Queue::answer`].
    pub(super) fn stream(&mut self, piece: Bytes, is_last: bool) -> Result<(), Kind> {
        if let Some(client) = self.streams_to() {
            client.stream(piece, is_last);
        }
        match is_last {
            // The client has all of it, and expects no more under this number.
            true => self.answer(Reply::Small(b"")),
            false => Ok(()),
        }
    }

    /// The deadline of the oldest request, failed or not, of which the node has got a part.
    pub(super) fn oldest_sent_deadline(&self) -> Option<Micros> {
        self.entries
            .front()
            .filter(|_| self.sent > self.answered)
            .map(|entry| entry.deadline)
    }
}

#[cfg(test)]
mod tests;
