//! COMMANDS: what the proxy knows about each Redis command, one row a command.
//!
//! Pure data and the questions asked of it. Never routes by itself: a session and the suite's planner ask the row.

mod lookup;
mod refusal;
mod table;

pub use lookup::find;
pub use refusal::{unknown, unsupported, wrong_arity};
pub use table::{COMMANDS, REDIS_VERSION};

use crate::resp::Args;

/// What the proxy knows about one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Upper case.
    pub name: &'static str,
    /// Arguments, name included: exactly so many, or at least `-arity`. As in Redis' `COMMAND`.
    pub arity: i8,
    /// Where its keys are.
    pub keys: KeyRange,
    /// What the proxy does with it.
    pub route: Route,
}

/// Key positions as in Redis' `COMMAND`: the name is argument 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRange {
    /// Position of the first key; 0 for none.
    pub first: i8,
    /// Position of the last key; negative counts from the end.
    pub last: i8,
    /// Distance between keys.
    pub step: i8,
}

/// What the proxy does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Its one key is its first argument: forwarded as it is to that key's node.
    OneNode,
    /// One request to each node that holds some of its keys, joined.
    PerNode(Join),
    /// The same request to every node exactly once, joined.
    AllNodes(Join),
    /// Answered by the proxy.
    Local(Local),
    /// Not supported.
    Refuse(Why),
}

/// How the parts' replies become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// The sum of integers.
    Sum,
    /// `+OK` when all parts say so.
    AllOk,
    /// One array element a key, in the order of the request's keys.
    InKeyOrder,
    /// One array after the other, in the order of the nodes.
    Concat,
}

/// What the proxy answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "named after the commands, which Redis documents"
)]
pub enum Local {
    Client,
    Command,
    Config,
    Echo,
    Hello,
    Info,
    Ping,
    Quit,
    Select,
    Time,
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// ACL and AUTH.
    Auth,
    /// Waits for data on a connection that all clients share.
    Blocking,
    /// Changes what the connection is.
    ConnectionState,
    /// Its key is behind a subcommand.
    KeyNotFirst,
    /// Several keys that cannot be split.
    ManyKeys,
    /// There is one database.
    OneDatabase,
    /// Is about one server.
    OneServer,
    /// Subscriptions live on one node.
    PubSub,
    /// Redis Cluster's own protocol.
    RedisCluster,
    /// Replication of one server.
    Replication,
    /// Scripts and functions.
    Script,
    /// MULTI and WATCH.
    Transaction,
    /// Walks over all keys of one server.
    WholeKeyspace,
}

impl Row {
    /// Whether a request of `argc` arguments, name included, has the right number: as the arity says, and for pairs
    /// of key and value no half of one.
    #[must_use]
    #[inline]
    pub fn accepts(&self, argc: usize) -> bool {
        let wanted = usize::from(self.arity.unsigned_abs());
        if self.arity < 0 {
            argc >= wanted && (self.keys.step != 2 || argc % 2 == 1)
        } else {
            argc == wanted
        }
    }

    /// Whether the proxy does what is asked, as opposed to refusing it.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        !matches!(self.route, Route::Refuse(_))
    }
}

impl KeyRange {
    /// The positions of the keys in a request of `argc` arguments, name included.
    pub fn positions(self, argc: usize) -> impl Iterator<Item = usize> {
        let first = usize::try_from(self.first).unwrap_or(0);
        let last = match usize::try_from(self.last) {
            Ok(last) => last,
            Err(_) => argc.saturating_sub(usize::from(self.last.unsigned_abs())),
        };
        let end = if first == 0 { 0 } else { (last + 1).min(argc) };
        (first..end).step_by(usize::try_from(self.step).unwrap_or(1).max(1))
    }

    /// The keys of a complete request in array form.
    pub fn keys(self, frame: &[u8]) -> impl Iterator<Item = &[u8]> {
        let argc = Args::of(frame).count();
        let mut args = Args::of(frame);
        let mut at = 0;
        self.positions(argc).filter_map(move |position| {
            let key = args.nth(position - at);
            at = position + 1;
            key
        })
    }
}

#[cfg(test)]
mod tests;
