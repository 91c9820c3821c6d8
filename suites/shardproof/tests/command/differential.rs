//! `differential` and `matrix`: commands that cannot be drawn or judged, and the report for machines.

use crate::program::{check, shardproof};

#[test]
fn mistakes_about_random_requests_are_one_line() {
    let differential = |more: &[&str]| {
        let words = [&["differential", "--target", "refproxy"], more].concat();
        shardproof(&words)
    };
    let none = ["matches none of", "commands"];
    check(
        &differential(&["--filter", "NOSUCH"]),
        64,
        &[&["--filter NOSUCH"], &none[..]].concat(),
    );
    check(
        &differential(&["--skip", "NOSUCH"]),
        64,
        &[&["--skip NOSUCH"], &none[..]].concat(),
    );
    check(
        &differential(&["--count", "0"]),
        64,
        &["--count", "at least 1"],
    );
    check(
        &differential(&["--count", "1", "--long"]),
        64,
        &["--long", "cannot be used with"],
    );
    check(
        &differential(&["--node", "127.0.0.1:1"]),
        64,
        &["unexpected argument", "--node"],
    );
    check(
        &shardproof(&["differential", "--target", "nosuch"]),
        64,
        &["--target nosuch", "expected one of"],
    );
    // No command with keys is left to draw from.
    check(
        &differential(&["--filter", "PING"]),
        2,
        &["none of the commands with keys"],
    );
}

#[test]
fn random_requests_are_reported_for_machines() {
    let words = [
        "differential",
        "--target",
        "refproxy",
        "--filter",
        "*SET",
        "--filter",
        "GET",
        "--count",
        "600",
        "--seed",
        "5",
        "--json",
        "-",
    ];
    let output = shardproof(&words);
    check(&output, 0, &["seed 5"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["format"], "shardproof.differential/1");
    assert_eq!(report["seed"], "5");
    let target = &report["targets"][0];
    assert_eq!(
        (&target["target"], &target["requests"]),
        (&"refproxy".into(), &600.into())
    );
    assert!(
        target["difference"].is_null() && target["answered"].as_u64() > Some(300),
        "{target}"
    );
}

#[test]
fn a_matrix_of_nothing_is_no_success() {
    let output = shardproof(&["matrix", "--target", "refproxy", "--filter", "MSETEX"]);
    check(&output, 2, &["nothing judged", "does not know MSETEX"]);
}
