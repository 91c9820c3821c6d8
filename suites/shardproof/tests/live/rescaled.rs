//! `rescale --proxy`: real running proxies, foreign to the run, over nodes with keys of others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value as Json;
use tempfile::TempDir;
use testbed::client::{self, Client, NODE_DEADLINE};
use testbed::node::{Node, Process};
use testbed::port::Port;
use testbed::targets::{Proxy, Setting, Target};
use testbed::wait::{self, Probed};
use testbed::wire::Value;
use tokio::runtime::Runtime;

use crate::support;

const WITHIN: Duration = Duration::from_secs(60);
/// Keys of others on each node.
const FOREIGN: usize = 50;
const KEYS: u64 = 10_000;

pub(crate) fn trials() -> Vec<Trial> {
    let targets = support::targets();
    let named = |name: &str| targets.iter().find(|it| it.name == name).unwrap().clone();
    let trial = |name: &str, target: &Target, test: fn(&Target) -> Result<(), Failed>| {
        let (presence, target) = (support::presence(target), target.clone());
        support::trial(format!("rescaled::{name}"), presence, move || test(&target))
    };
    let mut trials: Vec<Trial> = ["envoy", "twemproxy", "refproxy"]
        .map(|name| trial(&format!("two-proxies-of-{name}"), &named(name), two_proxies))
        .into();
    let (refproxy, twemproxy) = (named("refproxy"), named("twemproxy"));
    trials.extend([
        trial("a-signal-that-reloads", &refproxy, reloaded),
        trial("a-command-that-restarts", &twemproxy, restarted),
        trial("a-stopped-run-changes-back", &refproxy, stopped),
        trial("what-is-not-so-is-no-verdict", &refproxy, misdescribed),
    ]);
    trials
}

/// Four nodes with keys of others.
struct Nodes {
    runtime: Runtime,
    nodes: Vec<Process>,
    foreign: Contents,
}

/// What each node holds.
type Contents = Vec<BTreeMap<String, String>>;

impl Nodes {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let nodes = runtime.block_on(async {
            let mut nodes = Vec::new();
            for number in 0..4 {
                let node = Process::start(&support::search()).await.unwrap();
                let mut client = Client::connect(node.addr(), NODE_DEADLINE).await.unwrap();
                for key in 0..FOREIGN {
                    let set = [
                        "SET".to_owned(),
                        format!("foreign:{key}"),
                        number.to_string(),
                    ];
                    client.call(&set, NODE_DEADLINE).await.unwrap();
                }
                nodes.push(node);
            }
            nodes
        });
        let mut nodes = Self {
            runtime,
            nodes,
            foreign: Vec::new(),
        };
        nodes.foreign = nodes.contents();
        nodes
    }

    fn addrs(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(Node::addr).collect()
    }

    fn contents(&self) -> Contents {
        let words = |value| match value {
            Value::Array(words) => words.into_iter().map(text).collect::<Vec<String>>(),
            other => panic!("expected an array, not {other}"),
        };
        self.runtime.block_on(async {
            let mut all = Vec::new();
            for node in &self.nodes {
                let mut client = Client::connect(node.addr(), NODE_DEADLINE).await.unwrap();
                let keys = words(client.call(&["KEYS", "*"], NODE_DEADLINE).await.unwrap());
                let get = [vec!["MGET".to_owned()], keys.clone()].concat();
                let values = words(client.call(&get, NODE_DEADLINE).await.unwrap());
                all.push(keys.into_iter().zip(values).collect());
            }
            all
        })
    }

    /// `shardproof rescale` from three of the nodes to four, with these words.
    fn rescale(&self, words: &[&str]) -> Command {
        // A signal that the test runner ignores, as background jobs of a shell do, is not ignored by the run under test.
        let mut command = Command::new("env");
        command
            .arg("--default-signal=INT")
            .arg(env!("CARGO_BIN_EXE_shardproof"))
            .args(["rescale", "--from", "3", "--to", "4"])
            .args(words)
            .stdin(Stdio::null());
        for node in self.addrs() {
            command.args(["--node", &node.to_string()]);
        }
        command
    }

    /// A run that must find the policy's placement on all nodes, and leave nothing.
    #[track_caller]
    fn check(&self, policy: &str, words: &[&str]) {
        let folder = TempDir::new().unwrap();
        let json = folder.path().join("r.json").display().to_string();
        let words = [words, &["--policy", policy, "--json", &json]].concat();
        let output = self.rescale(&words).output().unwrap();
        ends(&output, 0, "left behind: 0 keys");
        let report: Json = serde_json::from_slice(&fs::read(&json).unwrap()).unwrap();
        assert_eq!(report["keys"], KEYS, "{report}");
        assert_eq!(report["predicted"]["agree"], KEYS, "{report}");
        let nodes = report["nodes"].as_array().unwrap();
        assert_eq!(nodes[3]["before"], 0, "{report}");
        assert!(nodes[3]["after"].as_u64() > Some(KEYS / 10), "{report}");
        let moved = report["unreachable"].as_u64().unwrap();
        assert!((KEYS / 10..KEYS).contains(&moved), "{report}");
        assert_eq!(report["found"].as_u64(), Some(KEYS - moved), "{report}");
        assert_eq!(report["stale"], moved, "{report}");
        let laws = report["laws"].as_array().unwrap();
        assert!(laws.iter().all(|law| law["verdict"] == "kept"), "{report}");
        assert_eq!(self.contents(), self.foreign);
    }
}

fn text(value: Value) -> String {
    match value {
        Value::Bulk(text) => String::from_utf8(text).unwrap(),
        other => other.to_string(),
    }
}

/// Expects an exit code, and a line on stderr with these words.
#[track_caller]
fn ends(output: &Output, code: i32, words: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{stdout}\n{stderr}");
    let mut lines = stderr.lines();
    assert!(lines.any(|line| line.contains(words)), "{words}:\n{stderr}");
}

fn proxy(runtime: &Runtime, target: &Target, nodes: &[SocketAddr]) -> Proxy {
    let setting = Setting::usual(target, nodes.to_vec());
    let search = support::search();
    let started = Proxy::start(target, setting, &search);
    runtime.block_on(started).unwrap()
}

fn two_proxies(target: &Target) -> Result<(), Failed> {
    let nodes = Nodes::start();
    let before = proxy(&nodes.runtime, target, &nodes.addrs()[..3]);
    let after = proxy(&nodes.runtime, target, &nodes.addrs());
    let [before, after] = [before.addr(), after.addr()].map(|addr| addr.to_string());
    let proxies = ["--proxy", &before, "--proxy", &after];
    nodes.check(&target.policies[0], &proxies);
    Ok(())
}

/// A proxy that an operator starts from a file, and the files for three and four nodes.
struct Served {
    program: PathBuf,
    folder: TempDir,
    port: Port,
    /// A child, or the pid in this file.
    running: Option<testbed::child::Running>,
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(pid) = pid(&self.path("pid")) {
            // It may have ended.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

fn pid(file: &Path) -> Option<Pid> {
    let text = fs::read_to_string(file).ok()?;
    Pid::from_raw(text.trim().parse().ok()?)
}

impl Served {
    fn new(target: &Target, nodes: &Nodes, config: fn(u16, &[SocketAddr]) -> String) -> Self {
        let served = Self {
            program: support::search().find(&target.program).unwrap(),
            folder: TempDir::new().unwrap(),
            port: Port::free().unwrap(),
            running: None,
        };
        for count in 3..=4 {
            let text = config(served.port.number(), &nodes.addrs()[..count]);
            fs::write(served.path(&format!("{count}.yaml")), text).unwrap();
        }
        served
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn addr(&self) -> String {
        self.port.addr().to_string()
    }

    /// A script of the operator, as the value of --reload-command. It notes the number of nodes.
    fn command(&self, body: &str) -> String {
        let folder = self.folder.path().display();
        let text = format!("cd {folder}\necho $1 >> calls\n{body}\n");
        fs::write(self.path("reload"), text).unwrap();
        format!("sh {folder}/reload {{nodes}}")
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.path("calls")).unwrap_or_default()
    }

    fn wait(&self) {
        let runtime = Runtime::new().unwrap();
        let answers = async || {
            let pinged = client::ping(self.port.addr()).await;
            wait::found(pinged.is_ok(), || format!("{pinged:?}"))
        };
        let served = runtime.block_on(wait::eventually("a proxy that serves", WITHIN, answers));
        served.unwrap();
    }

    /// A refproxy that reads its file again on SIGHUP.
    fn refproxy(target: &Target, nodes: &Nodes) -> Self {
        let mut served = Self::new(target, nodes, refproxy_config);
        fs::copy(served.path("3.yaml"), served.path("now.yaml")).unwrap();
        let mut command = Command::new(&served.program);
        command.arg("--config").arg(served.path("now.yaml"));
        let running = testbed::child::Running::start(command).unwrap();
        fs::write(served.path("pid"), running.pid().to_string()).unwrap();
        served.running = Some(running);
        served.wait();
        served
    }
}

fn refproxy_config(port: u16, nodes: &[SocketAddr]) -> String {
    let nodes = nodes
        .iter()
        .map(|node| format!("    - {{address: {node}}}\n"));
    let nodes: String = nodes.collect();
    format!("listen: 127.0.0.1:{port}\ncluster:\n  policy: maglev\n  nodes:\n{nodes}")
}

fn twemproxy_config(port: u16, nodes: &[SocketAddr]) -> String {
    let nodes = nodes.iter().map(|node| format!("   - {node}:1\n"));
    let nodes: String = nodes.collect();
    format!(
        "main:\n  listen: 127.0.0.1:{port}\n  redis: true\n  hash: fnv1a_64\n  distribution: ketama\n  servers:\n{nodes}"
    )
}

/// The signal is sent and the script ends; the proxy has its new nodes a little later.
const RELOAD: &str = "cp $1.yaml now.yaml\n(sleep 0.5; kill -HUP $(cat pid)) >/dev/null 2>&1 &";

fn reloaded(target: &Target) -> Result<(), Failed> {
    let nodes = Nodes::start();
    let served = Served::refproxy(target, &nodes);
    let (addr, reload) = (served.addr(), served.command(RELOAD));
    nodes.check("maglev", &["--proxy", &addr, "--reload-command", &reload]);
    assert_eq!(served.calls(), "4\n3\n");
    Ok(())
}

fn restarted(target: &Target) -> Result<(), Failed> {
    let nodes = Nodes::start();
    let served = Served::new(target, &nodes, twemproxy_config);
    let stats = Port::free()?;
    let start = format!(
        "{} -d -c $1.yaml -p $PWD/pid -o $PWD/log -s {}",
        served.program.display(),
        stats.number()
    );
    // The old one has gone before the new one listens.
    let body = format!(
        "[ -s pid ] && kill $(cat pid) && while kill -0 $(cat pid) 2>/dev/null; do sleep 0.05; done\nrm -f pid\n{start}"
    );
    let reload = served.command(&body);
    let first = reload.replace("{nodes}", "3");
    let words: Vec<&str> = first.split(' ').collect();
    let started = Command::new(words[0]).args(&words[1..]).status()?;
    assert!(started.success());
    served.wait();
    nodes.check(
        "ketama",
        &["--proxy", &served.addr(), "--reload-command", &reload],
    );
    assert_eq!(served.calls(), "3\n4\n3\n");
    Ok(())
}

fn stopped(target: &Target) -> Result<(), Failed> {
    let nodes = Nodes::start();
    let served = Served::refproxy(target, &nodes);
    // The second half of the change takes long, so that the run is stopped in its middle.
    let body = "cp $1.yaml now.yaml; kill -HUP $(cat pid); [ $1 = 3 ] || sleep 300";
    let (addr, reload) = (served.addr(), served.command(body));
    let words = [
        "--proxy",
        &addr,
        "--reload-command",
        &reload,
        "--reload-timeout",
        "600s",
    ];
    let run = nodes.rescale(&words).stderr(Stdio::piped()).spawn()?;
    let called = || match served.calls().as_str() {
        "4\n" => Probed::Break(()),
        other => Probed::Continue(format!("the calls are {other:?}")),
    };
    wait::eventually_blocking("the first call", WITHIN, called).unwrap();
    let id = i32::try_from(run.id())?;
    kill_process(Pid::from_raw(id).unwrap(), Signal::INT)?;
    let output = run.wait_with_output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let ended = (output.status.code(), output.status.signal());
    assert!(
        [(Some(130), None), (None, Some(2))].contains(&ended),
        "{ended:?}\n{stderr}"
    );
    assert!(stderr.contains("left behind: 0 keys"), "{stderr}");
    assert_eq!(served.calls(), "4\n3\n");
    assert_eq!(nodes.contents(), nodes.foreign);
    // It has its three nodes again.
    let after = proxy(&nodes.runtime, target, &nodes.addrs());
    let after = after.addr().to_string();
    nodes.check("maglev", &["--proxy", &addr, "--proxy", &after]);
    Ok(())
}

fn misdescribed(target: &Target) -> Result<(), Failed> {
    let nodes = Nodes::start();
    let addrs = nodes.addrs();
    let three = proxy(&nodes.runtime, target, &addrs[..3]);
    let same = proxy(&nodes.runtime, target, &addrs[..3]);
    let four = proxy(&nodes.runtime, target, &addrs);
    let [three, same, four] = [&three, &same, &four].map(|proxy| proxy.addr().to_string());
    #[track_caller]
    fn refused(nodes: &Nodes, words: &[&str], why: &str) {
        let output = nodes.rescale(words).output().unwrap();
        ends(&output, 2, why);
        ends(&output, 2, "left behind: 0 keys");
        assert_eq!(nodes.contents(), nodes.foreign);
    }
    let between = ["--proxy", &four, "--proxy", &three];
    refused(
        &nodes,
        &between,
        "which is not one of the first 3 of --node",
    );
    let alike = ["--proxy", &three, "--proxy", &same];
    refused(
        &nodes,
        &alike,
        "both proxies place all 10000 keys on the same nodes",
    );
    let wait = ["--reload-timeout", "2s"];
    let nothing = [&["--proxy", &three, "--reload-command", "true"][..], &wait].concat();
    refused(&nodes, &nothing, "its cluster did not change");
    let fails = "sh -c 'echo no file >&2; exit 4'";
    let fails = ["--proxy", &three, "--reload-command", fails];
    refused(
        &nodes,
        &fails,
        "the reload command failed for 4 nodes: exit status: 4: no file",
    );
    // Nothing is written if the second proxy does not answer.
    let gone = Port::free()?;
    let gone = ["--proxy", &three, "--proxy", &gone.addr().to_string()];
    refused(
        &nodes,
        &gone,
        "cannot connect through the proxy: no connection to",
    );
    // The fourth node of the command line is not the fourth node of the proxy.
    let other = Nodes::start();
    let mut command = nodes.rescale(&["--proxy", &three, "--proxy", &four]);
    let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let moved = words
        .iter()
        .map(|word| match *word == *addrs[3].to_string() {
            true => other.addrs()[0].to_string().into(),
            false => word.clone(),
        });
    command = Command::new(command.get_program());
    let output = command.args(moved).output()?;
    ends(&output, 2, "acknowledged are on none of the nodes");
    assert_eq!(nodes.contents(), nodes.foreign, "removed through the proxy");
    Ok(())
}
