//! What a look at a fleet, and a migration of its keys, came to: the model of every report on them.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::guard::{ENOUGH, ENOUGH_TAGGED};
use super::preflight::{Finding, Level};
use super::{Fleet, Member};

/// The format of the JSON report on a check.
const CHECK: &str = "shardproof.check/1";
/// The format of the JSON report on a migration.
const MIGRATE: &str = "shardproof.migrate/1";
/// Examples that a report names.
pub(super) const EXAMPLES: usize = 5;

/// How a key lies on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CopyState {
    /// It is placed here.
    Kept,
    /// It is placed elsewhere and does not lie there.
    Unreachable,
    /// The same, and a third node has it with another value.
    Conflict,
    /// It is placed elsewhere and lies there too, with the same value.
    Duplicated,
    /// It is placed elsewhere and lies there too, with another value.
    OnConflict,
}

impl CopyState {
    /// The word in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Unreachable => "unreachable",
            Self::Conflict => "conflict",
            Self::Duplicated => "duplicated",
            Self::OnConflict => "stale",
        }
    }
}

/// One key on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCopy {
    /// The key.
    pub key: Vec<u8>,
    /// The place of the node that it is placed on.
    pub right: usize,
    /// The place of the node that it was seen on.
    pub on: usize,
    /// What it is there.
    pub lies: CopyState,
    /// The database that it was seen in.
    pub database: u32,
}

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

/// How far the proxy finds what it should by the placement.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Probed {
    /// Keys that it finds where they are kept, and does not find where they are unreachable.
    pub agree: u64,
    /// All others: the proxy does not place as the description says.
    pub differ: u64,
    /// Some of them.
    pub examples: Vec<String>,
    /// Keys that it finds and that only their right node has. Each shows that the proxy asks that node. At most some
    /// hundred are counted for each node.
    pub shown: u64,
    /// Keys whose node depends on the rule for hash tags.
    pub tagged: u64,
    /// Those of them whose answer shows that the proxy has the rule of the description.
    pub tagged_shown: u64,
    /// Keys that were written through the proxy and seen on their right node only.
    pub written: u64,
}

/// What became of misplaced keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct MoveOutcome {
    /// Keys that now lie on their right node only.
    pub moved: u64,
    /// Copies that were removed because the right node had a value of its own, which counts as the newer one.
    pub superseded: u64,
    /// Copies that were spared because the right node has another value.
    pub spared: u64,
    /// Keys that had expired or were deleted when it was their turn.
    pub gone: u64,
    /// Keys that were written where they do not belong while they were moved: both copies stay.
    pub contested: u64,
    /// Keys that their right node does not take: they stay where they were.
    pub refused: u64,
    /// Copies that were left because another wrong node has the key with another value.
    pub conflicts: u64,
    /// Copies that were left because they are too large.
    pub large: u64,
    /// Bytes of the values that were moved, as dumps.
    pub bytes: u64,
    /// Requests to delete that others sent to right nodes meanwhile; `None` where the nodes do not tell. A key that was
    /// deleted before it was moved is back.
    pub deletes: Option<u64>,
    /// Some of the contested and refused keys.
    pub examples: Vec<String>,
    /// What showed before that the proxy places keys as described; `None` where the caller answered for it.
    pub proof: Option<Probed>,
}

/// A migration: what was done, and where keys lie afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Migration {
    /// `shardproof.migrate/1`
    pub format: &'static str,
    /// What was done; nothing in a dry run.
    pub carried: Option<MoveOutcome>,
    /// How long that took, in milliseconds.
    pub took_ms: u64,
    /// Where the keys lie now.
    pub check: Check,
}

impl Check {
    pub(super) fn new(fleet: &Fleet) -> Self {
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
            format: CHECK,
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
    pub(super) fn count(&mut self, sighting: &KeyCopy) {
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

impl Probed {
    pub(super) fn add(&mut self, other: Self) {
        self.agree += other.agree;
        self.differ += other.differ;
        add_examples(&mut self.examples, other.examples);
        self.shown += other.shown;
        self.tagged += other.tagged;
        self.tagged_shown += other.tagged_shown;
        self.written += other.written;
    }

    pub(super) fn differs(&mut self, example: String) {
        self.differ += 1;
        add_examples(&mut self.examples, vec![example]);
    }

    /// What is missing to say that the proxy places keys as described. Keys that differ are another matter.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        let shown = self.shown + self.written;
        if shown < ENOUGH {
            return Some(format!(
                "{shown} keys show that the proxy asks their node, and {ENOUGH} are needed"
            ));
        }
        let needed = self.tagged.min(ENOUGH_TAGGED);
        (self.tagged_shown < needed).then(|| {
            format!(
                "the node of {} keys depends on the rule for hash tags, and {} of them show the proxy's rule, where {needed} \
                 are needed",
                self.tagged, self.tagged_shown
            )
        })
    }
}

impl MoveOutcome {
    pub(super) fn add(&mut self, other: Self) {
        self.moved += other.moved;
        self.superseded += other.superseded;
        self.spared += other.spared;
        self.gone += other.gone;
        self.contested += other.contested;
        self.refused += other.refused;
        self.conflicts += other.conflicts;
        self.large += other.large;
        self.bytes += other.bytes;
        add_examples(&mut self.examples, other.examples);
    }

    pub(super) fn example(&mut self, key: &[u8], what: &str) {
        let example = format!("{}: {what}", key.escape_ascii());
        add_examples(&mut self.examples, vec![example]);
    }
}

impl Migration {
    /// What was `carried` in `took_ms`, and where a check afterwards found the keys.
    #[must_use]
    pub fn new(carried: Option<MoveOutcome>, took_ms: u64, check: Check) -> Self {
        Self {
            format: MIGRATE,
            carried,
            took_ms,
            check,
        }
    }
}

fn add_examples(all: &mut Vec<String>, more: Vec<String>) {
    all.extend(more.into_iter().take(EXAMPLES - all.len()));
}

/// Says what the columns of [`write_line`] are.
///
/// # Errors
/// As the writer.
pub fn write_head(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# key\tplaced on\tlies on\twhat it is there\tdatabase")
}

/// Writes what was seen of a key on one node, separated by tabs.
///
/// # Errors
/// As the writer.
pub fn write_line(out: &mut dyn Write, nodes: &[Member], sighting: &KeyCopy) -> io::Result<()> {
    writeln!(
        out,
        "{}\t{}\t{}\t{}\t{}",
        sighting.key.escape_ascii(),
        nodes[sighting.right].seen,
        nodes[sighting.on].seen,
        sighting.lies.name(),
        sighting.database,
    )
}
