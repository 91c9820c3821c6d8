//! Every case on every target, one named test each: `cases::envoy::multi-key/mget-keeps-key-order`.
//!
//! One harness at a time: a target's cases share its cluster.

use std::env;
use std::process;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use conformance::verdict::{Result as Judged, Verdict};
use conformance::{Case, Harness, in_order_of_starts, load, skipped};
use libtest_mimic::{Failed, Trial};
use shardproof::report::terminal;
use testbed::cluster::RunOptions;
use testbed::fixtures::Fixtures;
use testbed::targets::Target;
use tokio::runtime::{Builder, Runtime};

use crate::support::{self, Presence};
use crate::turns;

/// Hexadecimal, to repeat a run.
const SEED: &str = "SHARDPROOF_SEED";
/// Set to anything, promises of level `should` count too.
const STRICT: &str = "SHARDPROOF_STRICT";

/// Every case on every target.
pub(crate) fn trials() -> Vec<Trial> {
    let all = all();
    let cases = in_order_of_starts(&all);
    let of = |target: Target| {
        let trial = |case: &&Case| trial(target.clone(), (*case).clone());
        cases.iter().map(trial).collect::<Vec<_>>()
    };
    support::targets().into_iter().flat_map(of).collect()
}

/// The cases of this workspace, with the first and the last shape of each template.
pub(super) fn samples() -> Vec<Case> {
    let id = |case: &Case| case.template.as_ref().map(|template| template.id.clone());
    let all = all();
    // Shapes of a template are neighbours.
    let runs = all.chunk_by(|one, next| id(one).is_some() && id(one) == id(next));
    let ends = runs.flat_map(|run| [run.first(), run.get(1..).and_then(<[Case]>::last)]);
    ends.flatten().cloned().collect()
}

/// The cases of this workspace.
pub(super) fn all() -> Vec<Case> {
    let sources = conformance::files::cases(&Fixtures::compiled_in()).expect("case files");
    load(&sources).unwrap_or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"))
    })
}

fn trial(target: Target, case: Case) -> Trial {
    let presence = match skipped(&target, &case) {
        Some(why) => support::presence(&target).and(Presence::Missing(why)),
        None => support::presence(&target),
    };
    let name = format!("cases::{}::{}", target.name, case.id);
    support::trial(name, presence, move || {
        turns::with_host(|host| host.judge(&target, &case))
    })
}

/// State that the tests share: the harness of the current target.
pub(crate) struct Host {
    seed: u64,
    runtime: Runtime,
    harness: Mutex<Option<(String, Harness)>>,
}

impl Host {
    pub(crate) fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        Self {
            seed: seed(),
            runtime: runtime.expect("a runtime"),
            harness: Mutex::new(None),
        }
    }

    fn judge(&self, target: &Target, case: &Case) -> Result<(), Failed> {
        let mut slot = self.harness.lock().unwrap_or_else(PoisonError::into_inner);
        let judged = self.runtime.block_on(async {
            let (_, harness) = match slot.take().filter(|(name, _)| *name == target.name) {
                Some(open) => slot.insert(open),
                // The ports of the harness before are free by now.
                None => slot.insert((target.name.clone(), self.open(target).await?)),
            };
            Ok::<_, Failed>(harness.judge(case).await)
        })?;
        outcome(&judged).map_err(|said| {
            let (name, id, seed) = (&target.name, &case.id, self.seed);
            let repeat = format!("shardproof run --target {name} --filter {id} --seed {seed:x}");
            format!("{said}\nrepeat: {repeat}").into()
        })
    }

    async fn open(&self, target: &Target) -> Result<Harness, Failed> {
        support::prepare(target);
        let search = support::search();
        Harness::start(target, &RunOptions::new(search, self.seed))
            .await
            .map_err(|why| format!("no harness: {why}").into())
    }

    /// Stops the harness of the last case.
    pub(crate) fn close(&self) {
        let mut slot = self.harness.lock().unwrap_or_else(PoisonError::into_inner);
        self.runtime.block_on(async { drop(slot.take()) });
    }
}

/// The error of a failed test.
pub(super) fn outcome(judged: &Judged) -> Result<(), String> {
    let strict = env::var_os(STRICT).is_some();
    match &judged.verdict {
        // Running an ignored test shows the reason, and never "ok".
        Verdict::Skip { reason } => Err(format!("skipped: {reason}")),
        Verdict::Unknown { why } => Err(format!("could not be judged: {why}")),
        _ if !judged.breaks(strict) => Ok(()),
        Verdict::Pass => Err("a recorded deviation no longer occurs: remove its row".to_owned()),
        Verdict::Fail(evidence) => Err(terminal::evidence(judged, evidence)),
    }
}

/// From the environment, to repeat a run; else by chance.
fn seed() -> u64 {
    match env::var(SEED) {
        Ok(given) => u64::from_str_radix(&given, 16)
            .unwrap_or_else(|why| panic!("{SEED}={given}: {why}, expected hexadecimal digits")),
        Err(_) => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            let now = since.map_or(0, |since| since.subsec_nanos());
            u64::from(now) << 32 | u64::from(process::id())
        }
    }
}
