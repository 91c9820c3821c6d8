//! One client: upstreams deliver replies into its outbox, and the session writes those that are ready.
//!
//! Never touches a socket.

mod charge;
mod closed;
mod line;
mod outbox;
mod reply;
mod window;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

use bytes::Bytes;

use crate::clock::Micros;
use crate::command::Row;
use crate::output::OutputBudget;
pub(crate) use charge::Charge;
pub(crate) use closed::Closed;
pub(crate) use line::{ClientActivity, ClientIdentity, line};
pub(crate) use outbox::Outbox;
pub(crate) use reply::{Reply, is_large};

/// Where a client is that may have to wait until a node owes less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gate {
    /// It does not wait.
    Free,
    /// It waits in the line of a node.
    Waiting,
    /// It has waited, and there is room for its next request.
    Called,
    /// The wait is over: the node sent no bytes in time.
    Expired,
}

/// One client connection, as upstreams use it.
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
    /// Whether it has authenticated, or need not.
    pub(crate) known: Cell<bool>,
    /// Its identity.
    pub(crate) about: RefCell<ClientIdentity>,
    /// Its last request.
    pub(crate) asked: Cell<Option<&'static Row>>,
    /// Requests queued after MULTI, and the bytes of the transaction.
    queued: Cell<Option<usize>>,
    transaction: Cell<usize>,
    /// Bytes of requests that are not complete, and of its transaction.
    kept: Cell<usize>,
    /// Bytes of replies and of `kept` that are counted in the budget.
    counted: Cell<usize>,
    /// Bytes of replies that it has received.
    taken: Cell<u64>,
    /// Waker of the node connection that waits until the client receives more of a reply.
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

    /// Called by the session whenever it runs, so that the next event wakes it.
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

    /// Discards all replies that are still owed.
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

    /// Whether no reply is pending and it has sent no bytes since `before`.
    pub(crate) fn is_idle_since(&self, before: Micros) -> bool {
        let outbox = self.outbox.borrow();
        let idle = outbox.waiting() == 0 && outbox.ready.is_empty();
        idle && self.heard_at.get() <= before && self.gate.get() == Gate::Free
    }

    /// Whether it connected before this moment and is still not known.
    pub(crate) fn is_unknown_since(&self, before: Micros) -> bool {
        !self.known.get() && self.connected_at <= before
    }

    /// Lets it continue after it waited for a node.
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

    /// Whether the reply to the request of this number can be streamed.
    pub(crate) fn can_stream(&self, number: u32) -> bool {
        !self.is_gone() && self.outbox.borrow().can_stream(number)
    }

    /// Forwards the next piece of the current reply.
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

    /// Wakes `waker` once, when it receives bytes or disconnects.
    pub(crate) fn wake_when_it_takes(&self, waker: &Waker) {
        self.feeder.replace(Some(waker.clone()));
    }

    fn wake_feeder(&self) {
        if let Some(waker) = self.feeder.take() {
            waker.wake();
        }
    }

    /// Works on the outbox, and counts the bytes by which it grows or shrinks.
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

    /// Called after its requests were processed: closes the client if the proxy's own replies, or the `kept` bytes of
    /// incomplete requests and of its transaction, make it occupy too much.
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

    /// State of its transaction.
    #[inline]
    pub(crate) fn note_transaction(&self, queued: Option<usize>, bytes: usize) {
        self.queued.set(queued);
        self.transaction.set(bytes);
    }

    /// Its current activity, with `owed` pending bytes.
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

    /// Drops `count` ready bytes, because they are written.
    pub(crate) fn written(&self, count: usize) {
        self.with_outbox(|outbox| outbox.ready.advance(count));
        self.taken.set(self.taken.get() + count as u64);
        self.wake_feeder();
    }

    /// The outbox, to read.
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
