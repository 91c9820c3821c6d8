//! Whether a request that was answered with an error was certainly not executed.

use testbed::wire::Value;

use crate::history::{Completion, Record};

/// First words of errors that a server gives before it executes anything, from `shared.*` in Redis' `server.c`.
const REFUSALS: &[&str] = &[
    "ASK",
    "BUSY",
    "CLUSTERDOWN",
    "EXECABORT",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOAUTH",
    "NOPERM",
    "NOREPLICAS",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "WRONGTYPE",
];

/// Commands that may be executed in part.
const SPLIT: &[&str] = &["DEL", "MGET", "MSET"];

/// Decides the completion of a request that was sent. `tapped` says that all its requests to nodes are known.
pub(super) fn decide(record: &mut Record, tapped: bool) {
    let refused = record.reply.as_ref().is_some_and(is_refusal);
    if record.completion == Completion::Indefinite && refused && nowhere_executed(record, tapped) {
        record.completion = Completion::Failed;
    }
}

fn is_refusal(reply: &Value) -> bool {
    let Value::Error(line) = reply else {
        return false;
    };
    let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    REFUSALS.iter().any(|refusal| refusal.as_bytes() == word)
}

/// Every node that was asked refused too; if that is unknown, the only possible node did.
fn nowhere_executed(record: &Record, tapped: bool) -> bool {
    let refused = |seen: &crate::history::Seen| {
        let answer = seen.answered.as_ref();
        answer.is_some_and(|answered| is_refusal(&answered.reply))
    };
    match tapped {
        true => record.seen.iter().all(refused),
        false => !SPLIT
            .iter()
            .any(|word| record.request[0] == word.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Answered, Library, Seen};

    fn check(word: &str, error: &str, nodes: &[Option<&str>], tapped: bool, expected: Completion) {
        let seen = nodes.iter().map(|reply| Seen {
            node: 0,
            connection: 1,
            order: 0,
            asked: 2,
            answered: reply.map(|line| Answered::new(3, Value::Error(line.as_bytes().to_vec()))),
        });
        let mut record = Record {
            session: 0,
            sequence: 0,
            client: Library::Raw,
            sent: 1,
            received: Some(4),
            request: vec![word.as_bytes().to_vec(), b"k".to_vec()],
            reply: Some(Value::Error(error.as_bytes().to_vec())),
            completion: Completion::Indefinite,
            seen: seen.collect(),
        };
        decide(&mut record, tapped);
        assert_eq!(record.completion, expected, "{word} {error} {nodes:?}");
    }

    #[test]
    fn only_a_refusal_of_every_node_is_certain() {
        use Completion::{Failed, Indefinite};
        check("SET", "OOM no", &[Some("OOM no")], true, Failed);
        check("SET", "OOM no", &[], true, Failed);
        check("SET", "LOADING no", &[None], true, Indefinite);
        check("MSET", "OOM no", &[Some("OOM no"), None], true, Indefinite);
        check("MSET", "OOM no", &[], false, Indefinite);
        check("SET", "OOM no", &[], false, Failed);
        check("SET", "ERR timeout", &[Some("OOM no")], true, Indefinite);
        check("SET", "OOMPH no", &[], true, Indefinite);
    }
}
