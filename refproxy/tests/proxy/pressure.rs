//! Many clients, few descriptors, clients that vanished: how limits protect the other clients.

use std::net::SocketAddr;
use std::process::Command;

use testbed::client::{Client, Error};
use testbed::http;
use testbed::node::Node as _;

use crate::support::{DEADLINE, Proxy, ask, eventually, nodes};

const FULL: &str = "-ERR max number of clients reached";

/// Runs the command of the proxy after `ulimit` with these arguments.
fn limited(command: &mut Command, ulimit: &str) {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("ulimit {ulimit} && exec \"$@\""), "sh"])
        .arg(command.get_program())
        .args(command.get_args());
    *command = shell;
}

/// Connects `count` clients; those that the proxy serves, and how many it refused.
async fn crowd(proxy: &Proxy, count: usize) -> (Vec<Client>, usize) {
    let (mut served, mut refused) = (Vec::new(), 0);
    for _ in 0..count {
        let mut client = proxy.client().await;
        match client.call(&["PING"], DEADLINE).await {
            Ok(reply) if crate::support::show(&reply) == "PONG" => served.push(client),
            Ok(reply) => {
                assert_eq!(crate::support::show(&reply), FULL);
                refused += 1;
            }
            // The refusal was lost in the reset: the client had written before it read.
            Err(Error::Closed { .. }) => refused += 1,
            Err(error) => panic!("client {} of {count}: {error}", served.len() + refused),
        }
    }
    (served, refused)
}

#[tokio::test]
async fn few_descriptors_lower_the_number_of_clients_and_leave_some_for_nodes_and_admin() {
    let (nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start_with(&addrs, "workers: 1", |command| {
        limited(command, "-n 256");
    })
    .await;
    let (mut served, refused) = crowd(&proxy, 300).await;
    assert!(!served.is_empty() && refused > 0);
    assert_eq!(
        proxy.stat("refproxy.clients_max").await,
        served.len() as u64
    );
    assert!(
        proxy.log().contains("limits.clients is lowered"),
        "{}",
        proxy.log()
    );
    nodes[0].kill().await.unwrap();
    nodes[0].restart().await.unwrap();
    let client = &mut served[0];
    eventually("the node is back", DEADLINE, async || {
        ask(client, &["SET", "k", "v"]).await == "OK"
    })
    .await;
    let ready = http::get(proxy.admin, "/ready", DEADLINE).await.unwrap();
    assert_eq!(ready.status, 200);
}

#[tokio::test]
async fn a_soft_limit_of_descriptors_is_raised() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start_with(&addrs, "workers: 1\nlimits: { clients: 500 }", |command| {
        limited(command, "-S -n 64");
    })
    .await;
    let (served, refused) = crowd(&proxy, 501).await;
    assert_eq!((served.len(), refused), (500, 1));
}

/// Sockets of established connections with this port at one end: whether their keepalive timer runs.
fn keepalive_timers(port_of: impl Fn(&str, &str) -> bool) -> Vec<bool> {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let rows = table.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        (fields[1], fields[2], fields[3], fields[5])
    });
    rows.filter(|(local, remote, state, _)| *state == "01" && port_of(local, remote))
        .map(|(_, _, _, timer)| timer.starts_with("02:"))
        .collect()
}

fn has_port(end: &str, addr: SocketAddr) -> bool {
    end.ends_with(&format!(":{:04X}", addr.port()))
}

#[tokio::test]
async fn connections_on_both_sides_are_probed_when_idle() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut client = proxy.client().await;
    assert_eq!(ask(&mut client, &["SET", "k", "v"]).await, "OK");
    eventually("nothing is left to be acknowledged", DEADLINE, async || {
        let clients = keepalive_timers(|local, _| has_port(local, proxy.addr));
        let nodes = keepalive_timers(|_, remote| has_port(remote, addrs[0]));
        clients == [true] && !nodes.is_empty() && nodes.iter().all(|runs| *runs)
    })
    .await;
}

#[tokio::test]
async fn an_idle_client_is_closed_when_there_is_a_limit() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1\ntimeouts: { client_idle_ms: 1000 }").await;
    let (mut idle, mut busy) = (proxy.client().await, proxy.client().await);
    assert_eq!(ask(&mut idle, &["SET", "k", "v"]).await, "OK");
    eventually("the idle client is closed", DEADLINE, async || {
        assert_eq!(ask(&mut busy, &["GET", "k"]).await, "\"v\"");
        proxy.stat("refproxy.clients_closed.idle").await == 1
    })
    .await;
    let closed = idle.reply(DEADLINE).await;
    assert!(matches!(closed, Err(Error::Closed { .. })), "{closed:?}");
    assert_eq!(ask(&mut busy, &["GET", "k"]).await, "\"v\"");
}

#[tokio::test]
async fn a_client_that_does_not_authenticate_is_closed_soon() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(
        &addrs,
        "workers: 1\nauth: { password: p }\ntimeouts: { unauthenticated_ms: 1000 }",
    )
    .await;
    let (mut silent, mut talks, mut known) = (
        proxy.client().await,
        proxy.client().await,
        proxy.client().await,
    );
    assert_eq!(ask(&mut known, &["AUTH", "p"]).await, "OK");
    let mut closed = 0;
    eventually("both are closed", DEADLINE, async || {
        if closed == 0 && talks.call(&["GET", "k"], DEADLINE).await.is_err() {
            closed = 1;
        }
        proxy.stat("refproxy.clients_closed.unauthenticated").await == 2
    })
    .await;
    let seen = silent.reply(DEADLINE).await;
    assert!(matches!(seen, Err(Error::Closed { .. })), "{seen:?}");
    assert_eq!(ask(&mut known, &["SET", "k", "v"]).await, "OK");
}

#[tokio::test]
async fn clients_that_watch_share_a_bounded_number_of_node_connections() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, "workers: 1\nlimits: { dedicated_connections: 3 }").await;
    let mut watching = Vec::new();
    for _ in 0..3 {
        let mut client = proxy.client().await;
        assert_eq!(ask(&mut client, &["WATCH", &proxy.key_on(0)]).await, "OK");
        watching.push(client);
    }
    let mut late = proxy.client().await;
    let key = proxy.key_on(1);
    let full = "-ERR limits.dedicated_connections: all 3 node connections for transactions are in use, the request was not sent";
    assert_eq!(ask(&mut late, &["WATCH", &key]).await, full);
    assert_eq!(ask(&mut late, &["MULTI"]).await, "OK");
    assert_eq!(ask(&mut late, &["SET", &key, "v"]).await, full);
    assert!(ask(&mut late, &["EXEC"]).await.starts_with("-EXECABORT"));
    // A connection that one client releases serves the next, also for another node.
    assert_eq!(ask(&mut watching[0], &["UNWATCH"]).await, "OK");
    eventually("there is room again", DEADLINE, async || {
        ask(&mut late, &["WATCH", &key]).await == "OK"
    })
    .await;
}

/// An ECHO of `len` bytes.
fn echo(len: usize) -> Vec<u8> {
    let mut request = format!("*2\r\n$4\r\nECHO\r\n${len}\r\n").into_bytes();
    request.resize(request.len() + len, b'x');
    request.extend_from_slice(b"\r\n");
    request
}

/// The client that reads is served while others make the proxy hold more than it may.
async fn check_offenders_pay(proxy: &Proxy, offence: &[u8]) {
    let mut innocent = proxy.client().await;
    assert_eq!(
        ask(&mut innocent, &["SET", "k", &"v".repeat(1 << 20)]).await,
        "OK"
    );
    let mut offenders = Vec::new();
    for _ in 0..4 {
        let mut offender = proxy.client().await;
        // It may be closed while it writes.
        let _ = offender.write(offence, DEADLINE).await;
        offenders.push(offender);
    }
    eventually("offenders are closed", DEADLINE, async || {
        let reply = innocent.call(&["GET", "k"], DEADLINE).await.unwrap();
        assert!(!reply.is_error());
        let output = proxy.stat("refproxy.clients_closed.output").await;
        output + proxy.stat("refproxy.clients_closed.memory").await > 0
    })
    .await;
    eventually("the budget is kept", DEADLINE, async || {
        proxy.stat("refproxy.output_bytes").await <= 64 << 20
    })
    .await;
    let reply = innocent.call(&["GET", "k"], DEADLINE).await.unwrap();
    assert!(!reply.is_error());
}

const BUDGET: &str = "workers: 1\nlimits: { output_bytes: 67108864 }";

#[tokio::test]
async fn answers_of_the_proxy_count_for_the_client_that_does_not_read_them() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, BUDGET).await;
    check_offenders_pay(&proxy, &echo(32 << 20)).await;
}

#[tokio::test]
async fn requests_that_are_not_complete_count_for_their_client() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, BUDGET).await;
    let whole = echo(40 << 20);
    check_offenders_pay(&proxy, &whole[..whole.len() - 10]).await;
}

#[tokio::test]
async fn transactions_count_for_their_client() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, BUDGET).await;
    let mut offence = b"MULTI\r\n".to_vec();
    // Any node would do, so it waits here until a key names one.
    offence.extend(echo(30 << 20));
    check_offenders_pay(&proxy, &offence).await;
}

#[tokio::test]
async fn a_key_that_is_watched_twice_is_kept_once() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1\nlimits: { client_bytes: 4194304 }").await;
    let mut client = proxy.client().await;
    let key = "k".repeat(1 << 20);
    for _ in 0..20 {
        assert_eq!(ask(&mut client, &["WATCH", &key]).await, "OK");
    }
    let mut other = key.clone();
    let mut answers = Vec::new();
    for _ in 0..5 {
        other.push('x');
        answers.push(ask(&mut client, &["WATCH", &other]).await);
    }
    assert_eq!(answers[0], "OK");
    assert_eq!(answers[4], "-ERR transaction too large");
    assert_eq!(ask(&mut client, &["UNWATCH"]).await, "OK");
    assert_eq!(ask(&mut client, &["WATCH", &other]).await, "OK");
}

#[tokio::test]
async fn an_idle_client_does_not_keep_the_buffer_of_its_last_request() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let before = proxy.rss_mib();
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = proxy.client().await;
        let mut request = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${}\r\n", 32 << 20).into_bytes();
        request.resize(request.len() + (32 << 20), b'v');
        // And the first byte of the next request.
        request.extend_from_slice(b"\r\n*");
        client.write(&request, DEADLINE).await.unwrap();
        let reply = client.reply(DEADLINE).await.unwrap();
        assert_eq!(crate::support::show(&reply), "OK");
        clients.push(client);
    }
    let after = proxy.rss_mib();
    assert!(
        after < before + 128,
        "{after} MiB in use, {before} before 8 requests of 32 MiB"
    );
    for client in &mut clients {
        client
            .write(b"1\r\n$4\r\nPING\r\n", DEADLINE)
            .await
            .unwrap();
        let reply = client.reply(DEADLINE).await.unwrap();
        assert_eq!(crate::support::show(&reply), "PONG");
    }
}
