//! A key on several wrong nodes: it is unknown which value is newer, so none is dropped by chance.

use testbed::wire::Value;

use crate::fleet::commands::{json, run, text};
use crate::fleet::nodes::{Nodes, bulk};

const APPLY: [&str; 4] = ["--apply", "--unverified", "--json", "-"];

/// Three nodes and one that left. Key 0 belongs on the first and is on two others, with two values.
async fn two_values() -> (Nodes, String) {
    let nodes = Nodes::start(3, 1).await;
    let key = nodes.key(0, 0);
    nodes.ask(1, &format!("SET {key} one")).await;
    nodes.ask(3, &format!("SET {key} three")).await;
    (nodes, key)
}

pub(crate) async fn two_values_on_wrong_nodes_are_named_and_stay() {
    let (nodes, key) = two_values().await;
    let times = nodes.key(0, 1);
    nodes.ask(1, &format!("SET {times} v EX 1000")).await;
    nodes.ask(2, &format!("SET {times} v")).await;
    let dry = text(&run(&nodes, "migrate", &[]), 1);
    assert!(dry.contains("With --apply 0 keys move"), "{dry}");
    let (second, left) = (&nodes.fleet.members()[1].seen, nodes.addr(3));
    assert!(
        dry.contains(&format!("conflict: {key} is on {second} and {left}")),
        "{dry}"
    );
    let folder = tempfile::TempDir::new().unwrap();
    let keys_out = folder.path().join("keys");
    let check = ["--json", "-", "--keys-out", keys_out.to_str().unwrap()];
    let check = json(&run(&nodes, "check", &check), 1);
    let counts = [
        &check["unreachable"],
        &check["conflicts"],
        &check["movable"],
    ];
    assert_eq!(counts, [2, 2, 0], "{check}");
    assert_eq!(check["conflict_keys"].as_array().unwrap().len(), 2);
    let lines = std::fs::read_to_string(keys_out).unwrap();
    let conflicts = lines.lines().filter(|line| line.contains("\tconflict\t"));
    assert_eq!(conflicts.count(), 4, "{lines}");

    let done = json(&run(&nodes, "migrate", &APPLY), 1);
    assert_eq!(done["carried"]["conflicts"], 4, "{done}");
    assert_eq!(
        (&done["carried"]["moved"], &done["carried"]["superseded"]),
        (&0.into(), &0.into())
    );
    assert_eq!(nodes.ask(1, &format!("GET {key}")).await, bulk("one"));
    assert_eq!(nodes.ask(3, &format!("GET {key}")).await, bulk("three"));
    assert_eq!(nodes.ask(0, "DBSIZE").await, Value::Integer(0));
}

pub(crate) async fn the_copy_of_the_chosen_node_is_kept() {
    let (nodes, key) = two_values().await;
    // The chosen node does not have this one.
    let other = nodes.key(0, 2);
    nodes.ask(1, &format!("SET {other} one")).await;
    nodes.ask(2, &format!("SET {other} two")).await;
    let left = nodes.addr(3);
    for wrong in [&["keep-node", "nowhere:1"][..], &["keep-node"], &["drop"]] {
        let words = [&["--apply", "--unverified", "--conflict"], wrong].concat();
        text(&run(&nodes, "migrate", &words), 64);
    }
    let keep = [&["--conflict", "keep-node", &left][..], &APPLY].concat();
    let done = json(&run(&nodes, "migrate", &keep), 1);
    let carried = &done["carried"];
    let counts = [
        &carried["moved"],
        &carried["superseded"],
        &carried["conflicts"],
    ];
    assert_eq!(counts, [1, 1, 2], "{done}");
    assert_eq!(nodes.ask(0, &format!("GET {key}")).await, bulk("three"));
    assert_eq!(nodes.ask(1, &format!("GET {other}")).await, bulk("one"));
    assert_eq!(nodes.ask(2, &format!("GET {other}")).await, bulk("two"));
    assert_eq!(nodes.ask(3, "DBSIZE").await, Value::Integer(0));
}

pub(crate) async fn equal_copies_are_no_conflict() {
    let nodes = Nodes::start(3, 0).await;
    for number in 0..50 {
        let key = nodes.key(0, number);
        for place in [1, 2] {
            nodes.ask(place, &format!("SET {key} v EX 1000")).await;
        }
    }
    let done = json(&run(&nodes, "migrate", &APPLY), 0);
    assert_eq!(done["carried"]["conflicts"], 0, "{done}");
    assert_eq!(nodes.ask(0, "DBSIZE").await, Value::Integer(50));
}
