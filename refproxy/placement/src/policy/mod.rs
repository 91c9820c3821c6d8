//! The table of policies: one file per policy, each with its row. The rest of the crate asks a policy for its settings,
//! the nodes that may hold keys, their names, the digest of keys and the table.
//!
//! A new policy is a file here with its row and table, and in this file a variant of [`Policy`] and a line in [`ROWS`]; the
//! compiler asks for the rest.

pub(crate) mod jump;
mod ketama;
mod libketama;
pub(crate) mod maglev;
mod modula;
mod predixy;
mod random;
pub(crate) mod rendezvous;
pub(crate) mod ring_hash;
mod slots;

use crate::digest::KeyDigest;
use crate::hash::{Digest, PredixyHash, TagRule};
use crate::hosts::Host;
use crate::table::Table;
use crate::{Error, Node};
use ring_hash::RingFunction;

/// In the order in which reports list them: policies of proxies first, then those for comparison.
static ROWS: &[&Row] = &[
    &maglev::ROW,
    &ring_hash::ROW,
    &ketama::ROW,
    &modula::ROW,
    &random::ROW,
    &predixy::ROW,
    &slots::ROW,
    &libketama::ROW,
    &jump::ROW,
    &rendezvous::ROW,
];

/// A placement function with its settings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Envoy's MAGLEV.
    Maglev {
        /// Number of slots: a prime, at most [`TABLE_SIZE_MAX`](crate::TABLE_SIZE_MAX).
        table_size: u32,
        /// Envoy's `use_hostname_for_hashing`: a node without `hash_key` is hashed by its host name.
        hash_hostnames: bool,
    },
    /// Envoy's RING_HASH.
    RingHash {
        /// Least number of points, 1 to [`RING_SIZE_MAX`](crate::RING_SIZE_MAX).
        size_min: u32,
        /// Greatest number of points, at least `size_min`, at most [`RING_SIZE_MAX`](crate::RING_SIZE_MAX).
        size_max: u32,
        /// Places the nodes' points. Keys are always digested by [`murmur2_64`](crate::hash::murmur2_64).
        function: RingFunction,
        /// As in maglev.
        hash_hostnames: bool,
    },
    /// twemproxy's ketama.
    Ketama {
        /// Of keys; points are always MD5.
        digest: Digest,
    },
    /// twemproxy's modula.
    Modula {
        /// Of keys.
        digest: Digest,
    },
    /// Every request may go to any node, as under twemproxy's random and Envoy's round robin: a placement only over one node.
    Random,
    /// Predixy's modula over its groups of servers.
    Predixy {
        /// Of keys.
        hash: PredixyHash,
    },
    /// Redis Cluster's 16384 slots. They include hash tags, whatever the rule of the cluster.
    Slots,
    /// Ketama as in libketama, which always digests keys by MD5, for comparison.
    Libketama,
    /// Jump consistent hash over [`murmur2_64`](crate::hash::murmur2_64), for comparison. Nodes are numbered, not hashed.
    Jump,
    /// Rendezvous (highest random weight) hashing over [`murmur2_64`](crate::hash::murmur2_64), for comparison.
    Rendezvous,
}

/// A policy in the table.
pub(crate) struct Row {
    /// In files and reports; also the stem of the policy's file.
    name: &'static str,
    /// The policy with default settings.
    default: Policy,
    properties: Properties,
}

/// Properties of a policy that do not depend on its settings.
struct Properties {
    /// The nodes that may hold keys.
    nodes: Nodes,
    /// The name that is hashed of a node without a hash key.
    names: Names,
    /// Whether nodes may have weights.
    weights: Weights,
    /// Whether two requests for one key may go to different nodes.
    scatters: bool,
    /// The rule of hash tags, if the cluster cannot choose it.
    tags: Option<TagRule>,
    /// A property that a comparison of policies has to mention.
    caveat: Option<&'static str>,
    /// Whether a change costs as much as under another policy, so that a comparison has no use for it.
    is_like_another: bool,
}

/// Those of Envoy's policies.
const ENVOY: Properties = Properties {
    nodes: Nodes::Levels,
    ..NEUTRAL
};

/// Those of twemproxy's policies.
const TWEMPROXY: Properties = Properties {
    nodes: Nodes::Live,
    names: Names::Twemproxy,
    ..NEUTRAL
};

/// Those of a policy of no proxy.
const NEUTRAL: Properties = Properties {
    nodes: Nodes::All,
    names: Names::Address,
    weights: Weights::UpTo(u32::MAX),
    scatters: false,
    tags: None,
    caveat: None,
    is_like_another: false,
};

/// The nodes that take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nodes {
    /// Envoy's: by priority, health and locality, with one table per level.
    Levels,
    /// twemproxy's: those that are not ejected, in its order.
    Live,
    /// All, in the order of the description. Health, priorities and localities have no effect.
    All,
}

/// The name that is hashed of a node without a hash key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// The address as Envoy prints it, or the host name if a setting says so.
    Address,
    /// The name that twemproxy makes from the address.
    Twemproxy,
}

/// Whether nodes may have weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weights {
    /// Any, up to this sum.
    UpTo(u32),
    /// All are 1.
    Unsupported,
}

impl Policy {
    /// Maglev with Envoy's defaults.
    #[must_use]
    pub fn maglev() -> Self {
        maglev::ROW.default.clone()
    }

    /// Ring hash with Envoy's defaults.
    #[must_use]
    pub fn ring_hash() -> Self {
        ring_hash::ROW.default.clone()
    }

    /// Ketama with twemproxy's default digest. It is twemproxy's default distribution.
    #[must_use]
    pub fn ketama() -> Self {
        ketama::ROW.default.clone()
    }

    /// Modula with twemproxy's default digest.
    #[must_use]
    pub fn modula() -> Self {
        modula::ROW.default.clone()
    }

    /// Each policy with its defaults, in the order in which reports list them.
    pub fn all() -> impl ExactSizeIterator<Item = Self> {
        ROWS.iter().map(|row| row.default.clone())
    }

    /// Each policy that is a placement over several nodes, with its defaults.
    pub fn placing() -> impl Iterator<Item = Self> {
        Self::all().filter(|policy| !policy.scatters())
    }

    /// Those of them that a comparison lists: one for each cost of a change.
    pub fn compared() -> impl Iterator<Item = Self> {
        Self::placing().filter(|policy| !policy.row().properties.is_like_another)
    }

    /// The policy called `name`, with its defaults.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let row = ROWS.iter().find(|row| row.name == name)?;
        Some(row.default.clone())
    }

    /// The name of the policy in configurations and reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.row().name
    }

    /// Whether the health of nodes, their priorities and localities are those of Envoy, with its panic mode.
    #[must_use]
    pub fn supports_panic(&self) -> bool {
        self.nodes() == Nodes::Levels
    }

    /// Whether nodes may have weights.
    #[must_use]
    pub fn supports_weights(&self) -> bool {
        self.weights() != Weights::Unsupported
    }

    /// Whether two requests for one key may go to different nodes, so that only a cluster of one node has a placement.
    #[must_use]
    pub fn scatters(&self) -> bool {
        self.row().properties.scatters
    }

    /// The rule of hash tags, if it is part of the policy.
    #[must_use]
    pub fn own_tags(&self) -> Option<TagRule> {
        self.row().properties.tags
    }

    /// A property that a comparison with other policies has to mention.
    #[must_use]
    pub fn caveat(&self) -> Option<&'static str> {
        self.row().properties.caveat
    }

    pub(crate) fn nodes(&self) -> Nodes {
        self.row().properties.nodes
    }

    pub(crate) fn names(&self) -> Names {
        self.row().properties.names
    }

    pub(crate) fn weights(&self) -> Weights {
        self.row().properties.weights
    }

    /// The digest of keys.
    pub(crate) fn key_digest(&self) -> KeyDigest {
        match self {
            Self::Ketama { digest } | Self::Modula { digest } => KeyDigest::Twemproxy(*digest),
            Self::Predixy { hash } => KeyDigest::Predixy(*hash),
            Self::Slots => KeyDigest::Slot,
            Self::Libketama => KeyDigest::Md5,
            Self::Maglev { .. }
            | Self::RingHash { .. }
            | Self::Random
            | Self::Jump
            | Self::Rendezvous => KeyDigest::Murmur2,
        }
    }

    /// Builds the table from all nodes of the cluster and the hosts that take part, at least one.
    pub(crate) fn table(&self, nodes: &[Node], hosts: &[Host<'_>]) -> Result<Table, Error> {
        Ok(match *self {
            Self::Maglev { table_size, .. } => maglev::table(hosts, table_size)?,
            Self::RingHash {
                size_min,
                size_max,
                function,
                ..
            } => ring_hash::table(hosts, (size_min, size_max), function)?,
            Self::Ketama { .. } => ketama::table(hosts),
            Self::Modula { .. } => modula::table(hosts),
            Self::Random => random::table(hosts),
            Self::Predixy { .. } => predixy::table(hosts),
            Self::Slots => slots::table(nodes)?,
            Self::Libketama => libketama::table(hosts),
            Self::Jump => jump::table(hosts),
            Self::Rendezvous => rendezvous::table(hosts),
        })
    }

    fn row(&self) -> &'static Row {
        match self {
            Self::Maglev { .. } => &maglev::ROW,
            Self::RingHash { .. } => &ring_hash::ROW,
            Self::Ketama { .. } => &ketama::ROW,
            Self::Modula { .. } => &modula::ROW,
            Self::Random => &random::ROW,
            Self::Predixy { .. } => &predixy::ROW,
            Self::Slots => &slots::ROW,
            Self::Libketama => &libketama::ROW,
            Self::Jump => &jump::ROW,
            Self::Rendezvous => &rendezvous::ROW,
        }
    }
}

#[cfg(test)]
mod tests;
