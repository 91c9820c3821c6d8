//! The result of a fault during a rescale, in numbers.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::faulted::{FaultPlan, Faulted};
use super::forecast::Forecast;
use super::refusal::Refusal;
use crate::ledger::{KeyOutcome, Tally};

/// The format of the JSON report.
const FORMAT: &str = "shardproof.fault/1";
/// Examples of disagreement that a report names.
const EXAMPLES: usize = 5;

/// One fault during one rescale of one target with one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FaultReport {
    /// `shardproof.fault/1`
    pub format: &'static str,
    /// The target.
    pub target: String,
    /// Version, as printed by the program.
    pub version: String,
    /// The placement policy.
    pub policy: String,
    /// Number of nodes before the change.
    pub from: usize,
    /// Number of nodes after the change.
    pub to: usize,
    /// Seed that repeats the run.
    pub seed: String,
    /// The fault with its parameters, as `--fault` takes it.
    pub fault: String,
    /// Index of the node with the fault, from 0.
    pub node: usize,
    /// Keys whose write was acknowledged.
    pub keys: usize,
    /// Keys whose write was not acknowledged.
    pub refused: usize,
    /// Outcomes in the changed cluster, during the fault.
    pub during: Tally,
    /// Keys whose second write was acknowledged while the fault lasted.
    pub rewritten: usize,
    /// Keys that got an error right after the fault, while the proxy still avoided the node.
    pub failed_at_first: usize,
    /// Time until the proxy served every key again, in milliseconds, including reading all keys.
    pub recovered_ms: u64,
    /// Outcomes of all keys after the fault.
    pub after: Tally,
    /// Comparison with the forecast, if the policy can be computed and the effect of the fault is certain.
    pub forecast: Option<Agreement>,
    /// Requests that no single node can answer, sent before, during and after the fault.
    pub refusals: Refusals,
}

/// Outcomes of requests that a proxy has to refuse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Refusals {
    /// Requests that were sent.
    pub asked: usize,
    /// Requests that the proxy refused with an error while it kept serving.
    pub clear: usize,
    /// The other requests.
    pub unclear: Vec<String>,
}

/// Comparison of a forecast with the observation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Agreement {
    /// Keys with the forecast outcome in every respect.
    pub agree: usize,
    /// Keys with another outcome than forecast.
    pub differ: usize,
    /// Keys with more than one possible outcome, because an unacknowledged write may have been executed.
    pub open: usize,
    /// Examples of keys that differ.
    pub examples: Vec<String>,
}

impl FaultReport {
    /// Counts the observations.
    #[must_use]
    pub fn new(
        (target, version, policy): (&str, &str, &str),
        plan: &FaultPlan,
        faulted: &Faulted,
        forecast: Option<&Forecast>,
    ) -> Self {
        let phases = ["before", "during", "after"];
        let refusals = || {
            let phases = phases.iter().zip(&faulted.refusals);
            phases.flat_map(|(phase, refusals)| refusals.iter().map(move |it| (*phase, it)))
        };
        Self {
            format: FORMAT,
            target: target.to_owned(),
            version: version.to_owned(),
            policy: policy.to_owned(),
            from: plan.rescale.from,
            to: plan.rescale.to,
            seed: format!("{:x}", plan.rescale.seed),
            fault: plan.fault.to_string(),
            node: plan.node,
            keys: faulted.keys.len(),
            refused: faulted.refused,
            during: faulted.during.iter().copied().collect(),
            rewritten: faulted.rewritten.iter().filter(|done| **done).count(),
            failed_at_first: faulted.recovery.failed_at_first,
            recovered_ms: u64::try_from(faulted.recovery.took.as_millis()).unwrap_or(u64::MAX),
            after: faulted.after.iter().copied().collect(),
            forecast: forecast.map(|forecast| Agreement::new(faulted, forecast)),
            refusals: Refusals {
                asked: refusals().count(),
                clear: refusals().filter(|(_, it)| it.is_clear()).count(),
                unclear: refusals()
                    .filter(|(_, it)| !it.is_clear())
                    .map(|(phase, it)| unclear(phase, it))
                    .collect(),
            },
        }
    }

    /// Whether everything is as a sharding proxy without migration can have it: errors only for the node that does not
    /// serve and only while it does not, nothing untrue, nothing elsewhere than forecast, and every refusal clear.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        let untrue = [self.during, self.after]
            .iter()
            .map(|tally| tally.wrong + tally.stale)
            .sum::<usize>();
        untrue + self.refused + self.after.failed == 0
            && self.refusals.unclear.is_empty()
            && self.forecast.as_ref().is_none_or(|it| it.differ == 0)
    }
}

impl Agreement {
    fn new(faulted: &Faulted, forecast: &Forecast) -> Self {
        let differing: Vec<String> = (0..faulted.keys.len())
            .filter_map(|index| differs(faulted, forecast, index))
            .collect();
        Self {
            agree: faulted.keys.len() - differing.len(),
            differ: differing.len(),
            open: forecast.after.iter().filter(|may| may.len() > 1).count(),
            examples: differing.into_iter().take(EXAMPLES).collect(),
        }
    }
}

fn differs(faulted: &Faulted, forecast: &Forecast, index: usize) -> Option<String> {
    let (during, after) = (faulted.during[index], faulted.after[index]);
    let agrees = during == forecast.during[index]
        && faulted.rewritten[index] == forecast.rewritten[index]
        && forecast.after[index].contains(&after);
    (!agrees).then(|| {
        format!(
            "{}: forecast {}, {}, then {}; seen {}, {}, then {}",
            faulted.keys[index].escape_ascii(),
            forecast.during[index].name(),
            write_of(forecast.rewritten[index]),
            Any(forecast.after[index]),
            during.name(),
            write_of(faulted.rewritten[index]),
            after.name(),
        )
    })
}

fn write_of(acknowledged: bool) -> &'static str {
    if acknowledged {
        "written again"
    } else {
        "not written again"
    }
}

struct Any(&'static [KeyOutcome]);

impl fmt::Display for Any {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|fate| fate.name()).collect();
        f.write_str(&names.join(" or "))
    }
}

fn unclear(phase: &str, refusal: &Refusal) -> String {
    let Refusal {
        request,
        answer,
        serves_on,
        asked,
        ..
    } = refusal;
    let end = if *serves_on {
        ""
    } else {
        ", and the connection serves no more"
    };
    format!("{phase}: {request} is answered with {answer}, nodes asked {asked} times{end}")
}
