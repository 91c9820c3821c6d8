//! The toxics of one direction of one connection, in order: which bytes are sent, and when.
//!
//! Never reads or writes: pieces are pushed in at one end and taken out at the other, and the time comes with each call.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use super::toxics::Entry;
use crate::chance::Chance;
use crate::fault::{Decision, Head, Removal, Stream, ToxicKind, View};

/// What flows through a direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Load {
    /// Bytes, at least one.
    Bytes(Bytes),
    /// The sender has closed its side.
    End,
    /// The connection closes in order: a toxic or a scripted answer says so, or the sender is gone.
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

/// The toxics of one direction, in the order of their addition, and what waits before each.
#[derive(Debug)]
pub(super) struct Chain {
    stream: Stream,
    chance: Chance,
    stages: Vec<Harness>,
    /// What has passed all of them.
    ready: VecDeque<Load>,
    /// The end of the stream is in the chain or past it: no more input.
    over: bool,
}

impl Chain {
    pub(super) fn new(stream: Stream, chance: Chance) -> Self {
        Self {
            stream,
            chance,
            stages: Vec::new(),
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

    /// Takes what the sender sent.
    pub(super) fn push(&mut self, load: Load, now: Instant) {
        self.over |= matches!(load, Load::End | Load::Close);
        self.arrive(0, Piece::new(load, now));
    }

    /// What is to be written next, until it is [taken](Self::take).
    pub(super) fn ready(&mut self) -> Option<&mut Load> {
        self.ready.front_mut()
    }

    pub(super) fn take(&mut self) {
        self.ready.pop_front();
    }

    /// Applies a change of the link's toxics. Removed toxics release their bytes; new ones are appended.
    pub(super) fn set(&mut self, entries: &[Entry], now: Instant) {
        let stream = self.stream;
        let mine = || entries.iter().filter(|entry| entry.toxic.stream == stream);
        for at in (0..self.stages.len()).rev() {
            let serial = self.stages[at].serial;
            match mine().find(|entry| entry.serial == serial) {
                Some(entry) => self.stages[at].settle(entry),
                None => self.remove(at, now),
            }
        }
        let last = self.stages.last().map_or(0, |stage| stage.serial);
        let over = self.over && self.stages.last().is_none_or(|stage| stage.done);
        for entry in mine().filter(|entry| entry.serial > last) {
            let mut stage = Harness::new(entry, self.chance, now);
            stage.done = over;
            self.stages.push(stage);
        }
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
        let stage = &self.stages[at];
        if stage.done {
            return Advance::Waits;
        }
        match stage.decide(now) {
            Decision::Wait => Advance::Waits,
            Decision::Pass { due, .. } | Decision::Close { due } | Decision::Reset { due }
                if due > now =>
            {
                Advance::Due(due)
            }
            Decision::Reset { .. } => Advance::Reset,
            Decision::Drop => match self.stages[at].pop() {
                Some(_) => Advance::Moved,
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
            .map_or(self.ready.is_empty(), Harness::accepts)
    }

    fn arrive(&mut self, at: usize, piece: Piece) {
        match self.stages.get_mut(at) {
            Some(stage) => stage.push(piece),
            None => self.ready.push_back(piece.load),
        }
    }

    /// Ends the stream after the stage at `at`; bytes that wait before it are lost.
    fn close(&mut self, at: usize, now: Instant) {
        self.over = true;
        for stage in &mut self.stages[..=at] {
            stage.done = true;
            stage.queue.clear();
            stage.waiting = 0;
        }
        self.arrive(at + 1, Piece::new(Load::Close, now));
    }

    fn remove(&mut self, at: usize, now: Instant) {
        let stage = &self.stages[at];
        let removal = stage.kind.rule().removal();
        if stage.active && !stage.done && removal == Removal::Close {
            self.close(at, now);
        }
        let stage = self.stages.remove(at);
        for piece in stage.queue {
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

#[derive(Debug)]
struct Piece {
    load: Load,
    read_at: Instant,
    came_at: Instant,
}

impl Piece {
    fn new(load: Load, now: Instant) -> Self {
        Self {
            load,
            read_at: now,
            came_at: now,
        }
    }

    fn arriving(self, now: Instant) -> Self {
        Self {
            came_at: now,
            ..self
        }
    }

    fn length(&self) -> usize {
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

/// One toxic on one direction of one connection.
#[derive(Debug)]
struct Harness {
    serial: u64,
    kind: ToxicKind,
    /// Whether the toxic works on this connection.
    active: bool,
    /// What its toxicity is compared with, and the root of its other draws.
    chance: Chance,
    queue: VecDeque<Piece>,
    /// Bytes in the queue.
    waiting: usize,
    quiet_since: Instant,
    passed: u64,
    pieces: u64,
    last_due: Option<Instant>,
    /// The end of the stream has gone through.
    done: bool,
}

impl Harness {
    fn new(entry: &Entry, chance: Chance, now: Instant) -> Self {
        let mut stage = Self {
            serial: entry.serial,
            kind: entry.toxic.kind,
            active: false,
            chance: chance.of(entry.serial),
            queue: VecDeque::new(),
            waiting: 0,
            quiet_since: now,
            passed: 0,
            pieces: 0,
            last_due: None,
            done: false,
        };
        stage.settle(entry);
        stage
    }

    /// Takes over the attributes of its toxic. The draw stays, so that a higher toxicity only adds connections.
    fn settle(&mut self, entry: &Entry) {
        self.kind = entry.toxic.kind;
        self.active = self.chance.fraction() < f64::from(entry.toxic.toxicity);
    }

    fn decide(&self, now: Instant) -> Decision {
        let head = self.queue.front().map_or(Head::Nothing, Piece::head);
        if !self.active {
            return match head {
                Head::Nothing => Decision::Wait,
                _ => Decision::Pass {
                    length: usize::MAX,
                    due: now,
                },
            };
        }
        self.kind.rule().decide(&View {
            head,
            quiet_since: self.quiet_since,
            passed: self.passed,
            last_due: self.last_due,
            chance: self.chance.of(self.pieces),
        })
    }

    fn accepts(&self) -> bool {
        let room = self.kind.rule().room();
        let roomy = self.waiting < room.bytes && self.queue.len() < room.chunks;
        self.queue.is_empty() || (self.active && roomy)
    }

    fn push(&mut self, piece: Piece) {
        self.quiet_since = piece.came_at;
        self.waiting += piece.length();
        self.queue.push_back(piece);
    }

    fn pop(&mut self) -> Option<Piece> {
        let piece = self.queue.pop_front()?;
        self.waiting -= piece.length();
        Some(piece)
    }

    /// Takes the first `length` bytes off the queue, or the end.
    fn pass(&mut self, length: usize, due: Instant) -> Option<Piece> {
        let mut piece = self.pop()?;
        piece.read_at = piece.read_at.max(due);
        match &mut piece.load {
            Load::End | Load::Close => self.done = true,
            Load::Bytes(bytes) => {
                let rest = bytes.split_off(length.clamp(1, bytes.len()));
                self.passed += bytes.len() as u64;
                self.pieces += 1;
                self.last_due = Some(due);
                if !rest.is_empty() {
                    self.waiting += rest.len();
                    self.queue.push_front(Piece {
                        load: Load::Bytes(rest),
                        ..piece
                    });
                }
            }
        }
        Some(piece)
    }
}

#[cfg(test)]
mod tests;
