//! The proxy of the last case, which the next case of the same target uses too.

use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use conformance::verdict::{Known, Result as Judged, Verdict};
use conformance::{Case, Harness};
use libtest_mimic::Failed;
use testbed::cluster::RunOptions;
use testbed::program::Search;
use testbed::targets::{Serve, Target};
use tokio::runtime::{Builder, Runtime};

use super::Error;
use super::trial::case_name;
use crate::evidence::evidence;

/// Hexadecimal, to repeat a run.
const SEED: &str = "SHARDPROOF_SEED";
/// Set to anything, promises of level `should` count too.
const STRICT: &str = "SHARDPROOF_STRICT";

/// Judges cases one after the other. Keeps the proxy and its nodes from one case to the next of the same target.
pub struct Host {
    options: RunOptions,
    strict: bool,
    runtime: Runtime,
    /// With the name of the target.
    harness: Mutex<Option<(String, Harness)>>,
}

impl Host {
    /// With the seed and the levels that the environment asks for. Starts nothing.
    ///
    /// # Errors
    /// If the seed is no number.
    ///
    /// # Panics
    /// If the operating system has no event queue.
    pub fn new(search: Search) -> Result<Self, Error> {
        let seed = match search.variable(SEED) {
            Some(given) => u64::from_str_radix(&given, 16).map_err(|_| Error::Seed { given })?,
            None => by_chance(),
        };
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            strict: search.variable(STRICT).is_some(),
            options: RunOptions::new(search, seed),
            runtime: runtime.expect("a runtime"),
            harness: Mutex::new(None),
        })
    }

    /// The same with links on other ports.
    #[must_use]
    pub fn with_link_ports(mut self, base: u16) -> Self {
        self.options.link_port_base = base;
        self
    }

    /// The same if promises of level `should` count too.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Judges a case on the program of a target.
    ///
    /// # Errors
    /// A broken promise with its evidence, or why the suite could not judge.
    pub fn judge(&self, target: &Target, case: &Case) -> Result<(), Failed> {
        self.judge_on(target, case, async || {
            Harness::start(target, &self.options).await
        })
    }

    /// Judges a case on a proxy in this process.
    ///
    /// # Errors
    /// As [`Host::judge`].
    pub fn judge_in_process(
        &self,
        target: &Target,
        serve: &Serve,
        case: &Case,
    ) -> Result<(), Failed> {
        self.judge_on(target, case, async || {
            Harness::start_in_process(target, serve.clone(), &self.options).await
        })
    }

    fn judge_on(
        &self,
        target: &Target,
        case: &Case,
        start: impl AsyncFnOnce() -> Result<Harness, conformance::Error>,
    ) -> Result<(), Failed> {
        let mut slot = self.slot();
        let judged = self.runtime.block_on(async {
            let (_, harness) = match slot.take().filter(|(name, _)| *name == target.name) {
                Some(open) => slot.insert(open),
                // The ports of the harness before are free by now.
                None => {
                    let started = start().await;
                    let harness = started.map_err(|why| format!("no harness: {why}"))?;
                    slot.insert((target.name.clone(), harness))
                }
            };
            Ok::<_, Failed>(harness.judge(case).await)
        })?;
        outcome(&judged, self.strict).map_err(|said| {
            let (name, seed) = (case_name(target, case), self.options.seed);
            format!("{said}\nrepeat: {SEED}={seed:x} cargo test -- --exact '{name}'").into()
        })
    }

    /// Stops the proxy of the last case, and its nodes.
    pub fn close(&self) {
        let mut slot = self.slot();
        self.runtime.block_on(async { drop(slot.take()) });
    }

    fn slot(&self) -> MutexGuard<'_, Option<(String, Harness)>> {
        self.harness.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outcome of a test; with `strict`, promises of level `should` count too.
///
/// # Errors
/// The text of a failed test.
pub fn outcome(judged: &Judged, strict: bool) -> Result<(), String> {
    match &judged.verdict {
        // Running an ignored test shows the reason, and never "ok".
        Verdict::Skip { reason } => Err(format!("skipped: {reason}")),
        Verdict::Unknown { why } => Err(format!("could not be judged: {why}")),
        _ if !judged.breaks(strict) => Ok(()),
        Verdict::Pass => Err(judged
            .deviation
            .as_ref()
            .map_or(String::new(), Known::remedy)),
        Verdict::Fail(found) => Err(evidence(judged, found)),
    }
}

fn by_chance() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = since.map_or(0, |since| since.subsec_nanos());
    u64::from(now) << 32 | u64::from(process::id())
}
