//! Routing snapshots: refproxy's requests to each node for a well-formed call of every command, one text per command
//! group.
//!
//! Snapshots are memory: they show the effect of a change of the table. The cases are the law.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::collections::BTreeMap;
use std::fmt::Write;

use placement::hash::TagRule;
use placement::{Cluster, Node, NodeId, Placement, Policy};
use refproxy::command::{
    Begin, COMMANDS, Find, KeySpec, REDIS_VERSION, Refusal, Route, Row, Rules, SUBCOMMANDS, below,
    find, flags,
};
use refproxy::resp::{Args, Limits, RequestScan, Scanned, request};
use refproxy::route::{Action, Request, asked_instead, resolve, route};

/// Commands as servers report them; the proxy uses the words of the first.
const SERVERS: [&str; 3] = [
    include_str!("../fixtures/commands/redis-7.0.15.tsv"),
    include_str!("../fixtures/commands/redis-8.2.3.tsv"),
    include_str!("../fixtures/commands/valkey-9.1.2.tsv"),
];

/// One line of it: name, arity, first key, last key, step, group, key specifications, flags.
type Line = [&'static str; 8];

fn lines(server: &'static str) -> impl Iterator<Item = Line> {
    let lines = server.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let columns: Vec<&str> = line.split('\t').collect();
        columns.try_into().unwrap()
    })
}

/// All commands, each as the first server that has it reports it, but with the largest arity.
fn reported() -> Vec<Line> {
    let mut reported: BTreeMap<&str, Line> = BTreeMap::new();
    for line in SERVERS.into_iter().flat_map(lines) {
        let known = reported.entry(line[0]).or_insert(line);
        let arity = |line: &Line| line[1].parse::<i8>().unwrap();
        let takes_more = arity(&line) < 0 && (arity(known) > 0 || arity(&line) > arity(known));
        if takes_more {
            known[1] = line[1];
        }
        // A module does not report how many arguments its commands take; each of these has a key.
        if line[7].split(',').any(|flag| flag == "module") {
            known[1] = "-2";
        }
    }
    let mut reported: Vec<Line> = reported.into_values().collect();
    // In the order of the table: `_` comes after letters in upper case.
    reported.sort_by_key(|line| line[0].to_uppercase().replace('|', "\0"));
    reported
}

#[test]
fn the_table_agrees_with_the_servers() {
    assert!(SERVERS[0].starts_with(&format!("# Redis {REDIS_VERSION},")));
    let ours = |row: &Row| {
        let name = row.name.to_lowercase();
        let (keys, arity) = (row.keys, row.arity);
        // The fixture has them sorted, and a dash if there are none.
        let mut flags: Vec<&str> = flags::words(row.flags).collect();
        flags.sort_unstable();
        let flags = if flags.is_empty() {
            "-".to_owned()
        } else {
            flags.join(",")
        };
        format!(
            "{name}\t{arity}\t{}\t{}\t{}\t{flags}",
            keys.first, keys.last, keys.step
        )
    };
    let mut rows: Vec<&Row> = COMMANDS.iter().chain(SUBCOMMANDS).collect();
    rows.sort_by_key(|row| row.name.split('|').collect::<Vec<_>>());
    let reported = reported();
    assert_eq!(rows.len(), reported.len());
    for (row, reported) in rows.into_iter().zip(reported) {
        assert_eq!(
            ours(row),
            [&reported[..5], &reported[7..]].concat().join("\t")
        );
    }
}

#[test]
fn snapshots() {
    let nodes = (1..=3).map(|port| Node::at(format!("127.0.0.1:2100{port}")));
    let mut cluster = Cluster::new(Policy::maglev(), nodes.collect());
    cluster.tags = TagRule::BRACES;
    let placement = Placement::new(&cluster).unwrap();
    let keys = Keys::of(&placement);
    let mut groups: BTreeMap<&str, String> = BTreeMap::new();
    for row in reported() {
        let text = groups.entry(row[5]).or_default();
        let row = match row[0].split_once('|') {
            None => find(row[0].as_bytes()).unwrap(),
            Some((command, subcommand)) => {
                let command = find(command.as_bytes()).unwrap();
                below(command, subcommand.as_bytes()).unwrap()
            }
        };
        if row.route == Route::Below {
            continue;
        }
        for call in calls(row, &keys) {
            let reported = format!("{}\n{}", shown(&call), routed(&call, &placement));
            let _ = writeln!(text, "{}", keys.named(&reported));
        }
    }
    insta::with_settings!({snapshot_path => "routing", prepend_module_to_snapshot => false, omit_expression => true}, {
        for (group, text) in groups {
            insta::assert_snapshot!(group, text.trim_end());
        }
    });
}

/// Well-formed calls with as few other arguments as possible: keys on several nodes if the command allows that, and
/// otherwise also on one.
fn calls(row: &Row, keys: &Keys) -> Vec<Vec<Vec<u8>>> {
    let apart = [2, 0, 2, 1];
    let spread = match row.route {
        Route::SameNode if has_many_keys(row) => vec![[2; 4], apart],
        _ => vec![apart],
    };
    spread
        .into_iter()
        .map(|nodes| call(row, &mut keys.on(nodes).into_iter().cycle()))
        .collect()
}

fn has_many_keys(row: &Row) -> bool {
    let words = call(row, &mut std::iter::repeat(b"k".to_vec()));
    words.iter().filter(|word| *word == b"k").count() > 1
}

fn call(row: &Row, keys: &mut impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = row.name.split('|').map(|word| word.into()).collect();
    let least = usize::from(row.arity.unsigned_abs());
    let count = match row.route {
        Route::PerNode(_) => 1 + 4 * usize::try_from(row.keys.step).unwrap(),
        _ if row.keys.last < 0 => least.max(row.keys.first.unsigned_abs().into()) + 2,
        _ => least,
    };
    words.resize(count.max(words.len()), b"arg".to_vec());
    if row.specs.is_empty() {
        for position in row.keys.positions(words.len()) {
            words[position] = keys.next().unwrap();
        }
    }
    for spec in row.specs {
        put(spec, &mut words, keys);
    }
    words.extend(row.after_keys.first().map(|word| word.as_bytes().to_vec()));
    words
}

fn put(spec: &KeySpec, words: &mut Vec<Vec<u8>>, keys: &mut impl Iterator<Item = Vec<u8>>) {
    let mut next = || keys.next().unwrap();
    match (spec.begin, spec.find) {
        (Begin::Index(at), Find::Counted { step }) => {
            words.truncate(at);
            words.push(b"2".to_vec());
            for _ in 0..2 {
                words.push(next());
                words.resize(words.len() + step - 1, b"arg".to_vec());
            }
        }
        (Begin::Index(at), _) => words[at] = next(),
        (Begin::SortStore, _) => words.extend([b"STORE".to_vec(), next()]),
        (Begin::Keyword(word, from), Find::Half) => {
            words.truncate(from);
            words.extend([word.into(), next(), next(), b"0".to_vec(), b"0".to_vec()]);
        }
        (Begin::GeoStore(from), _) => {
            words.resize(words.len().max(from), b"arg".to_vec());
            words.extend([b"STORE".to_vec(), next()]);
        }
        (Begin::Keyword(word, from), _) => {
            words.resize(words.len().max(from), b"arg".to_vec());
            words.extend([word.into(), next()]);
        }
    }
}

/// Keys of each node. Snapshots show them as `A1`, `B1`, so that a changed digest renames no key.
struct Keys(Vec<Vec<String>>);

impl Keys {
    /// As many keys of one node as a call has.
    const PER_NODE: usize = 4;

    fn of(placement: &Placement) -> Self {
        let on = |node| {
            // All of one length, so that no key is a part of another.
            let keys = (1000..).map(|number| format!("key-{number}"));
            let keys = keys.filter(|key| placement.node(key.as_bytes()) == NodeId(node));
            keys.take(Self::PER_NODE).collect()
        };
        Self((0..3).map(on).collect())
    }

    /// One key per node of the list. Two keys of one node are two keys.
    fn on(&self, nodes: [usize; 4]) -> Vec<Vec<u8>> {
        let mut taken = [0; 3];
        nodes
            .into_iter()
            .map(|node| {
                let key = &self.0[node][taken[node]];
                taken[node] += 1;
                key.clone().into_bytes()
            })
            .collect()
    }

    /// The text with the name of each key in place of the key.
    fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (letter, keys) in ('A'..).zip(&self.0) {
            for (number, key) in (1..).zip(keys) {
                text = text.replace(key, &format!("{letter}{number}"));
            }
        }
        text
    }
}

/// The router's decision on the call.
fn routed(call: &[Vec<u8>], placement: &Placement) -> String {
    let bytes = request(call);
    let Ok(Scanned::Request(frame)) = RequestScan::default().scan(&bytes, &Limits::default())
    else {
        panic!("{} is no request", shown(call));
    };
    let row = match resolve(frame.name(&bytes), frame.argument(&bytes)) {
        Ok(row) => row,
        Err(refusal) => return refused(&refusal, &bytes),
    };
    let request = Request {
        row,
        bytes: &bytes,
        frame: &frame,
        shared: None,
    };
    described(&route(&request, placement, Rules::default()), &request)
}

fn described(action: &Action<'_>, request: &Request<'_>) -> String {
    match action {
        Action::Forward(node) | Action::Transaction(_, Some(node)) => {
            format!("  {}: the same", letter(*node))
        }
        Action::AnyNode => "  A or any other: the same".to_owned(),
        Action::Broadcast(join) => match asked_instead(*join, request.bytes) {
            None => format!("  A, B, C: the same\n  joined: {join:?}"),
            Some(instead) => {
                let asked = shown(&words(&instead));
                format!("  A: {asked}\n  B: {asked}\n  C: {asked}\n  joined: {join:?}")
            }
        },
        Action::Page => "  A, B, C: one after the other, as the cursor says".to_owned(),
        Action::Local(_) | Action::Workers | Action::Transaction(_, None) => {
            "  answered by the proxy".to_owned()
        }
        Action::Refuse(refusal) => refused(refusal, request.bytes),
        Action::Split(split, join) => {
            let requests = split.requests(request.row, request.bytes);
            let asked = |((node, _), request): (&(NodeId, usize), Vec<u8>)| {
                format!("  {}: {}\n", letter(*node), shown(&words(&request)))
            };
            let asked: String = split.parts.iter().zip(requests).map(asked).collect();
            format!("{asked}  joined: {join:?}")
        }
    }
}

/// Nodes have no addresses here: they are named by their place.
fn refused(refusal: &Refusal<'_>, bytes: &[u8]) -> String {
    let text = refusal.text(bytes, |node| format!("node {}", node.0));
    format!("  refused: {}", String::from_utf8_lossy(&text))
}

fn words(request: &[u8]) -> Vec<Vec<u8>> {
    Args::of(request).map(<[u8]>::to_vec).collect()
}

fn shown(words: &[Vec<u8>]) -> String {
    let words: Vec<String> = words
        .iter()
        .map(|word| word.escape_ascii().to_string())
        .collect();
    words.join(" ")
}

fn letter(node: NodeId) -> char {
    char::from(b'A' + u8::try_from(node.0).unwrap())
}
