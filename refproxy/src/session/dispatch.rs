//! What becomes of one request: its row decides, its keys say where.

use std::rc::Rc;

use crate::aim::{self, Aim};
use crate::client::{Charge, Client, Gate, Outbox, Reply};
use crate::clock::{Micros, micros};
use crate::command::{self, Join, Route, Row, Why};
use crate::error::{Executed, Kind};
use crate::join::{Asked, Joining};
use crate::local::{self, Identity, Wanted};
use crate::resp::{Args, Frame, Limits, Protocol, put_error};
use crate::split::{self, Split};
use crate::upstream::{Payload, Ticket, Upstream};
use crate::worker::{Routing, Worker};
use placement::NodeId;

use super::transaction::Transaction;
use super::walk::Walk;

/// Who is asked what all would answer alike.
pub(super) const ANY_NODE: NodeId = NodeId(0);

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
    pub(super) transaction: &'a mut Option<Box<Transaction>>,
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
        transaction: &'a mut Option<Box<Transaction>>,
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
            transaction,
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

    /// Takes one request of these bytes.
    #[inline]
    pub(super) fn take(&mut self, bytes: &[u8], frame: &Frame, payload: Payload<'_>) -> Taken {
        if self.transaction.is_some() {
            return self.in_transaction(bytes, frame, payload);
        }
        let Some(row) = command::find(&bytes[frame.name.clone()]) else {
            self.worker.stats().unknown();
            if command::is_http(&bytes[frame.name.clone()]) {
                return Taken::Cut;
            }
            let text = command::unknown(&bytes[frame.name.clone()], Args::of(bytes).skip(1));
            self.answer(|out| put_error(out, &text));
            return Taken::Done;
        };
        // What follows may go to a node on another connection than what came before, and must not overtake it.
        if row.may_change_protocol() && self.outbox.waiting() > 0 {
            return Taken::NotNow;
        }
        self.worker.stats().command(row);
        self.client.asked.set(Some(row));
        if self.logs {
            tracing::debug!(command = row.name, arguments = frame.argc, bytes = frame.len, route = ?row.route, "asked");
        }
        let taken = self.route(row, bytes, frame, payload);
        if taken == Taken::Waits {
            self.worker.stats().take_back(row);
        }
        taken
    }

    fn route(
        &mut self,
        row: &'static Row,
        bytes: &[u8],
        frame: &Frame,
        payload: Payload<'_>,
    ) -> Taken {
        if !row.accepts(frame.argc) {
            self.answer(|out| put_error(out, command::wrong_arity(row).as_bytes()));
            return Taken::Done;
        }
        if !self.identity.is_known() && !row.is_for_strangers() {
            self.answer(|out| put_error(out, command::STRANGER.as_bytes()));
            return Taken::Done;
        }
        match row.route {
            Route::OneNode => {
                let node = self.routing.placement().node(&bytes[frame.first.clone()]);
                return self.forward(node, bytes, payload);
            }
            Route::SameNode => return self.same_node(row, bytes, payload),
            Route::AnyNode => return self.forward(ANY_NODE, bytes, payload),
            Route::AnyNodeBelow if frame.argc == 1 => {
                return self.forward(ANY_NODE, bytes, payload);
            }
            Route::Below | Route::AnyNodeBelow => return self.below(row, bytes, frame, payload),
            Route::PerNode(join) => return self.split(row, join, bytes, frame, payload),
            Route::Administer(_) if !self.worker.rules().admin_fan_out => {
                self.refuse(row, Why::AdminFanOut);
            }
            Route::AllNodes(join) | Route::Administer(join) => {
                return self.all_nodes(row, join, bytes);
            }
            Route::NodeByNode => return self.page(bytes),
            Route::Local(answer) => return self.local(answer, bytes),
            Route::Workers => self.clients(bytes),
            Route::Transaction(step) => return self.transact(step, row, bytes, payload),
            Route::Refuse(why) => self.refuse(row, why),
        }
        Taken::Done
    }

    fn refuse(&mut self, row: &Row, why: Why) {
        self.answer(|out| put_error(out, command::unsupported(row, why).as_bytes()));
    }

    #[inline]
    fn forward(&mut self, node: NodeId, bytes: &[u8], payload: Payload<'_>) -> Taken {
        if self.outbox.charge() != Charge::NONE
            && let Some(taken) = self.wait_for([node])
        {
            return taken;
        }
        let number = self.outbox.expect(bytes.len());
        self.send(node, payload, number, 0);
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

    /// The request as it is to the node of all its keys.
    fn same_node(&mut self, row: &Row, bytes: &[u8], payload: Payload<'_>) -> Taken {
        let args: Vec<&[u8]> = Args::of(bytes).collect();
        let aim = aim::aim(row, &args, self.routing.placement(), self.worker.rules());
        let address = |node: NodeId| self.routing.nodes[node.index()].address().to_string();
        match aim::refusal(row, aim, address) {
            Some(text) => {
                self.answer(|out| put_error(out, &text));
                Taken::Done
            }
            None => match aim {
                Aim::Node(node) => self.forward(node, bytes, payload),
                _ => self.forward(ANY_NODE, bytes, payload),
            },
        }
    }

    /// What the row of the subcommand says.
    fn below(&mut self, row: &Row, bytes: &[u8], frame: &Frame, payload: Payload<'_>) -> Taken {
        let subcommand = &bytes[frame.first.clone()];
        match command::below(row, subcommand) {
            Some(below) => {
                self.client.asked.set(Some(below));
                self.route(below, bytes, frame, payload)
            }
            None => {
                let text = command::unknown_below(row, subcommand);
                self.answer(|out| put_error(out, &text));
                Taken::Done
            }
        }
    }

    /// One request to each node that holds some of the keys; the request itself when one node holds them all.
    fn split(
        &mut self,
        row: &Row,
        join: Join,
        bytes: &[u8],
        frame: &Frame,
        payload: Payload<'_>,
    ) -> Taken {
        let split = Split::plan(row, frame.argc, bytes, |key| {
            self.routing.placement().node(key)
        });
        if let [(node, _)] = split.parts[..] {
            return self.forward(node, bytes, payload);
        }
        if self.outbox.charge() != Charge::NONE {
            let nodes: Vec<NodeId> = split.parts.iter().map(|(node, _)| *node).collect();
            if let Some(taken) = self.wait_for(nodes) {
                return taken;
            }
        }
        let requests = split.requests(row, bytes);
        let nodes = split.parts.iter();
        let names = nodes.map(|(node, _)| self.routing.nodes[node.index()].name());
        let joining = Joining::new(join, names.collect(), split.part_of_key);
        let number = self.outbox.expect_joined(bytes.len(), joining);
        for ((part, (node, _)), request) in (0..).zip(split.parts).zip(requests) {
            self.send(node, Payload::of(request), number, part);
        }
        Taken::Done
    }

    /// The same request to every node, unless its arguments are refused.
    fn all_nodes(&mut self, row: &Row, join: Join, bytes: &[u8]) -> Taken {
        let refused = row.guard.and_then(|guard| {
            let args: Vec<&[u8]> = Args::of(bytes).collect();
            guard.refuses(&args, |_| true)
        });
        match refused {
            Some(why) => {
                self.refuse(row, why);
                Taken::Done
            }
            None => self.broadcast(row, join, bytes),
        }
    }

    /// The same request to every node. One that is to stop a script does not wait behind it: it is sent over a second
    /// connection to each node, however much the first one owes. So is another one that a busy node answers.
    fn broadcast(&mut self, row: &Row, join: Join, bytes: &[u8]) -> Taken {
        let kills = join == Join::Kill;
        if !kills
            && self.outbox.charge() != Charge::NONE
            && let Some(taken) = self.wait_for(self.every_node())
        {
            return taken;
        }
        let names: Vec<_> = self.routing.nodes.iter().map(|node| node.name()).collect();
        let instead = split::asked_instead(join, bytes);
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

    pub(super) fn local(&mut self, answer: command::Local, bytes: &[u8]) -> Taken {
        let mut out = std::mem::take(self.scratch);
        out.clear();
        let next = self.own_answer(answer, bytes, &mut out);
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
        answer: command::Local,
        bytes: &[u8],
        out: &mut Vec<u8>,
    ) -> local::Next {
        if !answer.may_change_client() {
            return local::answer(answer, bytes, self.identity, out);
        }
        let now = self.worker.clock().now();
        let moment = self.client.moment(now, self.outbox.bytes());
        self.identity.observe(moment);
        let next = local::answer(answer, bytes, self.identity, out);
        let about = self.identity.about().clone();
        self.client.about.replace(about);
        next
    }

    /// What all workers tell of their clients.
    fn clients(&mut self, bytes: &[u8]) {
        match Wanted::of(bytes) {
            Ok(wanted) => {
                let number = self.outbox.expect(bytes.len());
                let protocol = self.identity.protocol();
                self.worker
                    .list_clients(wanted, self.client, number, protocol);
            }
            Err(text) => self.answer(|out| put_error(out, &text)),
        }
    }
}
