//! What goes over the connection of a transaction, in which order, and what its replies become.

use std::rc::Rc;

use bytes::Bytes;

use super::{Phase, Pin, Transaction};
use crate::aim::{self, Aim};
use crate::client::{Charge, Reply};
use crate::command::{self, EXEC_ABORTED, Row};
use crate::join::Joining;
use crate::resp::request;
use crate::session::dispatch::{Taken, Turn};
use crate::upstream::{NoDedicated, Payload, Ticket};
use placement::NodeId;

impl Turn<'_> {
    /// The node of all keys; none without keys.
    pub(super) fn home(&self, row: &Row, args: &[&[u8]]) -> Result<Option<NodeId>, Vec<u8>> {
        let aim = aim::aim(row, args, self.routing.placement(), self.worker.rules());
        let address = |node: NodeId| self.address(node).to_owned();
        match aim::refusal(row, aim, address) {
            Some(text) => Err(text),
            None => Ok(match aim {
                Aim::Node(node) => Some(node),
                _ => None,
            }),
        }
    }

    pub(super) fn address(&self, node: NodeId) -> &str {
        self.routing.nodes[node.index()].address()
    }

    /// The error for a key that lives elsewhere than the transaction.
    pub(super) fn elsewhere(
        &self,
        transaction: &Transaction,
        node: NodeId,
        key: &[u8],
    ) -> Option<Vec<u8>> {
        let pinned = transaction.pin.as_ref()?.connection.address();
        let address = self.address(node);
        (pinned != address).then(|| command::leaves_transaction(pinned, (key, address)))
    }

    /// Gives the transaction a connection to `node`.
    pub(super) fn pin(&mut self, transaction: &mut Transaction, node: NodeId) -> Pinned {
        let address = self.address(node);
        if let Some(pin) = &transaction.pin
            && pin.connection.address() == address
            && !pin.connection.is_over()
        {
            return Pinned::Yes;
        }
        if self.outbox.waiting() > 0 {
            return Pinned::NotNow;
        }
        transaction.release(self.worker);
        let connection = match self.worker.dedicated(address, self.identity.protocol()) {
            Ok(connection) => connection,
            Err(NoDedicated(error)) => return Pinned::No(error.text()),
        };
        transaction.pin = Some(Pin {
            connection,
            begun: false,
            soiled: false,
            detour: None,
        });
        Pinned::Yes
    }

    /// What the node has to get first: MULTI and what was held, unless it has begun.
    pub(super) fn prologue(&self, transaction: &mut Transaction) -> Prologue {
        let mut prologue = Prologue::default();
        if transaction.begun().is_some() {
            return prologue;
        }
        prologue.requests.push(request(&[MULTI]));
        for (part, held) in (1..).zip(transaction.take_held()) {
            prologue.requests.push(held.bytes);
            if !held.is_queued {
                prologue.unheeded.push(part);
            }
        }
        prologue
    }

    pub(super) fn send_queued(
        &mut self,
        transaction: &mut Transaction,
        bytes: &[u8],
        payload: Payload<'_>,
    ) -> Taken {
        let before = self.prologue(transaction);
        let number = if before.requests.is_empty() {
            self.outbox.expect(bytes.len())
        } else {
            let joining = Joining::last(before.requests.len() + 1);
            let joining = joining.unheeding(before.unheeded);
            self.outbox.expect_joined(bytes.len(), joining)
        };
        self.send_after(transaction, before.requests, payload, number, Commits::No);
        transaction.queued += 1;
        Taken::Done
    }

    /// A request whose reply is the client's as it is.
    pub(super) fn ask(&mut self, transaction: &mut Transaction, cost: usize, payload: Payload<'_>) {
        let number = self.outbox.expect(cost);
        self.send_after(transaction, Vec::new(), payload, number, Commits::No);
    }

    /// Sends all of it over the transaction's connection. Once something cannot be sent, nothing behind it is.
    pub(super) fn send_after(
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
                charge: Charge::NONE,
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
                self.outbox.complete(number, part, Reply::Own(&reply));
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

/// Whether a transaction has its connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pinned {
    Yes,
    /// Replies have to come first.
    NotNow,
    /// There are too many; the text of the error.
    No(String),
}

/// What a node gets before the first request that is sent to it.
#[derive(Debug, Default)]
pub(super) struct Prologue {
    pub(super) requests: Vec<Vec<u8>>,
    /// Places of those that the client has an answer to already.
    pub(super) unheeded: Vec<u16>,
}

/// Whether a request carries out what was queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Commits {
    Yes,
    No,
}

/// What the proxy has to say to a node by itself.
const MULTI: &str = "MULTI";
