//! `error_reply`: the node carries the request out, and an error of Redis arrives in the place of its reply.

use serde::{Deserialize, Serialize};

use super::reply::{Reply, ReplyDecision, ReplyRule, Selection};
use super::row::{Describe, Effect, Links, Object, Parameter, Unit};

/// An error as Redis 7 words it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorReply {
    /// The error.
    pub error: ErrorCode,
    /// Which replies.
    #[serde(flatten)]
    pub replies: Selection,
}

/// The first word of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ErrorCode {
    /// The node reads its data from disk.
    #[default]
    Loading,
    /// The key belongs to another node of a Redis Cluster.
    Moved,
    /// The key is on its way to another node of a Redis Cluster.
    Ask,
    /// No memory is left.
    Oom,
    /// The node is a replica.
    Readonly,
    /// A script runs.
    Busy,
    /// The node is a replica without a primary.
    Masterdown,
    /// The connection is not authenticated.
    Noauth,
}

impl ErrorCode {
    const WORDS: &'static [&'static str] = &[
        "LOADING",
        "MOVED",
        "ASK",
        "OOM",
        "READONLY",
        "BUSY",
        "MASTERDOWN",
        "NOAUTH",
    ];

    /// The line, as in `server.c` and `cluster.c` of Redis 7.0. No server listens where MOVED and ASK point.
    fn line(self) -> &'static str {
        match self {
            Self::Loading => "-LOADING Redis is loading the dataset in memory\r\n",
            Self::Moved => "-MOVED 3999 127.0.0.1:1\r\n",
            Self::Ask => "-ASK 3999 127.0.0.1:1\r\n",
            Self::Oom => "-OOM command not allowed when used memory > 'maxmemory'.\r\n",
            Self::Readonly => "-READONLY You can't write against a read only replica.\r\n",
            Self::Busy => {
                "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n"
            }
            Self::Masterdown => {
                "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.\r\n"
            }
            Self::Noauth => "-NOAUTH Authentication required.\r\n",
        }
    }
}

impl Describe for ErrorReply {
    const ACTS_ON: Object = Object::Link;
    const EFFECT: Effect = Effect::Partial;
    const PARAMETERS: &'static [Parameter] =
        &[Parameter::required("error", Unit::Choice(ErrorCode::WORDS))];
    const SELECTS: bool = true;
    const LINKS: Links = Links::Extended;
}

impl ReplyRule for ErrorReply {
    fn selection(&self) -> &Selection {
        &self.replies
    }

    fn on_reply(&self, _reply: Reply<'_>) -> ReplyDecision {
        ReplyDecision::send(self.error.line())
    }
}
