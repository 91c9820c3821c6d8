//! One client's transaction: WATCH, MULTI, queued requests, and EXEC, all on one node over a connection of its own.
//!
//! [`Transaction::on`] decides on every request of a client in a transaction. Requests over one connection may overtake
//! requests over another. So a transaction begins only when all earlier requests of the client have been answered, and
//! later requests wait for its end, unless they use the same connection.

mod pin;
mod queueing;
mod watching;

use std::collections::HashSet;
use std::rc::Rc;

use super::turn::{Taken, Turn};
use crate::command::{Local, Refusal, Route, Row, Transaction as Verb};
use crate::resp::put_simple;
use crate::route::Request;
use crate::routing::Routing;
use crate::worker::Worker;
use pin::Pin;
use placement::NodeId;

/// Where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// After WATCH, before MULTI.
    Watching,
    /// After MULTI.
    Queueing,
    /// After MULTI and an error, which EXEC will report.
    Aborted,
    /// It has ended, but its last reply may not have come.
    Over,
}

/// A client's transaction. Dropped, its connection closes at once, and the node forgets it.
#[derive(Debug)]
pub(super) struct Transaction {
    phase: Phase,
    pin: Option<Pin>,
    /// All that were watched or queued.
    keys: HashSet<Box<[u8]>>,
    /// The cluster in which the keys were found to live on the pin's node.
    seen: Option<Rc<Routing>>,
    /// Requests that are queued, wherever.
    queued: usize,
    /// Requests before a node was chosen, for which any node would do.
    held: Vec<Held>,
    /// Requests to be answered by the proxy.
    own: Vec<Own>,
    /// Bytes of keys and requests that are kept here, with the overhead of keeping requests.
    bytes: usize,
}

/// Overhead of a kept request, about: without it many small ones would take many times the limit.
const KEEPING_BYTES: usize = 64;

/// A request that waits for a node.
#[derive(Debug)]
struct Held {
    bytes: Vec<u8>,
    /// Whether the node queues it, as opposed to refusing it.
    is_queued: bool,
}

/// A queued request that the proxy answers.
#[derive(Debug)]
struct Own {
    /// Its place among the queued.
    place: usize,
    local: Local,
    row: &'static Row,
    bytes: Vec<u8>,
}

/// The reaction of a transaction to a request.
#[derive(Debug)]
pub(super) enum Step {
    /// The request is done.
    Taken(Taken),
    /// The session must send the request, over this routing.
    Outside(Rc<Routing>),
    /// The transaction was over before: the session must drop it, and handle the request.
    Over,
}

/// Cost of keeping a request or a key.
fn cost(request: &[u8]) -> usize {
    request.len() + KEEPING_BYTES
}

impl Transaction {
    /// Handles a command of transactions outside one: whether one begins, and the reply.
    pub(super) fn begin(
        verb: Verb,
        home: Option<NodeId>,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> (Option<Box<Self>>, Taken) {
        match verb {
            Verb::Multi => {
                turn.answer(|out| put_simple(out, "OK"));
                (Some(Self::new(Phase::Queueing)), Taken::Done)
            }
            Verb::Watch => {
                let mut transaction = Self::new(Phase::Watching);
                let taken = transaction.watch(home, request, turn);
                (transaction.pin.is_some().then_some(transaction), taken)
            }
            Verb::Unwatch => {
                turn.answer(|out| put_simple(out, "OK"));
                (None, Taken::Done)
            }
            Verb::Exec | Verb::Discard => {
                let refusal = Refusal::WithoutMulti(request.row);
                (None, turn.refuse(&refusal, request.bytes))
            }
        }
    }

    /// Handles a request of the client in this transaction.
    pub(super) fn on(&mut self, request: &Request<'_>, turn: &mut Turn<'_>) -> Step {
        match self.phase {
            Phase::Over if turn.outbox.waiting() == 0 => {
                self.release(turn.worker);
                Step::Over
            }
            Phase::Over => Step::Taken(self.again(request, turn)),
            Phase::Watching => self.watching(request, turn),
            Phase::Queueing | Phase::Aborted => Step::Taken(self.queue(request, turn)),
        }
    }

    /// Answers the request in `bytes` with an error, in its turn. After MULTI, EXEC fails too; of EXEC itself, the wrong number
    /// of arguments is the end, as with Redis.
    pub(super) fn refuse(
        &mut self,
        refusal: &Refusal<'_>,
        bytes: &[u8],
        turn: &mut Turn<'_>,
    ) -> Taken {
        match (self.phase, refusal) {
            (Phase::Over, _) if turn.outbox.waiting() > 0 => return Taken::NotNow,
            (_, Refusal::WrongArity(row)) if row.route == Route::Transaction(Verb::Exec) => {
                self.break_off();
            }
            (Phase::Queueing, _) => self.phase = Phase::Aborted,
            _ => {}
        }
        turn.refuse(refusal, bytes)
    }

    /// Answers a request that ends it at once.
    fn end_locally(&mut self, local: Local, request: &Request<'_>, turn: &mut Turn<'_>) -> Taken {
        self.break_off();
        turn.local(local, request)
    }

    fn is_too_large(&self, request: &Request<'_>, turn: &Turn<'_>) -> bool {
        self.bytes + cost(request.bytes) > turn.worker.limits().client_bytes_max
            || self.held.len() + 2 > usize::from(u16::MAX)
    }

    fn new(phase: Phase) -> Box<Self> {
        Box::new(Self {
            phase,
            pin: None,
            keys: HashSet::new(),
            seen: None,
            queued: 0,
            held: Vec::new(),
            own: Vec::new(),
            bytes: 0,
        })
    }

    /// Bytes that are kept for it.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Requests that are queued; `None` before MULTI and after the end.
    pub(super) fn queued(&self) -> Option<usize> {
        let is_open = matches!(self.phase, Phase::Queueing | Phase::Aborted);
        is_open.then_some(self.queued)
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Releases the connection, when no reply is pending on it.
    pub(super) fn release(&mut self, worker: &Worker) {
        if let Some(pin) = self.pin.take()
            && !pin.soiled
        {
            worker.give_back(pin.connection);
        }
    }

    fn hold(&mut self, bytes: &[u8], is_queued: bool) {
        self.bytes += cost(bytes);
        let bytes = bytes.to_vec();
        self.held.push(Held { bytes, is_queued });
    }

    /// The held requests, to be sent.
    fn take_held(&mut self) -> Vec<Held> {
        let held = std::mem::take(&mut self.held);
        self.bytes -= held.iter().map(|held| cost(&held.bytes)).sum::<usize>();
        held
    }

    fn end(&mut self) {
        let mut pin = self.pin.take();
        if let Some(pin) = &mut pin {
            pin.begun = false;
        }
        *self = *Self::new(Phase::Over);
        self.pin = pin;
    }

    /// Ends it without completing it on the node.
    fn break_off(&mut self) {
        if let Some(pin) = &mut self.pin {
            pin.soiled = true;
        }
        self.end();
    }

    /// The pin, when the node has got MULTI.
    fn begun(&self) -> Option<&Pin> {
        self.pin.as_ref().filter(|pin| pin.begun)
    }

    /// The connection has ended under it.
    fn is_lost(&self) -> bool {
        self.pin.as_ref().is_some_and(Pin::is_over)
    }

    /// Whether keys have moved to another node since they were seen there.
    fn has_moved(&self, routing: &Rc<Routing>) -> bool {
        let Some(pin) = &self.pin else {
            return false;
        };
        let moved = |key: &[u8]| {
            let node = routing.placement().node(key);
            routing.nodes[node.index()].address() != pin.connection.address()
        };
        self.seen
            .as_ref()
            .is_some_and(|seen| !Rc::ptr_eq(seen, routing))
            && self.keys.iter().any(|key| moved(key))
    }

    fn remember(&mut self, keys: &[&[u8]], routing: &Rc<Routing>) {
        for key in keys {
            if self.keys.insert(Box::from(*key)) {
                self.bytes += cost(key);
            }
        }
        self.seen.get_or_insert_with(|| Rc::clone(routing));
    }
}
