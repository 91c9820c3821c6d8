//! The planted bugs of the small proxy (`examples/small_proxy`): each is found by the case that is named next to it, and
//! by no other of these cases: `planted::mget-order`.

#[expect(dead_code, reason = "names of bugs are for the proxy's own main")]
#[path = "../../examples/small_proxy/bug.rs"]
mod bug;
#[path = "../../examples/small_proxy/proxy.rs"]
mod proxy;

use std::time::Duration;

use bug::{BUGS, Bug};
use conformance::verdict::Verdict;
use conformance::{Case, Harness};
use libtest_mimic::{Failed, Trial};
use shardproof::harness::{Presence, Setting};
use testbed::cluster::RunOptions;
use testbed::targets::{Serve, Target};
use tokio::runtime::Builder;

use crate::cases;
use crate::support;
use crate::turns;

const SEED: u64 = 1;
const PORT_BASE: u16 = 22_951;

pub(crate) fn trials() -> Vec<Trial> {
    let planted = BUGS.iter().map(|(bug, name, case)| {
        let name = format!("planted::{name}");
        turns::alone(name, Presence::Expected, || broken(Some(*bug), &[case]))
    });
    // The control: without a bug, the same cases pass.
    let control = turns::alone("planted::no-bug", Presence::Expected, || broken(None, &[]));
    planted.chain([control]).collect()
}

/// Judges the cases of all bugs on the proxy with one of them. Only `expected` may fail.
fn broken(bug: Option<Bug>, expected: &[&str]) -> Result<(), Failed> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let verdicts = runtime.block_on(verdicts(bug))?;
    let is_expected = |(case, verdict): &(String, Verdict)| match verdict {
        Verdict::Pass => !expected.contains(&case.as_str()),
        Verdict::Fail(_) => expected.contains(&case.as_str()),
        Verdict::Skip { .. } | Verdict::Unknown { .. } => false,
    };
    let others: Vec<_> = verdicts.iter().filter(|it| !is_expected(it)).collect();
    match others[..] {
        [] => Ok(()),
        _ => Err(format!("expected {expected:?} to fail, and not {others:#?}").into()),
    }
}

async fn verdicts(bug: Option<Bug>) -> Result<Vec<(String, Verdict)>, Failed> {
    let serve = Serve::new(async move |listen, setting: Setting| {
        let time_limit = Duration::from_millis(setting.op_timeout_ms);
        proxy::serve(listen, &setting.nodes, time_limit, bug).await
    });
    let mut target = Target::in_process("small-proxy");
    let claims = ["inline", "split-del", "split-mget", "split-mset"];
    target.capabilities = claims.map(str::to_owned).to_vec();
    let options = RunOptions {
        link_port_base: PORT_BASE,
        ..RunOptions::new(support::search(), SEED)
    };
    let mut harness = Harness::start_in_process(&target, serve, &options).await?;
    let mut verdicts = Vec::new();
    for (_, _, id) in BUGS {
        let case = case(id)?;
        verdicts.push((case.id.clone(), harness.judge(&case).await.verdict));
    }
    harness.finish().await?;
    Ok(verdicts)
}

fn case(id: &str) -> Result<Case, Failed> {
    let mut found = cases::all().into_iter().filter(|case| case.id == id);
    found.next().ok_or_else(|| format!("no case {id}").into())
}
