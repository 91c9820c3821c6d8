//! The nodes' parameters of CONFIG that clients must not see or set: passwords, and those that the proxy itself needs.

/// Passwords. Names of Redis 7.0, 8 and Valkey 9.
const SECRETS: [&str; 5] = [
    "masterauth",
    "primaryauth",
    "requirepass",
    "tls-client-key-file-pass",
    "tls-key-file-pass",
];

/// Parameters by which the proxy's connections to a node are accepted, found and kept.
const CONNECTION: [&str; 11] = [
    "bind",
    "masteruser",
    "maxclients",
    "port",
    "primaryuser",
    "protected-mode",
    "tcp-backlog",
    "timeout",
    "unixsocket",
    "unixsocketperm",
    "user",
];

/// Families of such parameters.
const CONNECTION_PREFIXES: [&str; 2] = ["tls-", "rdma-"];

/// Whether the parameter is a password, in any case.
#[must_use]
pub fn is_secret(name: &[u8]) -> bool {
    SECRETS
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
}

/// Whether the proxy could lose a node, or not reach it again, when a client changes the parameter.
#[must_use]
pub fn is_proxys_own(name: &[u8]) -> bool {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    let begins = |prefix: &str| {
        let start = name.get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    is_secret(name)
        || CONNECTION.iter().any(|known| is(known))
        || CONNECTION_PREFIXES.iter().any(|prefix| begins(prefix))
}

/// Whether the proxy must change the answer to CONFIG GET of `pattern` before a client sees it.
pub(super) fn needs_joining(pattern: &[u8]) -> bool {
    pattern.iter().any(|byte| b"*?[\\".contains(byte))
        || is_secret(pattern)
        || pattern.eq_ignore_ascii_case(b"databases")
}
