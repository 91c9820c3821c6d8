//! Rescale runs: a cluster, a proxy, the experiment, and the prediction that it is compared with.

use std::net::SocketAddr;

use super::{Error, RunOptions};
use crate::planner;
use chaos::rescale::{self, Observed, Plan, Predicted, Report};
use testbed::cluster::{Cluster, Source};
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
    pub addrs: Vec<SocketAddr>,
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
    let addrs = cluster.link_addrs();
    let setting = Setting {
        nodes: addrs[..plan.from].to_vec(),
        policy: policy.to_owned(),
        hash_tags: false,
        op_timeout_ms: OP_TIMEOUT_MS,
    };
    record(options, &cluster, plan.seed);
    let mut proxy = Proxy::start(target, setting, &options.search).await?;
    let observed = rescale::observe(plan, &cluster, &mut proxy, say).await?;
    let predicted = predict(policy, plan, &addrs, &observed);
    let names = (target.name.as_str(), version.as_str(), policy);
    let report = Report::new(names, plan, &addrs, &observed, predicted.as_ref());
    Ok(Rescaled {
        report,
        observed,
        addrs,
    })
}

/// Makes sure that no key stays on foreign nodes: keys have a time to live, and are removed at once, however the run
/// ends.
pub(super) fn record(options: &RunOptions, cluster: &Cluster, seed: u64) {
    if let Source::External(_) = options.nodes {
        let _ = Record::open(leftovers::Scope {
            prefix: Some(rescale::prefix(seed)),
            nodes: cluster.node_endpoints(),
            proxy: None,
        });
    }
}

fn predict(
    policy: &str,
    plan: &Plan,
    addrs: &[SocketAddr],
    observed: &Observed,
) -> Option<Predicted> {
    let on = |count: usize| {
        let keys = observed.keys.iter().map(Vec::as_slice);
        planner::predict(policy, false, &addrs[..count], keys)
    };
    Some(Predicted {
        before: on(plan.from)?,
        after: on(plan.to)?,
    })
}
