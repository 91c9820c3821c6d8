//! Every case on every target, one named test each: `envoy::multi-key/mget-keeps-key-order`.
//!
//! One harness at a time, one case after the other: links listen on fixed ports, and a target's cases share its cluster.

#[path = "conformance/bystander.rs"]
mod bystander;
mod support;

use std::env;
use std::process::{self, ExitCode};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use conformance::verdict::{Result as Judged, Verdict};
use conformance::{Case, Harness, load, skipped};
use libtest_mimic::{Arguments, Failed, Trial};
use shardproof::report::terminal;
use testbed::client::{Client, NODE_DEADLINE};
use testbed::cluster::{RunOptions, Source};
use testbed::fixtures::Fixtures;
use testbed::node::{Node, Process};
use testbed::targets::Target;
use testbed::wire::Value;
use tokio::runtime::{Builder, Runtime};

use support::Presence;

/// Hexadecimal, to repeat a run.
const SEED: &str = "SHARDPROOF_SEED";
/// Set to anything, promises of level `should` count too.
const STRICT: &str = "SHARDPROOF_STRICT";

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let host = Arc::new(Host::new());
    let cases = cases();
    // As in a run, those that disturb come last, so that the proxy is started again for them only.
    let (calm, disturbing): (Vec<&Case>, Vec<&Case>) =
        cases.iter().partition(|case| case.disturbs.is_empty());
    let cases: Vec<&Case> = calm.into_iter().chain(disturbing).collect();
    let trials = support::targets().into_iter().flat_map(|target| {
        let host = &host;
        let trial = move |case: &&Case| trial(host, target.clone(), Case::clone(case));
        cases.iter().map(trial).collect::<Vec<_>>()
    });
    let others = bystander::trials().into_iter().chain([foreign_nodes()]);
    let conclusion = libtest_mimic::run(&arguments, trials.chain(others).collect());
    host.close();
    conclusion.exit_code()
}

fn cases() -> Vec<Case> {
    let sources = conformance::files::cases(&Fixtures::compiled_in()).expect("case files");
    load(&sources).unwrap_or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}

/// On nodes that somebody else runs, a target of this workspace is judged as on our own, and what is there stays.
fn foreign_nodes() -> Trial {
    Trial::test("nodes-of-somebody-else-stay-as-they-were", || {
        let targets = support::targets();
        let mut targets = targets.iter();
        let ours = targets.find(|target| target.program.package.is_some());
        let target = ours.ok_or("no target is built here")?;
        support::prepare(target);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(on_foreign_nodes(target))
    })
}

async fn on_foreign_nodes(target: &Target) -> Result<(), Failed> {
    let search = support::search();
    let mut nodes = Vec::new();
    for _ in 0..3 {
        nodes.push(Process::start(&search).await?);
    }
    let mut theirs = Client::connect(nodes[0].addr(), NODE_DEADLINE).await?;
    let set = ["SET", "theirs", "kept"];
    theirs.call(&set, NODE_DEADLINE).await?;
    let options = RunOptions {
        nodes: Source::External(nodes.iter().map(Node::addr).collect()),
        link_port_base: 22801,
        ..RunOptions::new(search, 1)
    };
    let mut harness = Harness::start(target, &options).await?;
    for case in cases() {
        let judged = harness.judge(&case).await;
        match &judged.verdict {
            Verdict::Skip { .. } => {}
            _ => outcome(&judged).map_err(|why| format!("{}: {why}", case.id))?,
        }
    }
    harness.finish().await?;
    for (node, left) in nodes.iter().zip([1, 0, 0]) {
        let mut client = Client::connect(node.addr(), NODE_DEADLINE).await?;
        let keys = client.call(&["DBSIZE"], NODE_DEADLINE).await?;
        if keys != Value::Integer(left) {
            return Err(format!("{} holds {keys} keys, {left} are theirs", node.addr()).into());
        }
    }
    Ok(())
}

fn trial(host: &Arc<Host>, target: Target, case: Case) -> Trial {
    let ignored = match support::presence(&target) {
        Presence::Missing(why) => Some(why),
        Presence::Expected => skipped(&target, &case),
    };
    let name = format!("{}::{}", target.name, case.id);
    let host = Arc::clone(host);
    Trial::test(name, move || host.judge(&target, &case))
        .with_ignored_flag(ignored.is_some())
        .with_kind(ignored.unwrap_or_default())
}

/// What the tests share: the harness of the target whose turn it is.
struct Host {
    seed: u64,
    runtime: Runtime,
    harness: Mutex<Option<(String, Harness)>>,
}

impl Host {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        Self {
            seed: seed(),
            runtime: runtime.expect("a runtime"),
            harness: Mutex::new(None),
        }
    }

    fn judge(&self, target: &Target, case: &Case) -> Result<(), Failed> {
        let mut slot = self.harness.lock().unwrap_or_else(PoisonError::into_inner);
        let judged = self.runtime.block_on(async {
            let (_, harness) = match slot.take().filter(|(name, _)| *name == target.name) {
                Some(open) => slot.insert(open),
                // The ports of the harness before are free by now.
                None => slot.insert((target.name.clone(), self.open(target).await?)),
            };
            Ok::<_, Failed>(harness.judge(case).await)
        })?;
        outcome(&judged).map_err(|said| {
            let (name, id, seed) = (&target.name, &case.id, self.seed);
            let repeat = format!("shardproof run --target {name} --filter {id} --seed {seed:x}");
            format!("{said}\nrepeat: {repeat}").into()
        })
    }

    async fn open(&self, target: &Target) -> Result<Harness, Failed> {
        support::prepare(target);
        let search = support::search();
        Harness::start(target, &RunOptions::new(search, self.seed))
            .await
            .map_err(|why| format!("no harness: {why}").into())
    }

    fn close(&self) {
        let mut slot = self.harness.lock().unwrap_or_else(PoisonError::into_inner);
        self.runtime.block_on(async { drop(slot.take()) });
    }
}

/// What a failed test says.
fn outcome(judged: &Judged) -> Result<(), String> {
    let strict = env::var_os(STRICT).is_some();
    match &judged.verdict {
        // Whoever insists on running what is ignored learns why, and never reads "ok".
        Verdict::Skip { reason } => Err(format!("skipped: {reason}")),
        Verdict::Unknown { why } => Err(format!("could not be judged: {why}")),
        _ if !judged.breaks(strict) => Ok(()),
        Verdict::Pass => Err("a recorded deviation no longer occurs: remove its row".to_owned()),
        Verdict::Fail(evidence) => Err(terminal::evidence(judged, evidence)),
    }
}

/// From the environment, to repeat a run; else by chance.
fn seed() -> u64 {
    match env::var(SEED) {
        Ok(given) => u64::from_str_radix(&given, 16)
            .unwrap_or_else(|why| panic!("{SEED}={given}: {why}, expected hexadecimal digits")),
        Err(_) => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            let now = since.map_or(0, |since| since.subsec_nanos());
            u64::from(now) << 32 | u64::from(process::id())
        }
    }
}
