//! The result of a search for a proxy's placement, for people and machines: the model of every report on it.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Serialize;

use super::finding::{self, Finding, Found, NearMiss, Quality};
use super::query::{Known, Query};
use crate::planner::ClusterFile;
use crate::planner::plan::Balance;

/// What a search for the placement comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// One description explains every key.
    Found,
    /// Several descriptions are left, and no key may be written any more.
    Undecided,
    /// No candidate explains every key.
    Unexplained,
    /// A key goes elsewhere when it is written again.
    Scatter,
}

/// What was found out about a proxy.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Fingerprint {
    /// `shardproof.fingerprint/1`
    pub format: &'static str,
    /// The proxy.
    pub proxy: String,
    /// What the run can be repeated with.
    pub seed: String,
    /// What it comes to.
    pub outcome: Outcome,
    /// The placement that explains every key, when one was found.
    pub found: Option<Placed>,
    /// Keys that were written again, and how many of them then lay on several nodes, when keys scatter.
    pub scatter: Option<Scatter>,
    /// Keys that were written.
    pub keys: usize,
    /// Of these, how many had to be seen to rule out every other candidate.
    pub keys_needed: usize,
    /// Candidates that were tried.
    pub candidates: usize,
    /// What explains most, the best first.
    pub nearest: Vec<Nearest>,
    /// The share that a placement explains which has nothing to do with this one.
    pub chance: f64,
    /// The nodes, in the order given.
    pub nodes: Vec<SeenNode>,
    /// How well the written keys are spread.
    pub quality: Spread,
}

/// A placement, described.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Placed {
    /// The policy with its parameters, in words.
    pub policy: String,
    /// What is hashed of nodes.
    pub naming: &'static str,
    /// What is hashed of keys.
    pub tags: String,
    /// The description, as configurations have it.
    #[schemars(with = "serde_json::Value")]
    pub cluster: ClusterFile,
    /// The least and the greatest minimum ring size that make the same ring.
    pub same_ring: Option<(u32, u32)>,
    /// In what other descriptions differ that place every key alike, as far as can be seen.
    pub alike: Vec<String>,
    /// In what other descriptions differ that more keys would tell apart.
    pub undecided: Vec<String>,
}

/// Keys that are nowhere at home.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Scatter {
    /// Keys that were written again.
    pub rewritten: usize,
    /// Of these, how many then lay on several nodes.
    pub scattered: usize,
}

/// A candidate and what it explains.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Nearest {
    /// The policy with its parameters, in words.
    pub policy: String,
    /// What is hashed of nodes.
    pub naming: &'static str,
    /// The share of keys without tags that it explains, from 0 to 1.
    pub explained: f64,
    /// The description, as configurations have it.
    #[schemars(with = "serde_json::Value")]
    pub cluster: ClusterFile,
}

/// A node as it was given, and what it got.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SeenNode {
    /// Its address as the proxy sees it.
    pub address: String,
    /// Its address as it was reached.
    pub reached: String,
    /// Its weight, when a placement was found.
    pub weight: Option<u32>,
    /// The share of all digests that it owns, when a placement was found.
    pub share: Option<f64>,
    /// Drawn keys that landed on it.
    pub keys: u64,
}

/// How well the written keys are spread.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Spread {
    /// How evenly the drawn keys lie, against the weights, or against even shares where none are known.
    pub balance: Balance,
    /// How many keys counted up, from 0.
    pub counted: usize,
    /// The longest run of these on one node.
    pub longest_run: usize,
    /// Its first number.
    pub longest_run_from: usize,
    /// The mean share of keys with the same braces that lie on one node; 1 where braces are tags.
    pub tag_concentration: Option<f64>,
}

impl Fingerprint {
    /// What `finding` says about `proxy`.
    #[must_use]
    pub fn new(proxy: SocketAddr, question: &Query, finding: &Finding) -> Self {
        let (found, scatter) = match &finding.outcome {
            finding::Outcome::Found(found) => (Some(found.as_ref()), None),
            finding::Outcome::Unexplained => (None, None),
            finding::Outcome::Scatter {
                rewritten,
                scattered,
            } => (
                None,
                Some(Scatter {
                    rewritten: *rewritten,
                    scattered: *scattered,
                }),
            ),
        };
        Self {
            format: "shardproof.fingerprint/1",
            proxy: proxy.to_string(),
            seed: format!("{:x}", question.seed),
            outcome: match (&found, &scatter) {
                (Some(found), _) if found.undecided.is_empty() => Outcome::Found,
                (Some(_), _) => Outcome::Undecided,
                (None, None) => Outcome::Unexplained,
                (None, Some(_)) => Outcome::Scatter,
            },
            scatter,
            keys: finding.keys,
            keys_needed: finding.needed,
            candidates: finding.tried,
            nearest: finding.nearest.iter().map(Nearest::of).collect(),
            chance: finding.chance,
            nodes: nodes(question, found, &finding.quality.counts),
            quality: Spread::of(&finding.quality),
            found: found.map(Placed::of),
        }
    }
}

fn nodes(question: &Query, found: Option<&Found>, counts: &[u64]) -> Vec<SeenNode> {
    let weight = |place: usize| {
        let found = found?;
        let node = found.order.iter().position(|other| *other == place)?;
        Some(found.cluster.nodes[node].weight)
    };
    let node = |(place, known): (usize, &Known)| SeenNode {
        address: known.seen.clone(),
        reached: known.reached.clone(),
        weight: weight(place),
        share: found.map(|found| found.shares[place]),
        keys: counts[place],
    };
    question.nodes.iter().enumerate().map(node).collect()
}

impl Placed {
    fn of(found: &Found) -> Self {
        Self {
            policy: found.policy(),
            naming: found.naming.name(),
            tags: found.tags(),
            cluster: ClusterFile::of(&found.cluster),
            same_ring: found.same_ring.filter(|(least, most)| least < most),
            alike: found.alike.clone(),
            undecided: found.undecided.clone(),
        }
    }
}

impl Nearest {
    fn of(near: &NearMiss) -> Self {
        Self {
            policy: near.policy.clone(),
            naming: near.naming.name(),
            explained: near.explained,
            cluster: ClusterFile::of(&near.cluster),
        }
    }
}

impl Spread {
    fn of(quality: &Quality) -> Self {
        Self {
            balance: quality.balance,
            counted: quality.counted,
            longest_run: quality.longest_run.1,
            longest_run_from: quality.longest_run.0,
            tag_concentration: quality.tag_concentration,
        }
    }
}
