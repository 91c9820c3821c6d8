//! Faults: what can be done to a link or a node. Cases, rescale experiments and the Toxiproxy API share their names.
//!
//! A fault is one file of this folder, whose stem is its name, and one row of the table below. What all faults share is in
//! the folders. Never knows a case, a target or a report.

mod bandwidth;
mod busy;
mod client_disconnect;
mod client_flood;
mod client_half_open;
mod client_pipeline_flood;
mod client_slow_reader;
mod client_slow_writer;
mod clients;
mod corrupt_length;
mod cut_reply;
mod delay_reply;
mod down;
mod drop_reply;
mod duplicate_reply;
mod error_reply;
mod full;
mod full_backlog;
mod hold;
mod hold_reply;
mod hook;
mod injector;
mod kill;
mod latency;
mod limit_data;
mod noop;
mod partition;
mod pause;
mod proxy_kill;
mod proxy_pause;
mod proxy_reload;
mod proxy_restart;
mod push_before_reply;
mod readonly;
mod replace;
mod reply;
mod reset_peer;
mod restart;
mod restart_empty;
mod row;
mod site;
mod slicer;
mod slow;
mod slow_close;
mod swap_replies;
mod text;
mod timeout;
mod toxic;
mod wrong_type;

use rustix::process::{Resource, getrlimit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use clients::{Clients, Error as ClientsError};
pub use corrupt_length::Length;
pub use cut_reply::AfterCut;
pub use error_reply::ErrorCode;
pub use hook::{
    Action as HookAction, Error as HookError, Hook, HookRun, Template as HookCommand,
    TemplateError as HookCommandError,
};
pub use injector::{Error as InjectorError, FaultInjector, Foreign};
pub use reply::{
    Counts, Part, Reply, ReplyDecision, ReplyRule, Request, SELECTION, Selection, Then,
};
pub use row::{
    CLIENTS_MAX, CONNECTIONS_MAX, Default, Effect, Links, Object, Owned, Parameter, REQUESTS_MAX,
    Row, Unit,
};
use site::Act;
pub use site::{Error, Site};
pub use text::{ParseError, selection_usage, usages};
pub use toxic::{BufferLimit, Decision, Head, Removal, Rule, Stream, Toxic, UnknownStream, View};
pub(crate) use toxic::{Law, later};

/// Makes the table out of its rows: the types with one variant for each row, and what differs between rows.
macro_rules! faults {
    (
        toxics { $(#[doc = $toxic_summary:literal] $toxic:ident: $Toxic:ident,)* }
        reply_toxics { $(#[doc = $reply_summary:literal] $reply:ident: $Reply:ident,)* }
        others { $(#[doc = $summary:literal] $name:ident: $Fault:ident,)* }
    ) => {
        $(pub use $toxic::$Toxic;)*
        $(pub use $reply::$Reply;)*
        $(pub use $name::$Fault;)*

        /// One toxic of a link: its type with its attributes, written as Toxiproxy does.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "type", content = "attributes", rename_all = "snake_case")]
        pub enum ToxicKind {
            $(
                #[doc = $toxic_summary]
                $Toxic($Toxic),
            )*
            $(
                #[doc = $reply_summary]
                $Reply($Reply),
            )*
        }

        impl ToxicKind {
            /// What it does to the bytes or to the replies.
            pub(crate) fn law(&self) -> Law<'_> {
                match self {
                    $(Self::$Toxic(rule) => Law::Bytes(rule),)*
                    $(Self::$Reply(rule) => Law::Replies(rule),)*
                }
            }

            /// The name in files and reports.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$Toxic(_) => stringify!($toxic),)*
                    $(Self::$Reply(_) => stringify!($reply),)*
                }
            }
        }

        /// A fault with the values of its parameters.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Fault {
            /// A toxic of the link, on the replies of the node.
            Toxic(ToxicKind),
            $(
                #[doc = $summary]
                $Fault($Fault),
            )*
        }

        /// Toxics of bytes, sorted by name.
        const TOXICS: &[Row] = &[
            $(Row::of::<$Toxic>(stringify!($toxic), $toxic_summary.trim_ascii()),)*
        ];

        /// Toxics of replies, sorted by name.
        const REPLY_TOXICS: &[Row] = &[
            $(Row::of::<$Reply>(stringify!($reply), $reply_summary.trim_ascii()),)*
        ];

        /// All faults that are no toxics, sorted by name.
        const OTHERS: &[Row] = &[
            $(Row::of::<$Fault>(stringify!($name), $summary.trim_ascii()),)*
        ];

        impl Fault {
            /// Its row of the table.
            #[must_use]
            pub fn row(&self) -> &'static Row {
                match self {
                    $(Self::Toxic(ToxicKind::$Toxic(_)) => const {
                        &Row::of::<$Toxic>(stringify!($toxic), $toxic_summary.trim_ascii())
                    },)*
                    $(Self::Toxic(ToxicKind::$Reply(_)) => const {
                        &Row::of::<$Reply>(stringify!($reply), $reply_summary.trim_ascii())
                    },)*
                    $(Self::$Fault(_) => const {
                        &Row::of::<$Fault>(stringify!($name), $summary.trim_ascii())
                    },)*
                }
            }

            /// Applies the fault.
            ///
            /// # Errors
            /// The cause. The fault may be partly applied, and must be healed.
            pub async fn apply(&self, site: Site<'_>) -> Result<(), Error> {
                match self {
                    Self::Toxic(kind) => kind.apply(site).await,
                    $(Self::$Fault(fault) => fault.apply(site).await,)*
                }
            }

            /// Heals this fault, and no other one.
            ///
            /// # Errors
            /// Why the fault could not be healed.
            pub async fn heal(&self, site: Site<'_>) -> Result<(), Error> {
                match self {
                    Self::Toxic(kind) => kind.heal(site).await,
                    $(Self::$Fault(fault) => fault.heal(site).await,)*
                }
            }

            /// The fault of this name with these parameters.
            fn build(name: &str, attributes: Map<String, Value>) -> Option<Self> {
                let attributes = Value::Object(attributes);
                let read = match name {
                    $(stringify!($toxic) => {
                        let read = serde_json::from_value(attributes);
                        read.map(|toxic| Self::Toxic(ToxicKind::$Toxic(toxic)))
                    })*
                    $(stringify!($reply) => {
                        let read = serde_json::from_value(attributes);
                        read.map(|toxic| Self::Toxic(ToxicKind::$Reply(toxic)))
                    })*
                    $(stringify!($name) => serde_json::from_value(attributes).map(Self::$Fault),)*
                    _ => return None,
                };
                read.ok()
            }

            /// The values of all parameters, by name.
            fn attributes(&self) -> Map<String, Value> {
                let written = match self {
                    $(Self::Toxic(ToxicKind::$Toxic(toxic)) => serde_json::to_value(toxic),)*
                    $(Self::Toxic(ToxicKind::$Reply(toxic)) => serde_json::to_value(toxic),)*
                    $(Self::$Fault(fault) => serde_json::to_value(fault),)*
                };
                match written {
                    Ok(Value::Object(attributes)) => attributes,
                    _ => Map::new(),
                }
            }
        }
    };
}

faults! {
    toxics {
        /// Bytes flow at a limited rate.
        bandwidth: Bandwidth,
        /// Bytes wait until the fault is healed.
        hold: Hold,
        /// Bytes arrive later.
        latency: Latency,
        /// The connection closes after a number of bytes.
        limit_data: LimitData,
        /// Nothing happens.
        noop: Noop,
        /// The connection is reset as soon as bytes flow.
        reset_peer: ResetPeer,
        /// Bytes arrive in small pieces.
        slicer: Slicer,
        /// The end of the stream arrives later.
        slow_close: SlowClose,
        /// Bytes are dropped, and the connection closes.
        timeout: Timeout,
    }
    reply_toxics {
        /// A reply has a wrong length in its header.
        corrupt_length: CorruptLength,
        /// A reply ends too early.
        cut_reply: CutReply,
        /// A reply and what follows it arrive later.
        delay_reply: DelayReply,
        /// A reply is lost.
        drop_reply: DropReply,
        /// A reply arrives twice.
        duplicate_reply: DuplicateReply,
        /// An error arrives in the place of a reply.
        error_reply: ErrorReply,
        /// A reply and what follows it wait for a while, or until the fault is healed.
        hold_reply: HoldReply,
        /// A push of RESP3 arrives before a reply.
        push_before_reply: PushBeforeReply,
        /// A reply changes places with the next one.
        swap_replies: SwapReplies,
        /// A reply is of another type.
        wrong_type: WrongType,
    }
    others {
        /// The node runs a script that does not end, and answers everything with an error.
        busy: Busy,
        /// Clients are gone in the middle of a pipeline.
        client_disconnect: ClientDisconnect,
        /// Many clients connect and stay silent.
        client_flood: ClientFlood,
        /// Clients close their sending side and never read.
        client_half_open: ClientHalfOpen,
        /// Clients send long pipelines.
        client_pipeline_flood: ClientPipelineFlood,
        /// Clients read their replies at a low rate.
        client_slow_reader: ClientSlowReader,
        /// Clients send half a request, and then one byte now and then.
        client_slow_writer: ClientSlowWriter,
        /// Connections to the node are reset, and new ones refused.
        down: Down,
        /// The node has no memory for another key.
        full: Full,
        /// The listen queue is full, so that new connections are neither accepted nor refused.
        full_backlog: FullBacklog,
        /// The node crashes (SIGKILL), and starts again without its data.
        kill: Kill,
        /// The node loses its network; only a node in a container has one.
        partition: Partition,
        /// The node hangs (SIGSTOP).
        pause: Pause,
        /// The proxy crashes (SIGKILL), and starts again when the fault is healed.
        proxy_kill: ProxyKill,
        /// The proxy hangs (SIGSTOP).
        proxy_pause: ProxyPause,
        /// The proxy takes its configuration anew.
        proxy_reload: ProxyReload,
        /// The proxy is killed and starts again at once.
        proxy_restart: ProxyRestart,
        /// The node refuses writes, as a replica does.
        readonly: Readonly,
        /// An empty node at another address takes the place of the node.
        replace: Replace,
        /// The node ends in order and starts again with its data.
        restart: Restart,
        /// The node crashes (SIGKILL) and starts again at once, without its data.
        restart_empty: RestartEmpty,
        /// The node answers nothing for a while.
        slow: Slow,
    }
}

impl Fault {
    /// The whole table, sorted by name.
    #[must_use]
    pub fn rows() -> Vec<&'static Row> {
        let mut rows = ToxicKind::rows();
        rows.extend(OTHERS);
        rows.sort_by_key(|row| row.name);
        rows
    }

    /// The row of this name.
    #[must_use]
    pub fn row_of(name: &str) -> Option<&'static Row> {
        let rows = TOXICS.iter().chain(REPLY_TOXICS).chain(OTHERS);
        rows.into_iter().find(|row| row.name == name)
    }
}

impl ToxicKind {
    /// The rows of all toxics, sorted by name.
    #[must_use]
    pub fn rows() -> Vec<&'static Row> {
        let mut rows: Vec<&Row> = TOXICS.iter().chain(REPLY_TOXICS).collect();
        rows.sort_by_key(|row| row.name);
        rows
    }

    /// Whether it acts on replies, and not on bytes.
    #[must_use]
    pub fn acts_on_replies(&self) -> bool {
        matches!(self.law(), Law::Replies(_))
    }

    /// Why the API of the fault server refuses these attributes, if it does.
    #[must_use]
    pub fn refused(&self) -> Option<&'static str> {
        match self.law() {
            Law::Bytes(rule) => rule.refused(),
            Law::Replies(rule) => rule.selection().refused(),
        }
    }
}

impl Fault {
    /// The name in files and reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.row().name
    }

    /// Why this process cannot apply it: the limit of open files, which the proxy inherits.
    #[must_use]
    pub fn obstacle_of_files(&self) -> Option<String> {
        match self {
            Self::ClientFlood(flood) => {
                obstacle_of_clients(u64::try_from(flood.clients).unwrap_or(0))
            }
            _ => None,
        }
    }
}

/// Why this process cannot have this number of clients: the limit of open files, which the proxy inherits.
#[must_use]
pub fn obstacle_of_clients(clients: u64) -> Option<String> {
    let needed = clients.saturating_add(OTHER_FILES);
    let limit = getrlimit(Resource::Nofile).current?;
    (limit < needed)
        .then(|| format!("it needs {needed} open files, and the limit is {limit}: see `ulimit -n`"))
}

/// Files that a run opens for everything but silent clients.
const OTHER_FILES: u64 = 1000;

impl From<ToxicKind> for Fault {
    fn from(kind: ToxicKind) -> Self {
        Self::Toxic(kind)
    }
}

#[cfg(test)]
mod tests;
