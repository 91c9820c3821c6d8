//! The result of a search for a proxy's placement, for people and machines: the model of every report on it.

use schemars::JsonSchema;
use serde::Serialize;
use testbed::endpoint::Endpoint;

use super::finding::{self, Finding, Found, NearMiss, Quality};
use super::query::{Known, Query};
use crate::planner::ClusterFile;
use crate::planner::plan::Balance;

/// Result of the search for the placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// One description explains every key.
    Found,
    /// Several descriptions remain, and the limit of keys is reached.
    Undecided,
    /// A rule that no cluster file describes explains every key.
    HomeMade,
    /// No candidate explains every key.
    Unexplained,
    /// A key moves to another node when it is written again.
    Scatter,
}

/// Placement of a proxy, found by probing it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Fingerprint {
    /// `shardproof.fingerprint/1`
    pub format: &'static str,
    /// The proxy.
    pub proxy: String,
    /// Seed that repeats the run.
    pub seed: String,
    /// The result.
    pub outcome: Outcome,
    /// The placement that explains every key, when one was found.
    pub found: Option<Placed>,
    /// The rule that explains every key, when it is one that no cluster file describes.
    pub home_made: Option<HomeMade>,
    /// Keys that were written again, and the number of them then stored on several nodes, if keys scatter.
    pub scatter: Option<Scatter>,
    /// Keys that were written.
    pub keys: usize,
    /// Number of keys that ruled out every other candidate.
    pub keys_needed: usize,
    /// Candidates that were tried.
    pub candidates: usize,
    /// The candidates that explain the most keys, the best first.
    pub nearest: Vec<Nearest>,
    /// Share of keys that an unrelated placement would explain.
    pub chance: f64,
    /// The nodes, in the order given.
    pub nodes: Vec<SeenNode>,
    /// Distribution of the written keys.
    pub quality: Spread,
}

/// A placement and its description.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Placed {
    /// The policy with its parameters, as text.
    pub policy: String,
    /// The name of nodes that is hashed.
    pub naming: &'static str,
    /// The part of keys that is hashed.
    pub tags: String,
    /// The description, in the format of configuration files.
    #[schemars(with = "serde_json::Value")]
    pub cluster: ClusterFile,
    /// The smallest and largest `minimum_ring_size` that give the same ring.
    pub same_ring: Option<(u32, u32)>,
    /// How other descriptions differ that place every key on the same node, as far as can be observed.
    pub alike: Vec<String>,
    /// How the remaining descriptions differ; more keys could distinguish them.
    pub undecided: Vec<String>,
}

/// A placement that no cluster file describes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HomeMade {
    /// The digest.
    pub digest: String,
    /// From the digest to a node, as text.
    pub rule: String,
    /// The name of nodes that is hashed, if any is.
    pub naming: Option<String>,
    /// The numbers of each node in the order given, from 0, if the rule numbers them.
    pub numbers: Option<Vec<Vec<usize>>>,
    /// The part of keys that is hashed.
    pub tags: String,
}

/// Keys that change their node when they are written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Scatter {
    /// Keys that were written again.
    pub rewritten: usize,
    /// Number of them then stored on several nodes.
    pub scattered: usize,
}

/// A candidate and what it explains.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Nearest {
    /// The policy with its parameters, as text.
    pub policy: String,
    /// The name of nodes that is hashed.
    pub naming: &'static str,
    /// The share of keys without tags that it explains, from 0 to 1.
    pub explained: f64,
    /// The description, in the format of configuration files.
    #[schemars(with = "serde_json::Value")]
    pub cluster: ClusterFile,
}

/// A node and its random keys.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SeenNode {
    /// Its address as the proxy sees it.
    pub address: String,
    /// The address that the suite connects to.
    pub reached: String,
    /// Weight, if a placement was found.
    pub weight: Option<u32>,
    /// Share of all digests that it owns, if a placement was found.
    pub share: Option<f64>,
    /// Random keys that it got.
    pub keys: u64,
}

/// Distribution of the written keys.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Spread {
    /// Balance of the random keys, compared with the weights, or with even shares if the weights are unknown.
    pub balance: Balance,
    /// Number of sequential keys, counted from 0.
    pub counted: usize,
    /// Length of the longest run of sequential keys on one node.
    pub longest_run: usize,
    /// First number of that run.
    pub longest_run_from: usize,
    /// Mean share of keys with the same braces that are on one node; 1 if braces are tags.
    pub tag_concentration: Option<f64>,
}

impl Fingerprint {
    /// The report on `finding` about `proxy`.
    #[must_use]
    pub fn new(proxy: Endpoint, question: &Query, finding: &Finding) -> Self {
        let (found, scatter) = match &finding.outcome {
            finding::Outcome::Found(found) => (Some(found.as_ref()), None),
            finding::Outcome::Unexplained | finding::Outcome::HomeMade(_) => (None, None),
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
        let home_made = match &finding.outcome {
            finding::Outcome::HomeMade(found) => Some(HomeMade::of(found)),
            _ => None,
        };
        Self {
            format: "shardproof.fingerprint/1",
            proxy: proxy.to_string(),
            seed: format!("{:x}", question.seed),
            outcome: match (&found, &scatter) {
                (Some(found), _) if found.undecided.is_empty() => Outcome::Found,
                (Some(_), _) => Outcome::Undecided,
                (None, None) if home_made.is_some() => Outcome::HomeMade,
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
            home_made,
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

impl HomeMade {
    fn of(found: &super::HomeMade) -> Self {
        Self {
            digest: found.digest.to_owned(),
            rule: found.rule.clone(),
            naming: found.names.clone(),
            numbers: found.numbers.clone(),
            tags: found.tags.clone(),
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
