//! A toxic of replies on one connection: which replies it inspects, and what it does to them.
//!
//! Only whole replies are inspected. Other bytes pass in their place: the rest of a reply that began before the toxic
//! was added, and bytes that are not RESP.

use std::sync::PoisonError;

use bytes::Bytes;
use tokio::time::Instant;

use super::stage::{Piece, Stage, Verdict, passed};
use super::{Load, Notes};
use crate::fault::{Decision, Head, Law, Reply, ReplyDecision, Then, later};

/// What a look at a reply is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// To act on it if it is selected.
    Pick,
    /// To count it only.
    Count,
}

impl Stage {
    pub(super) fn decide_reply(&mut self, head: Head, now: Instant, notes: &mut Notes) -> Decision {
        match (self.then, head) {
            (Then::Continue, _) => {}
            (Then::Close, _) => return Decision::Close { due: now },
            (Then::Silence, Head::Bytes { .. }) => return Decision::Drop,
            (Then::Silence, _) => return passed(head, now),
        }
        self.look(0, Look::Pick);
        match self.queue.front() {
            Some(piece) if matches!(piece.verdict, Verdict::Picked | Verdict::Waits) => {
                self.act(now, notes)
            }
            // It is empty.
            Some(piece) if matches!(&piece.load, Load::Bytes(bytes) if bytes.is_empty()) => {
                Decision::Drop
            }
            _ => passed(head, now),
        }
    }

    /// Inspects the piece at this place of the queue, unless it has been inspected.
    fn look(&mut self, at: usize, look: Look) {
        let (Law::Replies(rule), Some(piece)) = (self.kind.law(), self.queue.get_mut(at)) else {
            return;
        };
        if piece.verdict != Verdict::Open {
            return;
        }
        piece.verdict = Verdict::Ready(Then::Continue);
        let Some(reply) = reply(piece) else {
            return;
        };
        self.replies += 1;
        let chance = self.chance.of(self.replies);
        if rule.fits(reply) && rule.selection().fits(reply.request, chance) {
            let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
            counts.fitting += 1;
            if look == Look::Pick && rule.selection().picks(*counts) {
                counts.picked += 1;
                piece.verdict = Verdict::Picked;
            }
        }
    }

    /// Acts on the head, which was picked.
    fn act(&mut self, now: Instant, notes: &mut Notes) -> Decision {
        let (Law::Replies(rule), Some(piece)) = (self.kind.law(), self.queue.front_mut()) else {
            return Decision::Wait;
        };
        let decision = reply(piece).map(|reply| rule.on_reply(reply));
        let length = usize::MAX;
        match decision {
            Some(ReplyDecision::Wait { time }) => {
                if piece.verdict == Verdict::Picked {
                    piece.verdict = Verdict::Waits;
                    notes.acted.push(self.name.clone());
                }
                let due = time.map(|time| later(piece.came_at, time));
                due.map_or(Decision::Wait, |due| Decision::Pass { length, due })
            }
            Some(ReplyDecision::Send { bytes, then }) => {
                self.waiting = self.waiting - piece.length() + bytes.len();
                let is_lost = bytes.is_empty();
                match contains(&bytes, &piece.load) {
                    true => piece.ends.iter_mut().for_each(|end| end.at = bytes.len()),
                    false => notes.lost(std::mem::take(&mut piece.ends)),
                }
                piece.load = Load::Bytes(Bytes::from(bytes));
                piece.verdict = Verdict::Ready(then);
                notes.acted.push(self.name.clone());
                match is_lost {
                    true => Decision::Drop,
                    false => Decision::Pass { length, due: now },
                }
            }
            Some(ReplyDecision::Swap) => self.swap(now, notes),
            None => Decision::Pass { length, due: now },
        }
    }

    /// Lets the next reply pass first, once it has arrived.
    fn swap(&mut self, now: Instant, notes: &mut Notes) -> Decision {
        let Some(next) = self.queue.get(1) else {
            return Decision::Wait;
        };
        if reply(next).is_some() {
            // Not swapped once more.
            self.look(1, Look::Count);
            self.queue.swap(0, 1);
            notes.acted.push(self.name.clone());
        }
        for piece in self.queue.iter_mut().take(2) {
            piece.verdict = match &piece.load {
                Load::Bytes(_) => Verdict::Ready(Then::Continue),
                Load::End | Load::Close => Verdict::Open,
            };
        }
        Decision::Pass {
            length: usize::MAX,
            due: now,
        }
    }
}

/// Whether a reply is whole among the bytes that go on in its place, at their start or their end.
fn contains(bytes: &[u8], reply: &Load) -> bool {
    match reply {
        Load::Bytes(reply) => bytes.starts_with(reply) || bytes.ends_with(reply),
        Load::End | Load::Close => false,
    }
}

/// The reply that a piece is, if it is a whole one.
fn reply(piece: &Piece) -> Option<Reply<'_>> {
    match (&piece.load, &piece.tag) {
        (Load::Bytes(bytes), Some(tag)) if !bytes.is_empty() => Some(Reply {
            bytes,
            request: tag.0.as_deref(),
        }),
        _ => None,
    }
}
