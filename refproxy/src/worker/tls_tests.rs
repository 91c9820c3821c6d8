//! TLS on sockets with little room, and clients that end it in their own way.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::LocalSet;

use super::Worker;
use super::tests::{DEADLINE, config, worker_of};
use crate::accept;
use crate::config::{ClientTls, Config, NodeTls};
use crate::stream::Stream;
use crate::tls::{Acceptor, Connector, TlsStream};

/// The kernel's least.
const LITTLE: usize = 4096;
/// More than the sockets hold, and less than TLS takes at once.
const SOME: usize = 40_000;

fn certificate(name: &str) -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let folder = project.join("suites/testbed/src/endpoint/certificates");
    folder.join(name)
}

fn acceptor() -> Acceptor {
    let files = ClientTls {
        cert: certificate("server.pem"),
        key: certificate("server.key"),
        client_ca: None,
    };
    Acceptor::new(&files).unwrap()
}

fn connector() -> Connector {
    let files = NodeTls {
        cacert: Some(certificate("ca.pem")),
        insecure: false,
        cert: None,
        key: None,
        server_name: None,
    };
    Connector::new(&files).unwrap()
}

/// A listener whose connections have segments and buffers as small as possible.
fn small_listener() -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(LITTLE).unwrap();
    socket.set_send_buffer_size(LITTLE).unwrap();
    socket.set_tcp_mss(536).unwrap();
    socket.set_nonblocking(true).unwrap();
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&any.into()).unwrap();
    socket.listen(16).unwrap();
    TcpListener::from_std(socket.into()).unwrap()
}

fn worker(node: &str, tls: (Option<Acceptor>, Option<Connector>)) -> Rc<Worker> {
    worker_of(&Config {
        tls: tls.0,
        node_tls: tls.1,
        ..config(node)
    })
}

/// A client of the worker, by TLS.
async fn client(worker: &Rc<Worker>) -> Box<TlsStream> {
    let listener = small_listener();
    let address = listener.local_addr().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    SockRef::from(&stream).set_recv_buffer_size(LITTLE).unwrap();
    let (accepted, peer) = listener.accept().await.unwrap();
    accept::admit(worker, Stream::Tcp(accepted), Some(peer));
    let connector = connector();
    let connected = connector.connect(&address.to_string(), stream).await;
    connected.unwrap()
}

/// Reads exactly these bytes.
async fn reads(stream: &mut TlsStream, expected: &[u8]) {
    let mut got = vec![0; expected.len()];
    let read = tokio::time::timeout(DEADLINE, stream.read_exact(&mut got)).await;
    read.expect("all bytes come").unwrap();
    assert!(got == expected, "other bytes");
}

#[tokio::test]
async fn the_end_of_a_reply_does_not_stay_in_the_proxy() {
    let check = async {
        let worker = worker("127.0.0.1:1", (Some(acceptor()), None));
        let mut client = client(&worker).await;
        let text = "x".repeat(SOME);
        let bulk = format!("${SOME}\r\n{text}\r\n");
        let request = format!("*2\r\n$4\r\nECHO\r\n{bulk}");
        client.write_all(request.as_bytes()).await.unwrap();
        client.flush().await.unwrap();
        reads(&mut client, bulk.as_bytes()).await;
    };
    LocalSet::new().run_until(check).await;
}

#[tokio::test]
async fn the_end_of_a_request_does_not_stay_in_the_proxy() {
    let check = async {
        let listener = small_listener();
        let address = listener.local_addr().unwrap().to_string();
        let worker = worker(&address, (Some(acceptor()), Some(connector())));
        let node = async {
            let (stream, _) = listener.accept().await.unwrap();
            acceptor().accept(stream).await.unwrap()
        };
        let (mut node, mut client) = tokio::join!(node, client(&worker));
        // The room in the kernel is not known.
        for kib in (16..=160).step_by(16) {
            let (text, len) = ("x".repeat(kib * 1024), kib * 1024);
            let request = format!("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n${len}\r\n{text}\r\n");
            client.write_all(request.as_bytes()).await.unwrap();
            client.flush().await.unwrap();
            reads(&mut node, request.as_bytes()).await;
        }
    };
    LocalSet::new().run_until(check).await;
}

/// Many clients end TCP without the end of TLS.
#[tokio::test]
async fn a_client_that_only_reads_any_more_gets_its_replies() {
    let check = async {
        let listener = small_listener();
        let address = listener.local_addr().unwrap().to_string();
        let worker = worker(&address, (Some(acceptor()), None));
        let mut client = client(&worker).await;
        let (mut node, _) = listener.accept().await.unwrap();
        let request = b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n";
        client.write_all(request).await.unwrap();
        client.flush().await.unwrap();
        let mut got = [0; 20];
        node.read_exact(&mut got).await.unwrap();
        let socket = SockRef::from(client.get_ref().0);
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        // The proxy has seen the end once it no longer waits for it: other work of this thread has had its turns.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        node.write_all(b"$1\r\nv\r\n").await.unwrap();
        reads(&mut client, b"$1\r\nv\r\n").await;
    };
    LocalSet::new().run_until(check).await;
}
