//! The result of a rescale, in numbers: the model of every report on it.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::laws::{self, JudgedLaw, LawVerdict};
use super::{Observed, Plan};
use crate::ledger::Tally;

/// The format of the JSON report.
const FORMAT: &str = "shardproof.rescale/1";

/// The policy of a running proxy, if it is not given.
pub const POLICY_UNKNOWN: &str = "unknown";

/// One rescale of one target with one policy.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Report {
    /// `shardproof.rescale/1`
    pub format: &'static str,
    /// The target, or the address of a running proxy; two of them with a comma.
    pub target: String,
    /// Version, as printed by the program.
    pub version: String,
    /// The placement policy, or `unknown` for a running proxy.
    pub policy: String,
    /// Number of nodes before the change.
    pub from: usize,
    /// Number of nodes after the change.
    pub to: usize,
    /// Seed that repeats the run.
    pub seed: String,
    /// Keys whose write was acknowledged.
    pub keys: usize,
    /// Keys whose write was not acknowledged.
    pub refused: usize,
    /// Keys that were read with their value after the change.
    pub found: usize,
    /// Keys missing through the proxy that exist on a node.
    pub unreachable: usize,
    /// `unreachable` as a share of `keys`.
    pub unreachable_share: f64,
    /// Keys missing through the proxy and on every node.
    pub lost: usize,
    /// Keys that were read with an overwritten value after the change back.
    pub stale: usize,
    /// Keys that were read with the value of another key, after the change or after the change back.
    pub wrong: usize,
    /// Keys that got an error, after the change or after the change back.
    pub failed: usize,
    /// The fewest moves that lead from the key counts before to those after: the sum of what nodes gain.
    pub minimum: usize,
    /// Outcomes after the change.
    pub there: Tally,
    /// Outcomes after the change back.
    pub back: Tally,
    /// Key counts per node.
    pub nodes: Vec<NodeCount>,
    /// Laws of every placement, judged by the nodes alone.
    pub laws: Vec<JudgedLaw>,
    /// Comparison with the computed placement, if this build has the policy.
    pub predicted: Option<Prediction>,
}

/// Key counts of one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeCount {
    /// Its address as the proxy sees it.
    pub addr: String,
    /// Keys placed on it before the change.
    pub before: usize,
    /// Keys placed on it after the change.
    pub after: usize,
    /// Keys stored on it after the change and another write of each key, including copies that were left behind.
    pub held: usize,
}

/// Comparison of a computed placement with the nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Prediction {
    /// Keys on the node that the policy computes, before and after.
    pub agree: usize,
    /// Keys that the policy places on another node.
    pub differ: usize,
    /// Examples.
    pub examples: Vec<String>,
}

/// Where the nodes are for each key, computed.
pub struct Predicted {
    /// On `from` nodes.
    pub before: Vec<usize>,
    /// On `to` nodes.
    pub after: Vec<usize>,
}

/// Examples of disagreement that a report names.
const EXAMPLES: usize = 5;

impl Report {
    /// Counts the observations.
    #[must_use]
    pub fn new(
        (target, version, policy): (&str, &str, &str),
        plan: &Plan,
        addrs: &[String],
        observed: &Observed,
        predicted: Option<&Predicted>,
    ) -> Self {
        let keys = observed.keys.len();
        let there: Tally = observed.there.iter().copied().collect();
        let back: Tally = observed.back.iter().flatten().copied().collect();
        Self {
            format: FORMAT,
            target: target.to_owned(),
            version: version.to_owned(),
            policy: policy.to_owned(),
            from: plan.from,
            to: plan.to,
            seed: format!("{:x}", plan.seed),
            keys,
            refused: observed.refused,
            found: there.found,
            unreachable: there.unreachable,
            unreachable_share: share(there.unreachable, keys),
            lost: there.lost,
            stale: back.stale,
            wrong: there.wrong + back.wrong,
            failed: there.failed + back.failed,
            minimum: minimum(observed, addrs.len()),
            there,
            back,
            nodes: addrs
                .iter()
                .enumerate()
                .map(|(node, addr)| NodeCount {
                    addr: addr.clone(),
                    before: placed(&observed.before, node),
                    after: placed(&observed.after, node),
                    held: observed.held_after[node],
                })
                .collect(),
            laws: laws::judge(plan, observed),
            predicted: predicted.map(|predicted| Prediction::new(observed, predicted)),
        }
    }

    /// Whether everything is as expected of a sharding proxy without migration: no law of placements is broken, only
    /// predicted keys are unreachable, and nothing is lost, untrue or on an unpredicted node.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        let nothing_untrue = self.lost + self.wrong + self.failed + self.refused == 0;
        let as_predicted = self
            .predicted
            .as_ref()
            .is_none_or(|prediction| prediction.differ == 0);
        nothing_untrue && as_predicted && !self.has(LawVerdict::Broken)
    }

    /// Whether there were too few keys to judge a law.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.has(LawVerdict::Unknown)
    }

    fn has(&self, verdict: LawVerdict) -> bool {
        self.laws.iter().any(|law| law.verdict == verdict)
    }
}

impl Prediction {
    fn new(observed: &Observed, predicted: &Predicted) -> Self {
        let differing: Vec<String> = observed
            .keys
            .iter()
            .enumerate()
            .filter(|(index, _)| {
                observed.before[*index] != Some(predicted.before[*index])
                    || observed.after[*index] != Some(predicted.after[*index])
            })
            .map(|(index, key)| {
                format!(
                    "{}: predicted {} -> {}, found on {} -> {}",
                    key.escape_ascii(),
                    predicted.before[index],
                    predicted.after[index],
                    place(observed.before[index]),
                    place(observed.after[index]),
                )
            })
            .collect();
        Self {
            agree: observed.keys.len() - differing.len(),
            differ: differing.len(),
            examples: differing.into_iter().take(EXAMPLES).collect(),
        }
    }
}

/// Writes one line per key: the key, its node before and its node after, by address, separated by tabs.
///
/// # Errors
/// As the writer.
pub fn write_keys(out: &mut dyn Write, addrs: &[String], observed: &Observed) -> io::Result<()> {
    let addr = |node: Option<usize>| node.map_or("-".to_owned(), |node| addrs[node].clone());
    writeln!(out, "# key\tnode before\tnode after")?;
    for (index, key) in observed.keys.iter().enumerate() {
        writeln!(
            out,
            "{}\t{}\t{}",
            key.escape_ascii(),
            addr(observed.before[index]),
            addr(observed.after[index]),
        )?;
    }
    out.flush()
}

/// The sum of what nodes gain, over the keys whose nodes before and after are known: each of these keys has moved.
fn minimum(observed: &Observed, nodes: usize) -> usize {
    let mut gained = vec![0_i64; nodes];
    for (before, after) in observed.before.iter().zip(&observed.after) {
        if let (Some(before), Some(after)) = (before, after) {
            gained[*before] -= 1;
            gained[*after] += 1;
        }
    }
    // At most the number of keys.
    gained.into_iter().filter(|gained| *gained > 0).sum::<i64>() as usize
}

fn placed(places: &[Option<usize>], node: usize) -> usize {
    places.iter().filter(|place| **place == Some(node)).count()
}

fn place(node: Option<usize>) -> String {
    node.map_or("no node".to_owned(), |node| format!("node {node}"))
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
