//! Conformance runs: cases on targets, or on a proxy that already runs.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::time::Instant;

use super::probe::probe;
use super::{Error, RunOptions};
use crate::baseline::Baseline;
use conformance::probe::Probe;
use conformance::report::Judged;
use conformance::verdict::{NOT_JUDGED, Result as CaseResult};
use conformance::{Allowed, Case, Harness, in_order_of_starts};
use testbed::cluster::Source;
use testbed::endpoint::Endpoint;
use testbed::targets::{self, Target};

/// The subject of a run.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A proxy that the suite starts, over its own nodes or given ones.
    Target {
        /// The proxy.
        target: Box<Target>,
        /// Permissions of cases on foreign nodes.
        allowed: Allowed,
    },
    /// A proxy that already runs.
    Running {
        /// Where clients reach it.
        proxy: Endpoint,
        /// Its time limit for one request, as far as known.
        op_timeout_ms: u64,
        /// Permissions of cases on shared servers.
        allowed: Allowed,
        /// The target whose claims and deviations are also those of the proxy. Without it, the proxy is probed.
        likened_to: Option<Box<Target>>,
    },
}

/// The cases, and when to end early.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// The cases.
    pub cases: &'a [Case],
    /// Whether promises of level `should` count as failures.
    pub strict: bool,
    /// The number of failures after which the run ends.
    pub max_failures: Option<NonZero<usize>>,
    /// Failures that are known.
    pub baseline: Option<&'a Baseline>,
}

/// An event of a run.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A proxy that runs already was probed.
    Probed(&'a Probe),
    /// A case begins.
    Begins(&'a Case),
    /// A case was judged or skipped, or ended the run. Later cases are not reported one by one.
    Judged(&'a CaseResult),
}

/// Judges `subject` by the cases of `order`, those that disturb the proxy last; `say` is called with each event.
///
/// # Errors
/// Why the suite could not judge the first case. Behaviour of the proxy is never an error.
pub async fn judge(
    options: &RunOptions,
    subject: &Subject,
    order: Order<'_>,
    say: &dyn Fn(Event<'_>),
) -> Result<Judged, Error> {
    let started = Instant::now();
    let (name, version, mut harness) = set_up(options, subject).await?;
    if let Subject::Running {
        likened_to: None, ..
    } = subject
    {
        match probe(options, subject).await {
            Ok(probed) => {
                say(Event::Probed(&probed));
                harness.skip_what_is_not_offered(probed);
            }
            // Cases say more about a proxy that breaks the simplest promise.
            Err(Error::Probe(why)) => tracing::warn!("{why}: all cases are judged"),
            Err(why) => return Err(why),
        }
    }
    let mut results: Vec<CaseResult> = Vec::with_capacity(order.cases.len());
    let mut failures = 0;
    for case in in_order_of_starts(order.cases) {
        let stopped = harness.stopped().is_some();
        if !stopped {
            say(Event::Begins(case));
        }
        let mut result = match order.max_failures {
            Some(most) if failures >= most.get() => left_out(case, most.get()),
            _ => harness.judge(case).await,
        };
        if let Some(baseline) = order.baseline {
            baseline.mark(&mut result);
        }
        failures += usize::from(result.breaks(order.strict));
        if !stopped {
            say(Event::Judged(&result));
        }
        results.push(result);
    }
    let places: BTreeMap<&str, usize> = (0..)
        .zip(order.cases)
        .map(|(place, case)| (case.id.as_str(), place))
        .collect();
    results.sort_by_key(|result| places.get(result.case.as_str()));
    let mut stopped = harness.stopped().map(str::to_owned);
    let server = harness.server().await;
    // Verdicts are reported even if keys stay behind.
    if let Err(why) = harness.finish().await {
        stopped = Some(stopped.map_or(why.to_string(), |stopped| format!("{stopped}; {why}")));
    }
    let mut judged = Judged::new(name, version, results, started.elapsed());
    judged.argument = match subject {
        Subject::Target { target, .. } => Some(target.argument.clone()),
        Subject::Running { .. } => None,
    };
    judged.stopped = stopped;
    judged.server = server.unwrap_or(judged.server);
    Ok(judged)
}

fn left_out(case: &Case, failures: usize) -> CaseResult {
    let reason = format!("{NOT_JUDGED}the run ended after {failures} failures");
    CaseResult::left_out(case, reason)
}

async fn set_up(
    options: &RunOptions,
    subject: &Subject,
) -> Result<(String, String, Harness), Error> {
    match subject {
        Subject::Target { target, allowed } => {
            let version = targets::version(target, &options.search)?;
            let judged = &target.version;
            if !judged.judged().any(|it| it == version) {
                tracing::warn!(
                    "{} is {version}; its deviations were seen with {}",
                    target.name,
                    judged.judged().collect::<Vec<_>>().join(", ")
                );
            }
            let harness = Harness::start_allowing(target, options, *allowed);
            Ok((target.name.clone(), version, harness.await?))
        }
        Subject::Running {
            proxy,
            op_timeout_ms,
            allowed,
            likened_to,
        } => {
            let nodes = match &options.nodes {
                Source::Process | Source::Docker { .. } => &[][..],
                Source::External(nodes) => nodes,
            };
            let harness = Harness::attach(*proxy, nodes, *op_timeout_ms, *allowed, options.seed);
            let mut harness = harness.await?;
            if let Some(target) = likened_to {
                harness.liken_to(target);
            }
            Ok((proxy.to_string(), "unknown".to_owned(), harness))
        }
    }
}
