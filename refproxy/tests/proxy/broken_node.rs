//! A node that dies, comes back, or talks nonsense.

use std::net::SocketAddr;
use std::time::Duration;

use testbed::client::Client;
use testbed::node::Node as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{self, DEADLINE, Proxy, ask, eventually, nodes};

/// The replies to one client of one node, until it is stopped.
#[derive(Default)]
struct Seen {
    good: usize,
    errors: Vec<String>,
}

async fn load(mut client: Client, key: String, stop: tokio::sync::watch::Receiver<bool>) -> Seen {
    let mut seen = Seen::default();
    while !*stop.borrow() {
        match ask(&mut client, &["SET", &key, "v"]).await.as_str() {
            "OK" => seen.good += 1,
            error => {
                seen.errors.push(error.to_owned());
                // Not a busy loop of refusals; nothing waits for this.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
    seen
}

#[tokio::test]
async fn a_killed_node_fails_its_own_keys_at_once_and_recovers_when_it_is_back() {
    let (nodes, addrs) = nodes(3).await;
    // An error that comes at the deadline of a request comes too late for this test.
    let proxy = Proxy::start(&addrs, "workers: 2\ntimeouts: { op_ms: 60000 }").await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut loads = Vec::new();
    for place in [0, 1, 2, 0, 1, 2] {
        let key = proxy.key_on(place);
        loads.push((
            place,
            tokio::spawn(load(proxy.client().await, key, stopped.clone())),
        ));
    }
    let key = proxy.key_on(1);
    let mut client = proxy.client().await;
    eventually("the node is used", DEADLINE, async || {
        ask(&mut client, &["GET", &key]).await == "\"v\""
    })
    .await;
    nodes[1].kill().await.unwrap();
    let refused = format!("-{}", proxy.error(1, "connection refused"));
    eventually("the refusal is known", DEADLINE, async || {
        ask(&mut client, &["GET", &key]).await == refused
    })
    .await;
    for _ in 0..100 {
        assert_eq!(ask(&mut client, &["GET", &key]).await, refused);
    }
    nodes[1].restart().await.unwrap();
    eventually("the node is back", DEADLINE, async || {
        ask(&mut client, &["GET", &key]).await == "\"v\""
    })
    .await;
    eventually("all workers have it back", DEADLINE, async || {
        let answer = testbed::http::get(proxy.admin, "/clusters", DEADLINE)
            .await
            .unwrap();
        !answer.body.contains("down") && !answer.body.contains("connecting")
    })
    .await;
    stop.send(true).unwrap();
    let lost = format!("-{}", proxy.error(1, "connection lost"));
    for (place, load) in loads {
        let seen = load.await.unwrap();
        assert!(seen.good > 0);
        if place != 1 {
            assert_eq!(
                seen.errors,
                [] as [String; 0],
                "node {place} was never touched"
            );
        }
        for error in seen.errors {
            assert!(error == refused || error.starts_with(&lost), "{error}");
        }
    }
}

#[tokio::test]
async fn a_proxy_starts_without_its_nodes_and_finds_them_later() {
    let (nodes, addrs) = nodes(1).await;
    nodes[0].kill().await.unwrap();
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut client = proxy.client().await;
    let refused = format!("-{}", proxy.error(0, "connection refused"));
    // The first requests may time out where the machine is too busy to try a connection in time.
    for request in [&["GET", "k"][..], &["MGET", "k", "l"], &["DBSIZE"]] {
        eventually("the node is known to be down", DEADLINE, async || {
            ask(&mut client, request).await == refused
        })
        .await;
    }
    assert_eq!(ask(&mut client, &["PING"]).await, "PONG");
    nodes[0].restart().await.unwrap();
    // No request is needed for that.
    eventually("the proxy has connected", DEADLINE, async || {
        testbed::http::get(proxy.admin, "/clusters", DEADLINE)
            .await
            .unwrap()
            .body
            .contains("\"up\"")
    })
    .await;
    assert_eq!(ask(&mut client, &["SET", "k", "v"]).await, "OK");
}

/// A node that is played by hand.
struct Scripted {
    listener: TcpListener,
}

impl Scripted {
    async fn start() -> (Self, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        (Self { listener }, addr)
    }

    async fn connection(&self) -> TcpStream {
        let accepted = tokio::time::timeout(DEADLINE, self.listener.accept()).await;
        accepted.expect("the proxy connects").unwrap().0
    }
}

/// Reads until the bytes have come.
async fn expect(node: &mut TcpStream, wanted: &str) {
    let mut seen = vec![0; wanted.len()];
    let read = tokio::time::timeout(DEADLINE, node.read_exact(&mut seen)).await;
    read.expect("the request comes").unwrap();
    assert_eq!(String::from_utf8_lossy(&seen), wanted);
}

const GET: &str = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";

/// Two clients ask, the node answers with `bytes` and, when `closes`, hangs up; then all is well on a new connection. No
/// request waits for its deadline.
async fn check(bytes: &str, closes: bool, expected: [&str; 2]) {
    let (node, addr) = Scripted::start().await;
    let proxy = Proxy::start(&[addr], "workers: 1\ntimeouts: { op_ms: 60000 }").await;
    let mut connection = node.connection().await;
    let (mut first, mut second) = (proxy.client().await, proxy.client().await);
    first.write(GET.as_bytes(), DEADLINE).await.unwrap();
    expect(&mut connection, GET).await;
    second.write(GET.as_bytes(), DEADLINE).await.unwrap();
    expect(&mut connection, GET).await;
    connection.write_all(bytes.as_bytes()).await.unwrap();
    if closes {
        connection.shutdown().await.unwrap();
    }
    for (client, expected) in [&mut first, &mut second].into_iter().zip(expected) {
        let seen = support::show(&client.reply(DEADLINE).await.unwrap());
        assert_eq!(
            seen,
            expected.replace("NODE", &format!("-ERR node {addr}")),
            "after {bytes:?}"
        );
    }
    answers_anew(&node, &mut first).await;
}

/// The proxy makes another connection to the node, and the client gets the answer of that one.
async fn answers_anew(node: &Scripted, client: &mut Client) {
    client.write(GET.as_bytes(), DEADLINE).await.unwrap();
    let mut connection = support::asked(&node.listener).await;
    expect(&mut connection, GET).await;
    connection.write_all(b"$2\r\nok\r\n").await.unwrap();
    assert_eq!(
        support::show(&client.reply(DEADLINE).await.unwrap()),
        "\"ok\""
    );
}

#[tokio::test]
async fn garbage_from_a_node_is_never_forwarded() {
    let garbage = "NODE: connection lost: malformed reply";
    check(
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        false,
        [garbage, garbage],
    )
    .await;
    check("+one\r\n$x\r\n", false, ["one", garbage]).await;
    check("%1\r\n+a\r\n+b\r\n", false, [garbage, garbage]).await;
    for head in ["$-2", "*-5", "$18446744073709551619"] {
        let reply = format!("{head}\r\none\r\n");
        check(&reply, false, [garbage, garbage]).await;
    }
}

#[tokio::test]
async fn a_reply_that_announces_too_much_ends_the_connection_before_any_deadline() {
    let bytes =
        "NODE: connection lost: a reply announces more bytes than limits.reply_string_bytes";
    let elements =
        "NODE: connection lost: a reply announces more elements than limits.reply_elements";
    for (head, expected) in [
        ("$9223372036854775807", bytes),
        ("$536870913", bytes),
        ("*1\r\n$9223372036854775807", bytes),
        ("*2147483647", elements),
    ] {
        let reply = format!("{head}\r\none\r\n");
        check(&reply, false, [expected, expected]).await;
    }
    check("+one\r\n*2147483647\r\n", false, ["one", elements]).await;
}

/// The length is one that a reply may have. What the node sends next may belong to it, or be the next reply.
#[tokio::test]
async fn a_reply_that_stops_before_its_end_ends_the_connection_at_the_deadline() {
    for begun in [
        "$400000000\r\nabc",
        "$4\r\nab",
        "*2\r\n:1\r\n",
        "*1\r\n*1\r\n",
        "$",
    ] {
        let (node, addr) = Scripted::start().await;
        let proxy = Proxy::start(&[addr], "workers: 1\ntimeouts: { op_ms: 500 }").await;
        let mut connection = node.connection().await;
        let (mut first, mut second) = (proxy.client().await, proxy.client().await);
        for client in [&mut first, &mut second] {
            client.write(GET.as_bytes(), DEADLINE).await.unwrap();
            expect(&mut connection, GET).await;
        }
        let bytes = format!("+one\r\n{begun}");
        connection.write_all(bytes.as_bytes()).await.unwrap();
        assert_eq!(support::show(&first.reply(DEADLINE).await.unwrap()), "one");
        // The reply to the second has begun. This one has a later deadline, and waits for nothing that could come.
        first.write(GET.as_bytes(), DEADLINE).await.unwrap();
        expect(&mut connection, GET).await;
        let timeout = format!("-{}", proxy.error(0, "timeout"));
        assert_eq!(
            support::show(&second.reply(DEADLINE).await.unwrap()),
            timeout,
            "{begun:?}"
        );
        let lost = format!("-{}", proxy.error(0, "connection lost: incomplete reply"));
        assert_eq!(
            support::show(&first.reply(DEADLINE).await.unwrap()),
            lost,
            "{begun:?}"
        );
        answers_anew(&node, &mut first).await;
    }
}

/// Without a request there is no deadline, but its bytes would be treated as a part of the next reply.
#[tokio::test]
async fn a_part_of_a_reply_that_no_client_asked_for_ends_the_connection() {
    check_unasked("$3\r\nab", "timeouts: { op_ms: 200 }").await;
}

#[tokio::test]
async fn a_reply_that_no_client_asked_for_ends_the_connection() {
    check_unasked("+surprise\r\n", "").await;
}

/// The node sends these bytes without a request. The proxy connects anew, and the next reply is right.
async fn check_unasked(bytes: &str, settings: &str) {
    let (node, addr) = Scripted::start().await;
    let proxy = Proxy::start(&[addr], &format!("workers: 1\n{settings}")).await;
    let mut connection = node.connection().await;
    connection.write_all(bytes.as_bytes()).await.unwrap();
    let mut connection = node.connection().await;
    let mut client = proxy.client().await;
    client.write(GET.as_bytes(), DEADLINE).await.unwrap();
    expect(&mut connection, GET).await;
    connection.write_all(b"+mine\r\n").await.unwrap();
    assert_eq!(
        support::show(&client.reply(DEADLINE).await.unwrap()),
        "mine"
    );
}

#[tokio::test]
async fn a_reply_that_is_cut_off_is_never_forwarded() {
    let lost = "NODE: connection lost";
    check("$10\r\n01234", true, [lost, lost]).await;
    check("$", true, [lost, lost]).await;
    check("$-1\r\n*2\r\n$1\r\na\r\n", true, ["nil", lost]).await;
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let (_node, addr) = Scripted::start().await;
    let proxy = Proxy::start(
        &[addr],
        "workers: 1\nlimits: { node_requests: 3 }\ntimeouts: { op_ms: 500 }",
    )
    .await;
    let mut client = proxy.client().await;
    client
        .write(GET.repeat(3).as_bytes(), DEADLINE)
        .await
        .unwrap();
    let mut other = proxy.client().await;
    eventually("the queue is full", DEADLINE, async || {
        let answer = testbed::http::get(proxy.admin, "/clusters", DEADLINE)
            .await
            .unwrap();
        answer.body.contains("\"waiting\":3")
    })
    .await;
    let refused = format!("-{}", proxy.error(0, "too many requests wait for it"));
    assert_eq!(ask(&mut other, &["GET", "k"]).await, refused);
    assert_eq!(ask(&mut other, &["PING"]).await, "PONG");
}
