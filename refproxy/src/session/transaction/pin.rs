//! The connection of a transaction: the requests over it, their order, and the handling of their replies.

use std::rc::Rc;

use bytes::Bytes;

use super::{Phase, Transaction};
use crate::client::{Charge, Reply};
use crate::command::{EXEC_ABORTED, Refusal};
use crate::join::Joining;
use crate::resp::{self, put_error};
use crate::route::Request;
use crate::routing::Routing;
use crate::session::turn::{Taken, Turn, payload};
use crate::upstream::{Dedicated, NoDedicated, Payload, Ticket};
use placement::NodeId;

/// The connection to the node of the transaction.
#[derive(Debug)]
pub(super) struct Pin {
    pub(super) connection: Dedicated,
    /// The node has got MULTI.
    pub(super) begun: bool,
    /// The node may keep state about it that the next client must not see.
    pub(super) soiled: bool,
    /// How requests outside of MULTI find it.
    detour: Option<(Rc<Routing>, Rc<Routing>)>,
}

impl Pin {
    /// Whether the connection has ended.
    pub(super) fn is_over(&self) -> bool {
        self.connection.is_over()
    }

    /// Sends all of it. After the first failure nothing more is sent. False if there was a failure.
    fn send<'a>(
        &mut self,
        parts: impl Iterator<Item = (Payload<'a>, Commits)>,
        number: u32,
        turn: &mut Turn<'_>,
    ) -> bool {
        let mut failed = None;
        for (part, (payload, commits)) in parts.enumerate() {
            // No more than that are held.
            let part = u16::try_from(part).unwrap_or(u16::MAX);
            let ticket = Ticket {
                client: Rc::clone(turn.client),
                number,
                part,
                deadline: turn.deadline,
                commits: commits == Commits::Yes,
                charge: Charge::NONE,
            };
            if failed.is_none()
                && let Err(error) = self.connection.send(payload, ticket)
            {
                failed = Some(error);
            }
            if let Some(error) = &failed {
                let reply = match commits {
                    Commits::Yes => EXEC_ABORTED.to_vec(),
                    Commits::No => error.reply(),
                };
                turn.outbox.complete(number, part, Reply::Own(&reply));
            }
        }
        self.soiled |= failed.is_some();
        failed.is_none()
    }
}

impl Transaction {
    /// Refuses a request with a key that lives on another node than the transaction; `None` when it does not.
    pub(super) fn refuse_elsewhere(
        &mut self,
        node: NodeId,
        key: &[u8],
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Option<Taken> {
        let pinned = self.pin.as_ref()?.connection.address();
        if pinned == turn.address(node) {
            return None;
        }
        let pinned = pinned.to_owned();
        let refusal = Refusal::LeavesTransaction(&pinned, (key, node));
        Some(self.refuse(&refusal, request.bytes, turn))
    }

    /// Gives the transaction a connection to `node`.
    ///
    /// # Errors
    /// Pending replies must arrive first, or there are too many connections, which is reported to the client.
    pub(super) fn pin_to(&mut self, node: NodeId, turn: &mut Turn<'_>) -> Result<(), Taken> {
        let address = turn.address(node);
        if let Some(pin) = &self.pin
            && pin.connection.address() == address
            && !pin.is_over()
        {
            return Ok(());
        }
        if turn.outbox.waiting() > 0 {
            return Err(Taken::NotNow);
        }
        self.release(turn.worker);
        let connection = match turn.worker.dedicated(address, turn.identity.protocol()) {
            Ok(connection) => connection,
            Err(NoDedicated(error)) => {
                if self.phase == Phase::Queueing {
                    self.phase = Phase::Aborted;
                }
                turn.answer(|out| put_error(out, error.text().as_bytes()));
                return Err(Taken::Done);
            }
        };
        self.pin = Some(Pin {
            connection,
            begun: false,
            soiled: false,
            detour: None,
        });
        Ok(())
    }

    /// The cluster, with the watching connection in place of the shared one: a value that is read after WATCH must not
    /// be older than the WATCH.
    pub(super) fn detour(&mut self, turn: &Turn<'_>) -> Rc<Routing> {
        let routing = &turn.routing;
        let Some(pin) = self.pin.as_mut().filter(|pin| !pin.is_over()) else {
            return Rc::clone(routing);
        };
        match &pin.detour {
            Some((from, detour)) if Rc::ptr_eq(from, routing) => Rc::clone(detour),
            _ => {
                let protocol = turn.identity.protocol();
                let upstream = pin.connection.upstream();
                let Some(detour) = routing.through(upstream, protocol) else {
                    return Rc::clone(routing);
                };
                let detour = Rc::new(detour);
                pin.detour = Some((Rc::clone(routing), Rc::clone(&detour)));
                detour
            }
        }
    }

    /// The requests that the node must get first: MULTI and the held requests, unless it has begun.
    pub(super) fn prologue(&mut self) -> Prologue {
        let mut prologue = Prologue::default();
        if self.begun().is_some() {
            return prologue;
        }
        prologue.requests.push(resp::request(&[MULTI]));
        for (part, held) in (1..).zip(self.take_held()) {
            prologue.requests.push(held.bytes);
            if !held.is_queued {
                prologue.unheeded.push(part);
            }
        }
        prologue
    }

    pub(super) fn send_queued(&mut self, request: &Request<'_>, turn: &mut Turn<'_>) -> Taken {
        let before = self.prologue();
        let cost = request.bytes.len();
        let number = if before.requests.is_empty() {
            turn.outbox.expect(cost)
        } else {
            let joining = Joining::last(before.requests.len() + 1);
            let joining = joining.unheeding(before.unheeded);
            turn.outbox.expect_joined(cost, joining)
        };
        self.send_after(before.requests, request, number, Commits::No, turn);
        self.queued += 1;
        Taken::Done
    }

    /// Sends a request whose reply is forwarded to the client unchanged.
    pub(super) fn ask(&mut self, request: &Request<'_>, turn: &mut Turn<'_>) {
        let number = turn.outbox.expect(request.bytes.len());
        self.send_after(Vec::new(), request, number, Commits::No, turn);
    }

    /// Sends the request over the transaction's connection, after those that must precede it.
    pub(super) fn send_after(
        &mut self,
        before: Vec<Vec<u8>>,
        request: &Request<'_>,
        number: u32,
        commits: Commits,
        turn: &mut Turn<'_>,
    ) {
        let Some(pin) = &mut self.pin else {
            return;
        };
        pin.begun |= !before.is_empty();
        let before = before
            .into_iter()
            .map(|bytes| (Payload::Large(Bytes::from(bytes)), Commits::No));
        let parts = before.chain([(payload(request), commits)]);
        if !pin.send(parts, number, turn) && self.phase == Phase::Queueing {
            self.phase = Phase::Aborted;
        }
    }
}

/// The requests to a node before the client's first one.
#[derive(Debug, Default)]
pub(super) struct Prologue {
    pub(super) requests: Vec<Vec<u8>>,
    /// Places of those that the client has an answer to already.
    pub(super) unheeded: Vec<u16>,
}

/// Whether a request executes the queued ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commits {
    Yes,
    No,
}

/// The only request that the proxy adds.
const MULTI: &str = "MULTI";
