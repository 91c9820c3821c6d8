//! The suite's promise in one sentence: three, then four Redis nodes, a proxy in front, a fault on one node while the
//! cluster grows; key loss counted and forecast to the key, and requests that cannot be routed refused before, during
//! and after.
//!
//! The same code on every source of nodes.

use std::process::Command;

use chaos::rescale::{FaultPlan, FaultReport, Plan};
use libtest_mimic::{Failed, Trial};
use shardproof::planner;
use shardproof::report::terminal;
use shardproof::run::{self, RunOptions};
use testbed::cluster::Source;
use testbed::fault::Fault;
use testbed::targets::Target;

use crate::support::{self, Presence, docker};
use crate::turns;

/// A request for a key of a paused node waits for its timeout.
const KEYS: usize = 500;
const SEED: u64 = 1;
/// The node with the fault; neither the first nor the added one.
const NODE: usize = 1;

/// Those of the node, which take it away in each way.
const FAULTS: &[&str] = &["pause", "kill", "down", "partition"];

pub(crate) fn trials() -> Vec<Trial> {
    let sources = [
        ("process", Source::Process, Presence::Expected),
        ("docker", Source::Docker { image: None }, docker::presence()),
    ];
    let mut trials = Vec::new();
    for (name, source, presence) in &sources {
        for target in support::targets() {
            for fault in FAULTS {
                let fault: Fault = fault.parse().expect("a fault");
                if fault.row().obstacle(options(source).owned()).is_none() {
                    trials.extend(trial(name, source, presence, &target, &fault));
                }
            }
        }
    }
    trials.extend(support::targets().into_iter().find_map(of_the_command));
    trials
}

/// `rescale --fault` itself, on the first available target: every format of one run.
fn of_the_command(target: Target) -> Option<Trial> {
    let policy = target.policies.first()?.clone();
    planner::predict(&policy, false, &["127.0.0.1:1"], [])?;
    match support::presence(&target) {
        Presence::Missing(_) => None,
        presence => Some(turns::alone(
            "chaos::command::reports-a-fault",
            presence,
            move || command(&target),
        )),
    }
}

fn command(target: &Target) -> Result<(), Failed> {
    support::prepare(target);
    let folder = tempfile::tempdir()?;
    let page = folder.path().join("fault.html");
    let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(["rescale", "--target", &target.name, "--from", "2"])
        .args(["--to", "3", "--fault", "kill", "--fault-node", "0"])
        .args(["--count", "100", "--json", "-", "--html"])
        .arg(&page)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|why| format!("{why}: {said}"))?;
    assert_eq!(output.status.code(), Some(0), "{said}\n{report:#}");
    assert_eq!(report["format"], "shardproof.fault/1");
    assert_eq!(report["fault"], "kill");
    assert_eq!(report["node"], 0);
    let forecast = &report["forecast"];
    assert_eq!(forecast["agree"], 100, "{report:#}");
    let during = |fate: &str| report["during"][fate].as_u64().unwrap_or_default();
    // The keys of the node are lost with it, and its requests fail until it is back.
    assert!(during("lost") + during("failed") > 0, "{report:#}");
    let page = std::fs::read_to_string(page)?;
    assert!(page.contains("fault <code>kill</code> on node 0"), "{page}");
    Ok(())
}

/// A test of a target whose first policy can be computed: the forecast is judged.
fn trial(
    source_name: &str,
    source: &Source,
    presence: &Presence,
    target: &Target,
    fault: &Fault,
) -> Option<Trial> {
    let policy = target.policies.first()?.clone();
    planner::predict(&policy, false, &["127.0.0.1:1"], [])?;
    let name = format!(
        "chaos::{source_name}::{}::{policy}-3-to-4-{fault}",
        target.name
    );
    let presence = presence.clone().and(support::presence(target));
    let (source, target, fault) = (source.clone(), target.clone(), fault.clone());
    Some(turns::alone(name, presence, move || {
        judge(&source, &target, &policy, &fault)
    }))
}

fn options(source: &Source) -> RunOptions {
    RunOptions {
        nodes: source.clone(),
        ..RunOptions::new(support::search(), SEED)
    }
}

fn judge(source: &Source, target: &Target, policy: &str, fault: &Fault) -> Result<(), Failed> {
    support::prepare(target);
    let options = options(source);
    let plan = FaultPlan {
        rescale: Plan {
            from: 3,
            to: 4,
            keys: (0..KEYS).map(|n| format!("key:{n}").into_bytes()).collect(),
            ttl_s: 120,
            seed: SEED,
        },
        fault: fault.clone(),
        node: NODE,
        refused: run::unroutable(&options, target),
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let report = runtime.block_on(run::fault(&options, target, policy, &plan, &|_| ()))?;
    let story = terminal::fault(&report);
    laws(&report, fault).map_err(|why| Failed::from(format!("{why}\n\n{story}")))
}

fn laws(report: &FaultReport, fault: &Fault) -> Result<(), String> {
    let law = |holds: bool, promise: &str| holds.then_some(()).ok_or_else(|| promise.to_owned());
    let forecast = report.forecast.as_ref().ok_or("the policy is forecast")?;
    law(
        report.keys == KEYS,
        "every write before the fault is acknowledged",
    )?;
    law(forecast.agree == KEYS, "each key fares as it was forecast")?;
    law(
        forecast.open <= KEYS / 100 || !fault.row().keeps_data,
        "what is open is little, unless the node lost its keys",
    )?;
    law(
        report.during.failed > KEYS / 5,
        "the keys of the node that does not serve are answered with an error",
    )?;
    law(
        report.rewritten + report.during.failed == KEYS,
        "all others are written again",
    )?;
    law(
        report.after.failed == 0,
        "no error is left when the fault is over",
    )?;
    law(
        report.after.lost == 0 || !fault.row().keeps_data,
        "no key is lost that its node kept",
    )?;
    law(
        report.refusals.unclear.is_empty(),
        "what cannot be routed is refused, and no node is asked",
    )?;
    law(report.as_expected(), "everything is as expected")
}
