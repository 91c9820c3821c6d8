//! The causes of the first errors that a server gives, with what helps. Pure.

use super::Error;
use crate::wire::{Value, quoted};

/// What helps against an error of a server, by the beginning of its text.
const CAUSES: [(&str, &str); 10] = [
    (
        "NOAUTH",
        "a password is needed: redis://USER:PASSWORD@HOST:PORT, $SHARDPROOF_NODE_PASSWORD or \
         $SHARDPROOF_PROXY_PASSWORD, or --auth-file",
    ),
    ("WRONGPASS", "the user or the password is wrong"),
    ("ERR invalid password", "the password is wrong"),
    (
        "NOPERM",
        "the user is not allowed to use this command or key",
    ),
    (
        "DENIED",
        "the server is in protected mode: it takes connections from its own machine only, until it has a password",
    ),
    (
        "LOADING",
        "the server is loading its data: --wait 30s waits",
    ),
    (
        "MOVED",
        "the server is in a Redis Cluster, and serves only keys of its slots",
    ),
    (
        "CLUSTERDOWN",
        "the server is in a Redis Cluster in which slots have no owner",
    ),
    (
        "ERR DB index is out of range",
        "the server does not have this database",
    ),
    (
        "ERR invalid DB index",
        "the server does not have this database",
    ),
];

/// The text of an error, with its cause where it is known.
#[must_use]
pub fn explained(text: &[u8]) -> String {
    match of(text) {
        Some(cause) => format!("{}: {cause}", quoted(text)),
        None => quoted(text),
    }
}

/// An answer that was not expected, with its cause where it is known.
#[must_use]
pub fn of_answer(answer: &Value) -> String {
    match answer {
        Value::Error(text) => match of(text) {
            Some(cause) => format!("{answer}: {cause}"),
            None => answer.to_string(),
        },
        _ => answer.to_string(),
    }
}

/// The cause of an error by its text, where it is known.
#[must_use]
pub fn of(text: &[u8]) -> Option<&'static str> {
    let known = CAUSES
        .iter()
        .find(|(begins, _)| text.starts_with(begins.as_bytes()));
    known.map(|(_, cause)| *cause)
}

/// The cause of an error to AUTH. The text itself is not shown, because a server that does not know AUTH may repeat the
/// password in it.
pub(super) fn of_auth(text: &[u8]) -> String {
    let without = b"ERR AUTH <password> called without any password";
    let other = b"ERR Client sent AUTH, but no password is set";
    match of(text) {
        Some(cause) => cause.to_owned(),
        None if text.starts_with(without) || text.starts_with(other) => {
            "the server has no password for this user".to_owned()
        }
        None => "the server does not take a user and password as given (its text is not shown)"
            .to_owned(),
    }
}

/// The cause of no reply to the first request, where it is likely: one side speaks TLS, and the other does not.
pub(super) fn of_silence(why: &Error, ahead: &[u8]) -> Option<&'static str> {
    // An alert of TLS 1.x: its content type, and the version's first byte.
    let is_alert = |bytes: &[u8]| bytes.starts_with(&[0x15, 0x03]);
    match why {
        Error::Malformed(_) if is_alert(ahead) => Some(
            "first byte 0x15 is an alert of TLS: the server expects TLS, as rediss://HOST:PORT",
        ),
        Error::Closed { pending } if is_alert(pending) => Some(
            "first byte 0x15 is an alert of TLS: the server expects TLS, as rediss://HOST:PORT",
        ),
        Error::Closed { pending } if pending.is_empty() => {
            Some("if the server expects TLS, use rediss://HOST:PORT")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{explained, of_auth};

    #[test]
    fn an_error_of_auth_never_repeats_the_password() {
        for text in [
            "ERR unknown command 'AUTH', with args beginning with: 'hunter2'",
            "WRONGPASS invalid username-password pair hunter2",
            "ERR AUTH <password> called without any password configured, hunter2",
        ] {
            let shown = of_auth(text.as_bytes());
            assert!(!shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn a_known_error_says_what_helps() {
        let shown = explained(b"NOAUTH Authentication required.");
        assert!(shown.starts_with("\"NOAUTH"), "{shown}");
        assert!(shown.contains("a password is needed"), "{shown}");
        assert_eq!(explained(b"ERR other"), "\"ERR other\"");
    }
}
