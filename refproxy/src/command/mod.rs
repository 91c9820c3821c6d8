//! COMMANDS: the proxy's knowledge of each Redis command, one row per command.
//!
//! Pure data and queries on it. Never routes by itself: a session and the suite's planner ask the row.

pub mod flags;
mod guard;
mod keys;
mod lookup;
mod refusal;
mod setting;
mod subcommands;
mod table;

pub use guard::{Guard, Rules, ScriptsWithoutKeys};
pub use keys::{Begin, Find, KeyRange, KeySpec, Unclear};
pub use lookup::{below, find, goes_to_every_node, is_http};
pub use refusal::{EXEC_ABORTED, PlacedKey, Refusal};
pub use setting::{is_proxys_own, is_secret};
pub use subcommands::SUBCOMMANDS;
pub use table::{COMMANDS, REDIS_VERSION};

/// The proxy's knowledge of one command, or of one subcommand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Upper case; a subcommand's is `COMMAND|SUBCOMMAND`.
    pub name: &'static str,
    /// Number of arguments with the name: exactly `arity`, or at least `-arity` if negative. As in Redis' `COMMAND`.
    pub arity: i8,
    /// Bits of [`flags`], as Redis reports them.
    pub flags: u32,
    /// Where its keys are, as far as a range can tell.
    pub keys: KeyRange,
    /// Where its keys are when a range cannot tell.
    pub specs: &'static [KeySpec],
    /// Words of which one must follow its last key; empty if none must.
    pub after_keys: &'static [&'static str],
    /// What the proxy does with it.
    pub route: Route,
    /// Exceptions that are refused.
    pub guard: Option<Guard>,
}

/// What the proxy does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Its one key is its first argument: forwarded as it is to that key's node.
    OneNode,
    /// All its keys must live on one node: forwarded as it is to that node, or refused. Without keys, to any node.
    SameNode,
    /// Forwarded as it is to any node: all answer the same.
    AnyNode,
    /// Its subcommand decides, which has its own row.
    Below,
    /// One request to each node that holds some of its keys, joined.
    PerNode(Join),
    /// The same request to every node exactly once, joined.
    AllNodes(Join),
    /// As [`Route::AllNodes`], if the proxy's users may administer the nodes through it: the request does not name the
    /// data that it changes or removes.
    Administer(Join),
    /// To one node after the other. The client's cursor contains the node's own cursor.
    NodeByNode,
    /// Answered by the proxy.
    Local(Local),
    /// Answered by all workers of the proxy together: each knows its own clients.
    Workers,
    /// Without a subcommand forwarded as it is to any node; with one, its row decides.
    AnyNodeBelow,
    /// Begins, ends or guards a transaction, on a connection of the client's own.
    Transaction(Transaction),
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
    /// One array element per key, in the order of the request's keys.
    InKeyOrder,
    /// One array after the other, in the order of the nodes.
    Concat,
    /// The reply that all parts share.
    Same,
    /// Arrays of numbers: the minimum of all parts, place by place.
    Least,
    /// The value of any part that has one; null when none has.
    Any,
    /// The value of the first part that has it, if the others answer with errors; else the first error.
    Found,
    /// The array of the first part whose second element is not null, else of the first part.
    Busy,
    /// `+OK` when one part has killed a script; else the first error other than that no script was running.
    Kill,
    /// Names and values: if parts differ, the value is a note with the value of each.
    Settings,
    /// Entries with a time as their second element: the latest first, as many as one node would return.
    Latest,
    /// The number of these entries. Nodes are asked for the entries.
    Entries,
    /// Modules that all parts have.
    Modules,
    /// INFO: counts of the nodes are summed, and the proxy's own fields are filled in.
    Info,
    /// LATENCY HISTORY: in the order of time.
    Samples,
    /// LATENCY LATEST: one entry per event.
    Events,
    /// LATENCY HISTOGRAM: counts added up, bound by bound.
    Histograms,
    /// The pages of one node after the other: a cursor, which becomes one for all nodes, and its elements.
    Page,
}

/// Requests that the proxy answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "named after the commands, which Redis documents"
)]
pub enum Local {
    Auth,
    Client,
    Echo,
    GetKeys,
    Hello,
    Ping,
    Quit,
    Reset,
    Select,
    Time,
}

impl Local {
    /// Whether it may change the user of the client.
    #[must_use]
    pub fn may_change_client(self) -> bool {
        matches!(self, Self::Auth | Self::Client | Self::Hello | Self::Reset)
    }

    /// Whether it is executed at once even inside MULTI, which it ends.
    #[must_use]
    pub fn ends_transaction(self) -> bool {
        matches!(self, Self::Quit | Self::Reset)
    }
}

/// The effect of a command on the client's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "named after the commands, which Redis documents"
)]
pub enum Transaction {
    Discard,
    Exec,
    Multi,
    Unwatch,
    Watch,
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The users of Redis itself.
    Auth,
    /// Waits for data on a connection that all clients share.
    Blocking,
    /// Changes the state of the connection.
    ConnectionState,
    /// There is only one database.
    OneDatabase,
    /// Affects one server or connection.
    OneConnection,
    /// Affects one server.
    OneServer,
    /// Keys that a pattern makes may live on other nodes.
    Patterns,
    /// Subscriptions live on one node.
    PubSub,
    /// Redis Cluster's own protocol.
    RedisCluster,
    /// Replication of one server.
    Replication,
    /// Would affect all nodes, inside MULTI.
    Transaction,
    /// Would change the protocol between WATCH or MULTI and EXEC.
    ProtocolOfTransaction,
    /// Would ask all workers, inside of MULTI.
    Workers,
    /// Administration that changes every node is switched off.
    AdminFanOut,
    /// The same, for scripts that may write.
    ScriptsAdminister,
    /// A script that declares no keys.
    NoKeys,
    /// Would show a password of the nodes.
    Secret,
    /// Would change how the proxy reaches the nodes.
    ProxysOwn,
}

const fn row(name: &'static str, arity: i8, flags: u32, keys: (i8, i8, i8), route: Route) -> Row {
    let (first, last, step) = keys;
    Row {
        name,
        arity,
        flags,
        keys: KeyRange { first, last, step },
        specs: &[],
        after_keys: &[],
        route,
        guard: None,
    }
}

impl Row {
    /// Whether `argc` arguments, including the name, are the right number: they match the arity, and pairs of key and
    /// value are complete.
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

    /// The positions of the keys among `args`, the name first.
    ///
    /// # Errors
    /// The keys cannot be found, because Redis does not accept the request.
    pub fn key_positions(&self, args: &[&[u8]]) -> Result<Vec<usize>, Unclear> {
        if self.specs.is_empty() {
            return Ok(self.keys.positions(args.len()).collect());
        }
        keys::positions(self.specs, args)
    }

    const fn keys_at(mut self, specs: &'static [KeySpec]) -> Self {
        self.specs = specs;
        self
    }

    /// Whether every server refuses these arguments, whose last key is at this position, because another word must
    /// follow it.
    pub(crate) fn is_cut_short(&self, args: &[&[u8]], last_key: usize) -> bool {
        let next = args.get(last_key + 1).copied().unwrap_or_default();
        let is_next = |word: &&str| next.eq_ignore_ascii_case(word.as_bytes());
        !self.after_keys.is_empty() && !self.after_keys.iter().any(is_next)
    }

    const fn before(mut self, words: &'static [&'static str]) -> Self {
        self.after_keys = words;
        self
    }

    const fn guarded(mut self, guard: Guard) -> Self {
        self.guard = Some(guard);
        self
    }

    /// Whether a client that has not authenticated may send it.
    #[must_use]
    #[inline]
    pub fn is_for_unauthenticated(&self) -> bool {
        use Local::{Auth, Hello, Quit, Reset};
        matches!(self.route, Route::Local(Auth | Hello | Quit | Reset))
    }

    /// Whether it may change which protocol the connection speaks.
    #[must_use]
    #[inline]
    pub fn may_change_protocol(&self) -> bool {
        matches!(self.route, Route::Local(Local::Hello | Local::Reset))
    }

    /// Whether a node answers it while a script keeps it busy, if it comes over another connection than the script.
    #[must_use]
    pub fn passes_scripts(&self) -> bool {
        self.flags & flags::ALLOW_BUSY != 0
    }

    /// Whether the proxy executes the request instead of refusing it.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        !matches!(self.route, Route::Refuse(_))
    }
}

#[cfg(test)]
mod tests;
