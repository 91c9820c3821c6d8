//! Large replies: their cost for the node, the proxy and the other clients of the node.

use std::time::{Duration, Instant};

use testbed::client::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{self, DEADLINE, Proxy, ask, nodes, show};

const MIB: usize = 1 << 20;

fn get(key: &str) -> String {
    format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len())
}

/// Asks `count` times at once for a value of `len` bytes. Returns how many replies had it.
async fn take(proxy: std::net::SocketAddr, key: String, count: usize, len: usize) -> usize {
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream
        .write_all(get(&key).repeat(count).as_bytes())
        .await
        .unwrap();
    let head = format!("${len}\r\n");
    let mut reply = vec![0; head.len() + len + 2];
    for good in 0..count {
        let mut at = 0;
        while at < reply.len() {
            let read = tokio::time::timeout(3 * DEADLINE, stream.read(&mut reply[at..])).await;
            match read.expect("the reply comes").unwrap() {
                0 => return good,
                count => at += count,
            }
            if at >= head.len() && !reply.starts_with(head.as_bytes()) {
                eprintln!("{}", String::from_utf8_lossy(&reply[..at.min(100)]));
                return good;
            }
        }
    }
    count
}

/// The memory that INFO of the node at `place` reports.
async fn node_memory_mib(proxy: &Proxy, place: usize) -> usize {
    let mut node = Client::connect(proxy.nodes[place], DEADLINE).await.unwrap();
    let info = ask(&mut node, &["INFO", "memory"]).await;
    let peak = info.split("used_memory_peak:").nth(1).unwrap();
    peak.split('\\').next().unwrap().parse::<usize>().unwrap() / MIB
}

#[tokio::test]
async fn many_pipelines_of_large_values_complete_in_bounded_memory_and_spare_another_client() {
    const CLIENTS: usize = 30;
    const EACH: usize = 30;
    let (_nodes, addrs) = nodes(1).await;
    // The speed at which this machine copies 900 MiB is not tested.
    let proxy = Proxy::start(&addrs, "workers: 1\ntimeouts: { op_ms: 20000 }").await;
    let mut other = proxy.client().await;
    assert_eq!(
        ask(&mut other, &["SET", "big", &"x".repeat(MIB)]).await,
        "OK"
    );
    assert_eq!(ask(&mut other, &["SET", "small", "v"]).await, "OK");
    let loads: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(take(proxy.addr, "big".into(), EACH, MIB)))
        .collect();
    let (mut asked, mut proxy_mib) = (0, 0);
    let mut longest = Duration::ZERO;
    while !loads.iter().all(tokio::task::JoinHandle::is_finished) {
        let asked_at = Instant::now();
        assert_eq!(ask(&mut other, &["GET", "small"]).await, "\"v\"");
        longest = longest.max(asked_at.elapsed());
        asked += 1;
        proxy_mib = proxy_mib.max(proxy.rss_mib());
    }
    let mut good = 0;
    for load in loads {
        good += load.await.unwrap();
    }
    let node_mib = node_memory_mib(&proxy, 0).await;
    eprintln!(
        "{good} of {}, another client asked {asked} times, at most {longest:?}, node {node_mib} MiB, proxy {proxy_mib} MiB",
        CLIENTS * EACH
    );
    assert_eq!(good, CLIENTS * EACH);
    assert!(node_mib < 400, "the node had {node_mib} MiB");
    assert!(proxy_mib < 500, "the proxy had {proxy_mib} MiB");
}

/// A node that sends the same piece again and again.
struct Trickle {
    node: TcpStream,
    piece: Vec<u8>,
}

impl Trickle {
    async fn next(&mut self, what: &str) {
        let written = tokio::time::timeout(DEADLINE, self.node.write_all(&self.piece)).await;
        written
            .unwrap_or_else(|_| panic!("{what} is taken"))
            .unwrap();
    }
}

/// A proxy over a node that is played by hand: no Redis sends a reply slowly, or one without end.
async fn scripted(settings: &str) -> (Proxy, TcpStream, tokio::net::TcpListener) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::start(&[listener.local_addr().unwrap()], settings).await;
    let accepted = tokio::time::timeout(DEADLINE, listener.accept()).await;
    let (node, _) = accepted.expect("the proxy connects").unwrap();
    (proxy, node, listener)
}

async fn expect_get(node: &mut TcpStream) {
    let mut seen = vec![0; get("k").len()];
    let read = tokio::time::timeout(DEADLINE, node.read_exact(&mut seen)).await;
    read.expect("the request comes").unwrap();
    assert_eq!(seen, get("k").into_bytes());
}

#[tokio::test]
async fn a_reply_that_keeps_coming_is_not_late_and_one_that_stops_is() {
    let (proxy, mut node, listener) = scripted("workers: 1\ntimeouts: { op_ms: 500 }").await;
    let mut client = proxy.client().await;
    client.write(get("k").as_bytes(), DEADLINE).await.unwrap();
    expect_get(&mut node).await;
    node.write_all(b"$2000\r\n").await.unwrap();
    // Four times the time of an operation, without a pause as long as it: a node that sends slowly. The sleep is the
    // stimulus, and waits for nothing.
    for _ in 0..20 {
        node.write_all(&[b'x'; 100]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    node.write_all(b"\r\n").await.unwrap();
    let reply = client.reply(DEADLINE).await.unwrap();
    assert_eq!(show(&reply), format!("\"{}\"", "x".repeat(2000)));
    client.write(get("k").as_bytes(), DEADLINE).await.unwrap();
    expect_get(&mut node).await;
    node.write_all(b"$4\r\nab").await.unwrap();
    let reply = client.reply(DEADLINE).await.unwrap();
    assert_eq!(show(&reply), format!("-{}", proxy.error(0, "timeout")));
    // The rest is not waited for, and what follows is right.
    client.write(get("k").as_bytes(), DEADLINE).await.unwrap();
    let mut node = support::asked(&listener).await;
    expect_get(&mut node).await;
    node.write_all(b"$2\r\nok\r\n").await.unwrap();
    assert_eq!(show(&client.reply(DEADLINE).await.unwrap()), "\"ok\"");
}

#[tokio::test]
async fn a_reply_beyond_the_limit_that_is_joined_is_an_error_in_its_place_and_takes_no_memory() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(
        &addrs,
        "workers: 1\nlimits: { client_output_bytes: 33554432 }\ntimeouts: { op_ms: 5000 }",
    )
    .await;
    let mut client = proxy.client().await;
    let value = "x".repeat(100 * MIB);
    let (big, k) = (proxy.key_on(0), proxy.key_on(1));
    assert_eq!(ask(&mut client, &["SET", &big, &value]).await, "OK");
    assert_eq!(ask(&mut client, &["SET", &k, "v"]).await, "OK");
    let before = proxy.rss_mib();
    let requests = vec![vec!["GET", &k], vec!["MGET", &big, &k], vec!["GET", &k]];
    let replies = client.pipeline(&requests, DEADLINE).await.unwrap();
    let seen: Vec<String> = replies.iter().map(show).collect();
    let large = proxy.error(
        0,
        "the reply is larger than limits.client_output_bytes, 33554432, the request may have been executed",
    );
    let joined = format!("[-{large} \"v\"]");
    assert_eq!(seen, ["\"v\"".into(), joined, "\"v\"".into()]);
    let after = proxy.rss_mib();
    assert!(after < before + 64, "{after} MiB, {before} before");
}

#[tokio::test]
async fn a_reply_without_end_that_no_client_waits_for_takes_no_memory() {
    let (proxy, node, _listener) = scripted("workers: 1").await;
    let mut node = node;
    let mut client = proxy.client().await;
    client.write(get("k").as_bytes(), DEADLINE).await.unwrap();
    expect_get(&mut node).await;
    node.write_all(b"$500000000\r\n").await.unwrap();
    let before = proxy.rss_mib();
    let piece = vec![b'x'; MIB];
    let mut trickle = Trickle { node, piece };
    trickle.next("the first piece").await;
    drop(client);
    for number in 0..300 {
        trickle.next(&format!("piece {number}")).await;
    }
    let after = proxy.rss_mib();
    assert!(after < before + 64, "{after} MiB, {before} before");
    assert_eq!(ask(&mut proxy.client().await, &["PING"]).await, "PONG");
}
