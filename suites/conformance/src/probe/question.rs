//! The questions of a probe: one row per capability, with the requests that show whether a proxy offers it.
//!
//! A question asks whether a request is accepted, not whether its answer is true: that is what cases judge.

use testbed::wire::Value;

/// How a capability shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    /// The capability.
    pub(super) capability: &'static str,
    /// What the question needs.
    pub(super) needs: Needs,
    /// The requests.
    pub(super) ask: Ask,
}

/// What a question needs before it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing: no other client can notice it.
    Nothing,
    /// Permission to change state of connections or nodes that other clients may share.
    Disturbing,
    /// Permission to destroy data.
    Destructive,
}

/// The requests of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// Requests on one connection, each with the shape of a reply that accepts it. In words, `$key` is a key without a
    /// value, `$keys` are several such keys, `$pairs` are keys with values, `$prefix` begins all of them.
    Requests(&'static [(&'static str, Shape)]),
    /// PING as a line of plain words.
    Inline,
    /// Where keys with one tag in braces live.
    HashTags,
    /// Whether a PING reaches a node.
    PingLocal,
    /// No request shows it, for this reason.
    Unknown(&'static str),
}

/// The shape of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A status such as `+OK`.
    Status,
    /// A number.
    Integer,
    /// A text.
    Text,
    /// A text, or none.
    TextOrNull,
    /// A list, or a map.
    List,
    /// An error that begins with this code: the request was understood, and there is nothing of that name.
    Error(&'static str),
}

impl Shape {
    /// Whether a reply has the shape.
    pub(super) fn fits(self, reply: &Value) -> bool {
        match (self, reply) {
            (Self::Status, Value::Simple(_))
            | (Self::Integer, Value::Integer(_))
            | (Self::Text | Self::TextOrNull, Value::Bulk(_))
            | (Self::TextOrNull, Value::NullBulk)
            | (Self::List, Value::Array(_) | Value::Map(_)) => true,
            (Self::Error(code), Value::Error(text)) => text.starts_with(code.as_bytes()),
            _ => false,
        }
    }
}

use Ask::{HashTags, Inline, PingLocal, Requests, Unknown};
use Needs::{Destructive, Disturbing, Nothing};
use Shape::{Error, Integer, List, Status, Text, TextOrNull};

/// One question per capability. Questions that disturb come last, and the most disturbing ones at the very end.
pub(super) const QUESTIONS: &[Question] = &[
    row("dbsize", Nothing, Requests(&[("DBSIZE", Integer)])),
    row("echo", Nothing, Requests(&[("ECHO $prefix", Text)])),
    row(
        "eject",
        Nothing,
        Unknown("it is a matter of the configuration"),
    ),
    row(
        "eval",
        Nothing,
        Requests(&[("EVAL return(1) 1 $key", Integer)]),
    ),
    row(
        "functions",
        Nothing,
        Requests(&[
            ("FUNCTION LIST LIBRARYNAME $prefix", List),
            ("FCALL $prefix 1 $key", Error("ERR Function not found")),
        ]),
    ),
    row("hash-tags", Nothing, HashTags),
    row("hello", Nothing, Requests(&[("HELLO", List)])),
    row("inline", Nothing, Inline),
    row(
        "order-free",
        Nothing,
        Unknown("it shows only when the nodes change their order"),
    ),
    row("ping-local", Nothing, PingLocal),
    row("randomkey", Nothing, Requests(&[("RANDOMKEY", TextOrNull)])),
    row(
        "rescale-live",
        Nothing,
        Unknown("it shows only when the cluster changes"),
    ),
    row(
        "same-node-commands",
        Nothing,
        Requests(&[("SINTER $key $key", List)]),
    ),
    row(
        "scan",
        Nothing,
        Requests(&[("SCAN 0 MATCH $prefix* COUNT 1", List)]),
    ),
    row(
        "script-load",
        Nothing,
        Requests(&[
            (
                "SCRIPT EXISTS 0000000000000000000000000000000000000000",
                List,
            ),
            (
                "EVALSHA 0000000000000000000000000000000000000000 1 $key",
                Error("NOSCRIPT"),
            ),
        ]),
    ),
    row("split-del", Nothing, Requests(&[("DEL $keys", Integer)])),
    row("split-mget", Nothing, Requests(&[("MGET $keys", List)])),
    row("split-mset", Nothing, Requests(&[("MSET $pairs", Status)])),
    row(
        "split-touch",
        Nothing,
        Requests(&[("TOUCH $keys", Integer)]),
    ),
    row(
        "split-unlink",
        Nothing,
        Requests(&[("UNLINK $keys", Integer)]),
    ),
    row("time", Nothing, Requests(&[("TIME", List)])),
    // It blocks a node while it goes through all of its keys.
    row("keys", Disturbing, Requests(&[("KEYS $prefix*", List)])),
    row(
        "config",
        Disturbing,
        Requests(&[
            ("CONFIG GET maxmemory-samples", List),
            ("CONFIG SET maxmemory-samples 5", Status),
        ]),
    ),
    row(
        "client-setname",
        Disturbing,
        Requests(&[("CLIENT SETNAME $prefix", Status)]),
    ),
    row(
        "watch",
        Disturbing,
        Requests(&[("WATCH $key", Status), ("UNWATCH", Status)]),
    ),
    row(
        "transactions",
        Disturbing,
        Requests(&[("MULTI", Status), ("GET $key", Status), ("EXEC", List)]),
    ),
    row("select", Disturbing, Requests(&[("SELECT 0", Status)])),
    row("flush", Destructive, Requests(&[("FLUSHDB", Status)])),
    // On a connection that is shared it changes the protocol of all.
    row("resp3", Disturbing, Requests(&[("HELLO 3", List)])),
];

const fn row(capability: &'static str, needs: Needs, ask: Ask) -> Question {
    Question {
        capability,
        needs,
        ask,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use testbed::targets::CAPABILITIES;

    use super::*;

    #[test]
    fn every_capability_has_one_question() {
        let asked: Vec<&str> = QUESTIONS.iter().map(|row| row.capability).collect();
        let unique: BTreeSet<&str> = asked.iter().copied().collect();
        let known: BTreeSet<&str> = CAPABILITIES.iter().map(|(name, _)| *name).collect();
        assert_eq!(unique, known);
        assert_eq!(asked.len(), unique.len());
    }

    #[test]
    fn an_error_fits_only_where_its_code_shows_that_the_request_was_understood() {
        let error = |text: &str| Value::Error(text.as_bytes().to_vec());
        let shape = Error("NOSCRIPT");
        assert!(shape.fits(&error("NOSCRIPT No matching script.")));
        assert!(!shape.fits(&error("ERR unknown command")));
        for shape in [Status, Integer, Text, TextOrNull, List] {
            assert!(!shape.fits(&error("ERR unknown command")), "{shape:?}");
        }
        assert!(TextOrNull.fits(&Value::NullBulk) && !Text.fits(&Value::NullBulk));
    }
}
