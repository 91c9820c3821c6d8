//! Location and placement of the keys of a fleet.

use schemars::JsonSchema;
use serde::Serialize;

use super::{CopyState, KeyCopy, Probed};
use crate::fleet::preflight::{Finding, Level};
use crate::fleet::{Fleet, Member};

/// The format of the JSON report.
const FORMAT: &str = "shardproof.check/1";

/// Location and placement of the keys of a fleet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// `shardproof.check/1`
    pub format: &'static str,
    /// The placement policy.
    pub policy: &'static str,
    /// The databases that were read on every node.
    pub databases: Vec<u32>,
    /// Keys in other databases, which were counted but not read.
    pub elsewhere: Vec<OtherDatabase>,
    /// All keys on all nodes; copies count once.
    pub keys: u64,
    /// Keys stored on the node where they are placed, with or without copies on other nodes.
    pub kept: u64,
    /// Keys stored only on nodes where they are not placed: the proxy does not find them.
    pub unreachable: u64,
    /// Kept keys with a copy on another node.
    pub duplicated: u64,
    /// Duplicated keys whose copy has a different value, which reappears if the cluster is changed back.
    pub stale: u64,
    /// Keys that the proxy routes to another cluster or to none. They are not counted elsewhere. Each copy counts.
    pub routed_elsewhere: u64,
    /// Whether they may be on the right node, because the other cluster shares nodes with this one.
    pub shares_nodes: bool,
    /// Unreachable keys on several nodes with different values. It is unknown which value is newer.
    pub conflicts: u64,
    /// The first keys.
    pub conflict_keys: Vec<ConflictKey>,
    /// Copies on wrong nodes that are too large to compare or move without stalling the nodes.
    pub large: u64,
    /// The largest copies.
    pub large_keys: Vec<LargeKey>,
    /// Keys that a migration would move: unreachable, without a conflict, and not too large.
    pub movable: u64,
    /// Differences between nodes, apart from keys, that would affect moved keys.
    pub findings: Vec<Finding>,
    /// One entry per node; nodes that leave the cluster are last.
    pub nodes: Vec<NodeKeys>,
    /// Number of keys that are placed on the node of the row and stored on the node of the column, both in the order of
    /// `nodes`. Nodes that leave the cluster have a column and no row.
    pub matrix: Vec<Vec<u64>>,
    /// Keys that the proxy finds, if it was asked.
    pub proxy: Option<Probed>,
}

/// Keys of one node in a database that was not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OtherDatabase {
    /// The node's address as the proxy sees it.
    pub node: String,
    /// The database.
    pub database: u32,
    /// Number of its keys.
    pub keys: u64,
}

/// A key on several wrong nodes with different values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ConflictKey {
    /// The key, escaped.
    pub key: String,
    /// The addresses of the nodes that have it, as the proxy sees them.
    pub nodes: Vec<String>,
    /// Its database.
    pub database: u32,
}

/// A copy on a wrong node that is too large.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LargeKey {
    /// The key, escaped.
    pub key: String,
    /// The address of the node that has it, as the proxy sees it.
    pub node: String,
    /// Its memory in bytes; `None` if the node refuses `MEMORY USAGE`.
    pub bytes: Option<u64>,
    /// Its database.
    pub database: u32,
}

/// Result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStatus {
    /// All is as it should be.
    AsExpected,
    /// Something is not.
    Broken,
    /// No error is known, but something is unknown.
    Unjudged,
}

/// The keys on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeKeys {
    /// Its address as the proxy sees it.
    pub addr: String,
    /// Whether it leaves the cluster.
    pub leaving: bool,
    /// Keys stored on it.
    pub lie: u64,
    /// Keys stored on it that are placed on it.
    pub kept: u64,
    /// Keys stored on it that are placed on another node and missing there.
    pub unreachable: u64,
    /// Keys stored on it that are placed on another node and stored there too.
    pub duplicated: u64,
}

impl Check {
    pub(in crate::fleet) fn new(fleet: &Fleet) -> Self {
        let node = |member: &Member| NodeKeys {
            addr: member.seen.clone(),
            leaving: member.leaving,
            lie: 0,
            kept: 0,
            unreachable: 0,
            duplicated: 0,
        };
        let nodes: Vec<NodeKeys> = fleet.members().iter().map(node).collect();
        Self {
            format: FORMAT,
            policy: fleet.policy,
            databases: Vec::new(),
            elsewhere: Vec::new(),
            keys: 0,
            kept: 0,
            unreachable: 0,
            duplicated: 0,
            stale: 0,
            routed_elsewhere: 0,
            shares_nodes: fleet.routing().shares_nodes(),
            conflicts: 0,
            conflict_keys: Vec::new(),
            large: 0,
            large_keys: Vec::new(),
            movable: 0,
            findings: Vec::new(),
            matrix: vec![vec![0; nodes.len()]; fleet.placed()],
            nodes,
            proxy: None,
        }
    }

    /// Counts observed copies; counting keys needs all nodes, and is left to the caller.
    pub(in crate::fleet) fn count(&mut self, sighting: &KeyCopy) {
        let node = &mut self.nodes[sighting.on];
        node.lie += 1;
        *match sighting.lies {
            CopyState::Kept => &mut node.kept,
            CopyState::Unreachable | CopyState::Conflict => &mut node.unreachable,
            CopyState::Duplicated | CopyState::OnConflict => &mut node.duplicated,
        } += 1;
        self.matrix[sighting.right][sighting.on] += 1;
    }

    /// Whether every key is where it is placed and nowhere else, and the proxy agrees.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        self.status() == CheckStatus::AsExpected
    }

    /// The result of the check.
    #[must_use]
    pub fn status(&self) -> CheckStatus {
        let differs = self.proxy.as_ref().is_some_and(|proxy| proxy.differ > 0);
        let found = |level: Level| self.findings.iter().any(|finding| finding.level == level);
        if self.misplaced() > 0
            || differs
            || self.has_strays()
            || found(Level::Blocks)
            || found(Level::Differs)
        {
            return CheckStatus::Broken;
        }
        let doubt = self.proxy.as_ref().and_then(Probed::doubt);
        let nothing_seen = self.keys == 0 && !self.elsewhere.is_empty();
        if doubt.is_some() || nothing_seen || found(Level::Unknown) {
            return CheckStatus::Unjudged;
        }
        CheckStatus::AsExpected
    }

    /// Whether keys are stray: the proxy routes them to another cluster, which has none of these nodes.
    #[must_use]
    pub fn has_strays(&self) -> bool {
        self.routed_elsewhere > 0 && !self.shares_nodes
    }

    /// Copies that lie where they are not placed.
    #[must_use]
    pub fn misplaced(&self) -> u64 {
        let misplaced = |node: &NodeKeys| node.unreachable + node.duplicated;
        self.nodes.iter().map(misplaced).sum()
    }
}
