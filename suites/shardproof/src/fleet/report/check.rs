//! Where the keys of a fleet lie, and where they are placed.

use schemars::JsonSchema;
use serde::Serialize;

use super::{CopyState, KeyCopy, Probed};
use crate::fleet::preflight::{Finding, Level};
use crate::fleet::{Fleet, Member};

/// The format of the JSON report.
const FORMAT: &str = "shardproof.check/1";

/// Where the keys of a fleet lie, and where they are placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// `shardproof.check/1`
    pub format: &'static str,
    /// The placement policy.
    pub policy: &'static str,
    /// The databases that were looked at on every node.
    pub databases: Vec<u32>,
    /// Keys in other databases, which were counted and not looked at.
    pub elsewhere: Vec<OtherDatabase>,
    /// Keys in all, wherever they lie; copies count once.
    pub keys: u64,
    /// Keys that lie where they are placed, with or without copies elsewhere.
    pub kept: u64,
    /// Keys that lie only where they are not placed: the proxy does not find them.
    pub unreachable: u64,
    /// Kept keys with a copy elsewhere.
    pub duplicated: u64,
    /// Duplicated keys with a copy of another value, which comes back when the cluster changes back.
    pub stale: u64,
    /// Keys that the proxy sends to another cluster, or to none; they are counted nowhere else. Copies count each.
    pub routed_elsewhere: u64,
    /// Whether they may be where the proxy asks for them, because that cluster shares nodes with this one.
    pub shares_nodes: bool,
    /// Unreachable keys that lie on several nodes with different values. Nothing tells which value is the newer one.
    pub conflicts: u64,
    /// The first of them.
    pub conflict_keys: Vec<ConflictKey>,
    /// Copies on wrong nodes that are too large to be compared or moved without stalling their nodes.
    pub large: u64,
    /// The largest of them.
    pub large_keys: Vec<LargeKey>,
    /// Keys that a migration would move: unreachable, without a conflict, and not too large.
    pub movable: u64,
    /// What nodes need besides keys to serve moved keys as before, and do not have.
    pub findings: Vec<Finding>,
    /// By node; those that are leaving come last.
    pub nodes: Vec<NodeKeys>,
    /// How many keys are placed on the node of the row and lie on the node of the column, both in the order of `nodes`.
    /// Nodes that are leaving have a column and no row.
    pub matrix: Vec<Vec<u64>>,
    /// What the proxy finds, where it was asked.
    pub proxy: Option<Probed>,
}

/// Keys of a node in a database that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OtherDatabase {
    /// The node's address as the proxy sees it.
    pub node: String,
    /// The database.
    pub database: u32,
    /// How many keys it holds.
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
    /// Bytes of memory that it takes there; `None` where the node refuses to say.
    pub bytes: Option<u64>,
    /// Its database.
    pub database: u32,
}

/// What a check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStatus {
    /// All is as it should be.
    AsExpected,
    /// Something is not.
    Broken,
    /// Nothing is known to be wrong, and something is not known.
    Unjudged,
}

/// The keys on one node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NodeKeys {
    /// Its address as the proxy sees it.
    pub addr: String,
    /// Whether it is leaving.
    pub leaving: bool,
    /// Keys that lie on it.
    pub lie: u64,
    /// Keys that lie on it and are placed on it.
    pub kept: u64,
    /// Keys that lie on it, are placed elsewhere, and do not lie there.
    pub unreachable: u64,
    /// Keys that lie on it, are placed elsewhere, and lie there too.
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

    /// Counts what was seen; what counts keys instead of copies is left to whoever knows all nodes.
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

    /// Whether every key lies where it is placed and nowhere else, and the proxy agrees.
    #[must_use]
    pub fn as_expected(&self) -> bool {
        self.status() == CheckStatus::AsExpected
    }

    /// What the check comes to.
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

    /// Whether the proxy asks for some keys on nodes that they do not lie on, because it sends them to another cluster.
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
