//! Compares the requests that a node got, from the tap, with those that the case expects.
//!
//! Keys are compared, not spelling, order or number of requests: one proxy sends n GETs, another one MGET.

use std::collections::BTreeSet;

use crate::cases::case::Asked;
use crate::cases::word::Scope;
use testbed::link::{Event, What};
use testbed::wire::{Arguments, quoted};

/// Distinguishes the keys of a run and the target's own traffic from all other requests.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The substring that every key of the run contains.
    pub prefix: &'a str,
    /// Commands that the target sends by itself, in upper case.
    pub own_traffic: &'a [String],
}

/// The requests of a node among `events`, without the target's own traffic.
pub fn requests<'a>(
    events: &'a [Event],
    node: usize,
    known: Known<'a>,
) -> impl Iterator<Item = &'a Arguments> {
    events
        .iter()
        .filter(move |event| event.node == node)
        .filter_map(|event| match &event.what {
            What::Asked(arguments) => Some(arguments),
            _ => None,
        })
        .filter(move |arguments| !known.is_own(arguments))
}

impl Known<'_> {
    fn is_own(&self, arguments: &Arguments) -> bool {
        self.own_traffic.iter().any(|command| {
            let mut words = command.split(' ').zip(arguments);
            words.all(|(word, argument)| argument.eq_ignore_ascii_case(word.as_bytes()))
        })
    }

    fn is_key(&self, argument: &[u8]) -> bool {
        let prefix = self.prefix.as_bytes();
        argument
            .windows(prefix.len())
            .any(|window| window == prefix)
    }
}

/// Whether the requests match `asked`.
///
/// # Errors
/// Expected and actual requests, in the notation of cases.
pub fn compare<'a>(
    asked: &Asked,
    requests: impl Iterator<Item = &'a Arguments>,
    known: Known<'_>,
    scope: &Scope,
) -> Result<(), (String, String)> {
    let requests: Vec<&Arguments> = requests.collect();
    match asked {
        Asked::Nothing if requests.is_empty() => Ok(()),
        Asked::Nothing => Err(("nothing".to_owned(), shown(&requests))),
        Asked::Something if requests.is_empty() => {
            Err(("something".to_owned(), "nothing".to_owned()))
        }
        Asked::Something => Ok(()),
        Asked::Command { count, name } => {
            let seen = requests
                .iter()
                .filter(|request| request[0].eq_ignore_ascii_case(name.as_bytes()))
                .count();
            if seen == *count {
                Ok(())
            } else {
                Err((
                    format!("{count} {name}"),
                    format!("{seen} {name} among {}", shown(&requests)),
                ))
            }
        }
        Asked::Keys(words) => {
            let expected: BTreeSet<Vec<u8>> = words.iter().map(|word| word.bytes(scope)).collect();
            let seen: BTreeSet<Vec<u8>> = requests
                .iter()
                .flat_map(|request| &request[1..])
                .filter(|argument| known.is_key(argument))
                .cloned()
                .collect();
            if seen == expected {
                Ok(())
            } else {
                Err((keys(&expected), keys(&seen)))
            }
        }
    }
}

fn keys(keys: &BTreeSet<Vec<u8>>) -> String {
    let shown: Vec<String> = keys.iter().map(|key| quoted(key)).collect();
    match shown.is_empty() {
        true => "no keys".to_owned(),
        false => shown.join(" "),
    }
}

fn shown(requests: &[&Arguments]) -> String {
    let shown: Vec<String> = requests
        .iter()
        .take(8)
        .map(|request| What::Asked((*request).clone()).to_string())
        .collect();
    match requests.len() {
        0 => "nothing".to_owned(),
        count if count > shown.len() => format!("{}; ... ({count})", shown.join("; ")),
        _ => shown.join("; "),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Known, compare, requests};
    use crate::cases::case::Asked;
    use crate::cases::word::{Scope, Word};
    use testbed::link::{Event, What};

    const PREFIX: &str = "sp-";

    /// A request to a node, its words separated by spaces.
    fn asked(node: usize, words: &str) -> Event {
        let words = words.split(' ').map(|word| word.as_bytes().to_vec());
        Event {
            at: Duration::ZERO,
            node,
            connection: 1,
            what: What::Asked(words.collect()),
        }
    }

    #[track_caller]
    fn check(expected: &Asked, seen: &[&str], kept: bool) {
        let own = ["PING".to_owned(), "CLUSTER SLOTS".to_owned()];
        let known = Known {
            prefix: PREFIX,
            own_traffic: &own,
        };
        let mut events: Vec<Event> = seen.iter().map(|words| asked(0, words)).collect();
        // Requests to other nodes and replies are ignored.
        events.push(asked(1, "GET sp-elsewhere"));
        events.push(Event {
            what: What::Opened,
            ..asked(0, "x")
        });
        let compared = compare(
            expected,
            requests(&events, 0, known),
            known,
            &Scope::default(),
        );
        assert_eq!(
            compared.is_ok(),
            kept,
            "{expected:?} x {seen:?}: {compared:?}"
        );
    }

    #[test]
    fn keys_count_and_spelling_does_not() {
        let keys = |keys: &[&str]| Asked::Keys(keys.iter().map(|key| Word::plain(key)).collect());
        let both = keys(&["sp-1", "sp-2"]);
        check(&both, &["MGET sp-1 sp-2"], true);
        check(&both, &["get sp-2", "get sp-1", "get sp-1"], true);
        check(&both, &["SET sp-1 v", "SET {sp-2}:x v"], false);
        check(&both, &["GET sp-1"], false);
        check(&both, &["MGET sp-1 sp-2 sp-3"], false);
        check(&keys(&["{sp-2}:x"]), &["SET {sp-2}:x v", "PING"], true);
    }

    #[test]
    fn own_traffic_is_nothing() {
        check(&Asked::Nothing, &[], true);
        check(&Asked::Nothing, &["ping", "cluster slots"], true);
        check(&Asked::Nothing, &["CLUSTER INFO"], false);
        check(&Asked::Nothing, &["GET x"], false);
        check(&Asked::Something, &["PING"], false);
        check(&Asked::Something, &["GET x"], true);
    }

    #[test]
    fn requests_of_a_command_are_counted() {
        let once = |count| Asked::Command {
            count,
            name: "FLUSHALL".to_owned(),
        };
        check(&once(1), &["flushall", "GET x"], true);
        check(&once(1), &["FLUSHALL", "FLUSHALL"], false);
        check(&once(1), &["FLUSHDB"], false);
        check(&once(0), &["FLUSHDB"], true);
    }
}
