//! The admin interface under hostile clients, and while the proxy is busy.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode};
use rustix::process::Signal;
use testbed::http;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{DEADLINE, Proxy, eventually, nodes};

/// More than five times the deadline of a request.
const RECEIVED: Duration = Duration::from_secs(60);

async fn send(addr: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    stream
}

/// The answer of the interface until it closes the connection.
async fn rest(mut stream: TcpStream, limit: Duration) -> String {
    let mut seen = Vec::new();
    let read = tokio::time::timeout(limit, stream.read_to_end(&mut seen)).await;
    read.expect("the connection closes").unwrap();
    String::from_utf8(seen).unwrap()
}

async fn answer(addr: SocketAddr, request: &str) -> String {
    rest(send(addr, request).await, DEADLINE).await
}

/// The status, and the text of the error in JSON.
#[track_caller]
fn check_error(answer: &str, status: u16, expected: &str) {
    let line = format!("HTTP/1.1 {status} ");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let json: serde_json::Value = serde_json::from_str(body).unwrap();
    let text = json["error"].as_str().unwrap();
    assert!(
        head.starts_with(&line) && text.contains(expected),
        "{answer}"
    );
    assert!(
        head.to_lowercase()
            .contains("content-type: application/json"),
        "{answer}"
    );
}

#[tokio::test]
async fn every_error_is_json() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    for (line, body, status, expected) in [
        ("GET /nothing", "", 404, "no such path"),
        ("POST /cluster", "", 405, "method not allowed"),
        ("DELETE /ready", "", 405, "method not allowed"),
        ("GET /stats?filter=(", "", 400, "a regular expression"),
        ("GET /stats?filter=a&filter=b", "", 400, "duplicate field"),
        ("PUT /cluster", "{", 400, "EOF while parsing"),
        ("PUT /cluster", "{}", 400, "missing field"),
        (
            "PUT /cluster",
            r#"{"policy": "maglev", "nodes": []}"#,
            400,
            "node",
        ),
    ] {
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}",
            proxy.admin
        );
        check_error(&answer(proxy.admin, &request).await, status, expected);
    }
    let length = 17 * 1024 * 1024;
    let request = format!(
        "PUT /cluster HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n"
    );
    check_error(
        &answer(proxy.admin, &request).await,
        413,
        "more than 16 MiB",
    );
}

#[tokio::test]
async fn a_change_under_a_name_of_the_proxy_is_refused() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let body = format!(
        r#"{{"policy": "modula", "nodes": [{{"address": "{}"}}]}}"#,
        addrs[0]
    );
    let put = |host: &str| {
        let length = body.len();
        format!(
            "PUT /cluster HTTP/1.1\r\nConnection: close\r\n{host}Content-Length: {length}\r\n\r\n{body}"
        )
    };
    let refused = answer(proxy.admin, &put("Host: evil.example:9902\r\n")).await;
    check_error(&refused, 403, "Host is a name");
    let own = format!("Host: {}\r\n", proxy.admin);
    for host in [own.as_str(), "Host: localhost\r\n", "Host: [::1]:1\r\n"] {
        let taken = answer(proxy.admin, &put(host)).await;
        assert!(taken.starts_with("HTTP/1.1 200 "), "{host}: {taken}");
    }
    // Probes and scrapers may use names.
    let ready = "GET /ready HTTP/1.1\r\nConnection: close\r\nHost: refproxy.example\r\n\r\n";
    assert!(
        answer(proxy.admin, ready)
            .await
            .starts_with("HTTP/1.1 200 ")
    );
}

#[tokio::test]
async fn half_a_request_is_not_waited_for_for_ever() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut halves = Vec::new();
    for bytes in [
        "",
        "GET",
        "GET /ready HTTP/1.1\r\nHost: x\r\n",
        "GET /ready HTTP/1.1\r\nHost: x\r\n\r\nGET /re",
    ] {
        halves.push(send(proxy.admin, bytes).await);
    }
    let body = send(
        proxy.admin,
        "PUT /cluster HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 100\r\n\r\n{",
    );
    let body = body.await;
    for half in halves {
        let seen = rest(half, RECEIVED).await;
        assert!(
            seen.is_empty()
                || seen.starts_with("HTTP/1.1 200 OK")
                || seen.starts_with("HTTP/1.1 408"),
            "{seen}"
        );
    }
    check_error(&rest(body, RECEIVED).await, 408, "the body is incomplete");
}

#[tokio::test]
async fn a_draining_proxy_says_so() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(
        &addrs,
        "workers: 1\ntimeouts: { drain_ms: 60000, op_ms: 60000 }",
    )
    .await;
    // The node does not answer, so that the proxy waits.
    let mut client = proxy.client().await;
    let mut node = testbed::client::Client::connect(addrs[0], DEADLINE)
        .await
        .unwrap();
    crate::support::ask(&mut node, &["CLIENT", "PAUSE", "60000", "ALL"]).await;
    client.write(b"GET k\r\n", DEADLINE).await.unwrap();
    eventually("the node is asked", DEADLINE, async || {
        let seen = http::get(proxy.admin, "/clusters", DEADLINE).await.unwrap();
        seen.body.contains("\"waiting\":1")
    })
    .await;
    proxy.signal(Signal::TERM);
    eventually("the proxy is not ready", DEADLINE, async || {
        let seen = http::get(proxy.admin, "/ready", DEADLINE).await;
        seen.is_ok_and(|seen| seen.status == 503 && seen.body.contains("draining"))
    })
    .await;
    let seen = proxy.put(&addrs).await;
    assert_eq!(seen.status, 503, "{}", seen.body);
}

#[tokio::test]
async fn a_pipe_in_place_of_the_file_stops_nothing() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    std::fs::remove_file(proxy.config_path()).unwrap();
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(CWD, proxy.config_path(), FileType::Fifo, mode, 0).unwrap();
    proxy.signal(Signal::HUP);
    eventually("the pipe is refused", DEADLINE, async || {
        proxy.log().contains("not a regular file")
    })
    .await;
    let seen = http::get(proxy.admin, "/ready", DEADLINE).await.unwrap();
    assert_eq!(seen.status, 200);
}

#[tokio::test]
async fn a_large_ring_is_built_while_other_requests_are_served() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let body = format!(
        r#"{{"policy": "ring_hash", "minimum_ring_size": 4000000, "nodes": [{{"address": "{}"}}]}}"#,
        addrs[0]
    );
    let request = format!(
        "PUT /cluster HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let put = send(proxy.admin, &request).await;
    // The build takes seconds; none of these waits for it.
    for path in ["/ready", "/stats", "/cluster", "/clusters"] {
        let seen = http::get(proxy.admin, path, DEADLINE).await.unwrap();
        assert_eq!(seen.status, 200, "{path}");
    }
    let built = http::get(proxy.admin, "/stats", DEADLINE).await.unwrap();
    assert!(
        built.body.contains("cluster_generation: 1"),
        "{}",
        built.body
    );
    let seen = rest(put, Duration::from_secs(300)).await;
    assert!(seen.starts_with("HTTP/1.1 200 "), "{seen}");
}
