//! The settings of a pool and their values; nutcracker refuses others.

use super::super::tree::{Content, Tree};
use super::super::{Error, Suggestion, Why};

/// The type of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `HOST:PORT`, or a path with perhaps its permissions.
    Listen,
    /// Decimal digits.
    Number,
    /// `true` or `false`, in small letters.
    Flag,
    /// Any word; its values are checked where it is used.
    Word,
    /// A list of servers.
    Servers,
}
use Kind::{Flag, Listen, Number, Servers, Word};

/// By name, sorted.
const SETTINGS: [(&str, Kind); 17] = [
    ("auto_eject_hosts", Flag),
    ("backlog", Number),
    ("client_connections", Number),
    ("distribution", Word),
    ("hash", Word),
    ("hash_tag", Word),
    ("listen", Listen),
    ("preconnect", Flag),
    ("redis", Flag),
    ("redis_auth", Word),
    ("redis_db", Number),
    ("server_connections", Number),
    ("server_failure_limit", Number),
    ("server_retry_timeout", Number),
    ("servers", Servers),
    ("tcpkeepalive", Flag),
    ("timeout", Number),
];

/// Of a field that has no near name.
const OF_ANOTHER_VERSION: &str =
    "nutcracker 0.5.0 does not know it; leave it out if another version does and it places no key";
const LISTEN: &str = "expected HOST:PORT or /PATH";

/// Checks all settings of a pool.
pub(super) fn check(pool: &Tree, file: &str) -> Result<(), Error> {
    let wrong = |tree: &Tree, why: Why| why.at(format!("{file}:{}", tree.line));
    for (name, value) in pool.entries() {
        let known = SETTINGS.iter().find(|(setting, _)| setting == name);
        let checked = match known {
            Some((_, kind)) => check_value(name, value, *kind),
            None => Err(unknown(name)),
        };
        checked.map_err(|why| wrong(value, why))?;
    }
    if pool.get("listen").is_none() {
        return Err(wrong(pool, Why::field("listen", LISTEN)));
    }
    let is_redis = pool.get("redis").and_then(Tree::text) == Some("true");
    match pool.get("redis_auth") {
        Some(auth) if !is_redis => {
            let why = Why::field("redis_auth", "expected redis: true next to it");
            Err(wrong(auth, why))
        }
        _ => Ok(()),
    }
}

fn unknown(name: &str) -> Why {
    let nearest = || match Suggestion::nearest(name, SETTINGS.iter().map(|(setting, _)| *setting)) {
        Suggestion::Unknown => Suggestion::Known(OF_ANOTHER_VERSION),
        near => near,
    };
    Why::UnknownField {
        field: name.to_owned(),
        of: "a pool",
        instead: Suggestion::merge_key(name).unwrap_or_else(nearest),
    }
}

/// No error shows the value, which may be a password.
fn check_value(name: &str, value: &Tree, kind: Kind) -> Result<(), Why> {
    let wrong = |expected: &str| Err(Why::field(name, expected));
    if kind == Servers {
        return match value.content {
            Content::List(_) => Ok(()),
            _ => wrong("expected a list, one server per line"),
        };
    }
    let Some(text) = value.text() else {
        return wrong("expected one value");
    };
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match kind {
        _ if text.is_empty() => wrong("expected a value, nutcracker refuses an empty one"),
        Number if !is_number => wrong("expected a whole number"),
        Number if name == "server_connections" && text.bytes().all(|digit| digit == b'0') => {
            wrong("expected at least 1")
        }
        Flag if !matches!(text, "true" | "false") => wrong("expected true or false"),
        Listen if !is_listen(text) => wrong(LISTEN),
        _ => Ok(()),
    }
}

/// Names are not resolved here, unlike in nutcracker.
fn is_listen(text: &str) -> bool {
    let is_address = text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0)
    });
    text.starts_with('/') || is_address
}

#[cfg(test)]
mod tests {
    use super::SETTINGS;

    #[test]
    fn settings_are_sorted() {
        assert!(SETTINGS.is_sorted_by_key(|(name, _)| *name));
    }
}
