//! TLS with clients and with nodes.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;
use testbed::address::Address;
use testbed::client::{Client, Error};
use testbed::endpoint::{Access, Role, TlsOptions};
use testbed::node::Process;
use testbed::port::Port;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{DEADLINE, Proxy, ask, eventually, nodes, refproxy, show};

/// The certificates of the suite's own tests, for localhost and 127.0.0.1.
fn certificate(name: &str) -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = project.join("suites/testbed/src/endpoint/certificates");
    folder.join(name)
}

/// Settings of the proxy, in which `@NAME` is a certificate.
fn settings(text: &str) -> String {
    let names = [
        "ca.pem",
        "server.pem",
        "server.key",
        "client.pem",
        "client.key",
    ];
    names.iter().fold(text.to_owned(), |text, name| {
        let path = certificate(name).display().to_string();
        text.replace(&format!("@{name}"), &path)
    })
}

const TLS: &str = "workers: 1\ntls: { cert: '@server.pem', key: '@server.key' }";
const NODE_TLS: &str = "workers: 1\nnode_tls: { cacert: '@ca.pem' }";

async fn connect(addr: SocketAddr, cert: Option<&str>) -> Result<Client, Error> {
    let access = Access {
        tls: TlsOptions {
            cacert: Some(certificate("ca.pem")),
            cert: cert.map(|name| certificate(&format!("{name}.pem"))),
            key: cert.map(|name| certificate(&format!("{name}.key"))),
            insecure: false,
        },
        ..Access::default()
    };
    let address: Address = format!("rediss://{addr}").parse().unwrap();
    let endpoint = access.endpoint(&address, Role::Proxy).unwrap();
    Client::connect(endpoint, DEADLINE).await
}

/// Makes a node speak TLS on another port, which is returned.
async fn serve_tls(node: SocketAddr, clients: &str) -> SocketAddr {
    let port = Port::free().unwrap();
    let files = ["server.pem", "server.key", "ca.pem"];
    let [cert, key, ca] = files.map(|name| certificate(name).display().to_string());
    let number = port.number().to_string();
    let mut client = Client::connect(node, DEADLINE).await.unwrap();
    let set = [
        "CONFIG",
        "SET",
        "tls-cert-file",
        &cert,
        "tls-key-file",
        &key,
        "tls-ca-cert-file",
        &ca,
        "tls-auth-clients",
        clients,
        "tls-port",
        &number,
    ];
    assert_eq!(ask(&mut client, &set).await, "OK");
    port.addr()
}

/// Nodes with the addresses at which they speak TLS.
async fn tls_nodes(count: usize, clients: &str) -> (Vec<Process>, Vec<SocketAddr>) {
    let (nodes, plain) = nodes(count).await;
    let mut addrs = Vec::new();
    for addr in plain {
        addrs.push(serve_tls(addr, clients).await);
    }
    (nodes, addrs)
}

/// Small and large requests and replies, in a pipeline.
async fn works(client: &mut Client) {
    let value = |number: usize| match number % 50 {
        0 => number.to_string().repeat(1024 * 1024)[..1024 * 1024].to_owned(),
        _ => format!("value {number}"),
    };
    let keys: Vec<String> = (1..=200).map(|number| format!("key:{number}")).collect();
    let values: Vec<String> = (1..=200).map(value).collect();
    let pairs = keys.iter().zip(&values);
    let sets: Vec<_> = pairs.map(|(key, value)| vec!["SET", key, value]).collect();
    let replies = client.pipeline(&sets, DEADLINE).await.unwrap();
    assert!(replies.iter().all(|reply| show(reply) == "OK"));
    let gets: Vec<_> = keys.iter().map(|key| vec!["GET", key]).collect();
    let replies = client.pipeline(&gets, DEADLINE).await.unwrap();
    for (value, reply) in values.iter().zip(&replies) {
        assert!(
            show(reply) == format!("\"{value}\""),
            "{} bytes",
            value.len()
        );
    }
    assert_eq!(ask(client, &["MULTI"]).await, "OK");
    assert_eq!(ask(client, &["GET", "key:1"]).await, "QUEUED");
    assert_eq!(ask(client, &["EXEC"]).await, "[\"value 1\"]");
}

/// Lines of the log that contain all parts.
fn logged(proxy: &Proxy, part: &str) -> usize {
    let log = proxy.log();
    log.lines().filter(|line| line.contains(part)).count()
}

#[tokio::test]
async fn clients_and_nodes_by_tls_work_as_without() {
    let (_nodes, addrs) = tls_nodes(3, "no").await;
    let all = format!("{TLS}\nnode_tls: {{ cacert: '@ca.pem' }}");
    let proxy = Proxy::start(&addrs, &settings(&all)).await;
    let mut client = connect(proxy.addr, None).await.unwrap();
    works(&mut client).await;
    let told = ask(&mut client, &["CLIENT", "INFO"]).await;
    assert!(told.contains(&format!(" laddr={} ", proxy.addr)), "{told}");
    // Connections in the other protocol begin with HELLO.
    client.call(&["HELLO", "3"], DEADLINE).await.unwrap();
    assert_eq!(ask(&mut client, &["GET", "key:1"]).await, "\"value 1\"");
    assert_eq!(logged(&proxy, "TLS"), 0, "{}", proxy.log());
}

#[tokio::test]
async fn certificates_of_the_proxy_and_of_clients() {
    let (_nodes, addrs) = tls_nodes(1, "yes").await;
    let all = "workers: 1\ntls: { cert: '@server.pem', key: '@server.key', client_ca: '@ca.pem' }\n\
               node_tls: { cacert: '@ca.pem', cert: '@client.pem', key: '@client.key', server_name: localhost }";
    let proxy = Proxy::start(&addrs, &settings(all)).await;
    let mut client = connect(proxy.addr, Some("client")).await.unwrap();
    works(&mut client).await;
    let refused = async {
        let mut client = connect(proxy.addr, None).await?;
        client.call(&["PING"], DEADLINE).await
    };
    let refused = refused.await;
    assert!(refused.is_err(), "{refused:?}");
    let line = "closed: TLS: the client has no certificate";
    eventually("the log has a line", DEADLINE, async || {
        logged(&proxy, line) == 1
    })
    .await;
    assert_eq!(ask(&mut client, &["PING"]).await, "PONG");
}

#[tokio::test]
async fn a_node_whose_certificate_is_wrong_gets_no_request() {
    let (_nodes, addrs) = tls_nodes(1, "no").await;
    for (wrong, why) in [
        ("cacert: '@client.pem'", "UnknownIssuer"),
        (
            "cacert: '@ca.pem', server_name: other.example",
            "NotValidForName",
        ),
    ] {
        let wrong = settings(&format!("workers: 1\nnode_tls: {{ {wrong} }}"));
        let proxy = Proxy::start(&addrs, &wrong).await;
        let mut client = proxy.client().await;
        let told = ask(&mut client, &["SET", "k", "v"]).await;
        let what = "TLS: the node's certificate is not trusted:";
        let start = format!("-{} {why}", proxy.error(0, what));
        assert!(told.starts_with(&start), "{told}");
        assert_eq!(logged(&proxy, what), 1, "{}", proxy.log());
    }
    let proxy = Proxy::start(&addrs, "workers: 1\nnode_tls: { insecure: true }").await;
    let mut client = proxy.client().await;
    assert_eq!(ask(&mut client, &["EXISTS", "k"]).await, ":0");
}

#[tokio::test]
async fn a_node_that_wants_a_certificate_or_speaks_no_tls_is_named() {
    let (_nodes, addrs) = tls_nodes(1, "yes").await;
    let proxy = Proxy::start(&addrs, &settings(NODE_TLS)).await;
    let mut client = proxy.client().await;
    let expected = proxy.error(0, "TLS: ");
    // The node may reset a connection with requests before its alert arrives.
    eventually("the node's alert is the error", DEADLINE, async || {
        let told = ask(&mut client, &["GET", "k"]).await;
        told.starts_with(&format!("-{expected}"))
    })
    .await;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let plain = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"-ERR Protocol error\r\n").await.ok();
        }
    });
    let proxy = Proxy::start(&[addr], &settings(NODE_TLS)).await;
    let mut client = proxy.client().await;
    let told = ask(&mut client, &["GET", "k"]).await;
    assert_eq!(
        told,
        format!("-{}", proxy.error(0, "TLS: the node does not speak TLS"))
    );
    plain.abort();
}

#[tokio::test]
async fn a_client_that_speaks_no_tls_is_closed_with_one_line() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, &settings(TLS)).await;
    let mut plain = TcpStream::connect(proxy.addr).await.unwrap();
    plain.write_all(b"PING\r\n").await.unwrap();
    let mut told = Vec::new();
    let read = tokio::time::timeout(DEADLINE, plain.read_to_end(&mut told)).await;
    // It gets an alert, and perhaps a reset.
    let _ = read.expect("the proxy closes");
    let line = "closed: TLS: the client does not speak TLS";
    eventually("the log has a line", DEADLINE, async || {
        logged(&proxy, line) == 1
    })
    .await;
    let mut client = connect(proxy.addr, None).await.unwrap();
    assert_eq!(ask(&mut client, &["PING"]).await, "PONG");
}

#[tokio::test]
async fn a_client_that_begins_no_handshake_delays_none_and_is_closed() {
    let (_nodes, addrs) = nodes(1).await;
    let soon = format!("{TLS}\ntimeouts: {{ unauthenticated_ms: 1000 }}");
    let mut proxy = Proxy::start(&addrs, &settings(&soon)).await;
    let mut silent = TcpStream::connect(proxy.addr).await.unwrap();
    let mut client = connect(proxy.addr, None).await.unwrap();
    works(&mut client).await;
    let read = tokio::time::timeout(DEADLINE, silent.read(&mut [0])).await;
    assert_eq!(read.expect("the proxy closes").unwrap(), 0);
    assert_eq!(logged(&proxy, "TLS: no handshake"), 1, "{}", proxy.log());
    // The first half of a record.
    let mut half = TcpStream::connect(proxy.addr).await.unwrap();
    half.write_all(&[22, 3, 1, 0, 200, 1, 0]).await.unwrap();
    drop(half);
    let line = "TLS: the client closed during the handshake";
    eventually("the log has a line", DEADLINE, async || {
        logged(&proxy, line) == 1
    })
    .await;
    // The end of the proxy does not wait for a handshake.
    let _silent = TcpStream::connect(proxy.addr).await.unwrap();
    drop(client);
    proxy.signal(Signal::TERM);
    eventually("the proxy has ended", DEADLINE, async || {
        proxy.process.ended().unwrap().is_some()
    })
    .await;
}

/// The side whose bytes a relay cuts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    Requests,
    Replies,
}

/// Forwards one connection to `to`. Once `cuts` is set, it forwards half of the next bytes, and closes.
async fn relay(to: SocketAddr, cut: Cut, cuts: Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(to).await.unwrap();
            tokio::spawn(forward(near, far, cut, Arc::clone(&cuts)));
        }
    });
    addr
}

async fn forward(mut near: TcpStream, mut far: TcpStream, cut: Cut, cuts: Arc<AtomicBool>) {
    let (mut request, mut reply) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        let (read, out, bytes, side) = tokio::select! {
            read = near.read(&mut request) => (read, &mut far, &request, Cut::Requests),
            read = far.read(&mut reply) => (read, &mut near, &reply, Cut::Replies),
        };
        let count = read.unwrap_or(0);
        let cuts = side == cut && cuts.load(Ordering::Relaxed);
        let sent = if cuts { count / 2 } else { count };
        if out.write_all(&bytes[..sent]).await.is_err() || cuts || count == 0 {
            return;
        }
    }
}

#[tokio::test]
async fn a_request_in_half_a_record_is_not_executed() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, &settings(TLS)).await;
    let cuts = Arc::new(AtomicBool::new(false));
    let through = relay(proxy.addr, Cut::Requests, Arc::clone(&cuts)).await;
    let mut client = connect(through, None).await.unwrap();
    assert_eq!(ask(&mut client, &["SET", "whole", "v"]).await, "OK");
    cuts.store(true, Ordering::Relaxed);
    let closed = client.call(&["SET", "half", "v"], DEADLINE).await;
    assert!(matches!(closed, Err(Error::Closed { .. })), "{closed:?}");
    eventually("the proxy has no client", DEADLINE, async || {
        proxy.stat("redis.egress_redis.downstream_cx_active").await == 0
    })
    .await;
    let mut client = connect(proxy.addr, None).await.unwrap();
    assert_eq!(ask(&mut client, &["EXISTS", "whole", "half"]).await, ":1");
}

#[tokio::test]
async fn a_reply_in_half_a_record_is_a_lost_connection() {
    let (_nodes, addrs) = tls_nodes(1, "no").await;
    let cuts = Arc::new(AtomicBool::new(false));
    let through = relay(addrs[0], Cut::Replies, Arc::clone(&cuts)).await;
    let proxy = Proxy::start(&[through], &settings(NODE_TLS)).await;
    let mut client = proxy.client().await;
    assert_eq!(ask(&mut client, &["SET", "k", "v"]).await, "OK");
    cuts.store(true, Ordering::Relaxed);
    let told = ask(&mut client, &["GET", "k"]).await;
    assert_eq!(told, format!("-{}", proxy.error(0, "connection lost")));
    cuts.store(false, Ordering::Relaxed);
    eventually("the node is used again", DEADLINE, async || {
        ask(&mut client, &["GET", "k"]).await == "\"v\""
    })
    .await;
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("proxy.yaml");
    for (lines, why) in [
        (
            "listen: 127.0.0.1:0\ntls: { cert: /none, key: '@server.key' }",
            "tls: cert: /none: ",
        ),
        (
            "listen: 127.0.0.1:0\ntls: { cert: '@server.pem', key: '@ca.pem' }",
            "tls: key: ",
        ),
        (
            "listen: 127.0.0.1:0\ntls: { cert: '@server.pem', key: '@client.key' }",
            "tls: cert: ",
        ),
        (
            "listen: unix:/a\ntls: { cert: '@server.pem', key: '@server.key' }",
            "tls: expected IP:PORT in `listen`",
        ),
        (
            "listen: 127.0.0.1:0\nnode_tls: { cert: '@client.pem', insecure: true }",
            "node_tls: expected `key` with `cert`",
        ),
        (
            "listen: 127.0.0.1:0\nnode_tls: { cacert: '@server.key' }",
            "node_tls: cacert: ",
        ),
        (
            "listen: 127.0.0.1:0\nnode_tls: { insecure: true, server_name: 'a b' }",
            "node_tls: server_name: `a b`: expected a host name",
        ),
    ] {
        let cluster = "cluster: { policy: maglev, nodes: [{ address: 'a:1' }] }";
        std::fs::write(&path, format!("{}\n{cluster}\n", settings(lines))).unwrap();
        let output = refproxy(&["--config", &path.display().to_string()]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let start = format!("refproxy: {}: {why}", path.display());
        assert!(
            said.starts_with(&start) && said.lines().count() == 1,
            "{said}"
        );
        assert_eq!(output.status.code(), Some(2));
    }
}
