//! Clients that wait until a node owes less, first come, first served.
//!
//! A node's replies come over one connection, so a reply of many bytes delays all later ones. Requests with large
//! replies are therefore sent only while the node owes little. The time limit of a request begins when it is sent, so
//! it does not include the wait here.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::client::{Charge, Client, Gate};
use crate::clock::Micros;

/// Bytes of large replies that a node may owe to the clients of one worker.
const OWED_MAX: u64 = 16 * 1024 * 1024;

/// Whether a reply with this charge may be asked for while `owed` bytes are owed. One may always.
pub(super) fn has_room(owed: u64, charge: Charge) -> bool {
    owed == 0 || owed + charge.bytes() <= OWED_MAX
}

#[derive(Debug)]
struct Waiter {
    client: Rc<Client>,
    charge: Charge,
    since: Micros,
}

/// The line of one node.
#[derive(Debug, Default)]
pub(super) struct Line(VecDeque<Waiter>);

impl Line {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A client that was called and found no room is the next one again.
    pub(super) fn join(&mut self, client: &Rc<Client>, charge: Charge, now: Micros) {
        let waiter = Waiter {
            client: Rc::clone(client),
            charge,
            since: now,
        };
        match client.gate.replace(Gate::Waiting) {
            Gate::Called => self.0.push_front(waiter),
            _ => self.0.push_back(waiter),
        }
    }

    /// Wakes as many as there is room for. True when more wait and no pending reply would wake them.
    pub(super) fn call(&mut self, owed: u64) -> bool {
        let mut promised = owed;
        while let Some(next) = self.0.front() {
            if !next.client.is_gone() {
                if !has_room(promised, next.charge) {
                    break;
                }
                promised += next.charge.bytes();
                next.client.pass(Gate::Called);
            }
            self.0.pop_front();
        }
        owed == 0 && !self.is_empty()
    }

    /// Calls all: the node is not asked any more.
    pub(super) fn call_all(&mut self) {
        for waiter in self.0.drain(..) {
            waiter.client.pass(Gate::Called);
        }
    }

    /// When the first one gives up, if no bytes arrive.
    pub(super) fn expires_at(&self, heard_at: Micros, limit: Micros) -> Option<Micros> {
        let first = self.0.front()?;
        Some(first.since.max(heard_at) + limit)
    }

    /// Releases those whose wait is over.
    pub(super) fn expire(&mut self, now: Micros, heard_at: Micros, limit: Micros) {
        while self
            .expires_at(heard_at, limit)
            .is_some_and(|due| due <= now)
        {
            if let Some(waiter) = self.0.pop_front() {
                waiter.client.pass(Gate::Expired);
            }
        }
    }
}
