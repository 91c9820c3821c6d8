//! `plan`: the figures, and the check of its result.

use serde_json::Value;

use super::{nodes, shardproof, stdout};
use crate::program;

/// The figures were measured through a real Envoy (`shardproof rescale --target envoy --from 3 --to 4`).
#[test]
fn a_fourth_node_moves_the_same_keys_as_behind_envoy() {
    let (from, to) = (nodes("maglev", 3), nodes("maglev", 4));
    let keys = ["--generate", "key:{n}", "--count", "10000"];
    let plan = ["plan", "--from", &from, "--to", &to];
    let report = stdout(shardproof(&[&plan[..], &keys, &["--json", "-"]].concat()));
    assert!(
        report.starts_with("{\n  \"format\": \"shardproof.plan/1\""),
        "{report}"
    );
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["moved"], 2535);
    let after: Vec<&Value> = report["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| &node["after"])
        .collect();
    assert_eq!(after, [2546, 2477, 2445, 2532]);
    assert_eq!(report["curves"][0]["points"].as_array().unwrap().len(), 63);

    let text = stdout(shardproof(&[&plan[..], &keys].concat()));
    for line in [
        "moved            2535   25.4 %",
        "ring_hash   35.6 %",
        "maglev      25.4 %",
    ] {
        assert!(text.contains(line), "no {line:?} in:\n{text}");
    }

    // The same change with other flags.
    let one_by_one = [
        "plan",
        "--policy",
        "maglev",
        "--node",
        "127.0.0.1:21001",
        "--node",
        "127.0.0.1:21002",
        "--node",
        "127.0.0.1:21003",
        "--add-node",
        "127.0.0.1:21004",
    ];
    let text = stdout(shardproof(&[&one_by_one[..], &keys].concat()));
    assert!(text.contains("moved            2535   25.4 %"), "{text}");
}

/// The order of the words does not matter: the same nodes are asked, and no server listens at this port.
#[test]
fn a_plan_is_checked_by_check() {
    for words in [
        &["check", "--to", "maglev:127.0.0.1:1"][..],
        &["plan", "--check", "--to", "maglev:127.0.0.1:1"],
        &["plan", "--to", "maglev:127.0.0.1:1", "--check"],
    ] {
        program::check(
            &shardproof(words),
            2,
            &["127.0.0.1:1", "Connection refused"],
        );
    }
    program::check(
        &shardproof(&["plan", "--check"]),
        64,
        &["--to <DESCRIPTION>"],
    );
}
