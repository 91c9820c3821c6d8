//! Nodes that the suite did not start: the cases run on them, and their keys stay.

use conformance::Harness;
use conformance::verdict::Verdict;
use libtest_mimic::{Failed, Trial};
use testbed::client::{Client, NODE_DEADLINE};
use testbed::cluster::{RunOptions, Source};
use testbed::node::{Node, Process};
use testbed::targets::Target;
use testbed::wire::Value;
use tokio::runtime::Builder;

use crate::support::{self, Presence};
use crate::{cases, turns};

/// On foreign nodes a target of this workspace is judged as on our own, and existing keys stay.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = turns::alone(
        "foreign_nodes::nodes-of-somebody-else-stay-as-they-were",
        Presence::Expected,
        || {
            let targets = support::targets();
            let mut targets = targets.iter();
            let ours = targets.find(|target| target.program.package.is_some());
            let target = ours.ok_or("no target is built here")?;
            support::prepare(target);
            let runtime = Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(on_foreign_nodes(target))
        },
    );
    vec![trial]
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
        nodes: Source::External(nodes.iter().map(|node| node.addr().into()).collect()),
        link_port_base: 22801,
        ..RunOptions::new(search, 1)
    };
    let mut harness = Harness::start(target, &options).await?;
    for case in cases::samples() {
        let judged = harness.judge(&case).await;
        match &judged.verdict {
            Verdict::Skip { .. } => {}
            _ => cases::outcome(&judged).map_err(|why| format!("{}: {why}", case.id))?,
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
