//! Routing snapshots: what refproxy asks which node for a well-formed call of every command, one text a command group.
//!
//! Snapshots are memory: they show what a change of the table changes. What is right is the law of the cases.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::collections::BTreeMap;
use std::fmt::Write;

use refproxy::command::{self, COMMANDS, REDIS_VERSION, Route, Row};
use refproxy::hash::TagRule;
use refproxy::placement::{Cluster, Node, NodeId, Placement, Policy};
use refproxy::plan::{Plan, plan};

/// What Redis says about its commands.
const REDIS: &str = include_str!("../fixtures/commands/redis-7.0.15.tsv");

/// One line of it: name, arity, first key, last key, step, group.
fn redis() -> Vec<Vec<&'static str>> {
    let lines = REDIS.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect()).collect()
}

#[test]
fn the_table_is_what_redis_says() {
    assert!(REDIS.starts_with(&format!("# Redis {REDIS_VERSION},")));
    let told: Vec<String> = redis().iter().map(|row| row[..5].join("\t")).collect();
    let ours = |row: &Row| {
        let name = row.name.to_lowercase();
        let (keys, arity) = (row.keys, row.arity);
        format!(
            "{name}\t{arity}\t{}\t{}\t{}",
            keys.first, keys.last, keys.step
        )
    };
    assert_eq!(COMMANDS.len(), told.len());
    for (row, told) in COMMANDS.iter().zip(told) {
        assert_eq!(ours(row), told);
    }
}

#[test]
fn snapshots() {
    let nodes = (1..=3).map(|port| Node::at(format!("127.0.0.1:2100{port}")));
    let mut cluster = Cluster::new(Policy::maglev(), nodes.collect());
    cluster.tags = TagRule::BRACES;
    let placement = Placement::new(&cluster).unwrap();
    let mut groups: BTreeMap<&str, String> = BTreeMap::new();
    for row in redis() {
        let text = groups.entry(row[5]).or_default();
        let row = command::find(row[0].as_bytes()).unwrap();
        let call = call(row, &placement);
        let words: Vec<&[u8]> = call.iter().map(Vec::as_slice).collect();
        let _ = writeln!(
            text,
            "{}\n{}",
            shown(&call),
            described(&plan(&placement, &words))
        );
    }
    insta::with_settings!({snapshot_path => "routing", prepend_module_to_snapshot => false, omit_expression => true}, {
        for (group, text) in groups {
            insta::assert_snapshot!(group, text.trim_end());
        }
    });
}

/// A well-formed call: keys on several nodes where there may be several, as few other arguments as possible.
fn call(row: &Row, placement: &Placement) -> Vec<Vec<u8>> {
    let least = usize::from(row.arity.unsigned_abs());
    let count = match row.route {
        Route::PerNode(_) => 1 + 4 * usize::try_from(row.keys.step).unwrap(),
        _ => least,
    };
    let mut keys = [2, 0, 2, 1]
        .map(|node| key_on(placement, NodeId(node), &[]))
        .to_vec();
    // Two keys of one node are two keys.
    keys[2] = key_on(placement, NodeId(2), &keys[0]);
    let mut keys = keys.into_iter().cycle();
    let positions: Vec<usize> = row.keys.positions(count).collect();
    (0..count)
        .map(|position| match position {
            0 => row.name.as_bytes().to_vec(),
            _ if positions.contains(&position) => keys.next().unwrap(),
            _ => b"arg".to_vec(),
        })
        .collect()
}

/// The first of `k0`, `k1`, ... that lives on `node` and is not `other`.
fn key_on(placement: &Placement, node: NodeId, other: &[u8]) -> Vec<u8> {
    (0..)
        .map(|number| format!("k{number}").into_bytes())
        .find(|key| placement.node(key) == node && key != other)
        .unwrap()
}

fn described(plan: &Plan) -> String {
    match plan {
        Plan::Forward(node) => format!("  {}: the same", letter(*node)),
        Plan::Everywhere(join) => format!("  A, B, C: the same\n  joined: {join:?}"),
        Plan::Here => "  answered by the proxy".to_owned(),
        Plan::Refused(text) => format!("  refused: {text}"),
        Plan::Split { parts, join } => {
            let asked = |(node, words): &(NodeId, Vec<Vec<u8>>)| {
                format!("  {}: {}\n", letter(*node), shown(words))
            };
            let asked: String = parts.iter().map(asked).collect();
            format!("{asked}  joined: {join:?}")
        }
    }
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
