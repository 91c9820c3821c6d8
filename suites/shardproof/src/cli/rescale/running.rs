//! `shardproof rescale --proxy`: two running proxies, or one whose cluster a command of the operator changes.

use std::time::Duration;

use chaos::rescale::Running;
use clap::Args;
use shardproof::planner::Policy;
use shardproof::run::{self, Rescaled, RunningCluster};
use testbed::address::Address;
use testbed::endpoint::Endpoint;
use testbed::reload::{Reload, ReloadCommand};

use super::super::connect::{self, ADDRESS, Connector};
use super::super::{Common, Console, Usage};
use super::{Flags, plan};

/// How long a change may take, unless the user says otherwise.
const RELOAD_TIMEOUT: &str = "30s";

/// Proxies that already run.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct Proxies {
    /// Running proxy to measure, with --node for each node in the order of the cluster: the first --from of them are before
    /// the change, the first --to after it. Give two proxies, one of each cluster, or one with --reload-command. All keys
    /// have a prefix of the run, and are deleted at the end
    #[arg(long = "proxy", value_name = ADDRESS, value_parser = connect::address, requires = "nodes",
        conflicts_with_all = ["source", "redis_image", "link_port_base", "toxiproxy", "fault"])]
    pub(super) proxies: Vec<Address>,
    /// Command that changes the cluster of --proxy, such as './reload.sh {nodes}'. It is called with the number of nodes --to,
    /// and at the end with --from, however the run ends. Exit code 0: done
    #[arg(long, value_name = "COMMAND", requires = "proxies")]
    reload_command: Option<ReloadCommand>,
    /// Time limit of --reload-command for one call, and then for its effect
    #[arg(long, value_name = "DURATION", default_value = RELOAD_TIMEOUT, requires = "reload_command", value_parser = connect::duration)]
    reload_timeout: Duration,
}

impl Proxies {
    /// Whether there are any.
    pub(super) fn given(&self) -> bool {
        !self.proxies.is_empty()
    }
}

/// Measures the only rescale of running proxies. `None` if the run was stopped.
pub(super) async fn run(flags: &Flags, console: &Console) -> anyhow::Result<Option<Rescaled>> {
    let policy = policy(flags)?;
    let seed = flags.common.seed.unwrap_or_else(super::super::fresh_seed);
    let plan = plan(flags, seed)?;
    let connector = flags.common.connect.connector(console)?;
    let cluster = RunningCluster {
        nodes: nodes(&flags.common, plan.from.max(plan.to), &connector).await?,
        running: running(flags, &connector).await?,
        policy,
    };
    (console.err)(&format!("seed {seed:x}"));
    let progress = console.progress(&flags.proxies.proxies[0].to_string());
    let say = |step: &str| progress.say(step);
    tokio::select! {
        rescaled = run::rescale_running(&cluster, &plan, &say) => Ok(Some(rescaled?)),
        // The cluster is changed back when `cluster` is dropped.
        () = console.stop.requested() => Ok(None),
    }
}

/// The only policy, if one is given.
fn policy(flags: &Flags) -> Result<Option<String>, Usage> {
    let [policy] = flags.policies.as_slice() else {
        return match flags.policies.is_empty() {
            true => Ok(None),
            false => Err(Usage("--policy: expected once with --proxy".to_owned())),
        };
    };
    match Policy::named(policy) {
        Some(_) => Ok(Some(policy.clone())),
        None => {
            let known: Vec<&str> = Policy::placing().map(|policy| policy.name()).collect();
            let known = known.join(", ");
            Err(Usage(format!("--policy {policy}: expected one of {known}")))
        }
    }
}

async fn nodes(
    common: &Common,
    count: usize,
    connector: &Connector,
) -> anyhow::Result<Vec<(Endpoint, String)>> {
    let given = common.nodes.len();
    if given != count {
        let usage =
            format!("--node: {given} nodes, expected {count}, the larger of --from and --to");
        return Err(Usage(usage).into());
    }
    let reached = connector.nodes(&common.nodes).await?;
    Connector::distinct(&reached)?;
    let seen = common.nodes.iter().map(|node| node.seen.clone());
    Ok(reached.into_iter().zip(seen).collect())
}

async fn running(flags: &Flags, connector: &Connector) -> anyhow::Result<Running> {
    let Proxies {
        proxies,
        reload_command,
        reload_timeout,
    } = &flags.proxies;
    match (proxies.as_slice(), reload_command) {
        ([proxy], Some(command)) => Ok(Running::Reloaded {
            proxy: connector.proxy("--proxy", proxy).await?,
            reload: Reload::new(
                command,
                (flags.from.into(), flags.to.into()),
                *reload_timeout,
            ),
            within: *reload_timeout,
        }),
        ([before, after], None) => {
            let before = connector.proxy("--proxy", before).await?;
            let after = connector.proxy("--proxy", after).await?;
            match before == after {
                true => Err(Usage(format!("--proxy {after}: given twice")).into()),
                false => Ok(Running::Two { before, after }),
            }
        }
        _ => {
            let usage = "--proxy: expected twice, for the proxies before and after the change, or once with --reload-command";
            Err(Usage(usage.to_owned()).into())
        }
    }
}
