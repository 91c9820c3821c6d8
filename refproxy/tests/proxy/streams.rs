//! Replies larger than the limit of what the proxy keeps for a client: forwarded as they arrive.

use std::net::SocketAddr;

use testbed::client::Client;
use testbed::node::Node as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{DEADLINE, Proxy, ask, eventually, nodes};

const MIB: usize = 1 << 20;

fn request(words: &[&str]) -> Vec<u8> {
    refproxy::resp::request(words)
}

/// Piece `number` of a value in pieces of 1 MiB.
fn piece(number: usize) -> Vec<u8> {
    let mut piece = vec![b'x'; MIB];
    piece[..8].copy_from_slice(&number.to_be_bytes());
    piece[MIB - 8..].copy_from_slice(&number.to_be_bytes());
    piece
}

/// Sets a value of this many pieces, past the proxy.
async fn set(node: SocketAddr, key: &str, pieces: usize) {
    let mut node = TcpStream::connect(node).await.unwrap();
    let (len, bytes) = (key.len(), pieces * MIB);
    let head = format!("*3\r\n$3\r\nSET\r\n${len}\r\n{key}\r\n${bytes}\r\n");
    node.write_all(head.as_bytes()).await.unwrap();
    for number in 0..pieces {
        node.write_all(&piece(number)).await.unwrap();
    }
    node.write_all(b"\r\n").await.unwrap();
    let mut reply = [0; 5];
    node.read_exact(&mut reply).await.unwrap();
    assert_eq!(&reply, b"+OK\r\n");
}

/// A client that reads bytes, not replies.
struct Reader(TcpStream);

impl Reader {
    async fn connect(proxy: &Proxy, protocol: &str) -> Self {
        let mut reader = Self(TcpStream::connect(proxy.addr).await.unwrap());
        reader.send(&["HELLO", protocol]).await;
        reader.send(&["PING", "end of HELLO"]).await;
        let mut seen = Vec::new();
        while !seen.ends_with(b"end of HELLO\r\n") {
            seen.extend(reader.read(1).await);
        }
        reader
    }

    async fn send(&mut self, words: &[&str]) {
        self.0.write_all(&request(words)).await.unwrap();
    }

    async fn read(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let read = tokio::time::timeout(DEADLINE, self.0.read_exact(&mut bytes)).await;
        read.expect("the reply comes").unwrap();
        bytes
    }

    async fn expect(&mut self, expected: &[u8]) {
        let seen = self.read(expected.len()).await;
        assert!(seen == expected, "{}", seen[..20].escape_ascii());
    }

    async fn expect_value(&mut self, pieces: usize) {
        let head = format!("${}\r\n", pieces * MIB);
        assert_eq!(self.read(head.len()).await, head.into_bytes());
        for number in 0..pieces {
            self.expect(&piece(number)).await;
        }
        assert_eq!(self.read(2).await, b"\r\n");
    }

    /// How many bytes come before the connection ends.
    async fn rest(&mut self) -> usize {
        let (mut bytes, mut count) = (vec![0; MIB], 0);
        loop {
            let read = tokio::time::timeout(DEADLINE, self.0.read(&mut bytes)).await;
            match read.expect("the connection ends") {
                Ok(0) | Err(_) => return count,
                Ok(more) => count += more,
            }
        }
    }
}

async fn closed(proxy: &Proxy, why: &str) -> bool {
    let answer = testbed::http::get(proxy.admin, "/stats", DEADLINE).await;
    let line = format!("refproxy.clients_closed.{why}: 1\n");
    answer.unwrap().body.contains(&line)
}

/// Small requests to one key again and again. Returns their number.
async fn small(mut client: Client, key: String, stop: tokio::sync::watch::Receiver<bool>) -> usize {
    let mut count = 0;
    while !*stop.borrow() {
        assert_eq!(ask(&mut client, &["GET", &key]).await, "\"small\"");
        count += 1;
    }
    count
}

#[tokio::test]
async fn the_largest_value_comes_through_in_bounded_memory_and_others_are_answered() {
    const PIECES: usize = 512;
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, "workers: 1\ntimeouts: { op_ms: 20000 }").await;
    let big = proxy.key_on(0);
    set(addrs[0], &big, PIECES).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut others = Vec::new();
    for place in [0, 1] {
        let key = proxy.keys_on(place).nth(1).unwrap();
        let mut client = proxy.client().await;
        assert_eq!(ask(&mut client, &["SET", &key, "small"]).await, "OK");
        others.push(tokio::spawn(small(client, key, stopped.clone())));
    }
    for protocol in ["2", "3"] {
        let mut reader = Reader::connect(&proxy, protocol).await;
        reader.send(&["GET", &big]).await;
        reader.send(&["PING", "after"]).await;
        reader.expect_value(PIECES).await;
        assert_eq!(reader.read(11).await, b"$5\r\nafter\r\n");
    }
    stop.send(true).unwrap();
    for other in others {
        assert!(other.await.unwrap() > 0);
    }
    let peak = proxy.peak_mib();
    assert!(peak < 64, "the proxy had {peak} MiB");
}

#[tokio::test]
async fn a_deep_aggregate_beyond_the_limit_comes_through() {
    const ELEMENTS: usize = 200_000;
    let (_nodes, addrs) = nodes(1).await;
    let settings =
        "workers: 1\nlimits: { client_output_bytes: 8388608 }\ntimeouts: { op_ms: 10000 }";
    let proxy = Proxy::start(&addrs, settings).await;
    let mut client = proxy.client().await;
    let element = |number: usize| format!("{number:0100}");
    for start in (0..ELEMENTS).step_by(1000) {
        let elements: Vec<String> = (start..start + 1000).map(element).collect();
        let mut words = vec!["RPUSH", "list"];
        words.extend(elements.iter().map(String::as_str));
        let reply = ask(&mut client, &words).await;
        assert_eq!(reply, format!(":{}", start + 1000));
    }
    let mut expected = format!("*{ELEMENTS}\r\n");
    for number in 0..ELEMENTS {
        expected += &format!("$100\r\n{}\r\n", element(number));
    }
    for protocol in ["2", "3"] {
        let mut reader = Reader::connect(&proxy, protocol).await;
        reader.send(&["LRANGE", "list", "0", "-1"]).await;
        reader.send(&["PING", "after"]).await;
        reader.expect(expected.as_bytes()).await;
        assert_eq!(reader.read(11).await, b"$5\r\nafter\r\n");
    }
}

#[tokio::test]
async fn a_client_that_stops_reading_a_reply_is_closed_and_others_go_on() {
    let (_nodes, addrs) = nodes(1).await;
    let settings = "workers: 1\nlimits: { client_output_bytes: 33554432 }\ntimeouts: { op_ms: 4000, stall_ms: 60000 }";
    let proxy = Proxy::start(&addrs, settings).await;
    set(addrs[0], "big", 100).await;
    let mut other = proxy.client().await;
    assert_eq!(ask(&mut other, &["SET", "k", "small"]).await, "OK");
    let mut reader = Reader::connect(&proxy, "2").await;
    reader.send(&["GET", "big"]).await;
    eventually("it is closed", DEADLINE, async || {
        assert_eq!(ask(&mut other, &["GET", "k"]).await, "\"small\"");
        closed(&proxy, "output").await
    })
    .await;
    assert!(reader.rest().await < 100 * MIB);
    let peak = proxy.peak_mib();
    assert!(peak < 100, "the proxy had {peak} MiB");
    assert_eq!(ask(&mut other, &["GET", "k"]).await, "\"small\"");
}

#[tokio::test]
async fn a_client_that_stops_reading_while_no_other_waits_is_closed_after_a_while() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(
        &addrs,
        "workers: 1\ntimeouts: { op_ms: 20000, stall_ms: 2000 }",
    )
    .await;
    set(addrs[0], "big", 100).await;
    let mut reader = Reader::connect(&proxy, "2").await;
    reader.send(&["GET", "big"]).await;
    eventually("it is closed", DEADLINE, async || {
        closed(&proxy, "output").await
    })
    .await;
    assert!(reader.rest().await < 100 * MIB);
    let peak = proxy.peak_mib();
    assert!(peak < 64, "the proxy had {peak} MiB");
    let mut other = proxy.client().await;
    assert_eq!(ask(&mut other, &["STRLEN", "big"]).await, ":104857600");
    assert!(
        !proxy.log().contains("connection failed"),
        "{}",
        proxy.log()
    );
}

#[tokio::test]
async fn a_client_is_closed_when_its_node_dies_in_the_middle_of_a_reply() {
    let (nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, "workers: 1\ntimeouts: { op_ms: 20000 }").await;
    let big = proxy.key_on(0);
    set(addrs[0], &big, 100).await;
    let mut reader = Reader::connect(&proxy, "2").await;
    reader.send(&["GET", &big]).await;
    reader.read(MIB).await;
    nodes[0].kill().await.unwrap();
    assert!(reader.rest().await < 99 * MIB);
    eventually("it is counted", DEADLINE, async || {
        closed(&proxy, "truncated").await
    })
    .await;
    let mut other = proxy.client().await;
    assert_eq!(ask(&mut other, &["SET", &proxy.key_on(1), "v"]).await, "OK");
}

#[tokio::test]
async fn a_client_is_closed_when_a_reply_stops_to_come() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let proxy = Proxy::start(&[addr], "workers: 1\ntimeouts: { op_ms: 500 }").await;
    let (mut node, _) = listener.accept().await.unwrap();
    let mut reader = Reader::connect(&proxy, "2").await;
    reader.send(&["GET", "k"]).await;
    node.read_exact(&mut vec![0; request(&["GET", "k"]).len()])
        .await
        .unwrap();
    node.write_all(format!("${}\r\n", 10 * MIB).as_bytes())
        .await
        .unwrap();
    for number in 0..6 {
        node.write_all(&piece(number)).await.unwrap();
    }
    assert!(reader.rest().await > 5 * MIB);
    eventually("it is counted", DEADLINE, async || {
        closed(&proxy, "truncated").await
    })
    .await;
}
