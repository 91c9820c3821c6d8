//! A fault while a cluster changes: the rescale experiment, one node that does not serve, and the expected outcomes.

use super::{Error, RunOptions};
use crate::planner;
use chaos::rescale::{self, FaultPlan, FaultReport, Predicted};
use testbed::cluster::{Cluster, Source};
use testbed::targets::{self, Proxy, Setting, Target};

/// Time limit of the proxy for one request: every batch of requests to a node that does not serve takes this long. Far
/// more than a node that serves takes on a loaded machine.
const OP_TIMEOUT_MS: u64 = 1000;

/// Requests that no single node can answer.
const UNROUTABLE: &[&str] = &[
    "MONITOR",
    "SAVE",
    "SYNC",
    "SHUTDOWN NOSAVE",
    "REPLICAOF NO ONE",
    "SUBSCRIBE news",
    "WAIT 1 100",
    "MIGRATE 127.0.0.1 1 key:1 0 100",
];
/// A target that deviates from this case ends the connection on such requests; the case judges that.
const REFUSALS: &str = "refusals/connection-stays-open";

/// The requests that `target` must refuse while a fault lasts. Empty on foreign nodes: a proxy that forwards them would
/// do harm there.
#[must_use]
pub fn unroutable(options: &RunOptions, target: &Target) -> Vec<Vec<String>> {
    let judged = options.owned().nodes && target.deviation(REFUSALS).is_none();
    let requests = if judged { UNROUTABLE } else { &[] };
    let words = |request: &&str| request.split(' ').map(str::to_owned).collect();
    requests.iter().map(words).collect()
}

/// Rescales `target` with `policy` while a fault lasts. `say` is called with each step.
///
/// # Errors
/// Why the suite could not judge.
pub async fn fault(
    options: &RunOptions,
    target: &Target,
    policy: &str,
    plan: &FaultPlan,
    say: &dyn Fn(&str),
) -> Result<FaultReport, Error> {
    let version = targets::version(target, &options.search)?;
    let (from, to) = (plan.rescale.from, plan.rescale.to);
    let count = from.max(to);
    let cluster = Cluster::start(options, count).await?;
    let addrs = cluster.link_addrs();
    let setting = Setting {
        nodes: addrs[..from].to_vec(),
        policy: policy.to_owned(),
        hash_tags: false,
        op_timeout_ms: OP_TIMEOUT_MS,
    };
    if let Source::External(_) = options.nodes {
        super::rescale::record(cluster.node_endpoints(), plan.rescale.seed);
    }
    let mut proxy = Proxy::start(target, setting, &options.search).await?;
    let faulted = rescale::observe_fault(plan, &cluster, &mut proxy, say).await?;
    let on = |count: usize| {
        let keys = faulted.keys.iter().map(Vec::as_slice);
        planner::predict(policy, false, &addrs[..count], keys)
    };
    let forecast = on(from).zip(on(to)).and_then(|(before, after)| {
        rescale::forecast(&Predicted { before, after }, plan.node, &plan.fault)
    });
    let names = (target.name.as_str(), version.as_str(), policy);
    Ok(FaultReport::new(names, plan, &faulted, forecast.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::REFUSALS;
    use testbed::fixtures::Fixtures;

    #[test]
    fn the_case_of_refusals_is_there() {
        let cases = conformance::files::cases(&Fixtures::compiled_in()).unwrap();
        assert!(cases.iter().any(|case| case.id == REFUSALS));
    }
}
