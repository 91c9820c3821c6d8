//! What a client is owed: its replies in the order of its requests, whichever node is faster.
//!
//! Never touches a socket: the session writes what is ready here, the upstreams deliver into it.

mod line;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;

use bytes::Bytes;

use crate::buffer::{SHARE_FROM, WriteQueue};
use crate::clock::Micros;
use crate::command::Row;
use crate::join::{Joining, Progress, exec_misfit};
use crate::output::OutputBudget;
pub(crate) use line::{ClientActivity, ClientIdentity, line};

/// No more requests are taken while so many bytes of replies wait to be written.
const BACKLOG_MAX: usize = 1024 * 1024;
/// A stash beyond this is not grown: replies are then kept one by one.
const STASH_MAX: usize = 64 * 1024;

/// Requests that a client may have under way before any was answered; small replies earn it more.
const WINDOW_START: u32 = 16;
/// How large the reply of a client is taken to be before any has come.
const EXPECTED_START: usize = WINDOW_BYTES / WINDOW_START as usize;
/// With large replies, it may have as many under way as make about so many bytes of replies, but at least
/// `WINDOW_MIN`: what is asked for has to be taken from the node, and the others wait behind it.
const WINDOW_BYTES: usize = 4 * 1024 * 1024;
const WINDOW_MIN: u32 = 4;

/// How much a reply that a node owes may take, as the power of two that it does not exceed: a byte a request. None for
/// small replies, which are bounded by their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Charge(u8);

impl Charge {
    /// Of a small reply.
    pub(crate) const NONE: Self = Self(0);

    #[inline]
    fn of(bytes: usize) -> Self {
        if bytes == 0 {
            return Self::NONE;
        }
        let power = usize::BITS - (bytes - 1).leading_zeros();
        // At most 64.
        Self(u8::try_from(power.clamp(1, 40)).unwrap_or(40))
    }

    #[inline]
    pub(crate) fn bytes(self) -> u64 {
        if self == Self::NONE { 0 } else { 1 << self.0 }
    }
}

/// Where a client is that may have to wait until a node owes less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It does not wait.
    Free,
    /// It waits in the line of a node.
    Waiting,
    /// It has waited, and there is room for its next request.
    Called,
    /// It has waited in vain: nothing came from the node meanwhile.
    Expired,
}

/// Why the proxy closes a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    Idle,
    Unauthenticated,
    Output,
    Memory,
    Truncated,
    Panic,
}

impl Closed {
    pub(crate) const ALL: [Self; 6] = [
        Self::Idle,
        Self::Unauthenticated,
        Self::Output,
        Self::Memory,
        Self::Truncated,
        Self::Panic,
    ];

    /// As the counters have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Unauthenticated => "unauthenticated",
            Self::Output => "output",
            Self::Memory => "memory",
            Self::Truncated => "truncated",
            Self::Panic => "panic",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Idle => "timeouts.client_idle_ms",
            Self::Unauthenticated => "timeouts.unauthenticated_ms",
            Self::Output => "it does not read its replies",
            Self::Memory => {
                "limits.output_bytes: its requests that are not complete and its transaction occupy too much"
            }
            Self::Truncated => "the node broke off a reply of which a part was delivered",
            Self::Panic => "internal error of the proxy",
        }
    }
}

/// A reply on its way to a client.
#[derive(Debug)]
pub(crate) enum Reply<'a> {
    /// To be copied.
    Small(&'a [u8]),
    /// To be kept as it is.
    Large(Bytes),
    /// Of the proxy itself, to be copied: tells nothing of how large the client's replies are.
    Own(&'a [u8]),
}

impl Reply<'_> {
    /// What kind of reply it is.
    pub(crate) fn first_byte(&self) -> Option<u8> {
        match self {
            Self::Small(bytes) | Self::Own(bytes) => bytes.first().copied(),
            Self::Large(bytes) => bytes.first().copied(),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Small(bytes) | Self::Own(bytes) => bytes,
            Self::Large(bytes) => bytes,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Small(bytes) | Self::Own(bytes) => bytes.len(),
            Self::Large(bytes) => bytes.len(),
        }
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        match self {
            Self::Small(bytes) | Self::Own(bytes) => Bytes::copy_from_slice(bytes),
            Self::Large(bytes) => bytes,
        }
    }
}

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
    /// The first `bytes` of it were handed on; the rest follows.
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
#[derive(Debug)]
pub(crate) struct Outbox {
    slots: VecDeque<Slot>,
    /// The number of the first slot; numbers wrap.
    base: u32,
    /// In order, to be written.
    ready: WriteQueue,
    /// Small replies that came before their turn.
    stash: Vec<u8>,
    stashed: usize,
    /// Bytes of replies in slots.
    held: usize,
    /// Bytes of requests in slots.
    asked: usize,
    /// Requests that may be under way.
    window: u32,
    /// How large the next reply may be, from those that came; 0 when they are small.
    expected: usize,
    /// Parts that are to be asked now, each with the number of its request.
    next_parts: Vec<(u32, u16)>,
    /// Whether the rest of a reply will not come of which a part was handed on.
    is_truncated: bool,
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            slots: VecDeque::new(),
            base: 0,
            ready: WriteQueue::default(),
            stash: Vec::new(),
            stashed: 0,
            held: 0,
            asked: 0,
            window: WINDOW_START,
            expected: EXPECTED_START,
            next_parts: Vec::new(),
            is_truncated: false,
        }
    }
}

impl Outbox {
    /// Requests without a reply that is ready.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        self.slots.len()
    }

    /// What is ready to be written.
    #[inline]
    pub(crate) fn ready(&self) -> &WriteQueue {
        &self.ready
    }

    /// Whether so much is under way that the next request has to wait.
    #[inline]
    pub(crate) fn is_full(&self, requests_max: usize, asked_bytes_max: usize) -> bool {
        self.slots.len() >= requests_max.min(self.window as usize)
            || self.asked >= asked_bytes_max
            || self.bytes() >= BACKLOG_MAX
    }

    /// Whether there is something to do for the session.
    #[inline]
    fn has_news(&self) -> bool {
        !self.ready.is_empty() || !self.next_parts.is_empty()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.ready.len() + self.held
    }

    /// Learns from the size of a reply how many requests should be under way.
    #[inline]
    fn adapt(&mut self, reply_bytes: usize) {
        if is_large(reply_bytes) {
            let fit = u32::try_from(WINDOW_BYTES / reply_bytes).unwrap_or(WINDOW_MIN);
            self.window = self.window.min(fit).max(WINDOW_MIN);
            self.expected = reply_bytes.max(self.expected / 2);
        } else {
            self.window = self.window.saturating_add(1);
            if self.expected != 0 {
                let less = self.expected / 2;
                self.expected = if is_large(less) { less } else { 0 };
            }
        }
    }

    /// What the reply to the next request may take of what a node may owe; see [`Charge`].
    #[inline]
    pub(crate) fn charge(&self) -> Charge {
        Charge::of(self.expected)
    }

    /// Makes room for the reply to a request of `cost` bytes; gives the number to deliver it by.
    #[inline]
    pub(crate) fn expect(&mut self, cost: usize) -> u32 {
        self.push(cost, State::Waiting)
    }

    /// Makes room for the reply to EXEC of `queued` commands, which comes through as it is where its length fits.
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

    /// A reply that the proxy gives at once, in its turn; a large one is taken out of `reply`.
    pub(crate) fn answer(&mut self, reply: &mut Vec<u8>) {
        if is_large(reply.len()) {
            let number = self.expect(0);
            let window = (self.window, self.expected);
            let reply = Bytes::from(std::mem::take(reply));
            self.complete(number, 0, Reply::Large(reply));
            (self.window, self.expected) = window;
        } else if self.slots.is_empty() {
            self.ready.put(reply);
        } else {
            let number = self.expect(0);
            self.complete(number, 0, Reply::Own(reply));
        }
    }

    /// Takes the reply, or the reply of one part, to the request of this number.
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

    /// Makes the reply to the request of this number of the parts that have come.
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

    /// Whether the client has asked for nothing after the request of this number.
    pub(crate) fn is_last(&self, number: u32) -> bool {
        number.wrapping_sub(self.base) as usize + 1 == self.slots.len()
    }

    /// Whether parts of the reply to the request of this number are to come.
    pub(crate) fn is_joining(&self, number: u32) -> bool {
        let place = number.wrapping_sub(self.base) as usize;
        let state = self.slots.get(place).map(|slot| &slot.state);
        matches!(state, Some(State::Joining(_)))
    }

    /// Whether the reply to the request of this number can be handed on as it comes: it is its turn, and nothing is done to it.
    fn can_stream(&self, number: u32) -> bool {
        let front = self.slots.front().map(|slot| &slot.state);
        number == self.base && matches!(front, Some(State::Waiting))
    }

    /// The next piece of such a reply.
    fn stream(&mut self, piece: Bytes, is_last: bool) {
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
            self.adapt(bytes);
            self.pop();
            self.settle();
        }
    }

    #[inline]
    fn fill(&mut self, place: usize, reply: Reply<'_>) {
        if !matches!(reply, Reply::Own(_)) {
            self.adapt(reply.len());
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

/// One client connection as the upstreams see it.
#[derive(Debug)]
pub(crate) struct Client {
    /// Unique in the process.
    pub(crate) id: u64,
    outbox: RefCell<Outbox>,
    waker: RefCell<Option<Waker>>,
    woken: Cell<bool>,
    /// Replies are discarded from now on.
    gone: Cell<bool>,
    closed: Cell<Option<Closed>>,
    pub(crate) gate: Cell<Gate>,
    connected_at: Micros,
    /// When it last sent something.
    pub(crate) heard_at: Cell<Micros>,
    /// Whether it is one of the users, or need not be.
    pub(crate) known: Cell<bool>,
    /// Who it is.
    pub(crate) about: RefCell<ClientIdentity>,
    /// Its last request.
    pub(crate) asked: Cell<Option<&'static Row>>,
    /// Requests queued behind MULTI, and the bytes of its transaction.
    queued: Cell<Option<usize>>,
    transaction: Cell<usize>,
    /// Bytes of requests that are not complete, and of its transaction.
    kept: Cell<usize>,
    /// Bytes of replies and of `kept` that the budget knows of.
    counted: Cell<usize>,
    /// Bytes of replies that it has taken.
    taken: Cell<u64>,
    /// Of the node connection that waits until it takes more of a reply.
    feeder: RefCell<Option<Waker>>,
    budget: Rc<OutputBudget>,
}

impl Client {
    pub(crate) fn new(id: u64, budget: Rc<OutputBudget>, now: Micros) -> Self {
        Self {
            id,
            outbox: RefCell::default(),
            waker: RefCell::default(),
            woken: Cell::new(false),
            gone: Cell::new(false),
            closed: Cell::new(None),
            gate: Cell::new(Gate::Free),
            connected_at: now,
            heard_at: Cell::new(now),
            known: Cell::new(false),
            about: RefCell::default(),
            asked: Cell::new(None),
            queued: Cell::new(None),
            transaction: Cell::new(0),
            kept: Cell::new(0),
            counted: Cell::new(0),
            taken: Cell::new(0),
            feeder: RefCell::default(),
            budget,
        }
    }

    /// Called by the session whenever it runs, so that it is woken by what happens next.
    pub(crate) fn attend(&self, waker: &Waker) {
        self.woken.set(false);
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    /// Makes the session run again, once.
    #[inline]
    pub(crate) fn wake(&self) {
        if !self.woken.replace(true)
            && let Some(waker) = &*self.waker.borrow()
        {
            waker.wake_by_ref();
        }
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.get()
    }

    /// Discards what is owed, now and later.
    pub(crate) fn leave(&self) {
        self.gone.set(true);
        *self.outbox.borrow_mut() = Outbox::default();
        self.kept.set(0);
        self.budget.shrink(self.counted.take());
        self.wake_feeder();
    }

    /// Ends it for this reason; its session closes the connection.
    pub(crate) fn close(&self, why: Closed) {
        tracing::warn!(client = self.id, "closed: {}", why.text());
        self.closed.set(Some(why));
        self.leave();
        self.wake();
    }

    /// Why the proxy has closed it, if it has.
    pub(crate) fn closed(&self) -> Option<Closed> {
        self.closed.get()
    }

    /// Whether it is owed nothing and has sent nothing since `before`.
    pub(crate) fn is_idle_since(&self, before: Micros) -> bool {
        let outbox = self.outbox.borrow();
        let idle = outbox.waiting() == 0 && outbox.ready.is_empty();
        idle && self.heard_at.get() <= before && self.gate.get() == Gate::Free
    }

    /// Whether it connected before this moment and is still not known.
    pub(crate) fn is_unknown_since(&self, before: Micros) -> bool {
        !self.known.get() && self.connected_at <= before
    }

    /// Lets it go on after it waited for a node.
    pub(crate) fn pass(&self, gate: Gate) {
        self.gate.set(gate);
        self.wake();
    }

    /// Delivers the reply, or the reply of one part, to the request of this number.
    #[inline]
    pub(crate) fn deliver(&self, number: u32, part: u16, reply: Reply<'_>) {
        if self.gone.get() {
            return;
        }
        let guard = CloseOnPanic(self);
        let (over, truncated) = self.with_outbox(|outbox| {
            outbox.complete(number, part, reply);
            (self.is_over(outbox), outbox.is_truncated)
        });
        std::mem::forget(guard);
        if truncated {
            self.close(Closed::Truncated);
        } else if over {
            self.close(Closed::Output);
        } else if self.outbox.borrow().has_news() {
            self.wake();
        }
    }

    #[inline]
    fn is_over(&self, outbox: &Outbox) -> bool {
        self.budget
            .is_over(outbox.bytes(), outbox.bytes() + self.kept.get())
    }

    /// Whether the reply to the request of this number can be handed on as it comes.
    pub(crate) fn can_stream(&self, number: u32) -> bool {
        !self.is_gone() && self.outbox.borrow().can_stream(number)
    }

    /// Hands on the next piece of the reply whose turn it is.
    pub(crate) fn stream(&self, piece: Bytes, is_last: bool) {
        let guard = CloseOnPanic(self);
        let over = self.with_outbox(|outbox| {
            outbox.stream(piece, is_last);
            self.is_over(outbox)
        });
        std::mem::forget(guard);
        if over {
            self.close(Closed::Output);
        } else {
            self.wake();
        }
    }

    /// Bytes of replies that it could take.
    pub(crate) fn unread(&self) -> usize {
        self.outbox.borrow().ready.len()
    }

    /// Bytes of replies that it has taken.
    pub(crate) fn taken(&self) -> u64 {
        self.taken.get()
    }

    /// Wakes `waker` once, when it takes something or goes.
    pub(crate) fn wake_when_it_takes(&self, waker: &Waker) {
        self.feeder.replace(Some(waker.clone()));
    }

    fn wake_feeder(&self) {
        if let Some(waker) = self.feeder.take() {
            waker.wake();
        }
    }

    /// Works on the outbox; what it grows or shrinks by is counted.
    #[inline]
    pub(crate) fn with_outbox<T>(&self, work: impl FnOnce(&mut Outbox) -> T) -> T {
        let mut outbox = self.outbox.borrow_mut();
        let result = work(&mut outbox);
        self.count(outbox.bytes() + self.kept.get());
        result
    }

    #[inline]
    fn count(&self, after: usize) {
        let before = self.counted.replace(after);
        if after >= before {
            self.budget.grow(after - before);
        } else {
            self.budget.shrink(before - after);
        }
    }

    /// After its requests were looked at: closes the client when what the proxy has answered itself, or the `kept` bytes of
    /// requests that are not complete and of its transaction, make it occupy too much.
    #[inline]
    pub(crate) fn settle_accounts(&self, kept: usize) {
        let output = self.outbox.borrow().bytes();
        self.kept.set(kept);
        self.count(output + kept);
        if self.budget.is_over(output, output + kept) {
            self.close(if output > kept {
                Closed::Output
            } else {
                Closed::Memory
            });
        }
    }

    /// Where its transaction stands.
    #[inline]
    pub(crate) fn note_transaction(&self, queued: Option<usize>, bytes: usize) {
        self.queued.set(queued);
        self.transaction.set(bytes);
    }

    /// What it does at this moment, while it is `owed` so many bytes.
    pub(crate) fn moment(&self, now: Micros, owed: usize) -> ClientActivity {
        let seconds = |since: Micros| now.saturating_sub(since) / 1_000_000;
        let transaction = self.transaction.get();
        ClientActivity {
            age_seconds: seconds(self.connected_at),
            idle_seconds: seconds(self.heard_at.get()),
            queued: self.queued.get(),
            unfinished: self.kept.get().saturating_sub(transaction),
            transaction,
            owed,
            command: self.asked.get().map(|row| row.name),
        }
    }

    /// Its line in CLIENT LIST.
    pub(crate) fn line(&self, now: Micros) -> Vec<u8> {
        let moment = self.moment(now, self.outbox.borrow().bytes());
        line(self.id, &self.about.borrow(), &moment)
    }

    /// Forgets `count` bytes of what is ready: they are written.
    pub(crate) fn written(&self, count: usize) {
        self.with_outbox(|outbox| outbox.ready.advance(count));
        self.taken.set(self.taken.get() + count as u64);
        self.wake_feeder();
    }

    /// What is owed, to look at.
    pub(crate) fn outbox(&self) -> std::cell::Ref<'_, Outbox> {
        self.outbox.borrow()
    }
}

/// Closes a client in whose outbox a panic has left a reply undone: it would wait for it for ever.
struct CloseOnPanic<'a>(&'a Client);

impl Drop for CloseOnPanic<'_> {
    fn drop(&mut self) {
        self.0.close(Closed::Panic);
    }
}

/// The reply as it is cheapest to hand over: shared when it is large and can be.
#[inline]
pub(crate) fn is_large(len: usize) -> bool {
    len >= SHARE_FROM
}

#[cfg(test)]
mod tests;
