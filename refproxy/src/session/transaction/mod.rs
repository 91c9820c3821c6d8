//! One client's transaction: WATCH, MULTI, what is queued, and EXEC, all on one node over a connection of its own.
//!
//! What reaches a node over one connection may overtake what goes over another. So a transaction begins only when all
//! that the client asked before has been answered, and what comes behind it waits for its end; both unless it goes over
//! the same connection.

mod outside;
mod queue;
mod traffic;

use std::collections::HashSet;
use std::rc::Rc;

use crate::command::Local;
use crate::resp::Protocol;
use crate::upstream::Dedicated;
use crate::worker::{Routing, Worker};

/// Where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Behind WATCH, before MULTI.
    Watching,
    /// Behind MULTI.
    Queueing,
    /// Behind MULTI and an error that EXEC will tell of.
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
    /// Asked before there was a node, for any would do.
    held: Vec<Held>,
    /// To be answered by the proxy, each with its place among the queued.
    own: Vec<(usize, Local, Vec<u8>)>,
    /// Of keys and requests that are kept here, with what keeping requests costs.
    bytes: usize,
}

/// What keeping a request costs beside its bytes, about: else many small ones would take many times what they may.
const KEEPING_BYTES: usize = 64;

/// A request that waits for a node.
#[derive(Debug)]
struct Held {
    bytes: Vec<u8>,
    /// Whether the node queues it, as opposed to refusing it.
    is_queued: bool,
}

/// The connection to the node of the transaction.
#[derive(Debug)]
struct Pin {
    connection: Dedicated,
    /// The node has got MULTI.
    begun: bool,
    /// The node may know something about it that the next client must not meet.
    soiled: bool,
    /// How requests outside of MULTI find it.
    detour: Option<(Rc<Routing>, Rc<Routing>)>,
}

/// What it costs to keep a request or a key.
fn cost(request: &[u8]) -> usize {
    request.len() + KEEPING_BYTES
}

impl Transaction {
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

    /// Requests that are queued; none before MULTI and after the end.
    pub(super) fn queued(&self) -> Option<usize> {
        let is_open = matches!(self.phase, Phase::Queueing | Phase::Aborted);
        is_open.then_some(self.queued)
    }

    pub(super) fn is_over(&self) -> bool {
        self.phase == Phase::Over
    }

    /// Lets the connection go, when nothing is awaited on it.
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

    /// What was held, to be sent.
    fn take_held(&mut self) -> Vec<Held> {
        let held = std::mem::take(&mut self.held);
        self.bytes -= held.iter().map(|held| cost(&held.bytes)).sum::<usize>();
        held
    }

    fn end(&mut self) {
        let pin = self.pin.take();
        *self = *Self::new(Phase::Over);
        self.pin = pin.map(|pin| Pin {
            begun: false,
            ..pin
        });
    }

    /// Ends it, with the node left in the middle of it.
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
        self.pin
            .as_ref()
            .is_some_and(|pin| pin.connection.is_over())
    }

    /// Whether keys have left the node since they were seen there.
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

    /// The cluster, with the watching connection in the place of the one that all share: a value that is read behind WATCH
    /// must not be older than the WATCH.
    fn detour(
        &mut self,
        worker: &Worker,
        routing: &Rc<Routing>,
        protocol: Protocol,
    ) -> Rc<Routing> {
        let Some(pin) = self.pin.as_mut().filter(|pin| !pin.connection.is_over()) else {
            return Rc::clone(routing);
        };
        match &pin.detour {
            Some((from, detour)) if Rc::ptr_eq(from, routing) => Rc::clone(detour),
            _ => {
                let through = worker.through(routing, pin.connection.upstream(), protocol);
                let Some(detour) = through.map(Rc::new) else {
                    return Rc::clone(routing);
                };
                pin.detour = Some((Rc::clone(routing), Rc::clone(&detour)));
                detour
            }
        }
    }
}
