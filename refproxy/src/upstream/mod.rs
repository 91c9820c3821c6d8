//! One worker's connection to one node: requests go out in order, replies come back in order.
//!
//! There is exactly one connection at a time. A request that has run out of time keeps its place in the queue, so that
//! its late reply is recognised and dropped; the connection goes on, because a second one could overtake requests that
//! the node has not read yet. A marker follows that request ([`marker`]), and until its reply comes, no reply is delivered
//! that may belong to another request; the proxy reconnects to a node that has lost a reply. It also reconnects to one whose
//! reply stops before its end, or announces more than it may: later bytes could belong to that reply or to the next one. A
//! request that was sent, even in part, is never sent again. Requests that were not sent when a connection breaks are left to
//! the next one. While a script keeps the node busy, which only another connection can find out, requests are refused in the
//! node's words and not sent. A connection of one client's own ([`Dedicated`]) has no next one: any failure ends it, because
//! later requests depend on the earlier ones.

mod dedicated;
mod flow;
mod handshake;
mod line;
mod marker;
mod probe;
mod queue;
mod task;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;

pub(crate) use dedicated::{Dedicated, Idle, NoDedicated, Quota};
pub(crate) use handshake::Handshake;
use queue::Queue;
pub(crate) use queue::Ticket;
pub(crate) use task::run;

use crate::client::{Charge, Client, Gate};
use crate::clock::Clock;
use crate::error::{Blame, Error, Executed, Kind};
use crate::resp::{Protocol, ReplyLimits, ReplyScan};
use crate::tls::{self, Connector};
use line::Line;

/// The pause before the next attempt, when requests want one. They wait for its outcome, so that no client gets an
/// error that is outdated.
const KNOCK: Duration = Duration::from_millis(1);
/// Without requests, the first pause between attempts.
const RETRY_MIN: Duration = Duration::from_millis(20);
/// Without requests, the longest pause between attempts.
const RETRY_MAX: Duration = Duration::from_secs(1);

/// Shared settings of a worker's upstreams.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) clock: Clock,
    /// A request fails this long after it was read.
    pub(crate) op_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    /// A connection on which no byte arrives for this long, although a reply is pending, is closed.
    pub(crate) stall_timeout: Duration,
    /// An idle connection is probed after this time.
    pub(crate) keepalive: Duration,
    /// A connection is closed when the node's host acknowledges no bytes for this long.
    pub(crate) unacknowledged: Duration,
    /// A reply beyond this is not kept.
    pub(crate) reply_bytes_max: usize,
    /// A node that announces more is not understood.
    pub(crate) reply_limits: ReplyLimits,
    /// Counts panics of the connections.
    pub(crate) panics: Arc<AtomicU64>,
    /// Requests that may wait for one node.
    pub(crate) requests_max: usize,
    /// Bytes that may wait to be sent to one node.
    pub(crate) bytes_max: usize,
    /// The protocol of the nodes' replies.
    pub(crate) protocol: Protocol,
    /// Of connections to nodes that are not on Unix sockets.
    pub(crate) tls: Option<Connector>,
    /// The first requests on each connection.
    pub(crate) greeting: Option<Handshake>,
}

impl Settings {
    /// For the replies on a new connection.
    fn reply_scan(&self) -> ReplyScan {
        ReplyScan::within(self.reply_limits, self.protocol)
    }
}

/// A request's bytes.
#[derive(Debug)]
pub(crate) enum Payload<'a> {
    /// To be copied.
    Small(&'a [u8]),
    /// To be kept as they are.
    Large(Bytes),
}

impl Payload<'_> {
    /// Bytes that the proxy made itself.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self::Large(bytes.into())
    }
}

/// The state of the connection, in a word for people; the worse, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Health {
    Up,
    Connecting,
    Down,
}

impl Health {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// The users of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// All clients; another connection follows when it breaks.
    Shared,
    /// A single client; the connection is never replaced.
    Dedicated,
}

/// The connection to one node, as its clients use it.
#[derive(Debug)]
pub(crate) struct Upstream {
    address: Rc<str>,
    settings: Settings,
    how: Use,
    queue: RefCell<Queue>,
    /// Clients that wait until the node owes less.
    line: RefCell<Line>,
    health: Cell<Health>,
    retired: Cell<bool>,
    /// Ends at once, even if clients wait.
    closed: Cell<bool>,
    /// Why it accepts no requests: a dedicated connection has ended, or the node is busy.
    shut: RefCell<Option<Kind>>,
    /// Requests that may wait: 0 when it is shut.
    room: Cell<usize>,
    waker: RefCell<Option<Waker>>,
    woken: Cell<bool>,
    /// The connection of [`Upstream::aside`], while something is awaited on it.
    aside: RefCell<Weak<Self>>,
}

impl Upstream {
    pub(crate) fn new(address: &str, settings: Settings) -> Rc<Self> {
        Self::of(address, settings, Use::Shared)
    }

    fn of(address: &str, settings: Settings, how: Use) -> Rc<Self> {
        let address: Rc<str> = address.into();
        Rc::new(Self {
            queue: RefCell::new(Queue::new(Rc::clone(&address))),
            line: RefCell::default(),
            address,
            room: Cell::new(settings.requests_max),
            settings,
            how,
            health: Cell::new(Health::Connecting),
            retired: Cell::new(false),
            closed: Cell::new(false),
            shut: RefCell::default(),
            waker: RefCell::default(),
            woken: Cell::new(false),
            aside: RefCell::default(),
        })
    }

    /// A second connection to the node, for a request that must not wait behind those of this one. It may overtake
    /// them. It ends with its last pending reply, so there is at most one.
    pub(crate) fn aside(&self) -> Rc<Self> {
        let awaited = self.aside.borrow().upgrade();
        if let Some(aside) = awaited.filter(|aside| aside.shut.borrow().is_none()) {
            return aside;
        }
        let aside = Self::of(&self.address, self.settings.clone(), Use::Dedicated);
        aside.retire();
        tokio::task::spawn_local(run(Rc::clone(&aside)));
        self.aside.replace(Rc::downgrade(&aside));
        aside
    }

    /// Whether it has this address and protocol.
    fn is_as(&self, address: &str, settings: &Settings) -> bool {
        self.address() == address && self.settings.protocol == settings.protocol
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The address, to be kept.
    pub(crate) fn name(&self) -> Rc<str> {
        Rc::clone(&self.address)
    }

    pub(crate) fn health(&self) -> Health {
        self.health.get()
    }

    /// Requests that wait for the node.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.borrow().waiting()
    }

    /// Queues a request. It is written when the connection's task runs, after all clients that are ready to run.
    ///
    /// # Errors
    /// Too many requests wait already, the node is busy, or it is a dedicated connection that has ended. The request
    /// was not sent.
    #[inline]
    pub(crate) fn send(&self, payload: Payload<'_>, ticket: Ticket) -> Result<(), Error> {
        let mut queue = self.queue.borrow_mut();
        if queue.waiting() >= self.room.get() || queue.unsent_bytes() >= self.settings.bytes_max {
            let why = self.shut.borrow().clone().unwrap_or(Kind::QueueFull);
            return Err(self.error(why, Executed::No));
        }
        queue.push(payload, ticket);
        self.wake();
        Ok(())
    }

    /// Whether a request with this charge may be sent. A connection that is not shared has no limit, and a busy node
    /// refuses at once.
    pub(crate) fn admits(&self, charge: Charge, gate: Gate) -> bool {
        if self.how == Use::Dedicated || self.is_shut() {
            return true;
        }
        let is_next = gate == Gate::Called || self.line.borrow().is_empty();
        is_next && line::has_room(self.queue.borrow().owed(), charge)
    }

    /// Whether all requests are refused, with a reason that is known.
    pub(crate) fn is_shut(&self) -> bool {
        self.shut.borrow().is_some()
    }

    /// Refuses all requests from now on, for this reason.
    fn shut(&self, why: Kind) {
        self.shut.replace(Some(why));
        self.room.set(0);
        self.line.borrow_mut().call_all();
    }

    /// Accepts requests again.
    fn open(&self) {
        if self.room.get() == 0 {
            self.shut.take();
            self.room.set(self.settings.requests_max);
        }
    }

    /// Queues a client until the node owes less. It is woken when it is its turn, or when no byte has arrived from the
    /// node for the time limit of a request.
    pub(crate) fn wait_in_line(&self, client: &Rc<Client>, charge: Charge) {
        let now = self.settings.clock.now();
        self.line.borrow_mut().join(client, charge, now);
        self.wake();
    }

    /// No more requests will come: the connection ends when no client waits for it.
    pub(crate) fn retire(&self) {
        self.retired.set(true);
        self.line.borrow_mut().call_all();
        self.wake();
    }

    #[inline]
    fn wake(&self) {
        if !self.woken.replace(true)
            && let Some(waker) = &*self.waker.borrow()
        {
            waker.wake_by_ref();
        }
    }

    fn attend(&self, waker: &Waker) {
        self.woken.set(false);
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    /// Runs `work`, while which every turn of the connection's task panics.
    #[cfg(test)]
    #[expect(
        clippy::await_holding_refcell_ref,
        reason = "the task is to find it borrowed"
    )]
    pub(crate) async fn panic_while(&self, work: impl Future<Output = ()>) {
        let line = self.line.borrow_mut();
        self.wake();
        work.await;
        drop(line);
    }

    pub(crate) fn error(&self, kind: Kind, executed: Executed) -> Error {
        let node = Rc::clone(&self.address);
        Error {
            blame: match kind {
                Kind::Panicked => Blame::Proxy(node),
                _ => Blame::Node(node),
            },
            kind,
            executed,
        }
    }
}

/// The connection broke, or TLS on it failed.
#[cold]
fn lost(error: &io::Error) -> Kind {
    tls::fault(error).map_or(Kind::Lost, |why| Kind::Unwelcome(why.into()))
}
