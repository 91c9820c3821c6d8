//! Why a request failed in the proxy: what happened, whose fault it is, and whether the node may have executed it.
//!
//! The text for the client is made here and nowhere else.

use std::rc::Rc;

use crate::resp::{ReplyError, put_error};

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The node does not let us connect; the operating system's reason.
    Connect(Rc<str>),
    /// The node did not accept the connection in time.
    ConnectTimeout,
    /// The node refuses the proxy, for this reason.
    Unwelcome(Rc<str>),
    /// The connection broke.
    Lost,
    /// The bytes are not a reply.
    Garbage(ReplyError),
    /// A reply arrived that answers no request.
    Unasked,
    /// The node has lost a reply, so it is uncertain which requests the pending replies answer.
    OutOfStep,
    /// No byte arrived for so long that the connection was closed.
    Stalled,
    /// A reply has begun and does not come to the end that it announces: nothing more comes, or a later reply is within.
    Incomplete,
    /// No reply before the request's deadline.
    Timeout,
    /// Too many requests wait for the node already.
    QueueFull,
    /// The reply is larger than the limit of one client, which is this many bytes.
    ReplyTooLarge(usize),
    /// All connections for single clients are in use; their maximum.
    NoDedicated(usize),
    /// A script blocks the node; its error.
    Busy(Rc<str>),
    /// The task of the node's connection has panicked.
    Panicked,
}

/// Whose fault it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The node at this address.
    Node(Rc<str>),
    /// A limit of the proxy that the clients have used up.
    Limit(&'static str),
    /// The proxy itself, while it asked the node at this address.
    Proxy(Rc<str>),
}

/// Whether a node may have executed the request. A request that may have been executed is never sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Executed {
    No,
    Maybe,
}

/// A request that failed in the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Error {
    pub(crate) kind: Kind,
    pub(crate) blame: Blame,
    pub(crate) executed: Executed,
}

impl Error {
    /// The error reply for the client, with its framing.
    pub(crate) fn reply(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_error(&mut out, self.text().as_bytes());
        out
    }

    /// The text of the error reply.
    pub(crate) fn text(&self) -> String {
        let full;
        let what = match &self.kind {
            // Clients of Redis handle this error already.
            Kind::Busy(words) => return words.to_string(),
            Kind::Connect(reason) | Kind::Unwelcome(reason) => &**reason,
            Kind::NoDedicated(max) => {
                full = format!("all {max} node connections for transactions are in use");
                &full
            }
            Kind::ReplyTooLarge(max) => {
                full = format!("the reply is larger than limits.client_output_bytes, {max}");
                &full
            }
            Kind::Panicked => "internal error of the proxy",
            Kind::ConnectTimeout => "connect timeout",
            Kind::Lost => "connection lost",
            Kind::Garbage(ReplyError::Malformed) => "connection lost: malformed reply",
            Kind::Garbage(ReplyError::Streamed) => "connection lost: streamed reply",
            Kind::Garbage(ReplyError::StringTooLong) => {
                "connection lost: a reply announces more bytes than limits.reply_string_bytes"
            }
            Kind::Garbage(ReplyError::TooManyElements) => {
                "connection lost: a reply announces more elements than limits.reply_elements"
            }
            Kind::Incomplete => "connection lost: incomplete reply",
            Kind::Unasked => "connection lost: reply without a request",
            Kind::OutOfStep => "connection lost: a reply is missing",
            Kind::Stalled => "connection lost: stalled",
            Kind::Timeout => "timeout",
            Kind::QueueFull => "too many requests wait for it",
        };
        let sent = match (&self.kind, self.executed) {
            (Kind::Timeout | Kind::NoDedicated(_), Executed::No) => ", the request was not sent",
            (Kind::Panicked | Kind::ReplyTooLarge(_) | Kind::OutOfStep, Executed::Maybe) => {
                ", the request may have been executed"
            }
            _ => "",
        };
        match &self.blame {
            Blame::Node(node) => format!("ERR node {node}: {what}{sent}"),
            Blame::Limit(limit) => format!("ERR {limit}: {what}{sent}"),
            Blame::Proxy(node) => format!("ERR proxy, asking node {node}: {what}{sent}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Blame, Error, Executed, Kind};

    #[track_caller]
    fn check(kind: Kind, executed: Executed, expected: &str) {
        let error = Error {
            kind,
            blame: Blame::Node("127.0.0.1:7002".into()),
            executed,
        };
        assert_eq!(
            String::from_utf8_lossy(&error.reply()),
            format!("-{expected}\r\n")
        );
    }

    #[test]
    fn the_text_names_the_node_and_whether_it_was_executed() {
        check(
            Kind::Timeout,
            Executed::Maybe,
            "ERR node 127.0.0.1:7002: timeout",
        );
        check(
            Kind::Timeout,
            Executed::No,
            "ERR node 127.0.0.1:7002: timeout, the request was not sent",
        );
        check(
            Kind::Lost,
            Executed::Maybe,
            "ERR node 127.0.0.1:7002: connection lost",
        );
        check(
            Kind::Connect("connection refused".into()),
            Executed::No,
            "ERR node 127.0.0.1:7002: connection refused",
        );
        let busy = "BUSY Redis is busy running a script.";
        check(Kind::Busy(busy.into()), Executed::No, busy);
        check(
            Kind::QueueFull,
            Executed::No,
            "ERR node 127.0.0.1:7002: too many requests wait for it",
        );
    }
}
