//! What a server sees of clients that misbehave.

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

use super::*;
use crate::fault::{Fault, FaultInjector, Site};
use crate::node::{External, Node, Process};
use crate::program::Search;

const DEADLINE: Duration = Duration::from_secs(10);

async fn node() -> Process {
    let search = Search::new(&std::env::current_exe().unwrap(), std::env::vars_os());
    Process::start(&search).await.unwrap()
}

async fn info(node: &Process, field: &str) -> u64 {
    let mut client = crate::client::Client::connect(node.addr(), DEADLINE)
        .await
        .unwrap();
    let info = client.call(&["INFO"], DEADLINE).await.unwrap();
    let crate::wire::Value::Bulk(info) = info else {
        panic!("{info}");
    };
    let text = String::from_utf8(info).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{field}:")));
    line.unwrap().parse().unwrap()
}

async fn eventually(what: &str, probe: impl AsyncFn() -> bool) {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    while !probe().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "{what} within {DEADLINE:?}"
        );
        tokio::task::yield_now().await;
    }
}

/// Applies a fault to a Redis in the place of a proxy, and hands both to `look`; then heals it.
async fn with(text: &str, look: impl AsyncFn(&Process, &Clients)) {
    let node = node().await;
    let clients = Clients::new(node.addr(), b"key");
    let (injector, external) = (
        FaultInjector::Links(Vec::new()),
        External::at(node.addr()).await.unwrap(),
    );
    let site = Site {
        clients: Some(&clients),
        ..Site::new(&external, &injector, 0)
    };
    let fault: Fault = text.parse().unwrap();
    fault.apply(site).await.unwrap();
    look(&node, &clients).await;
    fault.heal(site).await.unwrap();
    assert_eq!(clients.running(), 0, "{text}");
    // The one that asks.
    let gone = async || info(&node, "connected_clients").await == 1;
    eventually("all clients are gone", gone).await;
}

#[tokio::test]
async fn a_flood_of_connections_stays_until_it_is_healed() {
    with("client_flood 50", async |node, clients| {
        assert_eq!(clients.running(), 50);
        let there = async || info(node, "connected_clients").await == 51;
        eventually("50 clients are connected", there).await;
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_requests_is_answered_and_over() {
    with(
        "client_pipeline_flood 3 requests 2000",
        async |node, clients| {
            eventually("all replies are read", async || clients.running() == 0).await;
            assert!(info(node, "total_commands_processed").await >= 6000);
        },
    )
    .await;
}

#[tokio::test]
async fn a_slow_reader_leaves_its_replies_with_the_server() {
    with(
        "client_slow_reader 2 requests 100000",
        async |node, clients| {
            let asked = async || info(node, "total_commands_processed").await > 1000;
            eventually("requests are read", asked).await;
            assert_eq!(clients.running(), 2);
        },
    )
    .await;
}

#[tokio::test]
async fn clients_that_disconnect_are_gone_at_once() {
    with("client_disconnect 5 requests 10", async |node, clients| {
        assert_eq!(clients.running(), 0);
        assert!(info(node, "total_connections_received").await >= 5);
    })
    .await;
}

#[tokio::test]
async fn a_half_open_client_ends_its_sending_side_within_no_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clients = Clients::new(listener.local_addr().unwrap(), b"k");
    clients
        .half_open("client_half_open", Load::new(1, 2))
        .await
        .unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut sent = Vec::new();
    stream.read_to_end(&mut sent).await.unwrap();
    assert_eq!(sent, encode_request(&["GET", "k"]).repeat(2));
    assert_eq!(clients.running(), 1);
}

#[tokio::test]
async fn a_disconnect_is_within_a_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let clients = Clients::new(listener.local_addr().unwrap(), b"k");
    clients.disconnect(Load::new(1, 2)).await.unwrap();
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut sent = Vec::new();
    stream.read_to_end(&mut sent).await.unwrap();
    let whole = encode_request(&["GET", "k"]).repeat(2);
    assert_eq!(sent, whole[..whole.len() - 1]);
}

#[tokio::test]
async fn a_slow_writer_sends_half_a_request_and_the_rest_byte_by_byte() {
    let whole = encode_request(&["GET", "k"]);
    let (client, mut server) = tokio::io::duplex(1024);
    let mut writing = JoinSet::new();
    writing.spawn(run::write_slowly(client, whole.clone()));
    let (mut sent, mut chunks): (Vec<u8>, Vec<usize>) = (Vec::new(), Vec::new());
    while sent.len() < whole.len() {
        let mut chunk = [0; 64];
        let length = server.read(&mut chunk).await.unwrap();
        sent.extend_from_slice(&chunk[..length]);
        chunks.push(length);
    }
    assert_eq!(sent, whole);
    assert_eq!(chunks[0], whole.len() / 2);
    assert!(chunks[1..].iter().all(|length| *length == 1), "{chunks:?}");
}

#[tokio::test]
async fn an_address_without_a_server_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let refused = Clients::new(addr, b"k")
        .flood("client_flood", Load::new(1, 0))
        .await;
    assert!(refused.unwrap_err().to_string().contains(&addr.to_string()));
}
