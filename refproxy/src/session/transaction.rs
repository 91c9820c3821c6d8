//! One client's transaction: WATCH, MULTI, what is queued, and EXEC, all on one node over a connection of its own.
//!
//! What reaches a node over one connection may overtake what goes over another. So a transaction begins only when all
//! that the client asked before has been answered, and what comes behind it waits for its end; both unless it goes over
//! the same connection.

use std::rc::Rc;

use bytes::Bytes;

use super::dispatch::{ANY_NODE, Taken, Turn};
use crate::aim::{self, Aim};
use crate::client::Reply;
use crate::command::{self, EXEC_ABORTED, Local, Route, Row, Transaction as Step, Why};
use crate::join::Joining;
use crate::local;
use crate::placement::NodeId;
use crate::resp::{Args, Frame, Protocol, put_array, put_error, put_simple, request};
use crate::upstream::{Dedicated, Payload, Ticket};
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
    keys: Vec<Box<[u8]>>,
    /// The cluster in which the keys were found to live on the pin's node.
    seen: Option<Rc<Routing>>,
    /// Requests that are queued, wherever.
    queued: usize,
    /// Queued before there was a node, for any would do.
    held: Vec<Vec<u8>>,
    /// To be answered by the proxy, each with its place among the queued.
    own: Vec<(usize, Local, Vec<u8>)>,
    /// Of keys and requests that are kept here.
    bytes: usize,
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

impl Transaction {
    fn new(phase: Phase) -> Box<Self> {
        Box::new(Self {
            phase,
            pin: None,
            keys: Vec::new(),
            seen: None,
            queued: 0,
            held: Vec::new(),
            own: Vec::new(),
            bytes: 0,
        })
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
        self.bytes += keys.iter().map(|key| key.len()).sum::<usize>();
        self.keys.extend(keys.iter().map(|key| Box::from(*key)));
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

impl Turn<'_> {
    /// A command of transactions outside of one.
    pub(super) fn transact(
        &mut self,
        step: Step,
        row: &'static Row,
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        match step {
            Step::Multi => {
                *self.transaction = Some(Transaction::new(Phase::Queueing));
                self.answer(|out| put_simple(out, "OK"));
            }
            Step::Watch => {
                let mut transaction = Transaction::new(Phase::Watching);
                let taken = self.watch(&mut transaction, row, bytes, payload);
                if taken == Taken::NotNow {
                    self.worker.stats().take_back(row);
                }
                if transaction.pin.is_some() {
                    *self.transaction = Some(transaction);
                }
                return taken;
            }
            Step::Unwatch => self.answer(|out| put_simple(out, "OK")),
            Step::Exec | Step::Discard => self.answer(|out| put_error(out, without_multi(step))),
        }
        Taken::Done
    }

    /// A request of a client that has a transaction.
    #[cold]
    pub(super) fn in_transaction(
        &mut self,
        bytes: &[u8],
        frame: &Frame,
        payload: Payload<'_>,
    ) -> Taken {
        let Some(mut transaction) = self.transaction.take() else {
            return Taken::Done;
        };
        let row = command::find(&bytes[frame.name.clone()]);
        let taken = match transaction.phase {
            Phase::Over if self.outbox.waiting() == 0 => {
                transaction.release(self.worker);
                return self.take(bytes, frame, payload);
            }
            Phase::Over => self.again(&mut transaction, row, frame),
            Phase::Watching => match row.filter(|row| concerns(row, frame)) {
                Some(row) => self.watching(&mut transaction, row, bytes, frame, payload),
                None => {
                    let detour =
                        transaction.detour(self.worker, &self.routing, self.identity.protocol());
                    let straight = std::mem::replace(&mut self.routing, detour);
                    let taken = self.take(bytes, frame, payload);
                    self.routing = straight;
                    *self.transaction = Some(transaction);
                    return taken;
                }
            },
            Phase::Queueing | Phase::Aborted => match row {
                Some(row) => self.queue(&mut transaction, row, bytes, frame, payload),
                None => {
                    self.worker.stats().unknown();
                    let name = &bytes[frame.name.clone()];
                    let text = command::unknown(name, Args::of(bytes).skip(1));
                    self.abort(&mut transaction, &text)
                }
            },
        };
        *self.transaction = Some(transaction);
        if let Some(row) = row
            && taken != Taken::NotNow
        {
            self.worker.stats().command(row);
        }
        taken
    }

    /// The next transaction, right behind one whose last reply has not come, may go over the same connection.
    fn again(&mut self, transaction: &mut Transaction, row: Option<&Row>, frame: &Frame) -> Taken {
        let begins = row.is_some_and(|row| {
            row.route == Route::Transaction(Step::Multi) && row.accepts(frame.argc)
        });
        if !begins || transaction.pin.as_ref().is_some_and(|pin| pin.soiled) {
            return Taken::NotNow;
        }
        transaction.phase = Phase::Queueing;
        self.answer(|out| put_simple(out, "OK"));
        Taken::Done
    }

    /// A request between WATCH and MULTI that is not one like all others.
    fn watching(
        &mut self,
        transaction: &mut Transaction,
        row: &'static Row,
        bytes: &[u8],
        frame: &Frame,
        payload: Payload<'_>,
    ) -> Taken {
        if !row.accepts(frame.argc) {
            return self.misfit(transaction, row);
        }
        let step = match row.route {
            Route::Transaction(step) => step,
            Route::Local(local) if local.ends_transaction() => {
                return self.end_locally(transaction, local, bytes);
            }
            Route::Local(_) => {
                let text = command::unsupported(row, Why::ConnectionState);
                self.answer(|out| put_error(out, text.as_bytes()));
                return Taken::Done;
            }
            _ => return Taken::Done,
        };
        match step {
            Step::Watch => return self.watch(transaction, row, bytes, payload),
            Step::Unwatch if transaction.is_lost() => {
                transaction.end();
                self.answer(|out| put_simple(out, "OK"));
            }
            Step::Unwatch => {
                self.ask(transaction, bytes.len(), payload);
                transaction.end();
            }
            Step::Multi if transaction.is_lost() => {
                transaction.phase = Phase::Aborted;
                self.answer(|out| put_simple(out, "OK"));
            }
            Step::Multi => {
                transaction.phase = Phase::Queueing;
                self.ask(transaction, bytes.len(), payload);
                if let Some(pin) = &mut transaction.pin {
                    pin.begun = true;
                }
            }
            Step::Exec | Step::Discard => self.answer(|out| put_error(out, without_multi(step))),
        }
        Taken::Done
    }

    fn watch(
        &mut self,
        transaction: &mut Transaction,
        row: &'static Row,
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        let args: Vec<&[u8]> = Args::of(bytes).collect();
        let node = match self.home(row, &args) {
            Ok(Some(node)) => node,
            Ok(None) => ANY_NODE,
            Err(text) => {
                self.answer(|out| put_error(out, &text));
                return Taken::Done;
            }
        };
        if transaction.pin.is_none() && !self.pin(transaction, node) {
            return Taken::NotNow;
        }
        if let Some(text) = self.elsewhere(transaction, node, args[1]) {
            self.answer(|out| put_error(out, &text));
            return Taken::Done;
        }
        let lost = transaction.is_lost();
        transaction.remember(&args[1..], &self.routing);
        self.ask(transaction, bytes.len(), payload);
        if lost {
            // Now that it is told, the client may begin anew.
            transaction.end();
        }
        Taken::Done
    }

    /// A request behind MULTI.
    fn queue(
        &mut self,
        transaction: &mut Transaction,
        row: &'static Row,
        bytes: &[u8],
        frame: &Frame,
        payload: Payload<'_>,
    ) -> Taken {
        if !row.accepts(frame.argc) {
            return self.misfit(transaction, row);
        }
        match row.route {
            Route::Transaction(Step::Multi) => {
                self.answer(|out| put_error(out, b"ERR MULTI calls can not be nested"));
                Taken::Done
            }
            Route::Transaction(Step::Watch) => {
                self.answer(|out| put_error(out, b"ERR WATCH inside MULTI is not allowed"));
                Taken::Done
            }
            Route::Transaction(Step::Discard) => self.discard(transaction, bytes, payload),
            Route::Transaction(Step::Exec) => self.exec(transaction, bytes, payload),
            Route::Local(local) if local.ends_transaction() => {
                self.end_locally(transaction, local, bytes)
            }
            Route::Local(local) => self.queue_own(transaction, row, local, bytes, frame),
            Route::OneNode | Route::SameNode | Route::PerNode(_) => {
                self.queue_keyed(transaction, row, bytes, payload)
            }
            Route::Below => {
                let subcommand = &bytes[frame.first.clone()];
                match command::below(row, subcommand) {
                    Some(below) => self.queue(transaction, below, bytes, frame, payload),
                    None => self.abort(transaction, &command::unknown_below(row, subcommand)),
                }
            }
            Route::Administer(_) if !self.worker.admin_fan_out() => {
                let text = command::unsupported(row, Why::AdminFanOut);
                self.abort(transaction, text.as_bytes())
            }
            Route::AllNodes(_) | Route::Administer(_) if self.routing.nodes.len() > 1 => {
                let text = command::unsupported(row, Why::Transaction);
                self.abort(transaction, text.as_bytes())
            }
            // Its cursor is the proxy's own, and no node could answer with it.
            Route::NodeByNode => {
                let text = command::unsupported(row, Why::Transaction);
                self.abort(transaction, text.as_bytes())
            }
            Route::AnyNode
            | Route::AllNodes(_)
            | Route::Administer(_)
            | Route::Transaction(Step::Unwatch) => self.queue_anywhere(transaction, bytes, payload),
            Route::Refuse(why) => {
                self.abort(transaction, command::unsupported(row, why).as_bytes())
            }
        }
    }

    fn queue_keyed(
        &mut self,
        transaction: &mut Transaction,
        row: &'static Row,
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        let args: Vec<&[u8]> = Args::of(bytes).collect();
        let node = match self.home(row, &args) {
            Ok(Some(node)) => node,
            Ok(None) => return self.queue_anywhere(transaction, bytes, payload),
            Err(text) => return self.abort(transaction, &text),
        };
        let positions = row.key_positions(&args).unwrap_or_default();
        let keys: Vec<&[u8]> = positions.into_iter().map(|place| args[place]).collect();
        if transaction.phase == Phase::Aborted {
            return self.queued();
        }
        if transaction.begun().is_some() {
            let key = keys.first().copied().unwrap_or_default();
            if let Some(text) = self.elsewhere(transaction, node, key) {
                return self.abort(transaction, &text);
            }
        } else if !self.pin(transaction, node) {
            return Taken::NotNow;
        }
        if self.is_too_large(transaction, bytes) {
            return self.abort(transaction, TOO_LARGE);
        }
        transaction.remember(&keys, &self.routing);
        self.send_queued(transaction, bytes, payload)
    }

    /// A request that any node answers alike waits here until a key names the node.
    fn queue_anywhere(
        &mut self,
        transaction: &mut Transaction,
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        if transaction.phase == Phase::Aborted {
            return self.queued();
        }
        if transaction.begun().is_some() {
            return self.send_queued(transaction, bytes, payload);
        }
        if self.is_too_large(transaction, bytes) {
            return self.abort(transaction, TOO_LARGE);
        }
        transaction.bytes += bytes.len();
        transaction.held.push(bytes.to_vec());
        transaction.queued += 1;
        self.queued()
    }

    /// What the proxy answers itself, it answers at EXEC, in its place.
    fn queue_own(
        &mut self,
        transaction: &mut Transaction,
        row: &'static Row,
        local: Local,
        bytes: &[u8],
        frame: &Frame,
    ) -> Taken {
        if changes_protocol(row, frame) {
            let text = command::unsupported(row, Why::ConnectionState);
            return self.abort(transaction, text.as_bytes());
        }
        let subcommand = &bytes[frame.first.clone()];
        if frame.argc > 1 && command::has_below(row) {
            match command::below(row, subcommand) {
                Some(below) if below.accepts(frame.argc) => {}
                Some(below) => return self.misfit(transaction, below),
                None => return self.abort(transaction, &command::unknown_below(row, subcommand)),
            }
        }
        if transaction.phase == Phase::Aborted {
            return self.queued();
        }
        if self.is_too_large(transaction, bytes) {
            return self.abort(transaction, TOO_LARGE);
        }
        transaction.bytes += bytes.len();
        let own = (transaction.queued, local, bytes.to_vec());
        transaction.own.push(own);
        transaction.queued += 1;
        self.queued()
    }

    fn exec(&mut self, transaction: &mut Transaction, bytes: &[u8], payload: Payload<'_>) -> Taken {
        let begun = transaction.begun().is_some();
        let lost = begun && (transaction.is_lost() || transaction.has_moved(&self.routing));
        if transaction.phase == Phase::Aborted || lost {
            self.answer(|out| out.extend_from_slice(EXEC_ABORTED));
            transaction.break_off();
            return Taken::Done;
        }
        if !begun && transaction.held.is_empty() {
            let own = self.own_answers(transaction);
            self.answer(|out| {
                put_array(out, own.len());
                own.iter().for_each(|(_, reply)| out.extend(reply));
            });
            transaction.end();
            return Taken::Done;
        }
        let unusable = transaction.pin.is_none() || transaction.is_lost();
        if !begun && unusable && !self.pin(transaction, ANY_NODE) {
            return Taken::NotNow;
        }
        let own = self.own_answers(transaction);
        let before = self.prologue(transaction);
        let number = if before.is_empty() && own.is_empty() {
            self.outbox.expect(bytes.len())
        } else {
            let joining = Joining::exec(before.len() + 1, own);
            self.outbox.expect_joined(bytes.len(), joining)
        };
        self.send_after(transaction, before, payload, number, Commits::Yes);
        transaction.end();
        Taken::Done
    }

    fn discard(
        &mut self,
        transaction: &mut Transaction,
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        let pin = transaction.begun();
        if pin.is_some_and(|pin| !pin.soiled && !pin.connection.is_over()) {
            self.ask(transaction, bytes.len(), payload);
        } else {
            self.answer(|out| put_simple(out, "OK"));
        }
        transaction.end();
        Taken::Done
    }

    fn end_locally(&mut self, transaction: &mut Transaction, local: Local, bytes: &[u8]) -> Taken {
        transaction.break_off();
        self.local(local, bytes)
    }

    /// The node of all keys; none without keys.
    fn home(&self, row: &Row, args: &[&[u8]]) -> Result<Option<NodeId>, Vec<u8>> {
        let aim = aim::aim(row, args, self.routing.placement());
        let address = |node: NodeId| self.address(node).to_owned();
        match aim::refusal(row, aim, address) {
            Some(text) => Err(text),
            None => Ok(match aim {
                Aim::Node(node) => Some(node),
                _ => None,
            }),
        }
    }

    fn address(&self, node: NodeId) -> &str {
        self.routing.nodes[node.index()].address()
    }

    /// The error for a key that lives elsewhere than the transaction.
    fn elsewhere(&self, transaction: &Transaction, node: NodeId, key: &[u8]) -> Option<Vec<u8>> {
        let pinned = transaction.pin.as_ref()?.connection.address();
        let address = self.address(node);
        (pinned != address).then(|| command::leaves_transaction(pinned, (key, address)))
    }

    /// Gives the transaction a connection to `node`. False when that has to wait for replies.
    fn pin(&mut self, transaction: &mut Transaction, node: NodeId) -> bool {
        let address = self.address(node);
        if let Some(pin) = &transaction.pin
            && pin.connection.address() == address
            && !pin.connection.is_over()
        {
            return true;
        }
        if self.outbox.waiting() > 0 {
            return false;
        }
        transaction.release(self.worker);
        transaction.pin = Some(Pin {
            connection: self.worker.dedicated(address, self.identity.protocol()),
            begun: false,
            soiled: false,
            detour: None,
        });
        true
    }

    fn is_too_large(&self, transaction: &Transaction, bytes: &[u8]) -> bool {
        transaction.bytes + bytes.len() > self.worker.limits().client_bytes_max
            || transaction.held.len() + 2 > usize::from(u16::MAX)
    }

    fn queued(&mut self) -> Taken {
        self.answer(|out| put_simple(out, "QUEUED"));
        Taken::Done
    }

    /// An error now, and another one at EXEC.
    fn abort(&mut self, transaction: &mut Transaction, text: &[u8]) -> Taken {
        transaction.phase = Phase::Aborted;
        self.answer(|out| put_error(out, text));
        Taken::Done
    }

    /// The wrong number of arguments. Of EXEC itself it is the end, as with Redis.
    fn misfit(&mut self, transaction: &mut Transaction, row: &Row) -> Taken {
        let text = command::wrong_arity(row);
        if row.route == Route::Transaction(Step::Exec) {
            transaction.break_off();
        } else if transaction.phase != Phase::Watching {
            transaction.phase = Phase::Aborted;
        }
        self.answer(|out| put_error(out, text.as_bytes()));
        Taken::Done
    }

    fn own_answers(&mut self, transaction: &mut Transaction) -> Vec<(usize, Vec<u8>)> {
        let own = std::mem::take(&mut transaction.own);
        own.into_iter()
            .map(|(place, local, bytes)| {
                let mut out = Vec::new();
                // What would hang up is never queued.
                let _ = local::answer(local, &bytes, self.identity, &mut out);
                (place, out)
            })
            .collect()
    }

    /// What the node has to get first: MULTI and what was held, unless it has begun.
    fn prologue(&self, transaction: &mut Transaction) -> Vec<Vec<u8>> {
        if transaction.begun().is_some() {
            return Vec::new();
        }
        let held = std::mem::take(&mut transaction.held);
        std::iter::once(request(&[MULTI])).chain(held).collect()
    }

    fn send_queued(
        &mut self,
        transaction: &mut Transaction,
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        let before = self.prologue(transaction);
        let number = if before.is_empty() {
            self.outbox.expect(bytes.len())
        } else {
            let joining = Joining::last(before.len() + 1);
            self.outbox.expect_joined(bytes.len(), joining)
        };
        self.send_after(transaction, before, payload, number, Commits::No);
        transaction.queued += 1;
        Taken::Done
    }

    /// A request whose reply is the client's as it is.
    fn ask(&mut self, transaction: &mut Transaction, cost: usize, payload: Payload<'_>) {
        let number = self.outbox.expect(cost);
        self.send_after(transaction, Vec::new(), payload, number, Commits::No);
    }

    /// Sends all of it over the transaction's connection. Once something cannot be sent, nothing behind it is.
    fn send_after(
        &mut self,
        transaction: &mut Transaction,
        before: Vec<Vec<u8>>,
        payload: Payload<'_>,
        number: u32,
        commits: Commits,
    ) {
        let Some(pin) = &mut transaction.pin else {
            return;
        };
        let begins = !before.is_empty();
        let last = before.len();
        let parts = before
            .into_iter()
            .map(|bytes| Payload::Large(Bytes::from(bytes)))
            .chain([payload]);
        let mut failed = None;
        for (part, payload) in parts.enumerate() {
            let commits = commits == Commits::Yes && part == last;
            // No more than that are held.
            let part = u16::try_from(part).unwrap_or(u16::MAX);
            let ticket = Ticket {
                client: Rc::clone(self.client),
                number,
                part,
                deadline: self.deadline,
                commits,
            };
            if failed.is_none()
                && let Err(error) = pin.connection.send(payload, ticket)
            {
                failed = Some(error);
            }
            if let Some(error) = &failed {
                let reply = if commits {
                    EXEC_ABORTED.to_vec()
                } else {
                    error.reply()
                };
                self.outbox.complete(number, part, Reply::Small(&reply));
            }
        }
        pin.begun |= begins;
        if failed.is_some() {
            pin.soiled = true;
            if transaction.phase == Phase::Queueing {
                transaction.phase = Phase::Aborted;
            }
        }
    }
}

/// Whether a request carries out what was queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Commits {
    Yes,
    No,
}

/// What the proxy has to say to a node by itself.
const MULTI: &str = "MULTI";

const TOO_LARGE: &[u8] = b"ERR transaction too large";

/// Between WATCH and MULTI, all other requests are as always.
fn concerns(row: &Row, frame: &Frame) -> bool {
    match row.route {
        Route::Transaction(_) => true,
        Route::Local(local) => local.ends_transaction() || changes_protocol(row, frame),
        _ => false,
    }
}

/// Whether it asks for another protocol than the one that the transaction's connection speaks.
fn changes_protocol(row: &Row, frame: &Frame) -> bool {
    row.may_change_protocol() && frame.argc > 1
}

fn without_multi(step: Step) -> &'static [u8] {
    match step {
        Step::Discard => b"ERR DISCARD without MULTI",
        _ => b"ERR EXEC without MULTI",
    }
}
