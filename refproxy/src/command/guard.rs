//! Refusals of commands that are otherwise routed, because of their options or the configuration.

use super::setting::{is_proxys_own, is_secret, needs_joining};
use super::{Row, Why, flags};

/// Permissions of clients, from the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Whether clients may change or empty all nodes with one request. If not, scripts that may write are refused too,
    /// because a script can execute refused commands on its node, such as FLUSHALL.
    pub admin_fan_out: bool,
    /// Handling of a script that declares no keys.
    pub scripts_without_keys: ScriptsWithoutKeys,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            admin_fan_out: true,
            scripts_without_keys: ScriptsWithoutKeys::Refuse,
        }
    }
}

/// Treatment of a script that declares no keys. Its keys are unknown, so the node may be wrong.
///
/// Undeclared keys of a script that declares others are not found either: the script runs where its declared keys live.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScriptsWithoutKeys {
    /// An error with advice.
    Refuse,
    /// It runs on one of the nodes, always the same.
    AnyNode,
}

/// An option that does not work over several nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// BLOCK, before the keys of XREAD and XREADGROUP.
    Blocks,
    /// DB, of COPY: there is only database 0.
    OtherDatabase,
    /// BY and GET of SORT, when their pattern makes keys that may live on other nodes.
    Patterns,
    /// CONFIG GET of a password by its name. Patterns are answered without passwords.
    Secrets,
    /// CONFIG SET of a parameter that the proxy itself needs.
    ProxysOwn,
    /// A script, which runs where its declared keys live and may do more than the proxy sees.
    Script,
}

impl Guard {
    /// Why the request is refused in a transaction, where the node's reply reaches the client unchanged.
    #[must_use]
    pub fn refuses_in_transaction(self, args: &[&[u8]]) -> Option<Why> {
        let unchanged = args.iter().skip(2).all(|name| !needs_joining(name));
        match self.refuses(args, |_| true) {
            None if self == Self::Secrets && !unchanged => Some(Why::Transaction),
            refused => refused,
        }
    }

    /// Why the request of these arguments is refused; `stays` says whether all keys that a pattern makes live where the
    /// request's own key lives.
    #[must_use]
    pub fn refuses(self, args: &[&[u8]], stays: impl Fn(&[u8]) -> bool) -> Option<Why> {
        match self {
            Self::Blocks => blocks(args).then_some(Why::Blocking),
            Self::OtherDatabase => leaves_database(args).then_some(Why::OneDatabase),
            Self::Script => None,
            Self::Secrets => {
                let mut names = args.iter().skip(2);
                names.any(|name| is_secret(name)).then_some(Why::Secret)
            }
            Self::ProxysOwn => {
                let mut names = args.iter().skip(2).step_by(2);
                names
                    .any(|name| is_proxys_own(name))
                    .then_some(Why::ProxysOwn)
            }
            Self::Patterns => {
                let leaves = patterns(args).any(|pattern| !stays(pattern));
                leaves.then_some(Why::Patterns)
            }
        }
    }
}

impl Rules {
    /// Why these rules refuse a request of `row`; `has_home` is true if it has keys, or there is only one node.
    #[must_use]
    pub fn refuse(self, row: &Row, has_home: bool) -> Option<Why> {
        if row.guard != Some(Guard::Script) {
            return None;
        }
        if !self.admin_fan_out && row.flags & flags::READONLY == 0 {
            return Some(Why::ScriptsAdminister);
        }
        let refuses = self.scripts_without_keys == ScriptsWithoutKeys::Refuse;
        (refuses && !has_home).then_some(Why::NoKeys)
    }
}

fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

fn blocks(args: &[&[u8]]) -> bool {
    let options = args.iter().skip(1);
    options
        .take_while(|arg| !is(arg, "STREAMS"))
        .any(|arg| is(arg, "BLOCK"))
}

fn leaves_database(args: &[&[u8]]) -> bool {
    let options = args.get(3..).unwrap_or_default();
    options
        .windows(2)
        .any(|pair| is(pair[0], "DB") && pair[1] != b"0")
}

/// The patterns of SORT that make keys. BY without `*` does not sort, GET without `*` gets null, and `#` is the
/// element.
fn patterns<'a>(args: &'a [&'a [u8]]) -> impl Iterator<Item = &'a [u8]> {
    let options = args.get(2..).unwrap_or_default();
    options
        .windows(2)
        .filter(|pair| is(pair[0], "BY") || is(pair[0], "GET"))
        .map(|pair| pair[1])
        .filter(|pattern| pattern.contains(&b'*'))
        .map(key_of_pattern)
}

/// The text before `->` and the field name of a hash. Source: Redis 7.0 `src/sort.c`, `lookupKeyByPattern`.
fn key_of_pattern(pattern: &[u8]) -> &[u8] {
    let star = pattern.iter().position(|byte| *byte == b'*').unwrap_or(0);
    let arrow = pattern[star..].windows(2).position(|pair| pair == b"->");
    match arrow.map(|place| star + place) {
        Some(arrow) if arrow + 2 < pattern.len() => &pattern[..arrow],
        _ => pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::Guard;
    use crate::command::Why;

    #[track_caller]
    fn check(guard: Guard, request: &str, expected: Option<Why>) {
        let args: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
        let stays = |pattern: &[u8]| pattern.starts_with(b"{k}");
        assert_eq!(guard.refuses(&args, stays), expected, "{request}");
    }

    #[test]
    fn unsupported_options_are_refused() {
        use Guard::{Blocks, OtherDatabase, Patterns};
        check(
            Blocks,
            "XREAD COUNT 2 block 0 STREAMS a 0",
            Some(Why::Blocking),
        );
        check(Blocks, "XREAD STREAMS block 0", None);
        check(OtherDatabase, "COPY a b DB 1", Some(Why::OneDatabase));
        check(OtherDatabase, "COPY a b REPLACE DB 0", None);
        check(OtherDatabase, "COPY db 1", None);
        check(Patterns, "SORT k BY w_* GET #", Some(Why::Patterns));
        check(Patterns, "SORT k BY {k}w_* GET {k}v_*->f LIMIT 0 1", None);
        check(Patterns, "SORT k GET w_*->{k}", Some(Why::Patterns));
        check(Patterns, "SORT k BY nosort GET #", None);
        check(Patterns, "SORT {k} get *", Some(Why::Patterns));
    }

    #[test]
    fn clients_cannot_use_passwords_and_parameters_of_the_proxy() {
        use Guard::{ProxysOwn, Secrets};
        for name in [
            "requirepass",
            "MasterAuth",
            "primaryauth",
            "tls-key-file-pass",
        ] {
            check(Secrets, &format!("CONFIG GET {name}"), Some(Why::Secret));
            check(
                Secrets,
                &format!("CONFIG GET save {name}"),
                Some(Why::Secret),
            );
            check(
                ProxysOwn,
                &format!("CONFIG SET {name} x"),
                Some(Why::ProxysOwn),
            );
        }
        for name in [
            "PORT",
            "bind",
            "maxclients",
            "timeout",
            "TLS-port",
            "unixsocket",
        ] {
            check(
                ProxysOwn,
                &format!("CONFIG SET save x {name} 1"),
                Some(Why::ProxysOwn),
            );
        }
        check(Secrets, "CONFIG GET port maxmemory *", None);
        check(
            ProxysOwn,
            "CONFIG SET maxmemory port save requirepass",
            None,
        );
    }

    #[test]
    fn in_a_transaction_nothing_is_shown_that_the_proxy_would_change() {
        let check = |request: &str, expected| {
            let args: Vec<&[u8]> = request.split(' ').map(str::as_bytes).collect();
            assert_eq!(
                Guard::Secrets.refuses_in_transaction(&args),
                expected,
                "{request}"
            );
        };
        for pattern in [
            "*",
            "req*",
            "requirepas[s]",
            "requirepas?",
            "requirepas\\s",
            "databases",
        ] {
            check(&format!("CONFIG GET {pattern}"), Some(Why::Transaction));
        }
        check("CONFIG GET requirepass", Some(Why::Secret));
        check("CONFIG GET maxmemory", None);
    }
}
