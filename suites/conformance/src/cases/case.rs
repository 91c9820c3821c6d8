//! A case: one promise, and the steps that show whether it is kept.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::cases::disturbed::Disturbed;
use crate::cases::members::Members;
use crate::cases::pattern::Pattern;
use crate::cases::shapes::Selection;
use crate::cases::word::{Group, Variable, Word, letter};
use crate::verdict::Level;
use testbed::fault::{Effect, Fault};
use testbed::targets::Capability;

/// Number of nodes of every case: A, B and C.
pub const NODES: usize = 3;
/// The same with D, which serves only after a `rescale`.
pub(crate) const NODES_MAX: usize = 4;

/// One promise that a proxy makes to its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The path below `fixtures/conformance` without its ending.
    pub id: String,
    /// The file, for messages.
    pub path: String,
    /// The promise, one sentence.
    pub promise: String,
    /// The source of the promise.
    pub spec: String,
    /// Level of the promise.
    pub level: Level,
    /// Capabilities that a target must claim for the case.
    pub needs: Vec<Capability>,
    /// Whether it touches keys that are not its own.
    pub destructive: bool,
    /// Shared state that the case can change for other clients.
    pub disturbs: BTreeSet<Disturbed>,
    /// Time for one reply, if the target's own is too short.
    pub deadline: Option<Duration>,
    /// The proxy's time limit for one request, if its usual one is too short.
    pub op_timeout: Option<Duration>,
    /// The template that it is one shape of.
    pub template: Option<Template>,
    /// The keys that it works with.
    pub variables: BTreeSet<Variable>,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

impl Case {
    /// The id of its template.
    pub(crate) fn template_id(&self) -> Option<&str> {
        self.template.as_ref().map(|template| template.id.as_str())
    }

    /// Whether its shape may leave a state on connections that clients share.
    pub(crate) fn leaves_state(&self) -> bool {
        let template = self.template.as_ref();
        template.is_some_and(|template| template.shapes.list.leaves_state())
    }

    /// Whether something goes wrong with a node or a link in it.
    #[must_use]
    pub fn has_faults(&self) -> bool {
        let is_fault = |step: &Step| {
            matches!(
                step.action,
                Action::Fault { .. } | Action::Answers { .. } | Action::Interject { .. }
            )
        };
        self.steps.iter().any(is_fault)
    }

    /// Whether connections from the proxy to a node end in it.
    #[must_use]
    pub fn loses_connections(&self) -> bool {
        let ends = |step: &Step| match &step.action {
            Action::Fault { fault, .. } => {
                matches!(fault.row().effect, Effect::Close | Effect::Cut)
            }
            _ => false,
        };
        self.steps.iter().any(ends)
    }

    /// The clusters that the proxy is given in it, in the order of the steps.
    pub fn clusters(&self) -> impl Iterator<Item = &Members> {
        self.steps.iter().flat_map(|step| step.action.clusters())
    }

    /// Whether the proxy may have another cluster after it than before it.
    #[must_use]
    pub fn changes_cluster(&self) -> bool {
        let changes =
            |step: &Step| matches!(step.action, Action::Rescale { .. } | Action::BadCluster);
        self.steps.iter().any(changes)
    }
}

/// A file that is one case for each shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The path below `fixtures/conformance` without its ending. The id of a case continues with `@` and the shape.
    pub id: String,
    /// The promise, with N in the place of the shape.
    pub promise: String,
    /// The header `shapes`.
    pub selected: String,
    /// The shapes.
    pub shapes: Selection,
}

/// One line of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its line in the file.
    pub line: usize,
    /// How often it is repeated.
    pub times: usize,
    /// The action.
    pub action: Action,
}

/// The action of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// A key has a value on a node.
    Given {
        /// The node, by its place in the cluster.
        node: usize,
        /// The key.
        key: Word,
        /// The value.
        value: Word,
    },
    /// A party sends a request.
    Send {
        /// The sender.
        from: Party,
        /// The command and its arguments.
        words: Vec<Word>,
        /// Arguments that follow, repeated.
        group: Option<Group>,
    },
    /// A party sends bytes as they are.
    Raw {
        /// The sender.
        from: Party,
        /// The bytes, as a sequence of words.
        words: Vec<Word>,
    },
    /// The next bytes of a client leave in two parts, the first with this number of bytes.
    Cut {
        /// The client.
        client: Party,
        /// Bytes in the first part.
        bytes: usize,
    },
    /// Nothing is sent or read for a while.
    Pause {
        /// How long.
        time: Duration,
    },
    /// From now on a client writes this number of bytes at a time.
    Chunks {
        /// The client.
        client: Party,
        /// Bytes in a chunk.
        bytes: usize,
    },
    /// The next replies of a party.
    Want {
        /// The client.
        from: Party,
        /// One for each reply.
        patterns: Vec<Pattern>,
    },
    /// The next reply of a party is as the last one that had alternatives.
    Likewise {
        /// The client.
        from: Party,
        /// One for each alternative of that reply, in the same order.
        alternatives: Vec<Pattern>,
    },
    /// A client gets no further reply.
    Nothing {
        /// The client.
        client: Party,
    },
    /// The requests that a node received since the last check.
    Asked {
        /// The node.
        node: usize,
        /// The requests that it must have received.
        asked: Asked,
    },
    /// Something goes wrong with a node or its link.
    Fault {
        /// The node.
        node: usize,
        /// The fault.
        fault: Fault,
    },
    /// A node answers some requests with other bytes than its own reply, until it is healed.
    Answers {
        /// The node.
        node: usize,
        /// Requests with this word, in any case.
        to: Word,
        /// The answer.
        answer: Answer,
    },
    /// A node sends bytes on all its connections without being asked.
    Interject {
        /// The node.
        node: usize,
        /// The bytes.
        bytes: Word,
    },
    /// A node and its link work again.
    Heal {
        /// The node.
        node: usize,
    },
    /// Waits until a node got this number of requests since the start of the case.
    Await {
        /// The node.
        node: usize,
        /// Number of requests.
        requests: usize,
    },
    /// The cluster of the proxy changes.
    Rescale {
        /// The new cluster.
        to: Members,
        /// A second new cluster at the same time.
        and: Option<Members>,
    },
    /// The proxy is given malformed clusters, which it must refuse.
    BadCluster,
    /// A client closes its connection.
    Close {
        /// The client.
        client: Party,
    },
    /// A client closes its sending side and keeps reading.
    HalfClose {
        /// The client.
        client: Party,
    },
    /// A request is repeated until its reply is as wanted.
    Eventually {
        /// How long it may take.
        within: Duration,
        /// The request.
        send: Box<Step>,
        /// The wanted reply.
        want: Box<Step>,
    },
}

impl Action {
    /// All words of this step.
    #[must_use]
    pub fn words(&self) -> Vec<&Word> {
        match self {
            Self::Given { key, value, .. } => vec![key, value],
            Self::Send { words, group, .. } => {
                let repeated = group.iter().flat_map(|group| &group.words);
                words.iter().chain(repeated).collect()
            }
            Self::Raw { words, .. } => words.iter().collect(),
            Self::Want { patterns, .. }
            | Self::Likewise {
                alternatives: patterns,
                ..
            } => patterns.iter().flat_map(Pattern::words).collect(),
            Self::Asked {
                asked: Asked::Keys(words),
                ..
            } => words.iter().collect(),
            Self::Answers { to, answer, .. } => {
                let bytes = match answer {
                    Answer::Bytes(bytes) | Answer::BytesAndClose(bytes) => Some(bytes),
                    Answer::Close | Answer::Nothing => None,
                };
                [to].into_iter().chain(bytes).collect()
            }
            Self::Interject { bytes, .. } => vec![bytes],
            Self::Eventually { send, want, .. } => {
                [send.action.words(), want.action.words()].concat()
            }
            Self::Cut { .. }
            | Self::Pause { .. }
            | Self::Chunks { .. }
            | Self::Nothing { .. }
            | Self::Asked { .. }
            | Self::Fault { .. }
            | Self::Heal { .. }
            | Self::Await { .. }
            | Self::Rescale { .. }
            | Self::BadCluster
            | Self::Close { .. }
            | Self::HalfClose { .. } => Vec::new(),
        }
    }

    /// The clusters that the proxy is given.
    pub fn clusters(&self) -> impl Iterator<Item = &Members> {
        let given = match self {
            Self::Rescale { to, and } => [Some(to), and.as_ref()],
            _ => [None, None],
        };
        given.into_iter().flatten()
    }

    /// The party that acts or gets a reply.
    #[must_use]
    pub fn party(&self) -> Option<Party> {
        match self {
            Self::Send { from, .. }
            | Self::Raw { from, .. }
            | Self::Want { from, .. }
            | Self::Likewise { from, .. } => Some(*from),
            Self::Chunks { client, .. }
            | Self::Cut { client, .. }
            | Self::Nothing { client }
            | Self::Close { client }
            | Self::HalfClose { client } => Some(*client),
            Self::Eventually { send, .. } => send.action.party(),
            _ => None,
        }
    }

    /// The node that the step acts on or checks.
    #[must_use]
    pub fn node(&self) -> Option<usize> {
        match self {
            Self::Given { node, .. }
            | Self::Asked { node, .. }
            | Self::Fault { node, .. }
            | Self::Answers { node, .. }
            | Self::Interject { node, .. }
            | Self::Heal { node }
            | Self::Await { node, .. } => Some(*node),
            _ => match self.party()? {
                Party::Node(node) => Some(node),
                Party::Client(_) | Party::EachClient => None,
            },
        }
    }
}

/// A client or another sender of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A client of the proxy.
    Client(u16),
    /// The client of the proxy whose number is the repetition of the step.
    EachClient,
    /// The suite itself, with a node, past proxy and link.
    Node(usize),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(number) => write!(f, "client {number}"),
            Self::EachClient => f.write_str("each client"),
            Self::Node(node) => write!(f, "suite to node {}", letter(*node)),
        }
    }
}

/// The requests that a node must have received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Only the target's own traffic.
    Nothing,
    /// Anything at all.
    Something,
    /// Exactly these of the case's keys, in any number of requests.
    Keys(Vec<Word>),
    /// Exactly this number of requests of a command.
    Command {
        /// Number of requests.
        count: usize,
        /// Its name, in any case.
        name: String,
    },
}

/// The answer of a node instead of its own reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// These bytes as they are.
    Bytes(Word),
    /// These bytes, and then the connection ends.
    BytesAndClose(Word),
    /// The connection ends.
    Close,
    /// Nothing.
    Nothing,
}
