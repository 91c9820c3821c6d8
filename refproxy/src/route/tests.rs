//! Which node a request goes to, and which requests go nowhere.

use super::{Action, Queueing, Request, resolve, restrict, route, route_unauthenticated};
use crate::command::{COMMANDS, Refusal, Route, Row, Rules, SUBCOMMANDS, ScriptsWithoutKeys};
use crate::resp::{Args, Frame, Limits, RequestScan, Scanned, request};
use placement::hash::TagRule;
use placement::{Cluster, Node, NodeId, Placement, Policy};

const NO_ADMIN: Rules = Rules {
    admin_fan_out: false,
    scripts_without_keys: ScriptsWithoutKeys::AnyNode,
};

fn placement(nodes: u16) -> Placement {
    let nodes = (1..=nodes).map(|port| Node::at(format!("127.0.0.1:2100{port}")));
    let mut cluster = Cluster::new(Policy::maglev(), nodes.collect());
    cluster.tags = TagRule::BRACES;
    Placement::new(&cluster).unwrap()
}

/// Keys are written `a1`, `b`...: the letter is the node, if there are several.
fn key_on(placement: &Placement, word: &str) -> Option<String> {
    if placement.nodes() == 1 {
        return None;
    }
    let node = word
        .bytes()
        .next()
        .filter(|byte| (b'a'..=b'c').contains(byte))?
        - b'a';
    let is_there =
        |tag: &u32| placement.node(format!("{{{tag}}}").as_bytes()).index() == usize::from(node);
    let tag = (0..).find(is_there)?;
    Some(format!("{{{tag}}}{word}"))
}

fn letter(node: NodeId) -> String {
    ["a", "b", "c"][node.index()].to_owned()
}

/// The request without the tags of its keys.
fn untagged(bytes: &[u8]) -> String {
    let args = Args::of(bytes).map(|arg| String::from_utf8_lossy(arg).into_owned());
    let words: Vec<String> = args
        .map(|arg| arg.rsplit('}').next().unwrap_or_default().to_owned())
        .collect();
    words.join(" ")
}

fn described(action: &Action<'_>, request: &Request<'_>) -> String {
    match action {
        Action::Forward(node) => letter(*node),
        Action::AnyNode => "any".to_owned(),
        Action::Split(split, join) => {
            let requests = split.requests(request.row, request.bytes);
            let parts = split.parts.iter().zip(requests);
            let parts: Vec<String> = parts
                .map(|((node, _), part)| format!("{}: {}", letter(*node), untagged(&part)))
                .collect();
            format!("{}, {join:?}", parts.join(", "))
        }
        Action::Broadcast(join) => format!("all, {join:?}"),
        Action::Page => "page".to_owned(),
        Action::Workers => "workers".to_owned(),
        Action::Local(local) => format!("local {local:?}"),
        Action::Transaction(command, None) => format!("transaction {command:?}"),
        Action::Transaction(command, Some(node)) => {
            format!("transaction {command:?} {}", letter(*node))
        }
        Action::Refuse(Refusal::CrossSlot(_, (one, _), (other, _))) => {
            let key = |key| untagged(&crate::resp::request(&[key]));
            format!("crosses {} {}", key(one), key(other))
        }
        Action::Refuse(Refusal::Unsupported(_, why)) => format!("{why:?}"),
        Action::Refuse(Refusal::WrongArity(row)) => format!("arity {}", row.name),
        Action::Refuse(Refusal::UnknownSubcommand(row)) => format!("unknown {}", row.name),
        Action::Refuse(refusal) => format!("{refusal:?}"),
    }
}

fn framed(bytes: &[u8]) -> Frame {
    match RequestScan::default().scan(bytes, &Limits::default()) {
        Ok(Scanned::Request(frame)) => frame,
        other => panic!("{} is {other:?}", bytes.escape_ascii()),
    }
}

fn described_queueing(queueing: Queueing<'_>, request: &Request<'_>) -> String {
    match queueing {
        Queueing::Forward(node) => letter(node),
        Queueing::AnyNode => "any".to_owned(),
        Queueing::Local(local) => format!("local {local:?}"),
        Queueing::End(local) => format!("end {local:?}"),
        Queueing::Exec | Queueing::Discard => format!("{queueing:?}"),
        Queueing::Misplaced(refusal) => format!("misplaced {refusal:?}"),
        Queueing::Refuse(refusal) => described(&Action::Refuse(refusal), request),
    }
}

/// The decision of `by` on the request.
fn routed(
    line: &str,
    placement: &Placement,
    by: impl Fn(&Request<'_>, &Placement) -> String,
) -> String {
    let words: Vec<String> = line
        .split(' ')
        .map(|word| key_on(placement, word).unwrap_or_else(|| word.to_owned()))
        .collect();
    let bytes = request(&words);
    let frame = framed(&bytes);
    let row = match resolve(words[0].as_bytes(), words.get(1).map(String::as_bytes)) {
        Ok(row) => row,
        Err(Refusal::UnknownSubcommand(row)) => return format!("unknown {}", row.name),
        Err(refusal) => return format!("{refusal:?}"),
    };
    let request = Request {
        row,
        bytes: &bytes,
        frame: &frame,
        shared: None,
    };
    by(&request, placement)
}

#[track_caller]
fn check(line: &str, expected: &str) {
    let found = routed(line, &placement(3), |request, placement| {
        described(&route(request, placement, Rules::default()), request)
    });
    assert_eq!(found, expected, "{line}");
}

#[test]
fn keys_of_one_command_live_on_one_node() {
    check("GET b1", "b");
    check("RENAME a1 a2", "a");
    check("RENAME a1 b", "crosses a1 b");
    check("ZUNION 2 b1 b2 WEIGHTS 1 2", "b");
    check("ZUNION 2 b1 c WEIGHTS 1 2", "crosses b1 c");
    check("ZUNIONSTORE c 2 b1 b2", "crosses c b1");
    check("ZUNION 3 a1 a2", "any");
    check("ZUNION x a1 a2", "any");
    check("EVAL return 2 c1 c2 b", "c");
    check("EVAL return 0 b", "NoKeys");
    check("FCALL_RO f 0", "NoKeys");
    check("EVAL return x b", "any");
    check("EVAL return 1 b", "b");
    check("LMPOP 2 a1 a2 LEFT", "a");
    check("LMPOP 2 a1 b right", "crosses a1 b");
    check("LMPOP 2 a1 b", "any");
    check("LMPOP 3 a1 a2 LEFT", "any");
    check("ZMPOP 3 a1 b MIN", "any");
    check("ZMPOP 2 a1 b COUNT 1", "any");
    check("BITOP AND b1 b2 a", "crosses b1 a");
    check("MSETNX a1 1 a2 b", "a");
    check("MSETNX a1 1 b a", "crosses a1 b");
    check("XREAD COUNT 2 STREAMS b1 b2 0 0", "b");
    check("XREAD COUNT 2 STREAMS b1 a 0 0", "crosses b1 a");
    check("XREAD BLOCK 0 STREAMS b1 0", "Blocking");
    check("GEORADIUS a1 1 1 1 m STORE a2", "a");
    check("GEORADIUS a1 1 1 1 m storedist b", "crosses a1 b");
    check("GEORADIUS a1 1 1 1 m STORE a2 STORE b", "crosses a1 b");
    check("GEORADIUS a1 1 1 1 m STOREDIST b STORE a2", "a");
    check("GEORADIUS a1 1 1 1 m COUNT store STORE b", "crosses a1 b");
    check("SORT a1 LIMIT 0 1 STORE b STORE a2", "a");
    check("SORT a1 STORE store ALPHA", "a");
    check("SORT a1 GET store STORE c", "crosses a1 c");
    check("SORT a1 BY w_*", "Patterns");
    check("SORT a1 BY a_* GET #", "a");
    check("SORT a1 BY b_*", "Patterns");
    check("COPY a1 a2 DB 3", "OneDatabase");
}

#[test]
fn requests_with_keys_on_several_nodes_are_split() {
    check("MGET b1 a1 b2", "b: MGET b1 b2, a: MGET a1, InKeyOrder");
    check("DEL c1 c2", "c");
    check("MSET a1 1 c1 2", "a: MSET a1 1, c: MSET c1 2, AllOk");
    check("MSET a1 1 c1", "arity MSET");
}

#[test]
fn a_subcommand_decides_where_it_has_a_row() {
    check("OBJECT ENCODING c1", "c");
    check("object encoding c1", "c");
    check("OBJECT ENCODING", "arity OBJECT|ENCODING");
    check("OBJECT", "arity OBJECT");
    check("OBJECT color", "unknown OBJECT");
    check("COMMAND", "any");
    check("COMMAND COUNT", "any");
    check("COMMAND GETKEYS GET k", "local GetKeys");
    check("COMMAND none", "unknown COMMAND");
    check("CONFIG GET requirepass", "Secret");
    check("CONFIG GET maxmemory", "all, Settings");
    check("nonsense b1", "UnknownCommand");
}

#[test]
fn other_requests_go_to_all_nodes_or_to_none() {
    check("DBSIZE", "all, Sum");
    check("SCAN 0", "page");
    check("PING", "local Ping");
    check("CLIENT LIST", "workers");
    check("MULTI", "transaction Multi");
    check("WATCH b1 b2", "transaction Watch b");
    check("WATCH b1 c1", "crosses b1 c1");
    check("SUBSCRIBE x", "PubSub");
    check("DBSIZE x", "arity DBSIZE");
}

#[test]
fn on_one_node_nothing_is_apart() {
    let check = |line: &str, expected: &str| {
        let found = routed(line, &placement(1), |request, placement| {
            described(&route(request, placement, Rules::default()), request)
        });
        assert_eq!(found, expected, "{line}");
    };
    check("SORT k BY w_*", "a");
    check("RENAME k l", "a");
    check("MGET k l", "a");
    check("EVAL return 0", "any");
}

#[test]
fn rules_refuse_commands_that_change_every_node() {
    let check = |line: &str, expected: &str| {
        let by = routed(line, &placement(3), |request, placement| {
            described(&route(request, placement, NO_ADMIN), request)
        });
        assert_eq!(by, expected, "{line}");
    };
    check("FLUSHALL", "AdminFanOut");
    check("CONFIG SET maxmemory 1", "AdminFanOut");
    check("DBSIZE", "all, Sum");
    check("EVAL return 1 b1", "ScriptsAdminister");
    check("EVAL_RO return 1 b1", "b");
    check("EVAL_RO return 0", "any");
}

#[test]
fn without_authentication_only_authentication_is_answered() {
    let check = |line: &str, expected: &str| {
        let found = routed(line, &placement(3), |request, _| {
            described(&route_unauthenticated(request), request)
        });
        assert_eq!(found, expected, "{line}");
    };
    check("GET b1", "Unauthenticated");
    check("GET", "arity GET");
    check("MULTI", "Unauthenticated");
    check("PING", "Unauthenticated");
    check("AUTH x", "local Auth");
    check("HELLO 3", "local Hello");
    check("RESET", "local Reset");
    check("QUIT", "local Quit");
}

#[test]
fn a_transaction_queues_requests_for_one_node() {
    let check = |nodes: u16, line: &str, expected: &str| {
        let found = routed(line, &placement(nodes), |request, placement| {
            let action = route(request, placement, Rules::default());
            described_queueing(restrict(action, request, placement), request)
        });
        assert_eq!(found, expected, "{line} on {nodes} nodes");
    };
    check(3, "GET b1", "b");
    check(3, "MGET b1 b2", "b");
    check(3, "MGET b1 b2 a1", "crosses b1 a1");
    check(3, "DBSIZE", "Transaction");
    check(3, "SCAN 0", "Transaction");
    check(3, "CLIENT LIST", "Workers");
    check(3, "PING", "local Ping");
    check(3, "HELLO", "local Hello");
    check(3, "RESET", "end Reset");
    check(3, "UNWATCH", "any");
    check(3, "MULTI", "misplaced NestedMulti");
    check(3, "WATCH b1", "misplaced WatchInMulti");
    check(3, "WATCH b1 c1", "misplaced WatchInMulti");
    check(3, "WATCH", "arity WATCH");
    check(3, "EXEC", "Exec");
    check(3, "SUBSCRIBE x", "PubSub");
    // One node can execute requests about all nodes, but its reply is not changed.
    check(1, "DBSIZE", "any");
    check(1, "CONFIG GET maxmemory", "any");
    check(1, "CONFIG GET *", "Transaction");
    check(1, "SCAN 0", "Transaction");
}

/// Calls of each row with every number of arguments up to one too many.
#[test]
fn every_call_of_every_row_has_an_action() {
    let placement = placement(3);
    for row in COMMANDS.iter().chain(SUBCOMMANDS) {
        let name: Vec<&str> = row.name.split('|').collect();
        let most = match row.route {
            // With a subcommand, the row is that of the subcommand.
            Route::Below => 1,
            _ => usize::from(row.arity.unsigned_abs()) + 3,
        };
        for argc in name.len()..=most {
            let mut words = name.clone();
            words.resize(argc, "1");
            check_call(row, &words, &placement);
        }
    }
}

fn check_call(row: &'static Row, words: &[&str], placement: &Placement) {
    let bytes = request(words);
    let frame = framed(&bytes);
    let request = Request {
        row,
        bytes: &bytes,
        frame: &frame,
        shared: None,
    };
    let wrong_arity = Action::Refuse(Refusal::WrongArity(row));
    let action = route(&request, placement, Rules::default());
    let is_wrong = !row.accepts(words.len());
    assert_eq!(action == wrong_arity, is_wrong, "{words:?}: {action:?}");
    let is_refused = |action: &Action<'_>| matches!(action, Action::Refuse(_));
    let queueing = restrict(action.clone(), &request, placement);
    let is_queued = !matches!(queueing, Queueing::Refuse(_) | Queueing::Misplaced(_));
    assert!(
        !(is_queued && is_refused(&action)),
        "{words:?} is refused, and allowed after MULTI"
    );
}
