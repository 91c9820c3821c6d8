//! `plan`: the figures, and the check of its result.

use serde_json::Value;

use super::{check, file, nodes, shardproof, stdout};
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

/// No predixy has run: the groups are `binascii.crc_hqx(key, 0)` of Python, modulo 2 and 3.
#[test]
fn a_third_group_of_predixy_moves_the_keys_of_its_remainder() {
    let (folder, file) = file("predixy.conf", "Name p\nInclude conf/pool.conf\n");
    std::fs::create_dir(folder.path().join("conf")).unwrap();
    let pool = "StandaloneServerPool {\n  Hash crc16\n  Distribution modula\n  RefreshMethod fixed\n  Group a {\n    \
                + secret@10.0.0.1:1\n  }\n  Group b {\n    + 10.0.0.2:1\n  }\n}\n";
    std::fs::write(folder.path().join("conf/pool.conf"), pool).unwrap();
    let plan = ["plan", "--from", &file, "--add-node", "10.0.0.3:1"];
    let plan = [&plan[..], &["--generate", "key:{n}", "--count", "1000"]].concat();
    let report = stdout(shardproof(&[&plan[..], &["--json", "-"]].concat()));
    let report: Value = serde_json::from_str(&report).unwrap();
    let nodes = report["nodes"].as_array().unwrap().iter();
    let counts: Vec<(u64, u64)> = nodes
        .map(|node| {
            let count = |name: &str| node[name].as_u64().unwrap_or(0);
            (count("before"), count("after"))
        })
        .collect();
    assert_eq!(counts, [(500, 343), (500, 326), (0, 331)]);
    assert_eq!(report["moved"], 680);
    let missing = ["locate", "--cluster", &file, "key"];
    std::fs::remove_file(folder.path().join("conf/pool.conf")).unwrap();
    check(
        &missing,
        2,
        &["predixy.conf:2: cannot read", "conf/pool.conf"],
    );
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
