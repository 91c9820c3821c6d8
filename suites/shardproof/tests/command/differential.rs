//! `differential` and `matrix`: commands that cannot be drawn or judged, and the report for machines.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use testbed::client::{Client, NODE_DEADLINE};
use testbed::node::Node;
use testbed::wire::Value;
use tokio::runtime::Runtime;

use crate::connect::protected;
use crate::program::{check, redis, shardproof};

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
        &["cannot be used with", "--node"],
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

/// Names of commands in a list of the report.
fn left_out(target: &serde_json::Value) -> String {
    let all = target["left_out"].as_array().unwrap().iter();
    let line = |one: &serde_json::Value| {
        let [command, reason] = ["command", "reason"].map(|name| one[name].as_str().unwrap());
        format!("{command}: {reason}\n")
    };
    all.map(line).collect()
}

#[test]
fn a_running_proxy_is_compared_on_keys_of_its_own() {
    let (_server, addr) = redis();
    for nodes in [&["--node", &addr][..], &[]] {
        let words = [
            "differential",
            "--proxy",
            &addr,
            "--count",
            "900",
            "--json",
            "-",
        ];
        let output = shardproof(&[&words[..], nodes].concat());
        check(&output, 0, &["left behind: 0 keys"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let target = &report["targets"][0];
        assert_eq!(target["requests"], 900);
        let left_out = left_out(target);
        for part in [
            "MULTI: it can change connections",
            "FLUSHALL: it destroys data",
        ] {
            assert!(left_out.contains(part), "{left_out}");
        }
        // It has no such flags.
        assert!(!left_out.contains("needs"), "{left_out}");
        let knows_nodes = !nodes.is_empty();
        assert_eq!(!left_out.contains("MGET"), knows_nodes, "{left_out}");
    }
}

/// The keys in the reply to SCAN.
fn keys(reply: Value) -> Vec<Vec<u8>> {
    let Value::Array(parts) = reply else {
        panic!("the reply to SCAN is {reply}");
    };
    let keys = parts.into_iter().flat_map(|part| match part {
        Value::Array(keys) => keys,
        _ => Vec::new(),
    });
    keys.filter_map(|key| match key {
        Value::Bulk(key) => Some(key),
        _ => None,
    })
    .collect()
}

/// Keys vanish from the node while random requests are compared.
#[test]
fn a_difference_of_a_running_proxy_is_found() {
    let (server, addr) = redis();
    let mut child = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args([
            "differential",
            "--proxy",
            &addr,
            "--node",
            &addr,
            "--seed",
            "3",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let begun = |line: &std::io::Result<String>| line.as_ref().unwrap().contains("0 of 20000");
    assert!(lines.any(|line| begun(&line)), "no random requests");
    Runtime::new().unwrap().block_on(async {
        let mut node = Client::connect(server.addr(), NODE_DEADLINE).await.unwrap();
        while child.try_wait().unwrap().is_none() {
            // Not strings: those are the keys by which the suite checks that requests do not change the state of the proxy.
            for kind in ["hash", "list", "set", "zset"] {
                let scan = ["SCAN", "0", "COUNT", "10000", "TYPE", kind];
                let found = node.call(&scan, NODE_DEADLINE).await.unwrap();
                for key in keys(found) {
                    let del = [b"DEL".to_vec(), key];
                    node.call(&del, NODE_DEADLINE).await.unwrap();
                }
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    let errors: Vec<String> = lines.map(Result::unwrap).collect();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{stdout}\n{errors:?}");
    assert!(stdout.contains("differs from one plain Redis"), "{stdout}");
    let repeat = format!("repeat: shardproof differential --proxy {addr} --seed 3 --node {addr}");
    assert!(stdout.contains(&repeat), "{stdout}");
}

#[test]
fn errors_of_a_running_proxy_name_the_cause() {
    let ((_one, proxy), (_other, node)) = (redis(), redis());
    let other = shardproof(&["differential", "--proxy", &proxy, "--node", &node]);
    check(&other, 2, &["on 0 of the nodes", "shardproof fingerprint"]);
    let (_server, addr) = protected();
    let addr = addr.to_string();
    let closed = shardproof(&["differential", "--proxy", &addr]);
    check(&closed, 2, &[&addr, "NOAUTH"]);
    for line in [
        &["--target", "refproxy", "--node", "127.0.0.1:1"][..],
        &["--proxy", "127.0.0.1:1", "--allow-disturbing"],
        &[],
    ] {
        let output = shardproof(&[&["differential"], line].concat());
        assert_eq!(output.status.code(), Some(64), "{line:?}");
    }
}
