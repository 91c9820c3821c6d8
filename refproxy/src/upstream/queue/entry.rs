//! One request that waits for its reply.

use std::rc::Rc;

use crate::client::{Charge, Client, Reply};
use crate::clock::Micros;

/// The client and place that wait for a reply.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(crate) client: Rc<Client>,
    /// Of the request, as the client's outbox numbers it.
    pub(crate) number: u32,
    /// Of a request that was split.
    pub(crate) part: u16,
    pub(crate) deadline: Micros,
    /// Executes the requests queued before it: if it is certainly not sent, they are certainly not executed.
    pub(crate) commits: bool,
    /// How much of the node's debt limit its reply takes.
    pub(crate) charge: Charge,
}

/// The role of a request in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Of a client.
    Plain,
    /// Of a client, and executes the requests queued before it.
    Commits,
    /// Of the proxy, to detect whether a reply was lost.
    Marker,
}

#[derive(Debug)]
pub(super) struct Entry {
    /// `None` when the request has failed already: its reply is to be dropped.
    pub(super) client: Option<Rc<Client>>,
    pub(super) number: u32,
    pub(super) part: u16,
    pub(super) role: Role,
    pub(super) charge: Charge,
    pub(super) deadline: Micros,
    /// Where the request ends in the stream of bytes to the node.
    pub(super) end: u64,
}

/// Values are confidential: only the type of the reply is logged.
#[cold]
pub(super) fn log_answer(node: &str, entry: &Entry, reply: &Reply<'_>) {
    let outcome = match (&entry.client, reply.first_byte()) {
        (None, _) if entry.role == Role::Marker => "marker",
        (None, _) => "late, dropped",
        (Some(_), Some(b'-' | b'!')) => "error",
        (Some(_), _) => "ok",
    };
    let client = entry.client.as_ref().map(|client| client.id);
    tracing::debug!(
        client,
        number = entry.number,
        node,
        bytes = reply.len(),
        outcome,
        "answered"
    );
}
