//! A proxy that others use: `run --proxy` while a bystander reads its own keys through it, on every proxy with several
//! workers or one.

use std::fmt;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use testbed::client::{self, Client, NODE_DEADLINE};
use testbed::node::{Node, Process};
use testbed::targets::{Proxy, Setting, Target};
use testbed::wait::{self, Probed};
use testbed::wire::Value;
use tokio::runtime::Builder;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support;
use crate::turns;

/// Connections of the bystander: it meets all workers of a proxy.
const CONNECTIONS: usize = 16;
/// Its keys, on all nodes.
const KEYS: usize = 24;
/// Reads on each connection that show how the proxy is.
const READS: u64 = 48;
/// Between two reads of a connection.
const PAUSE: Duration = Duration::from_millis(1);
const WITHIN: Duration = Duration::from_secs(60);

pub(crate) fn trials() -> Vec<Trial> {
    let targets = support::targets();
    let spared = targets.iter().map(|target| {
        let name = format!("bystander::{}::reads-its-own-keys", target.name);
        trial(name, target, spared)
    });
    // The control: a proxy that claims SELECT and is recorded to move its neighbours by it.
    let moves = "connection/select-affects-one-client";
    let leaky = targets
        .iter()
        .filter(|target| target.deviation(moves).is_some());
    let controls = leaky.map(|target| {
        let name = format!(
            "bystander::{}::is-seen-where-cases-may-disturb",
            target.name
        );
        trial(name, target, disturbed)
    });
    let compared = targets.iter().map(|target| {
        let name = format!("bystander::{}::does-not-notice-a-matrix", target.name);
        trial(name, target, compared)
    });
    let random = targets.iter().map(|target| {
        let name = format!(
            "bystander::{}::does-not-notice-random-requests",
            target.name
        );
        trial(name, target, random)
    });
    let all = spared.chain(controls).chain(compared).chain(random);
    all.collect()
}

fn trial(name: String, target: &Target, test: fn(&Target) -> Result<(), Failed>) -> Trial {
    let target = target.clone();
    turns::alone(name, support::presence(&target), move || test(&target))
}

/// Runs `work` on a site while a bystander reads, and lets it read on afterwards.
fn watched<T>(
    target: &Target,
    work: impl AsyncFnOnce(&Site, &Bystander) -> Result<T, Failed>,
) -> Result<(Seen, T), Failed> {
    support::prepare(target);
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?
        .block_on(async {
            let site = Site::start(target).await?;
            let bystander = Bystander::start(&site).await?;
            bystander.goes_on().await?;
            let done = work(&site, &bystander).await?;
            bystander.goes_on().await?;
            Ok((bystander.end().await?, done))
        })
}

/// Whether the run says that none of its keys is left.
fn leaves_nothing(output: &Output) -> bool {
    String::from_utf8_lossy(&output.stderr).contains("left behind: 0 keys")
}

/// Without permission, no read of a bystander is wrong, neither while all cases run nor afterwards.
fn spared(target: &Target) -> Result<(), Failed> {
    let (seen, output) = watched(target, async |site, _| site.command("run", &[]).await)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.lines().last().unwrap_or_default();
    println!("{}: bystander {seen}; {summary}", target.name);
    match (seen.wrong, output.status.code()) {
        (0, Some(0 | 1)) => Ok(()),
        (wrong, code) => {
            let said = said(&output);
            Err(format!("{wrong} wrong reads, exit code {code:?}:\n{said}").into())
        }
    }
}

/// Proxies that send a store over several nodes to one of them: the result lacks the members of the others.
const STORES_PARTLY: &[&str] = &["envoy", "twemproxy"];

/// The commands of a proxy are compared by its address. No read of a bystander is wrong, and a proxy that sends a store
/// over several nodes to one of them is found.
fn compared(target: &Target) -> Result<(), Failed> {
    let (seen, output) = watched(target, async |site, _| {
        site.command("matrix", &["--json", "-"]).await
    })?;
    println!("{}: bystander {seen}", target.name);
    let matrix: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let rows = matrix["rows"].as_array().ok_or("no rows")?;
    let is = |command: &str, class: &str| {
        let row = rows.iter().find(|row| row["command"] == command);
        row.is_some_and(|row| row["class"] == class)
    };
    let wrong = STORES_PARTLY.contains(&&*target.name);
    let judged = is("GET", "correct") && is("SUNIONSTORE", "wrong") == wrong;
    let spared = seen.wrong == 0 && leaves_nothing(&output) && matrix["stopped"].is_null();
    match spared && judged {
        true => Ok(()),
        false => Err(said(&output).into()),
    }
}

/// Random requests are compared by the address of the proxy, and no read of a bystander is wrong.
fn random(target: &Target) -> Result<(), Failed> {
    let flags = ["--json", "-", "--count", "6000", "--seed", "1"];
    let (seen, output) = watched(target, async |site, _| {
        site.command("differential", &flags).await
    })?;
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let compared = &report["targets"][0];
    let (requests, answered) = (&compared["requests"], &compared["answered"]);
    println!(
        "{}: bystander {seen}; {requests} requests, {answered} answered",
        target.name
    );
    let served = answered.as_u64() > Some(1000);
    match (seen.wrong, output.status.code()) {
        (0, Some(0)) if leaves_nothing(&output) && served => Ok(()),
        _ => Err(said(&output).into()),
    }
}

/// A run with the case that moves the bystander stops there.
async fn stopped(site: &Site) -> Result<(), Failed> {
    let case = [
        "--allow-disturbing",
        "--filter",
        "select-affects-one-client",
    ];
    let output = site.command("run", &case).await?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let stopped =
        errors.contains("connection/select-affects-one-client, ") && errors.contains("fixed it");
    match output.status.code() {
        Some(2) if stopped => Ok(()),
        _ => Err(format!("no stop:\n{}", said(&output)).into()),
    }
}

/// With permission, the run that moves the bystander to another database stops, says so, and restores it.
fn disturbed(target: &Target) -> Result<(), Failed> {
    let (after, settled) = watched(target, async |site, bystander| {
        let probe = async || match stopped(site).await {
            Err(why) => Probed::Break(Err(why)),
            Ok(()) if bystander.seen().wrong > 0 => Probed::Break(Ok(())),
            Ok(()) => Probed::Continue(bystander.seen().to_string()),
        };
        wait::eventually("a wrong read of the bystander", WITHIN, probe).await??;
        println!("while cases disturb: {}", bystander.seen());
        bystander.goes_on().await?;
        Ok(bystander.seen())
    })?;
    println!("{}: {after} at the end", target.name);
    match after.wrong - settled.wrong {
        0 => Ok(()),
        wrong => Err(format!("{wrong} reads were wrong after the run").into()),
    }
}

fn said(output: &Output) -> String {
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    format!("{out}\n{err}")
}

/// Three nodes and a proxy that the run under test did not start.
struct Site {
    nodes: Vec<Process>,
    proxy: Proxy,
}

impl Site {
    async fn start(target: &Target) -> Result<Self, Failed> {
        let search = support::search();
        let mut nodes = Vec::new();
        for _ in 0..3 {
            nodes.push(Process::start(&search).await?);
        }
        let setting = Setting {
            op_timeout_ms: 1000,
            ..Setting::usual(target, nodes.iter().map(Node::addr).collect())
        };
        let proxy = Proxy::start(target, setting, &search).await?;
        Ok(Self { nodes, proxy })
    }

    /// The command of an operator, with flags.
    async fn command(&self, name: &str, flags: &[&str]) -> Result<Output, Failed> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shardproof"));
        command.args([name, "--proxy", &self.proxy.addr().to_string()]);
        for node in &self.nodes {
            command.args(["--node", &node.addr().to_string()]);
        }
        command.args(flags);
        Ok(tokio::task::spawn_blocking(move || command.output()).await??)
    }
}

/// The results of reads.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    right: u64,
    wrong: u64,
    /// Errors and ends: the proxy said that it did not answer.
    refused: u64,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            right,
            wrong,
            refused,
        } = self;
        write!(f, "reads: {right} right, {wrong} wrong, {refused} refused")
    }
}

#[derive(Default)]
struct Counts {
    right: AtomicU64,
    wrong: AtomicU64,
    refused: AtomicU64,
    ended: AtomicBool,
}

/// Clients that read their own keys all the time.
struct Bystander {
    counts: Vec<Arc<Counts>>,
    readers: Vec<JoinHandle<()>>,
}

impl Bystander {
    async fn start(site: &Site) -> Result<Self, Failed> {
        let addr = site.proxy.addr();
        let mut writer = Client::connect(addr, NODE_DEADLINE).await?;
        for key in 0..KEYS {
            let (key, value) = (format!("theirs:{key}"), format!("value of {key}"));
            let reply = writer.call(&["SET", &key, &value], NODE_DEADLINE).await?;
            if reply.is_error() {
                return Err(format!("SET {key}: {reply}").into());
            }
        }
        let counts: Vec<Arc<Counts>> = (0..CONNECTIONS).map(|_| Arc::default()).collect();
        let readers = counts
            .iter()
            .map(|counts| tokio::spawn(read(addr, Arc::clone(counts))))
            .collect();
        Ok(Self { counts, readers })
    }

    fn seen(&self) -> Seen {
        let sum = |count: fn(&Counts) -> &AtomicU64| -> u64 {
            let counts = self.counts.iter();
            counts
                .map(|counts| count(counts).load(Ordering::Relaxed))
                .sum()
        };
        Seen {
            right: sum(|counts| &counts.right),
            wrong: sum(|counts| &counts.wrong),
            refused: sum(|counts| &counts.refused),
        }
    }

    /// Waits until every connection has read each key twice more.
    async fn goes_on(&self) -> Result<(), Failed> {
        let read = |counts: &Arc<Counts>| {
            counts.right.load(Ordering::Relaxed) + counts.wrong.load(Ordering::Relaxed)
        };
        let before: Vec<u64> = self.counts.iter().map(read).collect();
        let probe = async || {
            let mut counts = self.counts.iter().zip(&before);
            let answered = counts.all(|(counts, before)| read(counts) >= before + READS);
            wait::found(answered, || self.seen().to_string())
        };
        Ok(wait::eventually("answers to each bystander", WITHIN, probe).await?)
    }

    async fn end(self) -> Result<Seen, Failed> {
        for counts in &self.counts {
            counts.ended.store(true, Ordering::Relaxed);
        }
        let seen = self.seen();
        for reader in self.readers {
            reader.await?;
        }
        Ok(seen)
    }
}

async fn read(addr: std::net::SocketAddr, counts: Arc<Counts>) {
    let mut client = None;
    for number in (0..KEYS).cycle() {
        if counts.ended.load(Ordering::Relaxed) {
            return;
        }
        let value = format!("value of {number}").into_bytes();
        let count = match get(&mut client, addr, &format!("theirs:{number}")).await {
            Ok(Value::Bulk(found)) if found == value => &counts.right,
            Ok(reply) if reply.is_error() => &counts.refused,
            Ok(_) | Err(client::Error::Malformed(_)) => &counts.wrong,
            Err(_) => {
                client = None;
                &counts.refused
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        sleep(PAUSE).await;
    }
}

async fn get(
    client: &mut Option<Client>,
    addr: std::net::SocketAddr,
    key: &str,
) -> Result<Value, client::Error> {
    let open = match client.take() {
        Some(open) => open,
        None => Client::connect(addr, NODE_DEADLINE).await?,
    };
    client.insert(open).call(&["GET", key], NODE_DEADLINE).await
}
