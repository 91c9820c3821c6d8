//! What waits for one node: bytes to be sent, and whose replies will come in which order.
//!
//! Never touches a socket or the clock.

use std::collections::VecDeque;
use std::rc::Rc;

use bytes::Bytes;

use super::Payload;
use super::marker::Markers;
use crate::buffer::WriteQueue;
use crate::client::{Charge, Client, Reply};
use crate::clock::Micros;
use crate::command::EXEC_ABORTED;
use crate::error::{Executed, Kind};

/// Who waits for a reply.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) client: Rc<Client>,
    /// Of the request, as the client's outbox numbers it.
    pub(crate) number: u32,
    /// Of a request that was split.
    pub(crate) part: u16,
    pub(crate) deadline: Micros,
    /// Carries out what was queued before it: when it is certainly not sent, that is certainly not carried out.
    pub(crate) commits: bool,
    /// What its reply takes of what the node may owe.
    pub(crate) charge: Charge,
}

/// What a request is to the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Of a client.
    Plain,
    /// Of a client, and carries out what was queued before it.
    Commits,
    /// Of the proxy, to see whether a reply was lost.
    Marker,
}

#[derive(Debug)]
struct Entry {
    /// `None` when the request has failed already: its reply is to be dropped.
    client: Option<Rc<Client>>,
    number: u32,
    part: u16,
    role: Role,
    charge: Charge,
    deadline: Micros,
    /// Where the request ends in the stream of bytes to the node.
    end: u64,
}

/// Requests on their way, oldest first.
#[derive(Debug)]
pub(crate) struct Queue {
    /// The node's address, for the log.
    node: Rc<str>,
    /// Whether what becomes of each request is logged; looked up once a turn.
    pub(super) logs: bool,
    /// Bytes of requests that are not sent yet.
    pub(super) out: WriteQueue,
    entries: VecDeque<Entry>,
    /// Whether the reply to the front entry has begun and keeps coming, so that it is not late.
    comes: bool,
    /// How many entries at the front, or after the one whose reply comes, have failed already.
    failed: usize,
    /// Places in the stream of bytes to the node: behind the last request, what is sent, behind the last reply.
    appended: u64,
    sent: u64,
    answered: u64,
    /// Charges of the requests whose reply has not come, failed ones included.
    owed: u64,
    markers: Markers,
    /// Where the last request ends that ran out of time after it was sent, and the last marker.
    late: u64,
    marked: u64,
    /// Whether a reply was taken for that of a request which had run out of time, and no marker has come since.
    in_doubt: bool,
    /// Requests with replies that came meanwhile.
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

    /// Requests whose reply has not come, failed ones included.
    #[inline]
    pub(super) fn waiting(&self) -> usize {
        self.entries.len()
    }

    /// Whether anybody still waits.
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
    /// The connection cannot be used any more: the reply answers no request, because the node has not got one, or the node
    /// has refused a request of which it has only a part, as Redis does with a protocol error, or has lost a reply.
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

    /// Checks that the reply to a marker comes in its place and nowhere else.
    #[cold]
    fn check_marker(&self, reply: &Reply<'_>) -> Result<(), Kind> {
        let reply = reply.as_bytes();
        let is_right = match self.entries.front() {
            Some(front) if front.role == Role::Marker => reply == self.markers.reply(front.number),
            _ => !self.markers.has(reply),
        };
        if is_right {
            Ok(())
        } else {
            Err(Kind::OutOfStep)
        }
    }

    /// What came for a request that had failed already, for a marker, or for one of which it is not certain yet that the
    /// reply is its own.
    #[cold]
    fn doubt(&mut self, entry: Entry, reply: Reply<'_>) {
        if entry.role == Role::Marker {
            self.in_doubt = false;
            for (entry, reply) in self.doubtful.drain(..) {
                if let Some(client) = entry.client {
                    client.deliver(entry.number, entry.part, Reply::Large(reply));
                }
            }
        } else if entry.client.is_none() {
            // Without a marker that is to come, it was not late, but too large, or stopped after it had begun.
            self.in_doubt |= entry.end <= self.marked;
        } else {
            self.doubtful.push_back((entry, reply.into_bytes()));
        }
    }

    /// Sends a marker after requests that ran out of time, unless one is on its way.
    fn mark(&mut self, deadline: Micros) {
        if self.late <= self.marked.max(self.answered) {
            return;
        }
        let (number, request) = self.markers.next();
        self.out.put(&request);
        self.appended += request.len() as u64;
        self.marked = self.appended;
        self.entries.push_back(Entry {
            client: None,
            number,
            part: 0,
            role: Role::Marker,
            charge: Charge::NONE,
            deadline,
            end: self.appended,
        });
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

    /// The deadline of the oldest request that has not failed and whose reply does not come.
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

    /// Whether the reply to the oldest request, of which so many bytes have come, is not kept: no client waits for it, or
    /// it is larger than `max`, which its client learns now.
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

    /// Whether the reply to the oldest request can be handed on as it comes.
    pub(super) fn can_stream(&self) -> bool {
        let front = self.entries.front();
        let client = front.and_then(|entry| Some((entry.client.as_ref()?, entry)));
        !self.in_doubt
            && client.is_some_and(|(client, entry)| {
                entry.end <= self.sent && client.can_stream(entry.number)
            })
    }

    /// The client to whom the reply to the oldest request is handed on, unless it is gone.
    pub(super) fn streams_to(&self) -> Option<&Rc<Client>> {
        let client = self.entries.front()?.client.as_ref();
        client.filter(|client| !client.is_gone())
    }

    /// Hands on the next piece of the reply to the oldest request.
    ///
    /// # Errors
    /// As of [`Queue::answer`].
    pub(super) fn stream(&mut self, piece: Bytes, is_last: bool) -> Result<(), Kind> {
        if let Some(client) = self.streams_to() {
            client.stream(piece, is_last);
        }
        match is_last {
            // The client has all of it, and takes nothing more by this number.
            true => self.answer(Reply::Small(b"")),
            false => Ok(()),
        }
    }

    /// Fails the oldest request, whose reply has begun.
    #[cold]
    fn fail_front(&mut self, text: impl Fn(Executed) -> Vec<u8>) {
        if let Some(front) = self.entries.front_mut()
            && let Some(client) = front.client.take()
        {
            let reply = text(Executed::Maybe);
            client.deliver(front.number, front.part, Reply::Own(&reply));
            self.comes = false;
            self.failed += 1;
        }
    }

    /// The deadline of the oldest request, failed or not, of which the node has got something.
    pub(super) fn oldest_sent_deadline(&self) -> Option<Micros> {
        self.entries
            .front()
            .filter(|_| self.sent > self.answered)
            .map(|entry| entry.deadline)
    }

    /// Fails the requests whose time is up. Those of which nothing was sent yet are never sent; after the others goes a
    /// marker, with a deadline of its own.
    pub(super) fn expire(
        &mut self,
        now: Micros,
        marker_deadline: Micros,
        text: impl Fn(Executed) -> Vec<u8>,
    ) {
        let is_late = |(entry, _): &(Entry, Bytes)| entry.deadline <= now;
        while self.doubtful.front().is_some_and(is_late)
            && let Some((entry, _)) = self.doubtful.pop_front()
        {
            self.fail(entry, Executed::Maybe, &text);
        }
        let from = self.first_due();
        let mut start = match from.checked_sub(1) {
            Some(before) => self.entries[before].end,
            None => self.answered,
        };
        let mut unsent = None;
        while let Some(entry) = self.entries.get_mut(usize::from(self.comes) + self.failed)
            && entry.deadline <= now
        {
            let executed = if start >= self.sent {
                Executed::No
            } else {
                Executed::Maybe
            };
            if executed == Executed::No && unsent.is_none() {
                unsent = Some((usize::from(self.comes) + self.failed, start));
            }
            start = entry.end;
            if let Some(client) = entry.client.take() {
                if executed == Executed::Maybe {
                    self.late = entry.end;
                }
                if self.logs {
                    tracing::debug!(client = client.id, number = entry.number, node = %self.node, ?executed, "timed out");
                }
                client.deliver(entry.number, entry.part, Reply::Own(&text(executed)));
            }
            self.failed += 1;
        }
        if let Some((first, begin)) = unsent {
            self.cut(first, begin, start);
        }
        self.mark(marker_deadline);
    }

    /// Forgets the failed entries from `first` on, whose bytes are `begin..end` of the stream.
    fn cut(&mut self, first: usize, begin: u64, end: u64) {
        let place = |at: u64| usize::try_from(at - self.sent).unwrap_or(usize::MAX);
        self.out.cut(place(begin), place(end));
        let charges = self
            .entries
            .drain(first..usize::from(self.comes) + self.failed);
        self.owed -= charges.map(|entry| entry.charge.bytes()).sum::<u64>();
        self.failed = first - usize::from(self.comes);
        let gone = end - begin;
        self.appended -= gone;
        if self.marked > end {
            self.marked -= gone;
        } else if self.marked > begin {
            // It was the only one after the last request that is late.
            self.marked = 0;
        }
        for entry in self.entries.range_mut(first..) {
            entry.end -= gone;
        }
    }

    /// The connection is gone: fails the requests of which something was sent, for the node may have executed them. The
    /// others are kept for the next connection.
    pub(super) fn fail_sent(&mut self, text: impl Fn(Executed) -> Vec<u8>) {
        for (entry, _) in std::mem::take(&mut self.doubtful) {
            self.fail(entry, Executed::Maybe, &text);
        }
        let mut start = self.answered;
        while start < self.sent
            && let Some(entry) = self.entries.pop_front()
        {
            start = entry.end;
            self.owed -= entry.charge.bytes();
            self.fail(entry, Executed::Maybe, &text);
        }
        // What is left of the last one is not sent on another connection.
        self.out
            .advance(usize::try_from(start.saturating_sub(self.sent)).unwrap_or(0));
        // Failed requests of which nothing was sent are not kept, so none is left here.
        (self.comes, self.failed, self.in_doubt) = (false, 0, false);
        (self.late, self.marked) = (0, self.marked.saturating_sub(start));
        self.appended -= start;
        for entry in &mut self.entries {
            entry.end -= start;
        }
        (self.sent, self.answered) = (0, 0);
    }

    fn fail(&self, entry: Entry, executed: Executed, text: impl Fn(Executed) -> Vec<u8>) {
        let Some(client) = entry.client else {
            return;
        };
        if self.logs {
            tracing::debug!(client = client.id, number = entry.number, node = %self.node, ?executed, "lost");
        }
        if entry.role == Role::Commits && executed == Executed::No {
            return client.deliver(entry.number, entry.part, Reply::Own(EXEC_ABORTED));
        }
        client.deliver(entry.number, entry.part, Reply::Own(&text(executed)));
    }

    /// Fails everything, as what may have been executed: a panic has left the rest of this in any state.
    pub(super) fn abandon(&mut self, text: impl Fn(Executed) -> Vec<u8>) {
        let doubtful = std::mem::take(&mut self.doubtful);
        let entries = std::mem::take(&mut self.entries);
        *self = Self::new(Rc::clone(&self.node));
        for entry in doubtful.into_iter().map(|(entry, _)| entry).chain(entries) {
            self.fail(entry, Executed::Maybe, &text);
        }
    }

    /// Fails everything: there is no connection to be had.
    pub(super) fn fail_all(&mut self, text: impl Fn(Executed) -> Vec<u8>) {
        self.fail_sent(&text);
        let kept = std::mem::take(&mut self.entries);
        *self = Self::new(Rc::clone(&self.node));
        for entry in kept {
            self.fail(entry, Executed::No, &text);
        }
    }
}

/// Values are nobody's business: only what kind of reply came.
#[cold]
fn log_answer(node: &str, entry: &Entry, reply: &Reply<'_>) {
    let outcome = match (&entry.client, reply.first_byte()) {
        (None, _) if entry.role == Role::Marker => "marker",
        (None, _) => "late, dropped",
        (Some(_), Some(b'-' | b'!')) => "error",
        (Some(_), _) => "ok",
    };
    let client = entry.client.as_ref().map(|client| client.id);
    tracing::debug!(
        client,
        number = entry.number,
        node,
        bytes = reply.len(),
        outcome,
        "answered"
    );
}

#[cfg(test)]
mod tests;
