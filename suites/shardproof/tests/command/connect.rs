//! Connections to servers with a password: each subcommand logs in, failures name the cause, and no password is shown.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use testbed::child::Running;
use testbed::client::{self, Client, NODE_DEADLINE};
use testbed::node::{Node, Process};
use testbed::port::Port;
use testbed::program::Program;
use testbed::wait;
use tokio::runtime::Runtime;

use crate::program::{check, redis};
use crate::support;

pub(crate) const PASSWORD: &str = "hunter2";

/// A server with a password.
pub(crate) fn protected() -> (Process, SocketAddr) {
    let (server, _) = redis();
    let addr = server.addr();
    Runtime::new().unwrap().block_on(async {
        let mut client = Client::connect(addr, NODE_DEADLINE).await.unwrap();
        let set = ["CONFIG", "SET", "requirepass", PASSWORD];
        client.call(&set, NODE_DEADLINE).await.unwrap();
    });
    (server, addr)
}

/// The program with all that it logs. No password is in any output.
fn traced(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(arguments)
        .env("RUST_LOG", "trace")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    for shown in [&output.stdout, &output.stderr] {
        let shown = String::from_utf8_lossy(shown);
        assert!(!shown.contains(PASSWORD), "{arguments:?}:\n{shown}");
    }
    output
}

const PLAN: [&str; 5] = ["plan", "--from", "maglev:a:1,b:1", "--to", "maglev:a:1"];

fn scan(address: &str, variables: &[(&str, &str)]) -> Output {
    traced(&[&PLAN[..], &["--scan", address]].concat(), variables)
}

#[test]
fn a_failed_login_names_the_cause() {
    let (_server, addr) = protected();
    let at = addr.to_string();
    let url = |login: &str| format!("redis://{login}@{addr}");
    check(&scan(&at, &[]), 2, &[&at, "NOAUTH", "a password is needed"]);
    check(
        &scan(&url(":wrong"), &[]),
        2,
        &[&at, "AUTH", "the password is wrong"],
    );
    check(
        &scan(&url("ann"), &[]),
        64,
        &["--scan", "user", "no password"],
    );
    let missing = format!("{}/99", url(&format!(":{PASSWORD}")));
    check(
        &scan(&missing, &[]),
        2,
        &[&at, "SELECT", "does not have this database"],
    );
    let node = [("SHARDPROOF_NODE_PASSWORD", PASSWORD)];
    assert_eq!(scan(&at, &node).status.code(), Some(0));
    let proxy = [("SHARDPROOF_PROXY_PASSWORD", PASSWORD)];
    check(&scan(&at, &proxy), 2, &["NOAUTH"]);
}

#[test]
fn a_file_of_passwords_is_read_or_its_line_is_named() {
    let (_server, addr) = protected();
    let at = addr.to_string();
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("auth.toml");
    let path = file.to_str().unwrap();
    let with = || {
        traced(
            &[&PLAN[..], &["--scan", &at, "--auth-file", path]].concat(),
            &[],
        )
    };
    check(&with(), 2, &["--auth-file", "auth.toml"]);
    std::fs::write(&file, format!("[\"{at}\"]\npassword = \"{PASSWORD}\"\n")).unwrap();
    assert_eq!(with().status.code(), Some(0));
    std::fs::write(&file, format!("[node]\npass = \"{PASSWORD}\"\n")).unwrap();
    check(
        &with(),
        64,
        &["--auth-file", "auth.toml", "line 2", "expected"],
    );
}

#[test]
fn a_running_proxy_is_judged_with_a_password() {
    let (_server, addr) = protected();
    let url = format!("redis://:{PASSWORD}@{addr}");
    let folder = tempfile::TempDir::new().unwrap();
    let [json, junit, html] = ["r.json", "r.xml", "r.html"].map(|name| {
        let file = folder.path().join(name);
        file.to_str().unwrap().to_owned()
    });
    let run = [
        "run",
        "--proxy",
        &url,
        "--node",
        &url,
        "--filter",
        "pipelining/*",
        "--json",
        &json,
        "--junit",
        &junit,
        "--html",
        &html,
        "--verbose",
    ];
    let output = traced(&run, &[]);
    let code = output.status.code();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(code, Some(0 | 1)), "{code:?} {stderr}");
    assert!(stderr.contains("left behind: 0 keys"), "{stderr}");
    for file in [&json, &junit, &html] {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(!text.contains(PASSWORD), "{file}");
        assert!(text.contains(&addr.to_string()), "{file}");
    }
    let judged: serde_json::Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let kept = &judged["targets"][0]["summary"]["kept"];
    assert!(kept.as_u64() >= Some(1), "{kept}");
}

#[test]
fn nodes_of_another_cluster_are_named_as_such() {
    let ((_one, proxy), (_other, node)) = (redis(), redis());
    let run = traced(&["run", "--proxy", &proxy, "--node", &node], &[]);
    check(&run, 2, &["on 0 of the nodes", "shardproof fingerprint"]);
}

#[test]
fn tls_on_one_side_only_is_named() {
    let (_server, addr) = redis();
    let tls = format!("rediss://{addr}");
    let run = traced(&["run", "--proxy", &tls, "--insecure"], &[]);
    check(&run, 2, &[&tls, "TLS"]);
    let missing = traced(&["run", "--proxy", &tls, "--cacert", "none.pem"], &[]);
    check(&missing, 64, &["--cacert none.pem"]);
}

#[test]
fn a_server_that_starts_is_waited_for() {
    let free = Port::free().unwrap();
    let port = free.number().to_string();
    let at = format!("127.0.0.1:{port}");
    let waiting = |within: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shardproof"));
        command.args(PLAN).args(["--scan", &at, "--wait", within]);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let none = waiting("0s").output().unwrap();
    check(&none, 2, &["--scan", &at, "an answer to PING"]);
    let waits = waiting("60s").spawn().unwrap();
    let mut server = Command::new(support::search().find(&Program::redis_server()).unwrap());
    server.args(["--port", &port, "--bind", "127.0.0.1", "--save", ""]);
    let _server = Running::start(server).unwrap();
    let output = waits.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    check(
        &waiting("soon").output().unwrap(),
        64,
        &["--wait", "such as 30s"],
    );
}

/// A server over the files of a folder.
fn server_of(folder: &Path, port: &Port, words: &[&str]) -> Running {
    let mut server = Command::new(support::search().find(&Program::redis_server()).unwrap());
    server.args(["--port", &port.number().to_string()]);
    server.args(["--bind", "127.0.0.1", "--save", ""]);
    server.arg("--dir").arg(folder).args(words);
    server.stdout(Stdio::null());
    Running::start(server).unwrap()
}

/// Waits until the answer to PING contains a text; that of a server that serves is empty.
async fn answered(port: &Port, expected: &str) {
    let answers = async || {
        let pinged = client::ping(port.addr()).await;
        let said = pinged.map_or_else(|why| why.to_string(), |()| String::new());
        let found = said.contains(expected) && said.is_empty() == expected.is_empty();
        wait::found(found, || said)
    };
    let within = Duration::from_secs(60);
    wait::eventually("an answer", within, answers)
        .await
        .unwrap();
}

#[test]
fn a_server_that_loads_its_data_is_named_and_waited_for() {
    let folder = tempfile::TempDir::new().unwrap();
    let port = Port::free().unwrap();
    let runtime = Runtime::new().unwrap();
    {
        let _server = server_of(folder.path(), &port, &[]);
        runtime.block_on(async {
            answered(&port, "").await;
            let mut client = Client::connect(port.addr(), NODE_DEADLINE).await.unwrap();
            let value = "v".repeat(2000);
            let set = |key: u32| vec!["SET".to_owned(), format!("key:{key}"), value.clone()];
            let mut requests: Vec<Vec<String>> = (0..1000).map(set).collect();
            requests.push(vec!["SAVE".to_owned()]);
            let replies = client.pipeline(&requests, NODE_DEADLINE).await.unwrap();
            assert!(replies.iter().all(|reply| !reply.is_error()));
        });
    }
    // A tenth of a second per key, between which it answers.
    let slow = ["--key-load-delay", "100000"];
    let slow = [
        &slow[..],
        &["--loading-process-events-interval-bytes", "1024"],
    ]
    .concat();
    let _server = server_of(folder.path(), &port, &slow);
    let at = port.addr().to_string();
    let asked = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shardproof"));
        command.args(PLAN).args(["--scan", &at]).args(words);
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    runtime.block_on(answered(&port, "LOADING"));
    let words = ["LOADING", "loading its data", "--wait 30s"];
    check(&asked(&[]).output().unwrap(), 2, &words);
    let waits = asked(&["--wait", "60s"]).spawn().unwrap();
    runtime.block_on(async {
        let mut client = Client::connect(port.addr(), NODE_DEADLINE).await.unwrap();
        let faster = ["CONFIG", "SET", "key-load-delay", "0"];
        let set = client.call(&faster, NODE_DEADLINE).await.unwrap();
        assert_eq!(set.to_string(), "+OK");
    });
    let output = waits.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
