//! Carrying out requests: [`route`] decides what becomes of each, here it is done.

use std::rc::Rc;

use bytes::Bytes;

use crate::client::{Charge, Client, Gate, Outbox, Reply};
use crate::clock::{Micros, micros};
use crate::command::{self, Join, Local, Refusal, Row};
use crate::error::{Executed, Kind};
use crate::join::{Asked, Joining};
use crate::local::{self, Identity, Wanted};
use crate::resp::{Frame, Limits, Protocol, put_error};
use crate::route::{Action, Request, Split, asked_instead, resolve, route, route_unauthenticated};
use crate::upstream::{Payload, Ticket, Upstream};
use crate::worker::{Routing, Worker};
use placement::NodeId;

use super::transaction::{Step, Transaction};
use super::walk::Walk;

/// Who is asked what all would answer alike.
pub(super) const ANY_NODE: NodeId = NodeId(0);

/// The transaction that a client has, if any.
pub(super) type Slot = Option<Box<Transaction>>;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Done,
    /// It is the client's last.
    Last,
    /// The connection closes at once, without the replies that are still owed.
    Cut,
    /// Nothing: it is to come again when all that is under way has been answered.
    NotNow,
    /// Nothing: it is to come again when its node owes less.
    Waits,
}

impl Taken {
    /// Whether the request is done with.
    pub(super) fn is_taken(self) -> bool {
        !matches!(self, Self::NotNow | Self::Waits)
    }
}

/// All requests of one read: one look at the clock and at the cluster for all of them.
pub(super) struct Turn<'a> {
    pub(super) worker: &'a Worker,
    pub(super) client: &'a Rc<Client>,
    pub(super) outbox: &'a mut Outbox,
    pub(super) identity: &'a mut Identity,
    scratch: &'a mut Vec<u8>,
    /// Its calls of SCAN that may go on to other nodes.
    pub(super) walks: &'a mut Vec<Walk>,
    pub(super) routing: Rc<Routing>,
    pub(super) deadline: Micros,
    /// Whether each request is logged; looked up once a turn.
    logs: bool,
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

    /// Whether so much is under way that the next request has to wait.
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
            self.worker.stranger_limits()
        }
    }

    /// A reply that the proxy gives itself, in its turn.
    pub(super) fn answer(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.scratch.clear();
        write(self.scratch);
        self.outbox.answer(self.scratch);
    }

    /// Answers the complete request in `bytes` with an error.
    pub(super) fn refuse(&mut self, refusal: &Refusal<'_>, bytes: &[u8]) -> Taken {
        let text = refusal.text(bytes, |node| self.address(node).to_owned());
        self.answer(|out| put_error(out, &text));
        Taken::Done
    }

    pub(super) fn address(&self, node: NodeId) -> &str {
        self.routing.nodes[node.index()].address()
    }

    /// Takes one request of these bytes, which may be shared as they are.
    #[inline]
    pub(super) fn take(
        &mut self,
        slot: &mut Slot,
        bytes: &[u8],
        frame: &Frame,
        shared: Option<&Bytes>,
    ) -> Taken {
        let row = match resolve(frame.name(bytes), frame.argument(bytes)) {
            Ok(row) => row,
            Err(refusal) => return self.unresolved(slot, &refusal, bytes, frame),
        };
        let request = Request {
            row,
            bytes,
            frame,
            shared,
        };
        if slot.is_some() {
            return self.in_transaction(slot, &request);
        }
        self.outside(slot, &request)
    }

    /// A request that names no command, or no subcommand of one.
    #[cold]
    fn unresolved(
        &mut self,
        slot: &mut Slot,
        refusal: &Refusal<'_>,
        bytes: &[u8],
        frame: &Frame,
    ) -> Taken {
        let taken = match slot {
            _ if command::is_http(frame.name(bytes)) => Taken::Cut,
            Some(transaction) => transaction.refuse(refusal, bytes, self),
            None => self.refuse(refusal, bytes),
        };
        match refusal {
            _ if !taken.is_taken() => {}
            Refusal::UnknownSubcommand(command) => self.worker.stats().command(command),
            _ => self.worker.stats().unknown(),
        }
        taken
    }

    /// A request of a client that has a transaction.
    #[cold]
    fn in_transaction(&mut self, slot: &mut Slot, request: &Request<'_>) -> Taken {
        let Some(transaction) = slot else {
            return self.outside(slot, request);
        };
        self.client.asked.set(Some(request.row));
        match transaction.on(request, self) {
            Step::Taken(taken) => {
                if taken.is_taken() {
                    self.worker.stats().command(request.row);
                }
                taken
            }
            Step::Outside(detour) => {
                let straight = std::mem::replace(&mut self.routing, detour);
                let taken = self.outside(slot, request);
                self.routing = straight;
                taken
            }
            Step::Over => {
                *slot = None;
                self.outside(slot, request)
            }
        }
    }

    /// A request that belongs to no transaction, but may begin one.
    #[inline]
    fn outside(&mut self, slot: &mut Slot, request: &Request<'_>) -> Taken {
        let row = request.row;
        // What follows may go to a node on another connection than what came before, and must not overtake it.
        if row.may_change_protocol() && self.outbox.waiting() > 0 {
            return Taken::NotNow;
        }
        self.worker.stats().command(row);
        self.client.asked.set(Some(row));
        if self.logs {
            let (arguments, bytes) = (request.frame.argc, request.frame.len);
            tracing::debug!(command = row.name, arguments, bytes, route = ?row.route, "asked");
        }
        let taken = match self.route(request) {
            Action::Forward(node) => self.forward(node, request),
            action => self.execute(slot, action, request),
        };
        if !taken.is_taken() {
            self.worker.stats().take_back(row);
        }
        taken
    }

    /// What becomes of the request, as far as no transaction restricts it.
    #[inline]
    pub(super) fn route<'r>(&self, request: &Request<'r>) -> Action<'r> {
        if !self.identity.is_known() {
            return route_unauthenticated(request);
        }
        route(request, self.routing.placement(), self.worker.rules())
    }

    fn execute(&mut self, slot: &mut Slot, action: Action<'_>, request: &Request<'_>) -> Taken {
        match action {
            Action::Forward(node) => self.forward(node, request),
            Action::AnyNode => self.forward(ANY_NODE, request),
            Action::Split(split, join) => self.split(split, join, request),
            Action::Broadcast(join) => self.broadcast(join, request),
            Action::Page => self.page(request.bytes),
            Action::Local(local) => self.local(local, request),
            Action::Workers => self.clients(request.bytes),
            Action::Transaction(verb, home) => {
                let (transaction, taken) = Transaction::begin(verb, home, request, self);
                *slot = transaction;
                taken
            }
            Action::Refuse(refusal) => self.refuse(&refusal, request.bytes),
        }
    }

    #[inline]
    fn forward(&mut self, node: NodeId, request: &Request<'_>) -> Taken {
        if self.outbox.charge() != Charge::NONE
            && let Some(taken) = self.wait_for([node])
        {
            return taken;
        }
        let number = self.outbox.expect(request.bytes.len());
        self.send(node, payload(request), number, 0);
        Taken::Done
    }

    /// A request whose reply may be large waits while a node owes much: what it asks for has to come from the node before
    /// what other clients ask. None when it need not wait; else what becomes of it.
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

    /// All nodes of the cluster.
    fn every_node(&self) -> impl Iterator<Item = NodeId> + use<> {
        // A cluster has at most as many nodes as a NodeId can tell.
        (0..u16::try_from(self.routing.nodes.len()).unwrap_or(u16::MAX)).map(NodeId)
    }

    /// One request to each node that holds some of the keys.
    fn split(&mut self, split: Split, join: Join, request: &Request<'_>) -> Taken {
        if self.outbox.charge() != Charge::NONE {
            let nodes: Vec<NodeId> = split.parts.iter().map(|(node, _)| *node).collect();
            if let Some(taken) = self.wait_for(nodes) {
                return taken;
            }
        }
        let requests = split.requests(request.row, request.bytes);
        let nodes = split.parts.iter();
        let names = nodes.map(|(node, _)| self.routing.nodes[node.index()].name());
        let joining = Joining::new(join, names.collect(), split.part_of_key);
        let number = self.outbox.expect_joined(request.bytes.len(), joining);
        for ((part, (node, _)), request) in (0..).zip(split.parts).zip(requests) {
            self.send(node, Payload::of(request), number, part);
        }
        Taken::Done
    }

    /// The same request to every node. One that is to stop a script does not wait behind it: it is sent over a second
    /// connection to each node, however much the first one owes. So is another one that a busy node answers.
    fn broadcast(&mut self, join: Join, request: &Request<'_>) -> Taken {
        let (row, bytes) = (request.row, request.bytes);
        let kills = join == Join::Kill;
        if !kills
            && self.outbox.charge() != Charge::NONE
            && let Some(taken) = self.wait_for(self.every_node())
        {
            return taken;
        }
        let names: Vec<_> = self.routing.nodes.iter().map(|node| node.name()).collect();
        let instead = asked_instead(join, bytes);
        let asks = instead.as_deref().unwrap_or(bytes);
        let asked = match join {
            Join::Info => Asked::about(bytes, self.worker.facts()),
            _ => Asked::by(asks, self.deadline),
        };
        let joining = Joining::new(join, names, Vec::new()).asked(asked);
        let number = self.outbox.expect_joined(bytes.len(), joining);
        for node in self.every_node() {
            let is_aside = kills || row.passes_scripts() && self.upstream(node).is_shut();
            match is_aside {
                true => self.send_aside(node, asks, number),
                false => self.send(node, Payload::Small(asks), number, node.0),
            }
        }
        Taken::Done
    }

    /// The connection to this node on which replies come in the client's protocol.
    #[inline]
    fn upstream(&self, node: NodeId) -> &Rc<Upstream> {
        let nodes = match self.identity.protocol() {
            Protocol::Resp2 => &self.routing.nodes,
            Protocol::Resp3 => self.worker.resp3(&self.routing),
        };
        &nodes[node.index()]
    }

    /// As [`Turn::send`], over a second connection to the node, which answers for itself among all.
    fn send_aside(&mut self, node: NodeId, bytes: &[u8], number: u32) {
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

    pub(super) fn local(&mut self, local: Local, request: &Request<'_>) -> Taken {
        let mut out = std::mem::take(self.scratch);
        out.clear();
        let next = self.own_answer(local, request.row, request.bytes, &mut out);
        self.outbox.answer(&mut out);
        *self.scratch = out;
        match next {
            local::Next::GoOn => Taken::Done,
            local::Next::HangUp => Taken::Last,
        }
    }

    /// What the proxy answers itself.
    #[inline]
    pub(super) fn own_answer(
        &mut self,
        local: Local,
        row: &'static Row,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> local::Next {
        if !local.may_change_client() {
            return local::answer(local, row, bytes, self.identity, out);
        }
        let now = self.worker.clock().now();
        let moment = self.client.moment(now, self.outbox.bytes());
        self.identity.observe(moment);
        let next = local::answer(local, row, bytes, self.identity, out);
        let about = self.identity.about().clone();
        self.client.about.replace(about);
        next
    }

    /// What all workers tell of their clients.
    fn clients(&mut self, bytes: &[u8]) -> Taken {
        match Wanted::of(bytes) {
            Ok(wanted) => {
                let number = self.outbox.expect(bytes.len());
                let protocol = self.identity.protocol();
                self.worker
                    .list_clients(wanted, self.client, number, protocol);
            }
            Err(text) => self.answer(|out| put_error(out, &text)),
        }
        Taken::Done
    }
}

/// The request as it is cheapest to hand over.
#[inline]
pub(super) fn payload<'a>(request: &Request<'a>) -> Payload<'a> {
    match request.shared {
        Some(shared) => Payload::Large(shared.clone()),
        None => Payload::Small(request.bytes),
    }
}
