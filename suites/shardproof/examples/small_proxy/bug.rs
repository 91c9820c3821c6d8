//! The bugs of the small proxy, and the case that finds each.

/// A bug that can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bug {
    /// MGET returns values in the order of the nodes.
    MgetOrder,
    /// MSET is OK if any node has stored its part.
    MsetPartial,
    /// A connection on which a reply is late serves the next client.
    LateReply,
    /// MGET returns nil for a key whose node replies with an error.
    SwallowedError,
    /// DEL counts the keys of the request.
    DelCount,
    /// The carriage return of an inline request is part of its last word.
    InlineLineEnd,
}

/// Every bug: its name, and the id of the case that finds it.
pub(crate) const BUGS: &[(Bug, &str, &str)] = &[
    (
        Bug::MgetOrder,
        "mget-order",
        "multi-key/mget-keeps-key-order",
    ),
    (
        Bug::MsetPartial,
        "mset-partial",
        "node-down/mset-with-node-down",
    ),
    (
        Bug::LateReply,
        "late-reply",
        "broken-node/late-reply-discarded",
    ),
    (
        Bug::SwallowedError,
        "swallowed-error",
        "errors/mget-with-loading-node",
    ),
    (
        Bug::DelCount,
        "del-count",
        "multi-key/del-counts-across-nodes",
    ),
    (
        Bug::InlineLineEnd,
        "inline-line-end",
        "framing/inline-command",
    ),
];

/// The bug of a name.
pub(crate) fn named(name: &str) -> Option<Bug> {
    let mut found = BUGS.iter().filter(|(_, known, _)| *known == name);
    found.next().map(|(bug, ..)| *bug)
}
