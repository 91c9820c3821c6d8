//! Placement snapshots: how a fixed key set spreads, and what moves when a node is added.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::fmt::Write;

use placement::{Cluster, Node, NodeId, Placement, Policy};

/// Sequential names, as workers make them.
const KEYS: usize = 10_000;
/// The first of them, shown one by one.
const SHOWN: usize = 20;

#[test]
fn snapshots() {
    insta::with_settings!({snapshot_path => "placement", prepend_module_to_snapshot => false, omit_expression => true}, {
        for policy in Policy::placing() {
            insta::assert_snapshot!(policy.name(), described(&policy).trim_end());
        }
    });
}

fn described(policy: &Policy) -> String {
    let mut text = format!(
        "{KEYS} keys key:0 to key:{}, nodes 127.0.0.1:21001 and on\n\n",
        KEYS - 1
    );
    for count in [3, 4, 8] {
        let _ = writeln!(
            text,
            "{count} nodes: {:?} keys each",
            spread(&placement(policy, count))
        );
    }
    let (three, four) = (placement(policy, 3), placement(policy, 4));
    let _ = writeln!(text, "\n3 -> 4 nodes, from (row) and to (column)");
    for row in movement(&three, &four) {
        let cells: Vec<String> = row.iter().map(|count| format!("{count:>6}")).collect();
        let _ = writeln!(text, "{}", cells.join(""));
    }
    let _ = writeln!(text, "\nkey, digest, node of 3, node of 4");
    for key in (0..SHOWN).map(key) {
        let name = key.escape_ascii();
        let digest = three.digest(&key);
        let _ = writeln!(
            text,
            "{name} {digest:016x} {} {}",
            three.node(&key).0,
            four.node(&key).0
        );
    }
    text
}

fn placement(policy: &Policy, count: usize) -> Placement {
    let nodes = (1..=count).map(|node| Node::at(format!("127.0.0.1:{}", 21000 + node)));
    Placement::new(&Cluster::new(policy.clone(), nodes.collect())).unwrap()
}

fn key(number: usize) -> Vec<u8> {
    format!("key:{number}").into_bytes()
}

fn spread(placement: &Placement) -> Vec<usize> {
    let mut counts = vec![0; placement.nodes()];
    for key in (0..KEYS).map(key) {
        counts[placement.node(&key).index()] += 1;
    }
    counts
}

fn movement(before: &Placement, after: &Placement) -> Vec<Vec<usize>> {
    let mut matrix = vec![vec![0; after.nodes()]; before.nodes()];
    for key in (0..KEYS).map(key) {
        let (NodeId(from), NodeId(to)) = (before.node(&key), after.node(&key));
        matrix[usize::from(from)][usize::from(to)] += 1;
    }
    matrix
}
