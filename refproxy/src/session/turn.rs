//! All requests of one read of one client, and the ways to handle each: answer it, send it to a node, or let it wait.

use std::rc::Rc;

use crate::client::{Charge, Client, Gate, Outbox, Reply};
use crate::clock::{Micros, micros};
use crate::error::{Executed, Kind};
use crate::local::Identity;
use crate::resp::Limits;
use crate::route::Request;
use crate::routing::Routing;
use crate::upstream::{Payload, Ticket, Upstream};
use crate::worker::Worker;
use placement::NodeId;

use super::walk::Walk;

/// The node for requests that all nodes answer the same.
pub(super) const ANY_NODE: NodeId = NodeId(0);

/// Outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Done,
    /// It is the client's last.
    Last,
    /// The connection closes at once, without the replies that are still owed.
    Cut,
    /// Not taken: it is offered again when all pending requests have been answered.
    NotNow,
    /// Not taken: it is offered again when its node owes less.
    Waits,
}

impl Taken {
    /// Whether the request is done.
    pub(super) fn is_taken(self) -> bool {
        !matches!(self, Self::NotNow | Self::Waits)
    }
}

/// All requests of one read: one reading of the clock and of the cluster for all of them.
pub(super) struct Turn<'a> {
    pub(super) worker: &'a Worker,
    pub(super) client: &'a Rc<Client>,
    pub(super) outbox: &'a mut Outbox,
    pub(super) identity: &'a mut Identity,
    pub(super) scratch: &'a mut Vec<u8>,
    /// Its calls of SCAN that may continue with other nodes.
    pub(super) walks: &'a mut Vec<Walk>,
    pub(super) routing: Rc<Routing>,
    pub(super) deadline: Micros,
    /// Whether each request is logged; looked up once per turn.
    pub(super) logs: bool,
}

impl<'a> Turn<'a> {
    pub(super) fn new(
        worker: &'a Worker,
        client: &'a Rc<Client>,
        outbox: &'a mut Outbox,
        identity: &'a mut Identity,
        scratch: &'a mut Vec<u8>,
        walks: &'a mut Vec<Walk>,
    ) -> Self {
        let now = worker.clock().now();
        client.heard_at.set(now);
        Self {
            worker,
            client,
            outbox,
            identity,
            scratch,
            walks,
            routing: worker.routing(),
            deadline: now + micros(worker.op_timeout()),
            logs: tracing::enabled!(tracing::Level::DEBUG),
        }
    }

    /// Whether the limit of pending requests is reached, so that the next one must wait.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        let limits = self.worker.limits();
        self.outbox
            .is_full(limits.client_requests_max, limits.client_bytes_max)
    }

    /// How large the next request may be.
    #[inline]
    pub(super) fn request_limits(&self) -> &Limits {
        if self.identity.is_known() {
            &self.worker.limits().request
        } else {
            self.worker.unauthenticated_limits()
        }
    }

    /// Queues a reply of the proxy itself, in its turn.
    pub(super) fn answer(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.scratch.clear();
        write(self.scratch);
        self.outbox.answer(self.scratch);
    }

    pub(super) fn address(&self, node: NodeId) -> &str {
        self.routing.nodes[node.index()].address()
    }

    /// A request whose reply may be large waits while a node owes much: its reply must arrive from the node before
    /// those of other clients. `None` when it need not wait; else how it was taken.
    #[cold]
    pub(super) fn wait_for(&mut self, nodes: impl IntoIterator<Item = NodeId>) -> Option<Taken> {
        let charge = self.outbox.charge();
        let gate = self.client.gate.get();
        if gate == Gate::Waiting {
            return Some(Taken::Waits);
        }
        let mut nodes = nodes.into_iter();
        let Some(node) = nodes.find(|node| !self.upstream(*node).admits(charge, gate)) else {
            if gate == Gate::Called {
                self.client.gate.set(Gate::Free);
            }
            return None;
        };
        let upstream = Rc::clone(self.upstream(node));
        if gate == Gate::Expired {
            let error = upstream.error(Kind::Timeout, Executed::No).reply();
            self.answer(|out| out.extend_from_slice(&error));
            return Some(Taken::Done);
        }
        upstream.wait_in_line(self.client, charge);
        Some(Taken::Waits)
    }

    /// The connection to this node on which replies come in the client's protocol.
    #[inline]
    pub(super) fn upstream(&self, node: NodeId) -> &Rc<Upstream> {
        &self.routing.nodes_in(self.identity.protocol())[node.index()]
    }

    /// As [`Turn::send`], over a second connection to the node, which answers for itself among all.
    pub(super) fn send_aside(&mut self, node: NodeId, bytes: &[u8], number: u32) {
        let ticket = Ticket {
            client: Rc::clone(self.client),
            number,
            part: node.0,
            deadline: self.deadline,
            commits: false,
            charge: Charge::NONE,
        };
        if let Err(error) = self
            .upstream(node)
            .aside()
            .send(Payload::Small(bytes), ticket)
        {
            self.outbox
                .complete(number, node.0, Reply::Own(&error.reply()));
        }
    }

    #[inline]
    pub(super) fn send(&mut self, node: NodeId, payload: Payload<'_>, number: u32, part: u16) {
        let ticket = Ticket {
            client: Rc::clone(self.client),
            number,
            part,
            deadline: self.deadline,
            commits: false,
            charge: self.outbox.charge(),
        };
        let upstream = self.upstream(node);
        if self.logs {
            tracing::debug!(number, part, node = upstream.address(), "sent");
        }
        if let Err(error) = upstream.send(payload, ticket) {
            if self.logs {
                tracing::debug!(number, part, node = upstream.address(), why = ?error.kind, "refused");
            }
            self.outbox
                .complete(number, part, Reply::Own(&error.reply()));
        }
    }
}

/// The request in the form that is cheapest to pass on.
#[inline]
pub(super) fn payload<'a>(request: &Request<'a>) -> Payload<'a> {
    match request.shared {
        Some(shared) => Payload::Large(shared.clone()),
        None => Payload::Small(request.bytes),
    }
}
