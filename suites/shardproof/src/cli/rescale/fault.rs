//! `shardproof rescale --fault`: the number of nodes changes while one node has a fault.

use chaos::rescale::{FaultPlan, FaultReport, Faults};
use shardproof::run::{self, RunOptions};
use testbed::fault::{Fault, Object};
use testbed::program::Search;
use testbed::targets::Target;

use super::super::{Console, Exit, Usage};
use super::{Flags, plan, runs};

pub(super) async fn run(
    flags: &Flags,
    fault: Fault,
    search: Search,
    console: &Console,
) -> anyhow::Result<Exit> {
    let runs = runs(flags)?;
    if matches!(fault.row().acts_on, Object::Proxy | Object::Client) {
        let expected = "expected a fault of a node or its link";
        return Err(Usage(format!("--fault {fault}: {expected}")).into());
    }
    let connector = flags.common.connect.connector(console)?;
    let options = flags
        .common
        .run_options_with_links(search, &connector)
        .await?;
    let plan = FaultPlan {
        rescale: plan(flags, options.seed)?,
        fault,
        node: node(flags)?,
        refused: Vec::new(),
    };
    if let Some(why) = plan.fault.row().obstacle(options.owned()) {
        return Err(Usage(format!("--fault {}: {why}", plan.fault)).into());
    }
    (console.err)(&format!("seed {:x}", options.seed));
    let mut reports = Vec::new();
    for (target, policy) in &runs {
        reports.push(one(&options, target, policy, &plan, console).await?);
    }
    flags.output.output().write(&Faults { reports }, console)
}

async fn one(
    options: &RunOptions,
    target: &Target,
    policy: &str,
    plan: &FaultPlan,
    console: &Console,
) -> anyhow::Result<FaultReport> {
    let progress = console.progress(&format!("{} {policy}", target.name));
    let say = |step: &str| progress.say(step);
    let plan = FaultPlan {
        refused: run::unroutable(options, target),
        ..plan.clone()
    };
    Ok(run::fault(options, target, policy, &plan, &say).await?)
}

/// Neither the first node nor an added one, if there is another node.
fn node(flags: &Flags) -> Result<usize, Usage> {
    let (from, to) = (usize::from(flags.from), usize::from(flags.to));
    match flags.fault_node.map(usize::from) {
        None => Ok(1.min(from.min(to) - 1)),
        Some(node) if node < from.max(to) => Ok(node),
        Some(node) => Err(Usage(format!(
            "--fault-node {node}: expected less than {}, the number of nodes",
            from.max(to)
        ))),
    }
}
