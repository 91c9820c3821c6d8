//! How the proxy starts, refuses to start, and ends.

use std::time::Duration;

use rustix::process::Signal;
use testbed::client::{Client, Error};
use testbed::http;
use testbed::node::Node as _;

use crate::support::{DEADLINE, Proxy, ask, eventually, nodes, refproxy, show};

/// A configuration that cannot be used: one line with the place and the error, and exit code 2.
#[track_caller]
fn check(config: &str, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.yaml");
    std::fs::write(&path, config).unwrap();
    let path = path.display().to_string();
    let output = refproxy(&["--config", &path]);
    let said = String::from_utf8(output.stderr)
        .unwrap()
        .replace(&path, "proxy.yaml");
    assert_eq!(
        (said.as_str(), output.status.code()),
        (format!("refproxy: {expected}\n").as_str(), Some(2))
    );
}

const GOOD: &str =
    "listen: 127.0.0.1:0\ncluster:\n  policy: maglev\n  nodes: [{ address: 127.0.0.1:1 }]\n";

#[test]
fn a_bad_configuration_says_where_and_what_was_expected() {
    check(
        "listen: 1\n",
        "proxy.yaml:1: listen: expected IP:PORT or unix:/PATH",
    );
    check(
        "cluster: {}\n",
        "proxy.yaml:1: cluster: missing field `policy`",
    );
    check("", "proxy.yaml:1: unexpected end of input");
    check(
        &format!("{GOOD}colour: red\n"),
        "proxy.yaml:5: colour: unknown field `colour`, expected one of listen, admin, workers, admin_fan_out, scripts_without_keys, auth, node_auth, tls, node_tls, cluster, \
         timeouts, limits",
    );
    check(
        &format!("{GOOD}workers: 0\n"),
        "proxy.yaml:5: workers: expected at least 1",
    );
    check(
        &format!("{GOOD}timeouts:\n  op_ms: 0\n"),
        "proxy.yaml:6: timeouts.op_ms: expected at least 1",
    );
    check(
        &format!("{GOOD}timeouts: {{ op_ms: soon }}\n"),
        "proxy.yaml:5: timeouts.op_ms: expected a whole number",
    );
    check(
        &format!("{GOOD}limits:\n  clients: -1\n"),
        "proxy.yaml:6: limits.clients: expected a whole number",
    );
    for password in ["''", "[s3cret]", "{ s3cret: 1 }"] {
        check(
            &format!("{GOOD}auth: {{ password: {password} }}\n"),
            "proxy.yaml:5: auth.password: expected a password in quotes",
        );
    }
    check(
        &format!("{GOOD}auth: {{}}\n"),
        "proxy.yaml: auth: expected `password` or `users`",
    );
    check(
        &format!("{GOOD}auth: {{ password: a, users: {{ default: b }} }}\n"),
        "proxy.yaml: auth: `password` is the password of user `default`, which is also in `users`",
    );
    check(
        &format!("{GOOD}listen: 127.0.0.1:1\n"),
        "proxy.yaml:5: duplicate field",
    );
    check(
        &GOOD.replace("127.0.0.1:1 ", "nowhere "),
        "proxy.yaml:3: cluster: node `nowhere`: expected host:port or unix:/path",
    );
    check(
        &GOOD.replace("127.0.0.1:1 }", "'a:1', weight: 0 }"),
        "proxy.yaml:3: cluster: node a:1 has weight 0, expected at least 1",
    );
    check(
        &GOOD.replace("maglev", "magleff"),
        "proxy.yaml:3: cluster: policy `magleff`: expected one of maglev, ring_hash, ketama, modula, random, predixy, slots, libketama, jump, \
         rendezvous",
    );
    check(
        &GOOD.replace("maglev", "maglev\n  table_size: 100"),
        "proxy.yaml:3: cluster: maglev table size 100, expected a prime from 2 to 5000011",
    );
}

#[test]
fn a_missing_file_and_bad_flags_are_told_apart() {
    let output = refproxy(&["--config", "/nonexistent/x.yaml"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        said,
        "refproxy: /nonexistent/x.yaml: No such file or directory (os error 2)\n"
    );
    assert_eq!(output.status.code(), Some(2));
    for args in [
        &["--colour"][..],
        &[],
        &["--node", "nowhere"],
        &["--node", "a:1", "--config", "x.yaml"],
        &["--node", "a:1", "--policy", "magleff"],
        &["--node", "a:1", "--workers", "0"],
    ] {
        let output = refproxy(args);
        assert_eq!(output.status.code(), Some(64), "{args:?}");
        assert!(
            !output.stderr.is_empty() && output.stdout.is_empty(),
            "{args:?}"
        );
    }
    let output = refproxy(&["--version"]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        format!("refproxy {}\n", env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(output.status.code(), Some(0));
    let output = refproxy(&["--node", "a:1", "--node", "a:1"]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        said,
        "refproxy: two nodes have the hash key `a:1`, expected a different one for each node\n"
    );
    let ring = [
        "--node",
        "a:1",
        "--policy",
        "ring_hash",
        "--table-size",
        "7",
    ];
    let output = refproxy(&ring);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        said,
        "refproxy: --table-size: policy ring_hash does not support table_size\n"
    );
}

#[tokio::test]
async fn a_port_in_use_is_an_error_also_when_another_refproxy_has_it() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 2").await;
    let node = addrs[0].to_string();
    let output = refproxy(&["--listen", &proxy.addr.to_string(), "--node", &node]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        said,
        format!(
            "refproxy: listen on {}: Address already in use (os error 98)\n",
            proxy.addr
        )
    );
    assert_eq!(output.status.code(), Some(2));

    let output = refproxy(&[
        "--listen",
        "127.0.0.1:0",
        "--admin",
        &proxy.admin.to_string(),
        "--node",
        &node,
    ]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        said,
        format!(
            "refproxy: listen on {} for the admin interface: Address already in use (os error 98)\n",
            proxy.admin
        )
    );
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn sigterm_finishes_what_is_under_way_and_exits_0() {
    let (nodes, addrs) = nodes(1).await;
    let mut proxy = Proxy::start(
        &addrs,
        "workers: 2\ntimeouts: { op_ms: 10000, drain_ms: 10000 }",
    )
    .await;
    let mut busy = proxy.client().await;
    let mut idle = proxy.client().await;
    assert_eq!(ask(&mut idle, &["SET", "k", "v"]).await, "OK");
    nodes[0].pause().await.unwrap();
    busy.write(b"GET k\r\n", DEADLINE).await.unwrap();
    eventually("the request is under way", DEADLINE, async || {
        http::get(proxy.admin, "/clusters", DEADLINE)
            .await
            .unwrap()
            .body
            .contains("\"waiting\":1")
    })
    .await;
    proxy.signal(Signal::TERM);
    let closed = idle.reply(DEADLINE).await;
    assert!(matches!(closed, Err(Error::Closed { .. })), "{closed:?}");
    let silent = busy.reply(Duration::from_millis(300)).await;
    assert!(
        matches!(silent, Err(Error::Silent { .. })),
        "a reply is still owed: {silent:?}"
    );
    assert!(
        Client::connect(proxy.addr, DEADLINE).await.is_err(),
        "no new clients"
    );
    nodes[0].resume().await.unwrap();
    assert_eq!(show(&busy.reply(DEADLINE).await.unwrap()), "\"v\"");
    let closed = busy.reply(DEADLINE).await;
    assert!(matches!(closed, Err(Error::Closed { .. })), "{closed:?}");
    drop((busy, idle));
    let mut status = None;
    eventually("the proxy has ended", DEADLINE, async || {
        status = proxy.process.ended().unwrap();
        status.is_some()
    })
    .await;
    assert_eq!(status.and_then(|status| status.code()), Some(0));
}

#[tokio::test]
async fn the_log_tells_of_each_request_when_asked_to() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start_with(&addrs, "workers: 1", |command| {
        command
            .env("RUST_LOG", "refproxy=debug")
            .args(["--log", "json"]);
    })
    .await;
    let mut client = proxy.client().await;
    assert_eq!(
        ask(&mut client, &["SET", "secret-key", "secret-value"]).await,
        "OK"
    );
    drop(client);
    eventually("the client's end is logged", DEADLINE, async || {
        proxy.log().contains("\"closed\"")
    })
    .await;
    let log = proxy.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.starts_with('{')).collect();
    let has = |parts: &[&str]| {
        lines
            .iter()
            .any(|line| parts.iter().all(|part| line.contains(part)))
    };
    assert!(
        has(&[
            "\"asked\"",
            "\"command\":\"SET\"",
            "\"spans\":[{\"id\":1,",
            "\"name\":\"client\""
        ]),
        "{log}"
    );
    assert!(
        has(&[
            "\"answered\"",
            "\"client\":1",
            "\"node\":\"127.0.0.1:",
            "\"outcome\":\"ok\""
        ]),
        "{log}"
    );
    assert!(
        !log.contains("secret"),
        "the log contains no keys and values: {log}"
    );
}
