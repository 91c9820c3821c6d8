//! One request: when it was sent and answered, how it completed, and what each node saw of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use testbed::wire::{Arguments, Value};

use super::{bytes, reply};

/// One request of one client. Times are nanoseconds since the start of the run, on one monotonic clock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The connection, numbered over the whole run: a client that reconnects begins another session.
    pub session: u32,
    /// The place of the request on its connection. Requests are sent in this order, before earlier ones are answered.
    pub sequence: u64,
    /// What sent the request.
    pub client: Library,
    /// When the first byte was written.
    pub sent: u64,
    /// When the whole reply was read; missing if it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received: Option<u64>,
    /// The command and its arguments.
    #[serde(with = "bytes::list")]
    #[schemars(with = "Vec<String>")]
    pub request: Arguments,
    /// The reply, if one was read.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "reply")]
    #[schemars(with = "Option<reply::Reply>")]
    pub reply: Option<Value>,
    /// Whether the request was executed.
    pub completion: Completion,
    /// What the taps saw of it, one entry per request to a node: several if the proxy split or repeated it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Seen>,
}

/// What a client uses to talk RESP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Library {
    /// The `redis` crate.
    Redis,
    /// A plain socket and the codec of the testbed.
    Raw,
}

/// Whether a request was executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Completion {
    /// Executed: the reply says so, or a node's does.
    Ok,
    /// Certainly not executed: refused, or it never left the proxy.
    Failed,
    /// Not known: it may have been executed, or may still be at any time.
    Indefinite,
}

/// One request to one node, as the tap on its link recorded it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The place of the node in the cluster.
    pub node: u16,
    /// The connection from the proxy to the node, numbered over all links.
    pub connection: u64,
    /// The place of the request among all that this node was asked. The node executes the requests of one connection
    /// in this order; between connections the tap may see them in another order than the node.
    pub order: u64,
    /// When the node was asked.
    pub asked: u64,
    /// What it answered, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Answered>,
}

/// The answer of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answered {
    /// When the whole answer had reached the link.
    pub at: u64,
    /// The answer.
    #[serde(with = "reply::one")]
    #[schemars(with = "reply::Reply")]
    pub reply: Value,
    /// How it went on to the proxy; missing if it did so at once.
    #[serde(default, skip_serializing_if = "Passage::is_at_once")]
    pub passage: Passage,
}

/// How an answer went from the link to the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Passage {
    /// At once.
    #[default]
    AtOnce,
    /// Its last byte was written to the proxy at this time.
    Sent(u64),
    /// Never: a fault of the link took it, changed it or cut it.
    Lost,
    /// Never: the proxy closed the connection first.
    HungUp,
}

impl Passage {
    fn is_at_once(&self) -> bool {
        *self == Self::AtOnce
    }
}

impl Answered {
    /// An answer that went on to the proxy at once.
    #[must_use]
    pub fn new(at: u64, reply: Value) -> Self {
        Self {
            at,
            reply,
            passage: Passage::AtOnce,
        }
    }
}

impl Record {
    /// The answers of nodes that are not errors.
    pub fn executed(&self) -> impl Iterator<Item = &Answered> {
        let answers = self.seen.iter().filter_map(|seen| seen.answered.as_ref());
        answers.filter(|answered| !answered.reply.is_error())
    }

    /// The latest time at which it took effect: an executed request had done so when its reply was read, or else when
    /// the first node that executed it had answered.
    #[must_use]
    pub fn end(&self) -> Option<u64> {
        match self.completion {
            Completion::Ok => self
                .received
                .or_else(|| self.executed().map(|answered| answered.at).min()),
            Completion::Failed | Completion::Indefinite => None,
        }
    }
}
