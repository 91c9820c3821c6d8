//! Requests that fail: late ones, those of a connection that is lost, and all of a node that cannot be reached.

use std::rc::Rc;

use bytes::Bytes;

use super::Queue;
use super::entry::{Entry, Role};
use crate::client::Reply;
use crate::clock::Micros;
use crate::command::EXEC_ABORTED;
use crate::error::Executed;

impl Queue {
    /// Fails the oldest request, whose reply has begun.
    #[cold]
    pub(in crate::upstream) fn fail_front(&mut self, text: impl Fn(Executed) -> Vec<u8>) {
        if let Some(front) = self.entries.front_mut()
            && let Some(client) = front.client.take()
        {
            let reply = text(Executed::Maybe);
            client.deliver(front.number, front.part, Reply::Own(&reply));
            self.comes = false;
            self.failed += 1;
        }
    }

    /// Fails the requests whose time is up. Those that are entirely unsent are never sent; a marker follows the others,
    /// with a deadline of its own.
    pub(in crate::upstream) fn expire(
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

    /// The connection is gone: fails the requests of which a part was sent, because the node may have executed them.
    /// The others are kept for the next connection.
    pub(in crate::upstream) fn fail_sent(&mut self, text: impl Fn(Executed) -> Vec<u8>) {
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
        // The rest of the last one is not sent on another connection.
        self.out
            .advance(usize::try_from(start.saturating_sub(self.sent)).unwrap_or(0));
        // Failed requests that were unsent are not kept, so none is left here.
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

    /// Fails everything as possibly executed: a panic has left the rest of this in any state.
    pub(in crate::upstream) fn abandon(&mut self, text: impl Fn(Executed) -> Vec<u8>) {
        let doubtful = std::mem::take(&mut self.doubtful);
        let entries = std::mem::take(&mut self.entries);
        *self = Self::new(Rc::clone(&self.node));
        for entry in doubtful.into_iter().map(|(entry, _)| entry).chain(entries) {
            self.fail(entry, Executed::Maybe, &text);
        }
    }

    /// Fails everything: there is no connection.
    pub(in crate::upstream) fn fail_all(&mut self, text: impl Fn(Executed) -> Vec<u8>) {
        self.fail_sent(&text);
        let kept = std::mem::take(&mut self.entries);
        *self = Self::new(Rc::clone(&self.node));
        for entry in kept {
            self.fail(entry, Executed::No, &text);
        }
    }
}
