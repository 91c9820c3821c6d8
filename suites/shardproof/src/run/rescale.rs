//! Rescale runs: a cluster, a proxy, the experiment, and the prediction that it is compared with.

use super::{Error, RunOptions};
use crate::planner;
use chaos::rescale::{self, Observed, POLICY_UNKNOWN, Plan, Predicted, Report, Running};
use testbed::cluster::{Cluster, Source};
use testbed::endpoint::Endpoint;
use testbed::leftovers::{self, Record};
use testbed::targets::{self, Proxy, Setting, Target};

/// A rescale with everything that reports and key lists are made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Rescaled {
    /// The numbers.
    pub report: Report,
    /// The observation of each key.
    pub observed: Observed,
    /// The nodes as the proxy saw them.
    pub addrs: Vec<String>,
}

/// Running proxies that the suite did not start, with their nodes.
#[derive(Debug)]
pub struct RunningCluster {
    /// The proxies, and how the cluster changes.
    pub running: Running,
    /// The nodes, in the order of the cluster: where they are reached, and their addresses as the proxy sees them.
    pub nodes: Vec<(Endpoint, String)>,
    /// The placement policy, to compare with.
    pub policy: Option<String>,
}

/// Time limit of the proxy for one request in runs that do not test limits.
const OP_TIMEOUT_MS: u64 = 5000;

/// Rescales `target` with `policy` according to `plan`. `say` is called with each step.
///
/// # Errors
/// Why the suite could not judge.
pub async fn rescale(
    options: &RunOptions,
    target: &Target,
    policy: &str,
    plan: &Plan,
    say: &dyn Fn(&str),
) -> Result<Rescaled, Error> {
    let version = targets::version(target, &options.search)?;
    let count = plan.from.max(plan.to);
    let cluster = Cluster::start(options, count).await?;
    let links = cluster.link_addrs();
    let setting = Setting {
        nodes: links[..plan.from].to_vec(),
        policy: policy.to_owned(),
        hash_tags: false,
        op_timeout_ms: OP_TIMEOUT_MS,
    };
    if let Source::External(_) = options.nodes {
        record(cluster.node_endpoints(), plan.seed);
    }
    let mut proxy = Proxy::start(target, setting, &options.search).await?;
    let observed = rescale::observe(plan, &cluster, &mut proxy, say).await?;
    let addrs: Vec<String> = links.iter().map(ToString::to_string).collect();
    let predicted = predict(policy, plan, &addrs, &observed);
    let names = (target.name.as_str(), version.as_str(), policy);
    let report = Report::new(names, plan, &addrs, &observed, predicted.as_ref());
    Ok(Rescaled {
        report,
        observed,
        addrs,
    })
}

/// Rescales running proxies according to `plan`. `say` is called with each step.
///
/// # Errors
/// Why the suite could not judge.
pub async fn rescale_running(
    cluster: &RunningCluster,
    plan: &Plan,
    say: &dyn Fn(&str),
) -> Result<Rescaled, Error> {
    let (nodes, addrs): (Vec<Endpoint>, Vec<String>) = cluster.nodes.iter().cloned().unzip();
    let proxies = match &cluster.running {
        Running::Two { before, after } => vec![*before, *after],
        Running::Reloaded { proxy, .. } => vec![*proxy],
    };
    for proxy in &proxies {
        record_keys(nodes.clone(), *proxy, plan);
    }
    let observed = rescale::observe_running(plan, &nodes, &cluster.running, say).await?;
    let policy = cluster.policy.as_deref().unwrap_or(POLICY_UNKNOWN);
    let predicted = predict(policy, plan, &addrs, &observed);
    let names: Vec<String> = proxies.iter().map(ToString::to_string).collect();
    let names = (&*names.join(", "), "of unknown version", policy);
    let report = Report::new(names, plan, &addrs, &observed, predicted.as_ref());
    Ok(Rescaled {
        report,
        observed,
        addrs,
    })
}

/// Makes sure that no key stays on foreign nodes: keys have a time to live, and are removed at once, however the run
/// ends.
pub(super) fn record(nodes: Vec<Endpoint>, seed: u64) {
    let _ = Record::open(leftovers::Scope {
        prefix: Some(rescale::prefix(seed)),
        nodes,
        proxy: None,
    });
}

/// The same for running proxies, by the names of the keys: nodes of others are not scanned, and keys may be on nodes that
/// are not given.
fn record_keys(nodes: Vec<Endpoint>, proxy: Endpoint, plan: &Plan) {
    let record = Record::open(leftovers::Scope {
        prefix: None,
        nodes,
        proxy: Some(proxy),
    });
    plan.keys.iter().for_each(|key| record.key(key));
}

fn predict(policy: &str, plan: &Plan, addrs: &[String], observed: &Observed) -> Option<Predicted> {
    let on = |count: usize| {
        let keys = observed.keys.iter().map(Vec::as_slice);
        planner::predict(policy, false, &addrs[..count], keys)
    };
    Some(Predicted {
        before: on(plan.from)?,
        after: on(plan.to)?,
    })
}
