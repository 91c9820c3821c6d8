//! The toxics of one direction of one connection, in order: which bytes are sent, and when.
//!
//! Never reads or writes: pieces are pushed in at one end and taken out at the other, and the time comes with each call.

mod replies;
mod stage;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use tokio::time::Instant;

use super::tap::Passage;
use super::toxics::Entry;
use crate::chance::Chance;
use crate::fault::{Decision, Removal, Request, Stream};
use stage::{Piece, Stage};

/// What flows through a direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Load {
    /// Bytes, at least one.
    Bytes(Bytes),
    /// The sender has closed its side.
    End,
    /// The connection is closed with FIN: by a toxic, by a scripted answer, or because the sender is gone.
    Close,
}

/// Next step of the relay, after it has written ready bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Wait until then at the latest.
    Due(Instant),
    /// Wait for bytes or for other toxics.
    Anything,
    /// Reset the connection.
    Reset,
}

/// The mark of bytes that are a whole reply: the request that it answers, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag(pub(super) Option<Arc<Request>>);

/// The end of a reply among bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReplyEnd {
    /// How many of the bytes are up to it.
    pub(super) at: usize,
    /// The number of the reply on its connection.
    pub(super) reply: u64,
}

/// What toxics did, until it is put on the record.
#[derive(Debug, Default)]
struct Notes {
    /// Names of toxics that acted on a reply.
    acted: Vec<String>,
    /// Replies that have left the chain.
    left: Vec<(u64, Passage)>,
}

impl Notes {
    fn lost(&mut self, ends: Vec<ReplyEnd>) {
        let lost = ends.into_iter().map(|end| (end.reply, Passage::Lost));
        self.left.extend(lost);
    }
}

/// The toxics of one direction and the queue in front of each: those of replies, then those of bytes, both in the order
/// of their addition.
#[derive(Debug)]
pub(super) struct Chain {
    stream: Stream,
    chance: Chance,
    stages: Vec<Stage>,
    notes: Notes,
    /// What has passed all of them.
    ready: VecDeque<Piece>,
    /// The end of the stream is in the chain or past it: no more input.
    over: bool,
}

impl Chain {
    pub(super) fn new(stream: Stream, chance: Chance) -> Self {
        Self {
            stream,
            chance,
            stages: Vec::new(),
            notes: Notes::default(),
            ready: VecDeque::new(),
            over: false,
        }
    }

    /// Whether bytes would pass straight through.
    pub(super) fn is_clear(&self) -> bool {
        self.stages.is_empty() && self.ready.is_empty()
    }

    /// Whether there is room for more.
    pub(super) fn accepts(&self) -> bool {
        !self.over && self.accepts_before(0)
    }

    /// Whether a toxic acts on replies, so that each has to be pushed on its own.
    pub(super) fn wants_replies(&self) -> bool {
        self.stages.iter().any(Stage::acts_on_replies)
    }

    /// Takes a piece from the sender.
    pub(super) fn push(&mut self, load: Load, now: Instant) {
        self.over |= matches!(load, Load::End | Load::Close);
        self.arrive(0, Piece::new(load, now));
    }

    /// Takes bytes with the replies that end among them.
    pub(super) fn push_bytes(&mut self, bytes: Bytes, ends: Vec<ReplyEnd>, now: Instant) {
        let piece = Piece::new(Load::Bytes(bytes), now);
        self.arrive(0, Piece { ends, ..piece });
    }

    /// Takes one piece: a whole reply if it has a tag, the end of a numbered reply if it has a number.
    pub(super) fn push_reply(
        &mut self,
        bytes: Bytes,
        tag: Option<Tag>,
        reply: Option<u64>,
        now: Instant,
    ) {
        let at = bytes.len();
        let ends = reply.map(|reply| ReplyEnd { at, reply });
        let piece = Piece {
            tag,
            ends: ends.into_iter().collect(),
            ..Piece::new(Load::Bytes(bytes), now)
        };
        self.arrive(0, piece);
    }

    /// The names of toxics that acted on a reply since the last look, once for each reply.
    pub(super) fn acted(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes.acted)
    }

    /// The replies that have left the chain since the last look.
    pub(super) fn left(&mut self) -> Vec<(u64, Passage)> {
        std::mem::take(&mut self.notes.left)
    }

    /// The replies that are still in the chain.
    pub(super) fn unsent(&self) -> Vec<u64> {
        let waiting = self.stages.iter().rev().flat_map(Stage::waiting);
        let pieces = self.ready.iter().chain(waiting);
        let ends = pieces.flat_map(|piece| &piece.ends);
        ends.map(|end| end.reply).collect()
    }

    /// The next piece to write, until it is [written](Self::written).
    pub(super) fn ready(&mut self) -> Option<&mut Load> {
        self.ready.front_mut().map(|piece| &mut piece.load)
    }

    /// The first bytes of that piece were written, or the end was passed on.
    pub(super) fn written(&mut self, length: usize) {
        let Some(piece) = self.ready.front_mut() else {
            return;
        };
        let sent = piece.take_ends(length);
        let sent = sent.into_iter().map(|end| (end.reply, Passage::Sent));
        self.notes.left.extend(sent);
        if let Load::Bytes(bytes) = &mut piece.load {
            bytes.advance(length);
        }
        if piece.length() == 0 {
            self.ready.pop_front();
        }
    }

    /// Applies a change of the link's toxics. Removed toxics release their bytes.
    pub(super) fn set(&mut self, entries: &[Entry], now: Instant) {
        let stream = self.stream;
        let mine = || entries.iter().filter(|entry| entry.toxic.stream == stream);
        for at in (0..self.stages.len()).rev() {
            let serial = self.stages[at].serial();
            match mine().find(|entry| entry.serial == serial) {
                Some(entry) => self.stages[at].settle(entry),
                None => self.remove(at, now),
            }
        }
        let known = self.stages.iter().map(Stage::serial).max().unwrap_or(0);
        for entry in mine().filter(|entry| entry.serial > known) {
            self.insert(Stage::new(entry, self.chance, now));
        }
    }

    /// New stages come last: those of replies before the first one of bytes, which may cut replies.
    fn insert(&mut self, mut stage: Stage) {
        let bytes = self.stages.iter().position(|it| !it.acts_on_replies());
        let at = match stage.acts_on_replies() {
            true => bytes.unwrap_or(self.stages.len()),
            false => self.stages.len(),
        };
        let before = at.checked_sub(1).map(|at| self.stages[at].is_done());
        if self.over && before.unwrap_or(true) {
            self.notes.lost(stage.end());
        }
        self.stages.insert(at, stage);
    }

    /// Moves everything that may move now.
    pub(super) fn step(&mut self, now: Instant) -> Next {
        loop {
            let mut moved = false;
            let mut due: Option<Instant> = None;
            for at in (0..self.stages.len()).rev() {
                match self.advance(at, now) {
                    Advance::Moved => moved = true,
                    Advance::Due(time) => due = Some(due.map_or(time, |due| due.min(time))),
                    Advance::Waits => {}
                    Advance::Reset => return Next::Reset,
                }
            }
            if !moved {
                return due.map_or(Next::Anything, Next::Due);
            }
        }
    }

    fn advance(&mut self, at: usize, now: Instant) -> Advance {
        let stage = &mut self.stages[at];
        if stage.is_done() {
            return Advance::Waits;
        }
        match stage.decide(now, &mut self.notes) {
            Decision::Wait => Advance::Waits,
            Decision::Pass { due, .. } | Decision::Close { due } | Decision::Reset { due }
                if due > now =>
            {
                Advance::Due(due)
            }
            Decision::Reset { .. } => Advance::Reset,
            Decision::Drop => match self.stages[at].pop() {
                Some(piece) => {
                    self.notes.lost(piece.ends);
                    Advance::Moved
                }
                None => Advance::Waits,
            },
            Decision::Close { .. } => {
                self.close(at, now);
                Advance::Moved
            }
            Decision::Pass { length, due } => {
                if !self.accepts_before(at + 1) {
                    return Advance::Waits;
                }
                let Some(piece) = self.stages[at].pass(length, due) else {
                    return Advance::Waits;
                };
                self.arrive(at + 1, piece.arriving(now));
                Advance::Moved
            }
        }
    }

    /// Whether the stage at `at`, or the exit after the last one, takes another piece.
    fn accepts_before(&self, at: usize) -> bool {
        self.stages
            .get(at)
            .map_or(self.ready.is_empty(), Stage::accepts)
    }

    fn arrive(&mut self, at: usize, piece: Piece) {
        match self.stages.get_mut(at) {
            Some(stage) => stage.push(piece),
            None => self.ready.push_back(piece),
        }
    }

    /// Ends the stream after the stage at `at`; bytes that wait before it are lost.
    fn close(&mut self, at: usize, now: Instant) {
        self.over = true;
        for stage in &mut self.stages[..=at] {
            self.notes.lost(stage.end());
        }
        self.arrive(at + 1, Piece::new(Load::Close, now));
    }

    fn remove(&mut self, at: usize, now: Instant) {
        if self.stages[at].removal() == Removal::Close {
            self.close(at, now);
        }
        let stage = self.stages.remove(at);
        for piece in stage.into_queue() {
            self.arrive(at, piece.arriving(now));
        }
    }
}

enum Advance {
    Moved,
    Due(Instant),
    Waits,
    Reset,
}

#[cfg(test)]
mod reply_tests;
#[cfg(test)]
mod tests;
