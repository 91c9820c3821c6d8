//! `matrix` on a proxy that already runs: compared and skipped commands, and errors that name their cause.

use serde_json::Value;
use testbed::client::{Client, NODE_DEADLINE};
use testbed::endpoint::Endpoint;
use testbed::node::{Node, Process};
use tokio::runtime::Runtime;

use crate::connect::{PASSWORD, protected};
use crate::program::{check, redis, shardproof};

/// The commands of the tests: one of each kind.
const FILTERS: [&str; 12] = [
    "--filter",
    "GET",
    "--filter",
    "MGET",
    "--filter",
    "CONFIG|GET",
    "--filter",
    "FLUSHALL",
    "--filter",
    "KEYS",
    "--json",
    "-",
];

fn ask(addr: Endpoint, words: &[&str]) -> String {
    let reply = Runtime::new().unwrap().block_on(async {
        let mut client = Client::connect(addr, NODE_DEADLINE).await.unwrap();
        client.call(words, NODE_DEADLINE).await.unwrap()
    });
    reply.to_string()
}

/// A server with a key of others.
fn foreign() -> (Process, String) {
    let (server, addr) = redis();
    ask(server.addr().into(), &["SET", "foreign", "stays"]);
    (server, addr)
}

/// The report of a matrix with these flags, which must end with 0.
#[track_caller]
fn judged(flags: &[&str]) -> Value {
    let output = shardproof(&[&["matrix"], flags, &FILTERS].concat());
    check(&output, 0, &["left behind: 0 keys"]);
    serde_json::from_slice(&output.stdout).unwrap()
}

fn classes(report: &Value) -> Vec<String> {
    let rows = report["rows"].as_array().unwrap().iter();
    rows.map(|row| {
        format!(
            "{} {}",
            row["command"].as_str().unwrap(),
            row["class"].as_str().unwrap()
        )
    })
    .collect()
}

#[track_caller]
fn check_skipped(report: &Value, expected: &[(&str, &str)]) {
    let skipped = report["skipped"].as_array().unwrap();
    assert_eq!(skipped.len(), expected.len(), "{skipped:?}");
    for (row, (command, reason)) in skipped.iter().zip(expected) {
        assert_eq!(row["command"], *command);
        let said = row["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{command}: {said}");
    }
}

const DISTURBS: (&str, &str) = ("CONFIG|GET", "needs --allow-disturbing");
const DESTROYS: (&str, &str) = ("FLUSHALL", "needs --allow-destructive");
const OF_OTHERS: (&str, &str) = ("KEYS", "its reply depends on other keys");

#[test]
fn commands_that_risk_nothing_are_compared() {
    let (server, addr) = foreign();
    let report = judged(&["--proxy", &addr, "--node", &addr]);
    assert_eq!(classes(&report), ["GET correct", "MGET correct"]);
    check_skipped(&report, &[DISTURBS, DESTROYS, OF_OTHERS]);
    assert_eq!(ask(server.addr().into(), &["KEYS", "*"]), "*1 \"foreign\"");
}

#[test]
fn without_nodes_commands_with_several_keys_are_skipped() {
    let (_server, addr) = foreign();
    let report = judged(&["--proxy", &addr]);
    assert_eq!(classes(&report), ["GET correct"]);
    let several = ("MGET", "the nodes are unknown");
    check_skipped(&report, &[DISTURBS, DESTROYS, OF_OTHERS, several]);
    // A proxy with tags puts keys together wherever its nodes are.
    let tagged = judged(&["--proxy", &addr, "--as", "refproxy"]);
    assert_eq!(classes(&tagged), ["GET correct", "MGET correct"]);
}

#[test]
fn permissions_are_given_one_by_one() {
    let (server, addr) = foreign();
    let nodes = ["--proxy", &addr, "--node", &addr];
    let disturbing = judged(&[&nodes[..], &["--allow-disturbing"]].concat());
    assert!(classes(&disturbing).contains(&"CONFIG|GET correct".to_owned()));
    check_skipped(&disturbing, &[DESTROYS, OF_OTHERS]);
    assert_eq!(ask(server.addr().into(), &["DBSIZE"]), ":1");
    let both = ["--allow-disturbing", "--allow-destructive"];
    let destructive = judged(&[&nodes[..], &both].concat());
    assert!(classes(&destructive).contains(&"FLUSHALL correct".to_owned()));
    check_skipped(&destructive, &[OF_OTHERS]);
    assert_eq!(ask(server.addr().into(), &["DBSIZE"]), ":0");
}

#[test]
fn skipped_commands_are_in_every_report() {
    let (_server, addr) = redis();
    let folder = tempfile::TempDir::new().unwrap();
    let [junit, html] = ["r.xml", "r.html"].map(|name| folder.path().join(name));
    let output = shardproof(&[
        "matrix",
        "--proxy",
        &addr,
        "--filter",
        "GET",
        "--filter",
        "FLUSHALL",
        "--junit",
        junit.to_str().unwrap(),
        "--html",
        html.to_str().unwrap(),
    ]);
    check(&output, 0, &["left behind: 0 keys"]);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let [junit, html] = [junit, html].map(|file| std::fs::read_to_string(file).unwrap());
    for text in [stdout, junit, html] {
        assert!(
            text.contains("needs --allow-destructive") && text.contains("FLUSHALL"),
            "{text}"
        );
    }
    let nothing = shardproof(&["matrix", "--proxy", &addr, "--filter", "FLUSHALL"]);
    check(
        &nothing,
        2,
        &["nothing judged", "needs --allow-destructive", "FLUSHALL"],
    );
}

#[test]
fn errors_name_the_cause() {
    let ((_one, proxy), (_other, node)) = (redis(), redis());
    let other = shardproof(&["matrix", "--proxy", &proxy, "--node", &node]);
    check(&other, 2, &["on 0 of the nodes", "shardproof fingerprint"]);
    let (_server, addr) = protected();
    let addr = addr.to_string();
    check(
        &shardproof(&["matrix", "--proxy", &addr]),
        2,
        &[&addr, "NOAUTH"],
    );
    let url = format!("redis://:{PASSWORD}@{addr}");
    let report = judged(&["--proxy", &url, "--node", &url]);
    assert_eq!(classes(&report), ["GET correct", "MGET correct"]);
}

#[test]
fn flags_of_a_running_proxy_need_one() {
    for line in [
        &["--target", "refproxy", "--proxy", "127.0.0.1:1"][..],
        &["--target", "refproxy", "--node", "127.0.0.1:1"],
        &["--target", "refproxy", "--allow-destructive"],
        &["--target", "refproxy", "--insecure"],
        &["--proxy", "127.0.0.1:1", "--link-port-base", "22000"],
        &[],
    ] {
        let output = shardproof(&[&["matrix"], line].concat());
        assert_eq!(output.status.code(), Some(64), "{line:?}");
    }
}

/// A plain Redis as a proxy lets clients be replicas.
#[test]
fn known_failures_of_a_target_are_those_of_a_proxy_like_it() {
    let (_server, addr) = redis();
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("known.toml");
    let matrix = |flags: &[&str]| {
        let psync = [
            "matrix",
            "--proxy",
            &addr,
            "--filter",
            "PSYNC",
            "--allow-disturbing",
        ];
        shardproof(&[&psync[..], flags].concat()).status.code()
    };
    assert_eq!(matrix(&[]), Some(1));
    let path = file.to_str().unwrap();
    let like = ["--as", "refproxy"];
    assert_eq!(
        matrix(&[&like[..], &["--write-baseline", path]].concat()),
        Some(0)
    );
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("target = \"refproxy\"") && text.contains("PSYNC"),
        "{text}"
    );
    assert_eq!(
        matrix(&[&like[..], &["--baseline", path]].concat()),
        Some(0)
    );
    assert_eq!(matrix(&["--baseline", path]), Some(2));
}
