//! Whether a reply after a late one answers its own request: markers decide.

use super::Queue;
use super::entry::{Entry, Role};
use crate::client::{Charge, Reply};
use crate::clock::Micros;
use crate::error::Kind;

impl Queue {
    /// Checks that the reply to a marker comes in its place and nowhere else.
    #[cold]
    pub(super) fn check_marker(&self, reply: &Reply<'_>) -> Result<(), Kind> {
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

    /// Whether the reply to the last marker is within one that is not complete. The node made that one before it read the
    /// marker, so it has announced more than it sent. A reply that is cut between two reads is missed; the next request that
    /// runs out of time has another marker.
    pub(in crate::upstream) fn has_marker_in(&self, incomplete: &[u8]) -> bool {
        self.marked > self.answered
            && memchr::memmem::find(incomplete, &self.markers.last_reply()).is_some()
    }

    /// Handles a reply to a request that has failed already, to a marker, or to a request that may not be its own.
    #[cold]
    pub(super) fn doubt(&mut self, entry: Entry, reply: Reply<'_>) {
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
    pub(super) fn mark(&mut self, deadline: Micros) {
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
}
