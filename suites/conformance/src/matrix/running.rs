//! Which commands may be sent to a proxy that the suite did not start, and in which order.
//!
//! Sends nothing: tables, and what they say about a row.

use std::collections::BTreeSet;
use std::fmt;

use super::sheet::{Request, Row};
use crate::cases::disturbed::Disturbed;
use crate::cases::disturbs;
use crate::cases::word::{Piece, Word};
use crate::oracle::RunningProxy;

/// Commands that destroy data of others, sorted. SHUTDOWN loses unsaved data.
const DESTRUCTIVE: &[&str] = &["FLUSHALL", "FLUSHDB", "SHUTDOWN"];

/// Commands that other clients can notice, besides those that cases have to declare; sorted.
const NOTICEABLE: &[&str] = &[
    "COMMANDLOG",
    "MEMORY|PURGE",
    "PFSELFTEST",
    // A client may have subscribed to the channel.
    "PUBLISH",
    "SPUBLISH",
];

/// Commands whose reply depends on other keys, on clients or on settings of the nodes, sorted. The plain Redis has
/// none of them, so that their replies cannot be compared.
const OF_THE_WHOLE_SERVER: &[&str] = &[
    "ACL|GETUSER",
    "ACL|LIST",
    "ACL|LOG",
    "ACL|USERS",
    "ACL|WHOAMI",
    "CLUSTERSCAN",
    "DBSIZE",
    "KEYS",
    "MODULE|LIST",
    "OBJECT|FREQ",
    "PUBSUB|CHANNELS",
    "PUBSUB|NUMPAT",
    "PUBSUB|NUMSUB",
    "PUBSUB|SHARDCHANNELS",
    "PUBSUB|SHARDNUMSUB",
    "RANDOMKEY",
    "ROLE",
    "SCAN",
    "WAIT",
    "WAITAOF",
];

/// Commands whose effect the run cannot take back, sorted.
const LASTING: &[&str] = &[
    "ACL|DELUSER",
    "ACL|LOAD",
    "ACL|SAVE",
    "ACL|SETUSER",
    // These overwrite the files of a node.
    "BGREWRITEAOF",
    "BGSAVE",
    "CLUSTER",
    "COMMANDLOG|RESET",
    "CONFIG|RESETSTAT",
    "CONFIG|REWRITE",
    "CONFIG|SET",
    "FAILOVER",
    "FUNCTION|LOAD",
    "LATENCY|RESET",
    "MODULE|LOAD",
    "MODULE|LOADEX",
    "MODULE|UNLOAD",
    // Keys of other databases can neither expire nor be removed through a proxy.
    "MOVE",
    "REPLICAOF",
    "SAVE",
    "SELECT",
    "SLAVEOF",
    "SLOWLOG|RESET",
    "SWAPDB",
];

/// Why a command is not sent to a proxy that already runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// The reason.
    pub why: String,
    /// The flag of `matrix` with which it is sent.
    pub needs: Option<&'static str>,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.needs {
            Some(flag) => write!(f, "{}: needs {flag}", self.why),
            None => f.write_str(&self.why),
        }
    }
}

/// Why a command is not sent to a proxy that already runs.
pub(super) fn obstacle(row: &Row, running: &RunningProxy) -> Option<Obstacle> {
    let allowed = running.allowed;
    let needs = |flag, why: String| {
        let needs = Some(flag);
        Some(Obstacle { why, needs })
    };
    if has(OF_THE_WHOLE_SERVER, row) {
        let why = "its reply depends on other keys, clients or settings of the nodes";
        return needs("--target", why.to_owned());
    }
    if has(LASTING, row) || row.given.iter().any(|given| given.keys().next().is_none()) {
        let why = "it changes nodes in a way that cannot be taken back";
        return needs("--target", why.to_owned());
    }
    if is_destructive(row) && !allowed.destructive {
        let why = "it destroys data of others";
        return needs("--allow-destructive", why.to_owned());
    }
    if let Some(what) = disturbed(row).first()
        && !allowed.disturbing
    {
        let what = what.name();
        let why = format!("it can change {what} that other clients use");
        return needs("--allow-disturbing", why);
    }
    let unknown = running.nodes.is_empty() && !running.hash_tags && has_several_keys(row);
    unknown.then(|| Obstacle {
        why: "it takes keys of one node, and the nodes are unknown".to_owned(),
        needs: None,
    })
}

/// Whether a command destroys data of others.
pub(super) fn is_destructive(row: &Row) -> bool {
    has(DESTRUCTIVE, row)
}

/// Whether one request or transaction of a row has several keys.
fn has_several_keys(row: &Row) -> bool {
    let mut requests = row.trials.iter().flat_map(|trial| &trial.requests);
    requests.any(|request| {
        let several = request.keys().collect::<BTreeSet<_>>().len() > 1;
        let opens = request.words.first().and_then(plain);
        several || (opens.as_deref() == Some("MULTI") && row.crosses())
    })
}

/// The rows for a proxy that already runs: those that risk most are last.
#[must_use]
pub fn by_risk(rows: &[Row]) -> Vec<Row> {
    let mut rows = rows.to_vec();
    rows.sort_by_key(|row| {
        let ends_servers = row.dangerous && row.ends;
        let disturbs = !disturbed(row).is_empty();
        (is_destructive(row), ends_servers, row.dangerous, disturbs)
    });
    rows
}

/// What other clients use and the requests of a row can change.
fn disturbed(row: &Row) -> BTreeSet<Disturbed> {
    let requests = row.trials.iter().flat_map(|trial| &trial.requests);
    let mut found: BTreeSet<Disturbed> = requests.filter_map(disturbs).collect();
    if has(NOTICEABLE, row) || row.dangerous {
        found.insert(Disturbed::Nodes);
    }
    if row.ends {
        found.insert(Disturbed::Connections);
    }
    found
}

fn disturbs(request: &Request) -> Option<Disturbed> {
    let mut words = request.words.iter().filter_map(plain);
    let name = words.next()?;
    // HELP and unknown subcommands change nothing.
    let harmless = |word: String| matches!(word.as_str(), "HELP" | "NOSUCH");
    match disturbs::by_command(&name) {
        Some(_) if words.next().is_some_and(harmless) => None,
        // A connection that the proxy shares waits with it.
        None => words
            .any(|word| word == "BLOCK")
            .then_some(Disturbed::Connections),
        found => found,
    }
}

/// A word without variables, in upper case.
fn plain(word: &Word) -> Option<String> {
    match &word.pieces[..] {
        [Piece::Bytes(bytes)] => Some(String::from_utf8_lossy(bytes).to_uppercase()),
        _ => None,
    }
}

/// Whether a table has the command of a row, or the command that it is a subcommand of.
fn has(table: &[&str], row: &Row) -> bool {
    let whole = row.command.split('|').next().unwrap_or_default();
    table.contains(&row.command.as_str()) || table.contains(&whole)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::net::SocketAddr;

    use super::*;
    use crate::harness::environment::Allowed;
    use crate::matrix::load;
    use testbed::fixtures::Fixtures;

    fn rows() -> Vec<Row> {
        load(&crate::files::sheets(&Fixtures::compiled_in()).unwrap()).unwrap()
    }

    fn running(nodes: usize, allowed: Allowed) -> RunningProxy {
        let addr: SocketAddr = "127.0.0.1:1".parse().unwrap();
        RunningProxy {
            proxy: addr.into(),
            nodes: vec![addr.into(); nodes],
            op_timeout_ms: 1000,
            allowed,
            hash_tags: false,
        }
    }

    #[track_caller]
    fn check(command: &str, (nodes, allowed): (usize, Allowed), expected: &str) {
        let rows = rows();
        let row = rows.iter().find(|row| row.command == command).unwrap();
        let found = obstacle(row, &running(nodes, allowed));
        let found = found.map_or(String::new(), |found| found.to_string());
        let met = if expected.is_empty() {
            found.is_empty()
        } else {
            found.contains(expected)
        };
        assert!(met, "{command}: `{found}`");
    }

    const NONE: Allowed = Allowed {
        destructive: false,
        disturbing: false,
    };
    const ALL: Allowed = Allowed {
        destructive: true,
        disturbing: true,
    };

    #[test]
    fn each_command_has_its_reason() {
        check("GET", (2, NONE), "");
        check("MGET", (2, NONE), "");
        check("MGET", (0, NONE), "the nodes are unknown");
        check("FLUSHALL", (2, NONE), "needs --allow-destructive");
        check("CONFIG|GET", (2, NONE), "needs --allow-disturbing");
        check("CLIENT|KILL", (2, NONE), "needs --allow-disturbing");
        check("CLIENT|HELP", (2, NONE), "");
        check("PUBLISH", (2, NONE), "needs --allow-disturbing");
        check("XREAD", (2, NONE), "connections that other clients use");
        for command in ["CONFIG|GET", "SHUTDOWN", "FLUSHALL", "XREAD"] {
            check(command, (2, ALL), "");
        }
        for command in ["KEYS", "DBSIZE", "FCALL", "CONFIG|SET", "BGSAVE", "SELECT"] {
            check(command, (2, ALL), "needs --target");
        }
    }

    /// Whatever a command of this name writes or clears on a node, nothing brings back.
    #[test]
    fn what_lasts_is_sent_to_no_proxy_of_others() {
        let lasts = |command: &str| match command.split_once('|') {
            None => matches!(command, "BGREWRITEAOF" | "BGSAVE" | "SAVE"),
            // A script in the cache of a node is harmless, and the report of the run counts it.
            Some(("SCRIPT", _)) => false,
            Some((_, name)) => matches!(
                name,
                "LOAD" | "LOADEX" | "RESET" | "RESETSTAT" | "REWRITE" | "SAVE" | "UNLOAD"
            ),
        };
        let rows = rows();
        let lasting: Vec<&Row> = rows.iter().filter(|row| lasts(&row.command)).collect();
        assert!(lasting.len() > 10, "{}", lasting.len());
        for row in lasting {
            check(&row.command, (2, ALL), "needs --target");
        }
    }

    #[test]
    fn the_tables_are_sorted_and_name_commands() {
        for table in [DESTRUCTIVE, NOTICEABLE, OF_THE_WHOLE_SERVER, LASTING] {
            assert!(table.is_sorted(), "{table:?}");
            let rows = rows();
            let missing = table
                .iter()
                .find(|name| !rows.iter().any(|row| has(&[name], row)));
            assert_eq!(missing, None);
        }
    }

    /// No command with one of these flags goes to the proxy of others without permission.
    #[test]
    fn what_an_administrator_does_needs_permission() {
        let commands = include_str!("../../../../fixtures/commands/redis-8.2.3.tsv");
        let lines = commands.lines().filter(|line| !line.starts_with('#'));
        let flags: BTreeMap<String, &str> = lines
            .filter_map(|line| {
                let (name, _) = line.split_once('\t')?;
                Some((name.to_uppercase(), line.rsplit('\t').next()?))
            })
            .collect();
        // They return a time or read keys of the run. Without BLOCK they do not wait.
        let harmless = ["LASTSAVE", "PFDEBUG", "XREADGROUP"];
        for row in rows() {
            let flags = flags.get(&row.command).copied().unwrap_or_default();
            let risky = flags
                .split(',')
                .any(|flag| matches!(flag, "admin" | "pubsub" | "blocking" | "no_multi"));
            let needs = risky
                && !row.trials.iter().all(|trial| {
                    trial.requests.iter().all(|request| {
                        request
                            .words
                            .get(1)
                            .and_then(plain)
                            .is_some_and(|word| word == "NOSUCH")
                    })
                });
            let open = obstacle(&row, &running(2, NONE)).is_none();
            let excepted = harmless.contains(&row.command.as_str());
            assert!(!(needs && open) || excepted, "{}: {flags}", row.command);
        }
    }

    #[test]
    fn what_ends_a_server_comes_last() {
        let rows = by_risk(&rows());
        let place = |command: &str| rows.iter().position(|row| row.command == command);
        assert!(place("GET") < place("MULTI"));
        assert!(place("MULTI") < place("FLUSHALL"));
        assert_eq!(
            rows.last().map(|row| row.command.as_str()),
            Some("SHUTDOWN")
        );
    }
}
