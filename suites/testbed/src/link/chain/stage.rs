//! One toxic on one direction of one connection, and the queue in front of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::{Load, Notes, ReplyEnd, Tag};
use crate::chance::Chance;
use crate::fault::{BufferLimit, Counts, Decision, Head, Law, Removal, Then, ToxicKind, View};
use crate::link::toxics::Entry;

/// As much as `hold` keeps.
const REPLIES_ROOM: BufferLimit = BufferLimit {
    chunks: usize::MAX,
    bytes: 64 * 1024 * 1024,
};

/// A chunk, a whole reply, or the end.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) load: Load,
    pub(super) read_at: Instant,
    pub(super) came_at: Instant,
    /// Set if it is a whole reply.
    pub(super) tag: Option<Tag>,
    /// The replies of the node that end in it, in order.
    pub(super) ends: Vec<ReplyEnd>,
    /// The decision of a toxic of replies about it; dropped when it passes.
    pub(super) verdict: Verdict,
}

impl Piece {
    pub(super) fn new(load: Load, now: Instant) -> Self {
        Self {
            load,
            read_at: now,
            came_at: now,
            tag: None,
            ends: Vec::new(),
            verdict: Verdict::Open,
        }
    }

    /// Takes out the replies that end in the first `length` bytes; the other ends move forward by as much.
    pub(super) fn take_ends(&mut self, length: usize) -> Vec<ReplyEnd> {
        let first = self.ends.partition_point(|end| end.at <= length);
        let later = self.ends.split_off(first);
        let moved = later.into_iter().map(|end| ReplyEnd {
            at: end.at - length,
            ..end
        });
        std::mem::replace(&mut self.ends, moved.collect())
    }

    pub(super) fn arriving(self, now: Instant) -> Self {
        Self {
            came_at: now,
            verdict: Verdict::Open,
            ..self
        }
    }

    pub(super) fn length(&self) -> usize {
        match &self.load {
            Load::Bytes(bytes) => bytes.len(),
            Load::End | Load::Close => 0,
        }
    }

    fn head(&self) -> Head {
        let (read_at, came_at) = (self.read_at, self.came_at);
        match &self.load {
            Load::Bytes(bytes) => Head::Bytes {
                length: bytes.len(),
                read_at,
                came_at,
            },
            Load::End | Load::Close => Head::End { came_at },
        }
    }
}

/// The decision about a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing yet.
    Open,
    /// The toxic is to act on it.
    Picked,
    /// The toxic makes it wait.
    Waits,
    /// It passes as it is now, and this follows.
    Ready(Then),
}

/// A toxic with its queue.
#[derive(Debug)]
pub(super) struct Stage {
    serial: u64,
    pub(super) name: String,
    pub(super) kind: ToxicKind,
    /// Whether the toxic works on this connection.
    active: bool,
    /// The draw that its toxicity is compared with, and the root of its other draws.
    pub(super) chance: Chance,
    /// The counters of the toxic, over all connections.
    pub(super) counts: Arc<Mutex<Counts>>,
    pub(super) queue: VecDeque<Piece>,
    /// Bytes in the queue.
    pub(super) waiting: usize,
    quiet_since: Instant,
    passed: u64,
    pieces: u64,
    /// Replies that were inspected.
    pub(super) replies: u64,
    last_due: Option<Instant>,
    /// What follows a reply that passed.
    pub(super) then: Then,
    /// The end of the stream has gone through.
    done: bool,
}

impl Stage {
    pub(super) fn new(entry: &Entry, chance: Chance, now: Instant) -> Self {
        let mut stage = Self {
            serial: entry.serial,
            name: entry.toxic.name.clone(),
            kind: entry.toxic.kind.clone(),
            active: false,
            chance: chance.of(entry.serial),
            counts: Arc::clone(&entry.counts),
            queue: VecDeque::new(),
            waiting: 0,
            quiet_since: now,
            passed: 0,
            pieces: 0,
            replies: 0,
            last_due: None,
            then: Then::Continue,
            done: false,
        };
        stage.settle(entry);
        stage
    }

    pub(super) fn serial(&self) -> u64 {
        self.serial
    }

    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    pub(super) fn acts_on_replies(&self) -> bool {
        self.kind.acts_on_replies()
    }

    /// Lets nothing more through; what waits is lost, with these replies.
    pub(super) fn end(&mut self) -> Vec<ReplyEnd> {
        self.done = true;
        self.waiting = 0;
        self.queue.drain(..).flat_map(|piece| piece.ends).collect()
    }

    /// What waits, in order.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Piece> {
        self.queue.iter()
    }

    pub(super) fn into_queue(self) -> VecDeque<Piece> {
        self.queue
    }

    /// Takes the attributes of its toxic. The draw stays, so that a higher toxicity only adds connections.
    pub(super) fn settle(&mut self, entry: &Entry) {
        self.kind = entry.toxic.kind.clone();
        self.active = self.chance.fraction() < f64::from(entry.toxic.toxicity);
    }

    /// What happens to the connection when the toxic is removed now.
    pub(super) fn removal(&self) -> Removal {
        if !self.active || self.done {
            return Removal::Deliver;
        }
        match self.kind.law() {
            Law::Bytes(rule) => rule.removal(),
            Law::Replies(_) if self.then == Then::Continue => Removal::Deliver,
            Law::Replies(_) => Removal::Close,
        }
    }

    /// What happens to the head. `notes` get what happens to a reply.
    pub(super) fn decide(&mut self, now: Instant, notes: &mut Notes) -> Decision {
        let head = self.queue.front().map_or(Head::Nothing, Piece::head);
        match self.kind.law() {
            _ if !self.active => passed(head, now),
            Law::Replies(_) => self.decide_reply(head, now, notes),
            Law::Bytes(rule) => rule.decide(&View {
                head,
                quiet_since: self.quiet_since,
                passed: self.passed,
                last_due: self.last_due,
                chance: self.chance.of(self.pieces),
            }),
        }
    }

    pub(super) fn accepts(&self) -> bool {
        let room = match self.kind.law() {
            Law::Bytes(rule) => rule.room(),
            Law::Replies(_) => REPLIES_ROOM,
        };
        let roomy = self.waiting < room.bytes && self.queue.len() < room.chunks;
        self.queue.is_empty() || (self.active && roomy)
    }

    pub(super) fn push(&mut self, piece: Piece) {
        self.quiet_since = piece.came_at;
        self.waiting += piece.length();
        self.queue.push_back(piece);
    }

    /// Takes the head off the queue; what follows it happens next.
    pub(super) fn pop(&mut self) -> Option<Piece> {
        let piece = self.queue.pop_front()?;
        self.waiting -= piece.length();
        if let Verdict::Ready(then) = piece.verdict
            && then != Then::Continue
        {
            self.then = then;
        }
        Some(piece)
    }

    /// Takes the first `length` bytes off the queue, or the end.
    pub(super) fn pass(&mut self, length: usize, due: Instant) -> Option<Piece> {
        let mut piece = self.pop()?;
        piece.read_at = piece.read_at.max(due);
        let Load::Bytes(bytes) = &mut piece.load else {
            self.done = true;
            return Some(piece);
        };
        let length = length.clamp(1, bytes.len());
        let rest = bytes.split_off(length);
        self.passed += length as u64;
        self.pieces += 1;
        self.last_due = Some(due);
        if !rest.is_empty() {
            let passed = piece.take_ends(length);
            self.waiting += rest.len();
            self.queue.push_front(Piece {
                load: Load::Bytes(rest),
                tag: None,
                ends: std::mem::replace(&mut piece.ends, passed),
                ..piece
            });
        }
        Some(piece)
    }
}

/// As if there were no toxic.
pub(super) fn passed(head: Head, due: Instant) -> Decision {
    let length = usize::MAX;
    match head {
        Head::Nothing => Decision::Wait,
        Head::Bytes { .. } | Head::End { .. } => Decision::Pass { length, due },
    }
}
