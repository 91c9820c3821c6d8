//! The real binary over real Redis nodes, for the tests of this folder.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use placement::{Cluster, Node, Placement, Policy};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testbed::child::Running;
use testbed::client::Client;
use testbed::http;
use testbed::node::{Node as _, Process};
use testbed::port::Port;
use testbed::program::Search;
use testbed::wait;
use testbed::wire::Value;
use tokio::net::{TcpListener, TcpStream};

/// Deadline of operations that take milliseconds, on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Attempts to start a proxy on ports that were free a moment ago.
const ATTEMPTS: usize = 5;

/// A proxy that we started; killed when dropped.
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) process: Running,
    pub(crate) nodes: Vec<SocketAddr>,
    folder: TempDir,
    settings: String,
    _ports: [Port; 2],
}

impl Proxy {
    /// Starts a proxy over `nodes`; `settings` are further lines of its configuration.
    pub(crate) async fn start(nodes: &[SocketAddr], settings: &str) -> Self {
        Self::start_with(nodes, settings, |_| {}).await
    }

    /// As [`Proxy::start`], with something changed about the command.
    pub(crate) async fn start_with(
        nodes: &[SocketAddr],
        settings: &str,
        change: impl Fn(&mut Command),
    ) -> Self {
        for _ in 0..ATTEMPTS {
            let mut proxy = Self::launch(nodes, settings, &change);
            if proxy.is_ready_or_ended().await {
                return proxy;
            }
            // Another process may have taken a port since it was seen free.
            assert!(proxy.log().contains("in use"), "{}", proxy.log());
        }
        panic!("no free ports in {ATTEMPTS} attempts");
    }

    /// Starts a proxy that listens on a Unix socket; `nodes` are addresses of any kind.
    pub(crate) async fn start_on_path(path: &Path, nodes: &[String], settings: &str) -> Self {
        let listen = format!("unix:{}", path.display());
        let config = |_, admin| config(&listen, admin, nodes, settings);
        let mut proxy = Self::launch_with(config, &|_| {});
        assert!(proxy.is_ready_or_ended().await, "{}", proxy.log());
        proxy
    }

    fn launch(nodes: &[SocketAddr], settings: &str, change: &impl Fn(&mut Command)) -> Self {
        let config = |addr, admin| config(addr, admin, nodes, settings);
        Self {
            nodes: nodes.to_vec(),
            settings: settings.to_owned(),
            ..Self::launch_with(config, change)
        }
    }

    /// Starts a proxy with the configuration that is made for an address to listen on and one of the admin interface.
    fn launch_with(
        config: impl FnOnce(SocketAddr, SocketAddr) -> String,
        change: &impl Fn(&mut Command),
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let ports = [(); 2].map(|()| Port::free().unwrap());
        let [addr, admin] = ports.each_ref().map(Port::addr);
        std::fs::write(folder.path().join("proxy.yaml"), config(addr, admin)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_refproxy"));
        command
            .arg("--config")
            .arg(folder.path().join("proxy.yaml"));
        command.env_remove("RUST_LOG");
        change(&mut command);
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        command.stderr(log);
        Self {
            addr,
            admin,
            process: Running::start(command).unwrap(),
            nodes: Vec::new(),
            folder,
            settings: String::new(),
            _ports: ports,
        }
    }

    /// Waits until it serves or has ended; whether it serves.
    async fn is_ready_or_ended(&mut self) -> bool {
        let mut serves = false;
        eventually("the proxy is ready", DEADLINE, async || {
            let ready = http::get(self.admin, "/ready", DEADLINE).await;
            let ended = self.process.ended().unwrap().is_some();
            // Another proxy may answer on the port of one that could not bind it.
            serves = !ended && ready.is_ok_and(|answer| answer.status == 200);
            ended || serves
        })
        .await;
        serves
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.addr, DEADLINE).await.unwrap()
    }

    pub(crate) fn config_path(&self) -> PathBuf {
        self.folder.path().join("proxy.yaml")
    }

    /// Writes a configuration with other nodes, to be read on SIGHUP.
    pub(crate) fn rewrite(&self, nodes: &[SocketAddr]) {
        std::fs::write(
            self.config_path(),
            config(self.addr, self.admin, nodes, &self.settings),
        )
        .unwrap();
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal).unwrap();
    }

    /// Changes the cluster over the admin interface.
    pub(crate) async fn put(&self, nodes: &[SocketAddr]) -> http::Answer {
        let nodes: Vec<String> = nodes
            .iter()
            .map(|node| format!(r#"{{"address": "{node}"}}"#))
            .collect();
        let body = format!(r#"{{"policy": "maglev", "nodes": [{}]}}"#, nodes.join(", "));
        http::put(self.admin, "/cluster", body, DEADLINE)
            .await
            .unwrap()
    }

    /// A counter or gauge of the proxy.
    pub(crate) async fn stat(&self, name: &str) -> u64 {
        let answer = http::get(self.admin, "/stats", DEADLINE).await.unwrap();
        let mut lines = answer.body.lines();
        let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let value = value.unwrap_or_else(|| panic!("no {name} in {}", answer.body));
        value.parse().unwrap()
    }

    /// Memory that the proxy has in use.
    pub(crate) fn rss_mib(&self) -> u64 {
        self.memory_mib("VmRSS:")
    }

    /// The most that it had in use.
    pub(crate) fn peak_mib(&self) -> u64 {
        self.memory_mib("VmHWM:")
    }

    fn memory_mib(&self, name: &str) -> u64 {
        let path = format!("/proc/{}/status", self.process.pid());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kib = line.split_whitespace().nth(1).unwrap();
        kib.parse::<u64>().unwrap() / 1024
    }

    /// Keys that live on the node at this place in the list.
    pub(crate) fn keys_on(&self, place: usize) -> impl Iterator<Item = String> {
        keys_on(&self.nodes, place)
    }

    /// One key that lives on that node.
    pub(crate) fn key_on(&self, place: usize) -> String {
        self.keys_on(place).next().unwrap()
    }

    /// The error text that begins so for the node at this place.
    pub(crate) fn error(&self, place: usize, what: &str) -> String {
        format!("ERR node {}: {what}", self.nodes[place])
    }
}

pub(crate) fn config(
    listen: impl Display,
    admin: SocketAddr,
    nodes: &[impl Display],
    settings: &str,
) -> String {
    let nodes: Vec<String> = nodes
        .iter()
        .map(|node| format!("    - address: {node}\n"))
        .collect();
    format!(
        "listen: {listen}\nadmin: {admin}\n{settings}\ncluster:\n  policy: maglev\n  nodes:\n{}",
        nodes.concat()
    )
}

pub(crate) fn keys_on(nodes: &[SocketAddr], place: usize) -> impl Iterator<Item = String> + use<> {
    let nodes = nodes.iter().map(|node| Node::at(node.to_string()));
    let placement = Placement::new(&Cluster::new(Policy::maglev(), nodes.collect())).unwrap();
    (0..)
        .map(|number| format!("key:{number}"))
        .filter(move |key| placement.node(key.as_bytes()).index() == place)
}

/// The output of a proxy that does not start. A proxy that does is ended.
#[track_caller]
pub(crate) fn refproxy(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_refproxy"));
    command
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let process = Pid::from_child(&child);
    let (sender, ended) = mpsc::channel();
    let waits = thread::spawn(move || sender.send(child.wait_with_output()));
    match ended.recv_timeout(DEADLINE) {
        Ok(output) => output.unwrap(),
        Err(_) => {
            kill_process(process, Signal::KILL).unwrap();
            waits.join().unwrap().unwrap();
            panic!("it starts with {args:?}: {:?}", ended.recv().unwrap());
        }
    }
}

/// Starts `count` nodes.
pub(crate) async fn nodes(count: usize) -> (Vec<Process>, Vec<SocketAddr>) {
    let search = Search::new(&std::env::current_exe().unwrap(), std::env::vars_os());
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(Process::start(&search).await.unwrap());
    }
    let addrs = nodes.iter().map(|node| node.addr()).collect();
    (nodes, addrs)
}

/// The next connection on which the proxy asks for something. Those on which it only looks whether the node is busy, with an
/// inline PING, are closed.
pub(crate) async fn asked(listener: &TcpListener) -> TcpStream {
    let asked = async {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut first = [0];
            if stream.peek(&mut first).await.is_ok_and(|count| count == 1) && first != *b"P" {
                return stream;
            }
        }
    };
    let asked = tokio::time::timeout(DEADLINE, asked).await;
    asked.expect("the proxy asks on a new connection")
}

/// Waits until `probe` sees it.
pub(crate) async fn eventually(
    what: &str,
    deadline: Duration,
    mut probe: impl AsyncFnMut() -> bool,
) {
    let probe = async || wait::found(probe().await, || "not yet".to_owned());
    let waited = wait::eventually(what, deadline, probe).await;
    waited.unwrap_or_else(|late| panic!("{late}"));
}

/// The reply as wire text.
pub(crate) async fn ask(client: &mut Client, args: &[&str]) -> String {
    show(&client.call(args, DEADLINE).await.unwrap())
}

/// A reply, short: `OK`, `"value"`, `:1`, `nil`, `-ERR ...`.
pub(crate) fn show(value: &Value) -> String {
    let text = |bytes: &[u8]| bytes.escape_ascii().to_string().replace("\\'", "'");
    match value {
        Value::Simple(bytes) => text(bytes),
        Value::Error(bytes) => format!("-{}", text(bytes)),
        Value::Integer(number) => format!(":{number}"),
        Value::Bulk(bytes) => format!("\"{}\"", text(bytes)),
        Value::NullBulk | Value::NullArray => "nil".into(),
        Value::Array(values) => format!(
            "[{}]",
            values.iter().map(show).collect::<Vec<_>>().join(" ")
        ),
        resp3 => resp3.to_string(),
    }
}
