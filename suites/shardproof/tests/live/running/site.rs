//! Three nodes, links of `shardproof links` before them, and a proxy: all foreign to the run under test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use libtest_mimic::Failed;
use serde_json::Value as Json;
use tempfile::TempDir;
use testbed::client::{Client, NODE_DEADLINE};
use testbed::node::{Node, Process};
use testbed::port::PortLock;
use testbed::targets::{Proxy, Setting, Target};
use testbed::wait::{self, Probed};
use testbed::wire::Value;
use tokio::runtime::Runtime;

use crate::support;

pub(super) const WITHIN: Duration = Duration::from_secs(60);
/// Fixed, so that placement and with it the share of each node is the same in every run.
const LINK_PORT_BASE: u16 = 22801;
const OP_TIMEOUT_MS: u64 = 200;

/// Everything that an operator runs.
pub(super) struct Site {
    runtime: Runtime,
    pub(super) nodes: Vec<Process>,
    links: Served,
    target: Target,
    proxy: Proxy,
    pub(super) folder: TempDir,
    /// Held until the links are gone.
    _lease: PortLock,
}

/// `shardproof links`, gone when dropped.
struct Served {
    program: Child,
    control: SocketAddr,
    addrs: Vec<SocketAddr>,
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

impl Served {
    fn start(nodes: &[Process]) -> Result<Self, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shardproof"));
        command.args(["links", "--listen", "127.0.0.1:0", "--link-port-base"]);
        command.arg(LINK_PORT_BASE.to_string());
        for node in nodes {
            command.args(["--node", &node.addr().to_string()]);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = command.spawn().map_err(|why| why.to_string())?;
        let stdout = program.stdout.take().ok_or("no stdout")?;
        let mut addrs = Vec::new();
        for line in BufReader::new(stdout).lines() {
            let line = line.map_err(|why| why.to_string())?;
            if let Some((link, _)) = line.split_once(" before node ") {
                addrs.push(link.parse().map_err(|_| line.clone())?);
            }
            if let Some(control) = line.strip_prefix("control: --toxiproxy ") {
                let control = control.parse().map_err(|_| line.clone())?;
                return Ok(Self {
                    program,
                    control,
                    addrs,
                });
            }
        }
        let output = program.wait_with_output().map_err(|why| why.to_string())?;
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Site {
    pub(super) fn start(target: &Target) -> Result<Self, Failed> {
        let runtime = Runtime::new()?;
        let (lease, nodes, links, proxy) = runtime.block_on(async {
            let search = support::search();
            let lease = PortLock::on(LINK_PORT_BASE).await?;
            let mut nodes = Vec::new();
            for _ in 0..3 {
                nodes.push(Process::start(&search).await?);
            }
            let links = Served::start(&nodes)?;
            let setting = Setting {
                op_timeout_ms: OP_TIMEOUT_MS,
                ..Setting::usual(target, links.addrs.clone())
            };
            let proxy = Proxy::start(target, setting, &search).await?;
            Ok::<_, Failed>((lease, nodes, links, proxy))
        })?;
        let folder = TempDir::new()?;
        for node in &nodes {
            let pid = node.pid().ok_or("no pid")?;
            fs::write(pid_file(folder.path(), node.addr()), format!("{pid}\n"))?;
        }
        Ok(Self {
            runtime,
            nodes,
            links,
            target: target.clone(),
            proxy,
            folder,
            _lease: lease,
        })
    }

    /// Another proxy of the same kind, over the links to these nodes, in this order.
    pub(super) fn further(&self, nodes: &[usize]) -> Proxy {
        let links = nodes.iter().map(|node| self.links.addrs[*node]);
        let setting = Setting {
            nodes: links.collect(),
            ..self.proxy.setting().clone()
        };
        let search = support::search();
        let started = Proxy::start(&self.target, setting, &search);
        self.runtime.block_on(started).unwrap()
    }

    /// The control API of the links.
    pub(super) fn control(&self) -> SocketAddr {
        self.links.control
    }

    /// `shardproof chaos` on the proxy with its nodes, and with these words.
    pub(super) fn chaos(&self, words: &[&str]) -> Command {
        // A signal that the test runner ignores, as background jobs of a shell do, is not ignored by the run under test.
        let mut command = Command::new("env");
        command
            .arg("--default-signal=INT,TERM,HUP")
            .arg(env!("CARGO_BIN_EXE_shardproof"))
            .args(["chaos", "--proxy", &self.proxy.addr().to_string()])
            .args(["--op-timeout-ms", &OP_TIMEOUT_MS.to_string(), "--seed", "1"]);
        for node in &self.nodes {
            command.args(["--node", &node.addr().to_string()]);
        }
        command
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs scenarios to their end.
    pub(super) fn judged(&self, words: &[&str]) -> Judged {
        let words = [words, &["--json", "-"]].concat();
        let output = self.chaos(&words).output().unwrap();
        Judged::new(output)
    }

    /// Waits until this is so.
    #[track_caller]
    pub(super) fn eventually(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let probe = || wait::found(is_so(), || "it did not".to_owned());
        let seen = wait::eventually_blocking(what, WITHIN, probe);
        seen.unwrap_or_else(|late| panic!("{late}"));
    }

    /// The keys of each node, which answers.
    #[track_caller]
    pub(super) fn keys(&self) -> Vec<Vec<String>> {
        let keys = self.nodes.iter().map(|node| {
            let keys = self.runtime.block_on(async {
                let mut client = Client::connect(node.addr(), NODE_DEADLINE).await?;
                client.call(&["KEYS", "*"], NODE_DEADLINE).await
            });
            let Ok(Value::Array(keys)) = keys else {
                panic!("{}: {keys:?}", node.addr());
            };
            let text = |key: Value| match key {
                Value::Bulk(key) => String::from_utf8(key).unwrap(),
                other => panic!("{other}"),
            };
            keys.into_iter().map(text).collect()
        });
        keys.collect()
    }

    /// Every node answers, and has no key.
    #[track_caller]
    pub(super) fn check_untouched(&self) {
        assert_eq!(self.keys(), vec![Vec::<String>::new(); self.nodes.len()]);
    }

    /// Toxics and state of each link, as the control API shows them.
    pub(super) fn toxics(&self) -> Vec<(bool, usize)> {
        let client = testbed::toxiproxy::Client::new(self.control());
        let proxies = self.runtime.block_on(client.proxies()).unwrap();
        let shown = proxies.into_values();
        shown.map(|it| (it.enabled, it.toxics.len())).collect()
    }
}

/// Where a hook finds the process of a node.
pub(super) fn pid_file(folder: &Path, node: SocketAddr) -> PathBuf {
    folder.join(format!("{}.pid", node.port()))
}

/// The end of a run.
pub(super) struct Judged {
    pub(super) code: Option<i32>,
    report: Json,
    said: String,
}

impl Judged {
    fn new(output: Output) -> Self {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Self {
            code: output.status.code(),
            report: serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|why| panic!("{why}: {said}")),
            said,
        }
    }

    /// The report on a scenario.
    #[track_caller]
    fn found(&self, id: &str) -> &Json {
        let found = self.report["targets"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|target| target["scenarios"].as_array().into_iter().flatten())
            .find(|scenario| scenario["scenario"] == id);
        found.unwrap_or_else(|| panic!("{id} in {:#}", self.report))
    }

    /// What several proxies found.
    #[track_caller]
    pub(super) fn proxies(&self, id: &str) -> &Json {
        &self.found(id)["observed"]["proxies"]
    }

    /// The verdict on a scenario, and its reason if it could not be judged.
    #[track_caller]
    pub(super) fn scenario(&self, id: &str) -> (String, String) {
        let found = self.found(id);
        let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
        (text("verdict"), text("why"))
    }

    /// The scenario was run, and judged unless the machine stalled.
    #[track_caller]
    pub(super) fn check_judged(&self, id: &str) {
        let (verdict, why) = self.scenario(id);
        let stalls = self.found(id)["observed"]["timeline"]["stalls_ms"].as_array();
        let is_judged = match &*verdict {
            "kept" | "broken" => true,
            "unknown" => stalls.is_some_and(|stalls| !stalls.is_empty()),
            _ => false,
        };
        assert!(is_judged, "{id} is {verdict}: {why}");
    }

    #[track_caller]
    pub(super) fn check(&self, id: &str, verdict: &str, why: &str) {
        let (found, because) = self.scenario(id);
        assert_eq!(found, verdict, "{id}: {because}\n{}", self.said);
        assert!(because.contains(why), "{id}: {because}");
    }

    /// Nothing is left, says the last line.
    #[track_caller]
    pub(super) fn check_nothing_left(&self) {
        let last = self.said.lines().last().unwrap_or_default();
        assert_eq!(last, "left behind: 0 keys", "{}", self.said);
    }
}

/// Fixtures with one scenario, in which a fault lasts for minutes.
pub(super) fn long(fault: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir_all(folder.path().join("chaos")).unwrap();
    let text = format!(
        r#"# A fault that lasts until the run is cut off.
duration = "300s"
laws = ["registers-linearizable"]

[[workload]]
kind = "register"
clients = 2
keys = 12
rate = 100

[[fault]]
kind = "{fault}"
on = "B"
at = "10ms"
for = "290s"

[[covers]]
condition = "requests-in-fault"
at_least = 1
"#
    );
    fs::write(folder.path().join("chaos/long.toml"), text).unwrap();
    folder
}

/// Waits for the end of a run after a signal, for at most the usual deadline.
#[track_caller]
pub(super) fn ended(mut run: Child) -> Output {
    let probe = || match run.try_wait().unwrap() {
        Some(_) => Probed::Break(()),
        None => Probed::Continue("it runs".to_owned()),
    };
    wait::eventually_blocking("the end of the run", WITHIN, probe)
        .unwrap_or_else(|late| panic!("{late}"));
    run.wait_with_output().unwrap()
}
