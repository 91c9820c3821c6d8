//! Commands and faults that change state of other clients of the proxy.
//!
//! Sends nothing: a table and the law that cases must obey.

use std::collections::BTreeSet;

use crate::cases::case::{Action, Case, Party, Step};
use crate::cases::disturbed::Disturbed;
use crate::cases::word::{Piece, Word};
use testbed::fault::{Effect, Fault, Object};

use Disturbed::{Connections, Nodes, Proxy};

/// Commands that change state shared by clients if a proxy forwards them unchanged, sorted by name.
const COMMANDS: &[(&str, Disturbed)] = &[
    ("ACL", Nodes),
    ("ASKING", Connections),
    ("AUTH", Connections),
    ("BGREWRITEAOF", Nodes),
    ("BGSAVE", Nodes),
    ("BLMOVE", Connections),
    ("BLMPOP", Connections),
    ("BLPOP", Connections),
    ("BRPOP", Connections),
    ("BRPOPLPUSH", Connections),
    ("BZMPOP", Connections),
    ("BZPOPMAX", Connections),
    ("BZPOPMIN", Connections),
    ("CLIENT", Connections),
    ("CLUSTER", Nodes),
    ("CONFIG", Nodes),
    ("DEBUG", Nodes),
    ("DISCARD", Connections),
    ("EXEC", Connections),
    ("FAILOVER", Nodes),
    ("FLUSHALL", Nodes),
    ("FLUSHDB", Nodes),
    ("FUNCTION", Nodes),
    ("HELLO", Connections),
    // Blocks a node while it goes through all of its keys.
    ("KEYS", Nodes),
    ("LATENCY", Nodes),
    ("MIGRATE", Nodes),
    ("MODULE", Nodes),
    ("MONITOR", Connections),
    ("MULTI", Connections),
    ("PSUBSCRIBE", Connections),
    ("PSYNC", Connections),
    ("PUNSUBSCRIBE", Connections),
    ("QUIT", Connections),
    ("READONLY", Connections),
    ("READWRITE", Connections),
    ("REPLCONF", Connections),
    ("REPLICAOF", Nodes),
    ("RESET", Connections),
    ("SAVE", Nodes),
    ("SCRIPT", Nodes),
    ("SELECT", Connections),
    ("SHUTDOWN", Nodes),
    ("SLAVEOF", Nodes),
    ("SLOWLOG", Nodes),
    ("SSUBSCRIBE", Connections),
    ("SUBSCRIBE", Connections),
    ("SUNSUBSCRIBE", Connections),
    ("SWAPDB", Nodes),
    ("SYNC", Connections),
    ("UNSUBSCRIBE", Connections),
    ("UNWATCH", Connections),
    ("WAIT", Connections),
    ("WAITAOF", Connections),
    ("WATCH", Connections),
];

/// The most clients that connect to a proxy that the suite did not start.
const CLIENTS_MAX: usize = 100;

/// Commands whose arguments are programs that may call any of [`COMMANDS`].
const PROGRAMS: &[&str] = &["EVAL", "EVAL_RO", "FUNCTION"];

impl Case {
    /// What the steps of the case can disturb, according to its commands and faults.
    #[must_use]
    pub fn disturbing(&self) -> BTreeSet<Disturbed> {
        self.steps
            .iter()
            .flat_map(|step| {
                let crowd = is_crowd(step).then_some(Proxy);
                by_action(&step.action).into_iter().chain(crowd)
            })
            .collect()
    }
}

impl Case {
    /// The number of clients of a step that has more than a proxy that others use may have room for.
    pub(crate) fn crowd(&self) -> Option<usize> {
        let crowds = self.steps.iter().filter(|step| is_crowd(step));
        crowds.map(|step| step.times).max()
    }
}

/// More clients than a proxy that others use may have room for.
fn is_crowd(step: &Step) -> bool {
    let each = matches!(
        step.action,
        Action::Send {
            from: Party::EachClient,
            ..
        } | Action::Raw {
            from: Party::EachClient,
            ..
        }
    );
    each && step.times > CLIENTS_MAX
}

fn by_action(action: &Action) -> Vec<Disturbed> {
    match action {
        Action::Send { from, words, .. } => {
            let name = words.first().map(tokens).unwrap_or_default();
            let program = name.first().is_some_and(|name| PROGRAMS.contains(&&**name));
            let said = match program {
                // In a script, KEYS is the table of its keys.
                true => words
                    .iter()
                    .flat_map(tokens)
                    .filter(|token| token != "KEYS")
                    .collect(),
                false => name,
            };
            by_names(*from, &said)
        }
        Action::Raw { from, words } => {
            let said: Vec<String> = words.iter().flat_map(tokens).collect();
            by_names(*from, &said)
        }
        Action::Fault { fault, .. } => by_fault(fault).into_iter().collect(),
        Action::Answers { .. } | Action::Interject { .. } => vec![Connections],
        Action::Rescale { .. } | Action::BadCluster => vec![Proxy],
        Action::Eventually { send, .. } => by_action(&send.action),
        _ => Vec::new(),
    }
}

/// What a command disturbs, by its name in upper case.
pub(crate) fn by_command(name: &str) -> Option<Disturbed> {
    let at = COMMANDS.binary_search_by(|(command, _)| (*command).cmp(name));
    at.ok().map(|at| COMMANDS[at].1)
}

/// A connection of the suite's own to a node is shared with no client; the node is.
fn by_names(from: Party, names: &[String]) -> Vec<Disturbed> {
    let found = |name: &String| by_command(name);
    let shared = |disturbed: &Disturbed| match from {
        Party::Client(_) | Party::EachClient => true,
        Party::Node(_) => *disturbed == Nodes,
    };
    names.iter().filter_map(found).filter(shared).collect()
}

fn by_fault(fault: &Fault) -> Option<Disturbed> {
    let row = fault.row();
    match (row.acts_on, row.effect) {
        (Object::Node, _) => Some(Nodes),
        (Object::Proxy | Object::Client, _) => Some(Proxy),
        (Object::Link, Effect::Delay) => None,
        (Object::Link, _) => Some(Connections),
    }
}

/// Runs of letters in upper case: the names of commands in inline requests, arrays and scripts.
fn tokens(word: &Word) -> Vec<String> {
    let literal = word.pieces.iter().map(|piece| match piece {
        Piece::Bytes(bytes) => String::from_utf8_lossy(bytes).to_ascii_uppercase(),
        Piece::Key(_) | Piece::Length(_) | Piece::Padded(..) | Piece::Run | Piece::Repetition => {
            "0".to_owned()
        }
    });
    let text: String = literal.collect();
    let apart = |char: char| !(char.is_ascii_alphanumeric() || char == '_');
    text.split(apart)
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load;
    use testbed::fixtures::{Fixtures, Source};

    #[track_caller]
    fn check(steps: &str, expected: &[Disturbed]) {
        let text = format!("case 1\n# P.\nspec https://x\nlevel must\n{steps}\nwant any\n");
        let source = Source {
            path: "x.case".to_owned(),
            id: "x/x".to_owned(),
            text,
        };
        let cases = load(&[source]).expect(steps);
        let found: Vec<Disturbed> = cases[0].disturbing().into_iter().collect();
        assert_eq!(found, expected, "{steps}");
    }

    #[test]
    fn commands_are_sorted_and_in_upper_case() {
        assert!(COMMANDS.is_sorted_by(|(one, _), (other, _)| one < other));
        let upper = |name: &str| name.bytes().all(|byte| byte.is_ascii_uppercase());
        assert!(COMMANDS.iter().all(|(name, _)| upper(name)));
    }

    #[test]
    fn commands_disturb_in_every_notation() {
        check("send GET $a1", &[]);
        check("send select 1", &[Connections]);
        check("send GET select", &[]);
        check("raw \"SELECT 1\\r\\n\"", &[Connections]);
        check("raw \"*1\\r\\n$$7\\r\\nmonitor\\r\\n\"", &[Connections]);
        check(
            "send EVAL \"return redis.call('SELECT', 1)\" 0",
            &[Connections],
        );
        check("send EVAL \"return KEYS[1]\" 1 $a1", &[]);
        check("send CONFIG SET maxmemory 1", &[Nodes]);
        check("eventually 1s\nsend QUIT\nwant any", &[Connections]);
    }

    #[test]
    fn connections_of_the_suite_to_a_node_are_shared_with_no_client() {
        check("send @A SELECT 1", &[]);
        check("send @A SCRIPT FLUSH", &[Nodes]);
    }

    #[test]
    fn many_clients_disturb_the_proxy() {
        check("times 100\nsend @* PING", &[]);
        check("times 101\nsend @* PING", &[Proxy]);
        check("times 101\nsend PING", &[]);
    }

    #[test]
    fn the_largest_crowd_counts() {
        let text = "case 1\n# P.\nspec https://x\nlevel must\ntimes 101\nsend @* PING\n\
             times 102\nsend @* PING\ntimes 103\nsend PING\nwant any\n";
        let source = Source {
            path: "x.case".to_owned(),
            id: "x/x".to_owned(),
            text: text.to_owned(),
        };
        let cases = load(&[source]).expect(text);
        assert_eq!(cases[0].crowd(), Some(102));
    }

    #[test]
    fn faults_disturb_connections_or_nodes() {
        check("fault A latency 50ms", &[]);
        check("fault A slicer 1B", &[]);
        check("fault A hold", &[Connections]);
        check("fault A delay_reply 50ms", &[]);
        check("fault A swap_replies", &[Connections]);
        check("fault A down", &[Connections]);
        check("fault A pause", &[Nodes]);
        check("fault A kill", &[Nodes]);
    }

    #[test]
    fn changes_of_the_cluster_disturb_the_proxy() {
        check("rescale 4", &[Proxy]);
        check("cluster bad", &[Proxy]);
    }

    #[test]
    fn every_case_that_disturbs_declares_it() {
        let sources = crate::files::cases(&Fixtures::compiled_in()).expect("case files");
        let missing: Vec<String> = load(&sources)
            .expect("valid cases")
            .iter()
            .filter_map(|case| {
                let lacking: Vec<&str> = case
                    .disturbing()
                    .difference(&case.disturbs)
                    .map(|what| what.name())
                    .collect();
                (!lacking.is_empty())
                    .then(|| format!("{}: disturbs {}", case.path, lacking.join(" ")))
            })
            .collect();
        assert!(
            missing.is_empty(),
            "missing headers:\n{}",
            missing.join("\n")
        );
    }
}
