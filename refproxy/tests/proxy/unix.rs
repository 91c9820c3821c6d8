//! Unix sockets: of the proxy for its clients, and of its nodes.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use tempfile::TempDir;
use testbed::address::Address;
use testbed::child::Running;
use testbed::client::Client;
use testbed::endpoint::{Access, Role};
use testbed::http;
use testbed::program::{Program, Search};
use tokio::io::AsyncReadExt as _;
use tokio::net::UnixStream;

use crate::support::{DEADLINE, Proxy, ask, eventually, nodes, refproxy, show};

/// Node servers that listen on sockets in a folder, and on no port.
struct Sockets {
    folder: TempDir,
    servers: Vec<Running>,
}

impl Sockets {
    async fn start(count: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let mut sockets = Self {
            folder,
            servers: Vec::new(),
        };
        for place in 0..count {
            sockets.servers.push(server(&sockets.path(place)));
        }
        for place in 0..count {
            connects(&sockets.path(place)).await;
        }
        sockets
    }

    fn path(&self, place: usize) -> PathBuf {
        self.folder.path().join(format!("{place}.sock"))
    }

    /// As in a configuration.
    fn addresses(&self) -> Vec<String> {
        let address = |place| format!("unix:{}", self.path(place).display());
        (0..self.servers.len()).map(address).collect()
    }

    fn proxy_path(&self) -> PathBuf {
        self.folder.path().join("proxy.sock")
    }
}

/// A Redis that listens on `path` only.
fn server(path: &Path) -> Running {
    let search = Search::new(&std::env::current_exe().unwrap(), std::env::vars_os());
    let mut command = Command::new(search.find(&Program::redis_server()).unwrap());
    command
        .args(["--port", "0", "--save", "", "--unixsocket"])
        .arg(path)
        .stdout(Stdio::null());
    Running::start(command).unwrap()
}

async fn connects(path: &Path) {
    eventually("the socket is served", DEADLINE, async || {
        UnixStream::connect(path).await.is_ok()
    })
    .await;
}

async fn client(path: &Path) -> Client {
    let address: Address = format!("unix:{}", path.display()).parse().unwrap();
    let endpoint = Access::default().endpoint(&address, Role::Proxy).unwrap();
    Client::connect(endpoint, DEADLINE).await.unwrap()
}

#[tokio::test]
async fn clients_and_nodes_on_sockets_work_as_on_ports() {
    let sockets = Sockets::start(3).await;
    let path = sockets.proxy_path();
    let _proxy = Proxy::start_on_path(&path, &sockets.addresses(), "workers: 2").await;
    let mut client = client(&path).await;
    let keys: Vec<String> = (0..100).map(|number| format!("key:{number}")).collect();
    let sets: Vec<_> = keys.iter().map(|key| vec!["SET", key, key]).collect();
    let replies = client.pipeline(&sets, DEADLINE).await.unwrap();
    assert!(replies.iter().all(|reply| show(reply) == "OK"));
    let gets: Vec<_> = keys.iter().map(|key| vec!["GET", key]).collect();
    let replies = client.pipeline(&gets, DEADLINE).await.unwrap();
    for (key, reply) in keys.iter().zip(&replies) {
        assert_eq!(show(reply), format!("\"{key}\""));
    }
    for place in 0..3 {
        let mut node = self::client(&sockets.path(place)).await;
        assert_ne!(ask(&mut node, &["DBSIZE"]).await, ":0", "node {place}");
    }
    let value = "x".repeat(1024 * 1024);
    assert_eq!(ask(&mut client, &["SET", "large", &value]).await, "OK");
    let got = ask(&mut client, &["GET", "large"]).await;
    assert!(got == format!("\"{value}\""), "{} bytes", got.len());
    assert_eq!(ask(&mut client, &["MULTI"]).await, "OK");
    assert_eq!(ask(&mut client, &["GET", "key:1"]).await, "QUEUED");
    assert_eq!(ask(&mut client, &["EXEC"]).await, "[\"key:1\"]");
}

/// As Redis 7.0 lists a client of its `unixsocket`.
#[tokio::test]
async fn a_client_without_an_ip_address_is_listed() {
    let sockets = Sockets::start(1).await;
    let path = sockets.proxy_path();
    let _proxy = Proxy::start_on_path(&path, &sockets.addresses(), "workers: 1").await;
    let mut client = client(&path).await;
    let mut plain = self::client(&sockets.path(0)).await;
    for request in [&["CLIENT", "INFO"][..], &["CLIENT", "LIST"]] {
        let told = ask(&mut client, request).await;
        let shown = path.display();
        let ends = format!(" addr={shown}:0 laddr={shown}:0 ");
        assert!(told.contains(&ends) && told.contains(" flags=U "), "{told}");
    }
    let told = ask(&mut plain, &["CLIENT", "INFO"]).await;
    let shown = sockets.path(0).display().to_string();
    let ends = format!(" addr={shown}:0 laddr={shown}:0 ");
    assert!(told.contains(&ends) && told.contains(" flags=U "), "{told}");
    let told = ask(&mut client, &["INFO", "server"]).await;
    assert!(told.contains("tcp_port:0"), "{told}");
}

#[tokio::test]
async fn a_node_that_is_down_is_named_by_its_path_and_used_again() {
    let mut sockets = Sockets::start(1).await;
    let path = sockets.proxy_path();
    let proxy = Proxy::start_on_path(&path, &sockets.addresses(), "workers: 1").await;
    let mut client = client(&path).await;
    assert_eq!(ask(&mut client, &["SET", "k", "v"]).await, "OK");
    drop(sockets.servers.remove(0));
    let node = sockets.path(0);
    let expected = format!("-ERR node {}: connection refused", node.display());
    eventually("the node is down", DEADLINE, async || {
        ask(&mut client, &["GET", "k"]).await == expected
    })
    .await;
    let clusters = http::get(proxy.admin, "/clusters", DEADLINE).await.unwrap();
    let shown = format!(r#""address":"{}""#, node.display());
    assert!(clusters.body.contains(&shown), "{}", clusters.body);
    sockets.servers.push(server(&node));
    eventually("the node is used again", DEADLINE, async || {
        ask(&mut client, &["GET", "k"]).await == "nil"
    })
    .await;
}

#[tokio::test]
async fn the_socket_file_of_a_killed_proxy_is_replaced_and_removed_at_the_end() {
    let (_nodes, addrs) = nodes(1).await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("proxy.sock");
    let nodes = [addrs[0].to_string()];
    let proxy = Proxy::start_on_path(&path, &nodes, "workers: 1").await;
    let first = path.metadata().unwrap();
    proxy.signal(Signal::KILL);
    drop(proxy);
    assert!(path.exists(), "a process that is killed leaves its file");
    let mut proxy = Proxy::start_on_path(&path, &nodes, "workers: 1").await;
    let second = path.metadata().unwrap();
    let made = |about: &std::fs::Metadata| (about.ino(), about.mtime(), about.mtime_nsec());
    assert_ne!(made(&first), made(&second));
    assert_eq!(ask(&mut client(&path).await, &["PING"]).await, "PONG");
    proxy.signal(Signal::TERM);
    eventually("the proxy has ended", DEADLINE, async || {
        proxy.process.ended().unwrap().is_some()
    })
    .await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_path_that_is_taken_is_an_error_of_one_line() {
    let (_nodes, addrs) = nodes(1).await;
    let node = addrs[0].to_string();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("proxy.sock");
    let _proxy = Proxy::start_on_path(&path, std::slice::from_ref(&node), "workers: 1").await;
    let file = folder.path().join("file");
    std::fs::write(&file, "kept").unwrap();
    let nowhere = folder.path().join("none/a.sock");
    for (path, why) in [
        (&path, "another process listens there, expected a free path"),
        (
            &file,
            "a file that is not a socket is there, expected a free path",
        ),
        (&nowhere, "No such file or directory (os error 2)"),
    ] {
        let listen = format!("unix:{}", path.display());
        let output = refproxy(&["--listen", &listen, "--node", &node]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said, format!("refproxy: listen on {listen}: {why}\n"));
        assert_eq!(output.status.code(), Some(2));
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
    assert_eq!(ask(&mut client(&path).await, &["PING"]).await, "PONG");
}

#[tokio::test]
async fn one_client_too_many_is_told_so_on_a_socket_too() {
    let (_nodes, addrs) = nodes(1).await;
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("proxy.sock");
    let settings = "workers: 1\nlimits: { clients: 1 }";
    let _proxy = Proxy::start_on_path(&path, &[addrs[0].to_string()], settings).await;
    let mut first = client(&path).await;
    assert_eq!(ask(&mut first, &["PING"]).await, "PONG");
    let mut second = UnixStream::connect(&path).await.unwrap();
    let mut told = Vec::new();
    let read = tokio::time::timeout(DEADLINE, second.read_to_end(&mut told)).await;
    read.expect("the proxy closes").unwrap();
    let told = String::from_utf8_lossy(&told).into_owned();
    assert_eq!(told, "-ERR max number of clients reached\r\n");
}
