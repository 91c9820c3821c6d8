//! The story on real proxies: 3 -> 4 nodes and back, every key accounted for.

use chaos::rescale::{LawVerdict, Plan, Report, Rescales};
use libtest_mimic::{Failed, Trial};
use shardproof::report::{Exit, Report as _};
use shardproof::run::{self, RunOptions};
use testbed::targets::{Rescale, Target};

use crate::support;
use crate::turns;

const KEYS: usize = 10_000;
const SEED: u64 = 1;

pub(crate) fn trials() -> Vec<Trial> {
    support::targets().into_iter().flat_map(of).collect()
}

fn of(target: Target) -> Vec<Trial> {
    let trial = |policy: &String| {
        let (target, policy) = (target.clone(), policy.clone());
        let name = format!("rescale::{}::{policy}-3-to-4-and-back", target.name);
        turns::alone(name, support::presence(&target), move || {
            rescale(&target, &policy)
        })
    };
    let unpredicted = |(name, keys, exit)| {
        let target = with_unknown_policy(&target);
        let name = format!("rescale::{}::{name}", target.name);
        support::trial(name, support::presence(&target), move || {
            judged_by_nodes(&target, keys, exit)
        })
    };
    let judged = (
        "unknown-policy-is-judged-by-the-nodes",
        KEYS,
        Exit::Expected,
    );
    // Two keys cannot be on four nodes.
    let open = ("too-few-keys-leave-a-law-open", 2, Exit::Unjudged);
    let unpredicted = [judged, open].map(unpredicted);
    let predicted = target.policies.iter().map(trial);
    predicted.chain(unpredicted).collect()
}

fn rescale(target: &Target, policy: &str) -> Result<(), Failed> {
    let report = report(target, policy, KEYS)?;
    judge(&report).map_err(|why| with_story(&why, &report))
}

fn report(target: &Target, policy: &str, keys: usize) -> Result<Report, Failed> {
    support::prepare(target);
    let options = RunOptions::new(support::search(), SEED);
    let plan = Plan {
        from: 3,
        to: 4,
        keys: (0..keys).map(|n| format!("key:{n}").into_bytes()).collect(),
        ttl_s: 60,
        seed: SEED,
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let rescaled = runtime.block_on(run::rescale(&options, target, policy, &plan, &|_| ()))?;
    Ok(rescaled.report)
}

fn with_story(why: &str, report: &Report) -> Failed {
    let story = shardproof::report::terminal::rescale(report);
    Failed::from(format!("{why}\n\n{story}"))
}

/// The same proxy with its default policy under a name of which there is no specification.
fn with_unknown_policy(target: &Target) -> Target {
    let policy = &target.policies[0];
    let named = |template: &str| {
        let upper = template.replace("{{ policy | upper }}", &policy.to_uppercase());
        upper.replace("{{ policy }}", policy)
    };
    let mut target = target.clone();
    target.start.config = named(&target.start.config);
    if let Rescale::Put { body, .. } = &mut target.rescale {
        *body = named(body);
    }
    target.policies = vec!["without-specification".to_owned()];
    target
}

fn judged_by_nodes(target: &Target, keys: usize, exit: Exit) -> Result<(), Failed> {
    let report = report(target, &target.policies[0], keys)?;
    let mut laws = report.laws.iter();
    let judged = laws.all(|law| law.verdict == LawVerdict::Kept) == (exit == Exit::Expected);
    let said = Rescales {
        reports: vec![report.clone()],
    };
    match (&report.predicted, judged, said.exit() == exit) {
        (None, true, true) => Ok(()),
        _ => Err(with_story("expected other verdicts", &report)),
    }
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
        report
            .laws
            .iter()
            .all(|law| law.verdict == LawVerdict::Kept),
        "the nodes show no broken law",
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
