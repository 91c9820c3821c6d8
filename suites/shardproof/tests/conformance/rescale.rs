//! The story on real proxies: 3 -> 4 nodes and back, every key accounted for.

use chaos::rescale::{Plan, Report};
use libtest_mimic::{Failed, Trial};
use shardproof::run::{self, RunOptions};
use testbed::targets::Target;

use crate::support;

const KEYS: usize = 10_000;
const SEED: u64 = 1;

pub(crate) fn trials() -> Vec<Trial> {
    support::targets().into_iter().flat_map(of).collect()
}

fn of(target: Target) -> Vec<Trial> {
    let trial = |policy: &String| {
        let (target, policy) = (target.clone(), policy.clone());
        let name = format!("rescale::{}::{policy}-3-to-4-and-back", target.name);
        support::trial(name, support::presence(&target), move || {
            rescale(&target, &policy)
        })
    };
    target.policies.iter().map(trial).collect()
}

fn rescale(target: &Target, policy: &str) -> Result<(), Failed> {
    support::prepare(target);
    let options = RunOptions::new(support::search(), SEED);
    let plan = Plan {
        from: 3,
        to: 4,
        keys: (0..KEYS).map(|n| format!("key:{n}").into_bytes()).collect(),
        ttl_s: 60,
        seed: SEED,
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let rescaled = runtime.block_on(run::rescale(&options, target, policy, &plan, &|_| ()))?;
    judge(&rescaled.report).map_err(|why| {
        let story = shardproof::report::terminal::rescale(&rescaled.report);
        Failed::from(format!("{why}\n\n{story}"))
    })
}

/// Laws of every placement, with the prediction to the key, and of maglev according to its specification.
fn judge(report: &Report) -> Result<(), String> {
    let law = |holds: bool, promise: &str| holds.then_some(()).ok_or_else(|| promise.to_owned());
    law(report.keys == KEYS, "every write is acknowledged")?;
    law(
        report.found + report.unreachable == KEYS,
        "a key is found, or it lies where the proxy does not ask",
    )?;
    law(
        report.lost + report.wrong + report.failed == 0,
        "nothing is lost or untrue",
    )?;
    law(
        report.stale == report.unreachable,
        "what moved away comes back with its old value",
    )?;
    law(
        report.nodes[3].before == 0 && report.nodes[3].after > 0,
        "the new node takes keys only when it is there",
    )?;
    law(
        report.unreachable >= report.nodes[3].after,
        "every key of the new node was somewhere else",
    )?;
    let predicted = report
        .predicted
        .as_ref()
        .ok_or("every policy is predicted")?;
    law(
        predicted.agree == KEYS,
        "each key is where the policy puts it",
    )?;
    if report.policy == "maglev" {
        law(
            (0.25..0.26).contains(&report.unreachable_share),
            "maglev moves little more than the minimum",
        )?;
    }
    Ok(())
}
