//! Executing requests: [`route`] decides about each, and this module acts.

use bytes::Bytes;

use crate::client::Charge;
use crate::command::{self, Join, Local, Refusal, Row};
use crate::join::{Asked, Joining};
use crate::local::{self, Wanted};
use crate::resp::{Frame, put_error};
use crate::route::{Action, Request, Split, asked_instead, resolve, route, route_unauthenticated};
use crate::upstream::Payload;
use placement::NodeId;

use super::transaction::{Step, Transaction};
use super::turn::{ANY_NODE, Taken, Turn, payload};

/// The transaction that a client has, if any.
pub(super) type Slot = Option<Box<Transaction>>;

impl Turn<'_> {
    /// Answers the complete request in `bytes` with an error.
    pub(super) fn refuse(&mut self, refusal: &Refusal<'_>, bytes: &[u8]) -> Taken {
        let text = refusal.text(bytes, |node| self.address(node).to_owned());
        self.answer(|out| put_error(out, &text));
        Taken::Done
    }

    /// Takes one request of these bytes, which may be shared without a copy.
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
    #[inline(always)]
    fn outside(&mut self, slot: &mut Slot, request: &Request<'_>) -> Taken {
        let row = request.row;
        // Later requests may go to a node on another connection than earlier ones, and must not overtake them.
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

    /// Routes the request, without the restrictions of a transaction.
    #[inline(always)]
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

    /// All nodes of the cluster.
    fn every_node(&self) -> impl Iterator<Item = NodeId> + use<> {
        // A cluster has at most as many nodes as a NodeId can number.
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

    /// The same request to every node. A request to stop a script does not wait behind it: it is sent over a second
    /// connection to each node, however much the first one owes. The same holds for other requests that a busy node
    /// answers.
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

    /// Writes the proxy's own answer.
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

    /// Lists the clients of all workers.
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
