//! Observations of a chaos run: the data that laws and coverage conditions judge, and that reports show.
//!
//! Pure data. Times are nanoseconds since the start of the run, on the clock of the history.

use std::collections::BTreeMap;
use std::fmt;

use testbed::wire::Value;

use crate::history::History;
use crate::ledger::KeyOutcome;

/// A key.
pub type Key = Vec<u8>;

/// One run of one scenario on one target.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// Every request, its completion, and what the nodes saw of it: as recorded, not settled.
    pub history: History,
    /// The connection of each session of the history.
    pub sessions: BTreeMap<u32, Session>,
    /// When each fault acted, in the order in which they began.
    pub windows: Vec<Window>,
    /// When the workloads began and ended.
    pub load: Span,
    /// Node of each key that the workloads use, found by looking at the nodes before the first fault. No key of the
    /// workloads exists when the load begins.
    pub owners: BTreeMap<Key, u16>,
    /// The same after the last fault was healed. Empty if the proxy did not serve again.
    pub owners_after: BTreeMap<Key, u16>,
    /// The final contents of the nodes: for each key, the nodes that have it, with the value as GET, LRANGE or the like
    /// returns it.
    pub contents: BTreeMap<Key, Vec<(u16, Value)>>,
    /// Each proxy, if there are several in front of the nodes; else empty. `owners` and `owners_after` are those of the
    /// first.
    pub proxies: Vec<ProxyView>,
    /// Keys whose outcome is predicted to differ from found. Empty unless the scenario changes the cluster.
    pub predicted: BTreeMap<Key, KeyOutcome>,
    /// The proxy's resources, sampled over the run. Empty if its process is not known.
    pub samples: Vec<Sample>,
    /// When the machine stalled: a task that should have run was late by more than its tolerance. In the order of time,
    /// one after another.
    pub stalls: Vec<Span>,
    /// How long threads of the suite, the proxy and the nodes waited for a processor, also for less than a stall. In the
    /// order of time.
    pub waits: Vec<Wait>,
    /// Name of each node as errors may give it: address and port as the proxy knows them.
    pub node_names: Vec<String>,
    /// The time limits that the target promises.
    pub promises: Promises,
}

/// One of several proxies in front of the same nodes.
#[derive(Debug, Clone, PartialEq)]
pub struct ProxyView {
    /// Its address.
    pub addr: String,
    /// The node that it asks for each key, found by looking at the nodes before the first fault.
    pub owners: BTreeMap<Key, u16>,
    /// The same, computed from its list of nodes. Empty if the list is not known; then all lists are expected to be
    /// equal.
    pub predicted: BTreeMap<Key, u16>,
    /// The value of each key as read through it when the load was over. Keys whose read failed are left out.
    pub reads: BTreeMap<Key, Value>,
}

/// The longest wait of a thread for a processor in a part of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// When it may have waited.
    pub span: Span,
    /// How long, in nanoseconds.
    pub longest: u64,
}

/// A time between two others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First nanosecond.
    pub from: u64,
    /// First nanosecond after it.
    pub to: u64,
}

impl Span {
    /// Whether two spans share a nanosecond.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }
}

/// One fault while it acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The fault as scenarios write it, `latency 50ms`.
    pub fault: String,
    /// The object that it acted on.
    pub on: Subject,
    /// From before it was applied until after it was healed.
    pub span: Span,
    /// When it was certainly in force: from after it was applied until before it was healed. Empty if it was not.
    pub in_force: Span,
    /// Whether the node may lose keys by it.
    pub empties: bool,
}

/// One connection of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The workload that it belongs to.
    pub workload: String,
    /// The proxy that it uses, by its place among several; else 0.
    pub proxy: u16,
    /// How it ended. `None` if it was open until all replies were read or the run was over.
    pub closed: Option<Closed>,
}

/// The end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closed {
    /// When the client noticed or did it.
    pub at: u64,
    /// The side that closed it.
    pub by: Closer,
}

/// The side that closes a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closer {
    /// The client: it gave up, was ordered to disconnect, or was cut off with the run.
    Client,
    /// The proxy.
    Proxy,
}

/// The object of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A node or its link, by its place in the cluster.
    Node(u16),
    /// The proxy.
    Proxy,
    /// The clients.
    Clients,
}

/// As scenarios write it: `A` is the first node.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node @ 0..26) => write!(f, "{}", char::from(b'A' + *node as u8)),
            Self::Node(node) => write!(f, "node {node}"),
            Self::Proxy => f.write_str("proxy"),
            Self::Clients => f.write_str("clients"),
        }
    }
}

/// Resources at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: u64,
    /// Resident memory of the proxy, bytes.
    pub proxy_bytes: u64,
    /// Connections of the proxy to all nodes together; none where no tap saw them.
    pub node_connections: Option<u64>,
}

/// The time and resource limits that the target promises. Other limits are not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promises {
    /// A request is answered, or its connection closed, within this time, nanoseconds.
    pub deadline: u64,
    /// A healed node is served again within this time, nanoseconds.
    pub recovery: u64,
    /// Most bytes of resident memory at any time.
    pub memory_bytes: Option<u64>,
    /// Most connections to all nodes together at any time.
    pub node_connections: Option<u64>,
    /// Most connections to all nodes together when no client waits for a reply or is in a transaction.
    pub idle_node_connections: Option<u64>,
}
