//! What is sharded over: nodes, their weights, and which placement function with its parameters.

use std::ops::RangeInclusive;

use super::TABLE_SIZE_DEFAULT;
use super::ring_hash::{RingFunction, SIZE_MAX, SIZE_MIN_DEFAULT};
use crate::hash::{Digest, TagRule};

/// The place of a node in its cluster's description, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u16);

impl NodeId {
    /// The id as an index into the cluster's list of nodes.
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Whether a proxy that watches its nodes would let one hold keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Health {
    /// It answers, or nobody looks.
    #[default]
    Healthy,
    /// Envoy's degraded: it adds to the load of its priority but holds no keys unless there is panic.
    Degraded,
    /// It fails its checks, or was ejected.
    Unhealthy,
    /// It is being emptied: it holds no keys, and Envoy reckons as if it were not there unless there is panic.
    Draining,
}

/// Where a node stands, for Envoy's locality-weighted balancing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Locality {
    /// What tells localities apart: Envoy's `region/zone/sub_zone`. They take their turns on a ring in this order.
    pub name: String,
    /// Share of the keys relative to the other localities of the priority; 0 is a locality without keys.
    pub weight: u32,
}

/// One Redis server behind a proxy: where it is reached, and what of it is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// `host:port` that is connected to, or the path of a Unix socket.
    pub address: String,
    /// Share of the keys relative to the other nodes, at least 1.
    pub weight: u32,
    /// What people call it; shown in errors and reports, never hashed.
    pub name: Option<String>,
    /// Hashed instead of the address when the cluster hashes host names (`use_hostname_for_hashing` in Envoy).
    pub hostname: Option<String>,
    /// Hashed instead of everything else (`envoy.lb` metadata `hash_key` in Envoy, a server's name in twemproxy).
    pub hash_key: Option<String>,
    /// Whether it may hold keys; only Envoy's and twemproxy's policies know nodes that may not.
    pub health: Health,
    /// Envoy's priority level, from 0, without gaps.
    pub priority: u32,
    /// Given for all nodes of a priority or for none.
    pub locality: Option<Locality>,
    /// The slots of a node of Redis Cluster; when no node has any, they are dealt evenly, as `redis-cli` does.
    pub slots: Vec<RangeInclusive<u16>>,
}

impl Node {
    /// A healthy node of weight 1 that is known by its address only.
    #[must_use]
    pub fn at(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            weight: 1,
            name: None,
            hostname: None,
            hash_key: None,
            health: Health::Healthy,
            priority: 0,
            locality: None,
            slots: Vec::new(),
        }
    }
}

/// Which placement function, with its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Envoy's MAGLEV.
    Maglev {
        /// Number of slots: a prime, at most [`TABLE_SIZE_MAX`](super::TABLE_SIZE_MAX).
        table_size: u32,
        /// Envoy's `use_hostname_for_hashing`: a node without `hash_key` is hashed by its host name.
        hash_hostnames: bool,
    },
    /// Envoy's RING_HASH.
    RingHash {
        /// Least number of points, 1 to [`SIZE_MAX`].
        size_min: u32,
        /// Greatest number of points, at least `size_min`, at most [`SIZE_MAX`].
        size_max: u32,
        /// What places the nodes' points. Keys are always digested by [`murmur2_64`](crate::hash::murmur2_64).
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
    /// Ketama as libketama has it, whose keys are always digested by MD5, for comparison.
    Libketama,
    /// Redis Cluster's 16384 slots. Hash tags are part of it, whatever the cluster's rule says.
    Slots,
    /// Jump consistent hash over [`murmur2_64`](crate::hash::murmur2_64), for comparison. Nodes are numbered, not hashed.
    Jump,
    /// Rendezvous (highest random weight) hashing over [`murmur2_64`](crate::hash::murmur2_64), for comparison.
    Rendezvous,
}

impl Policy {
    /// Maglev as Envoy runs it when nothing is configured.
    #[must_use]
    pub fn maglev() -> Self {
        Self::Maglev {
            table_size: TABLE_SIZE_DEFAULT,
            hash_hostnames: false,
        }
    }

    /// Ring hash as Envoy runs it when nothing is configured.
    #[must_use]
    pub fn ring_hash() -> Self {
        Self::RingHash {
            size_min: SIZE_MIN_DEFAULT,
            size_max: SIZE_MAX,
            function: RingFunction::XxHash,
            hash_hostnames: false,
        }
    }

    /// twemproxy's distribution and digest when nothing is configured.
    #[must_use]
    pub fn ketama() -> Self {
        Self::Ketama {
            digest: Digest::Fnv1a64,
        }
    }

    /// Modula with twemproxy's default digest.
    #[must_use]
    pub fn modula() -> Self {
        Self::Modula {
            digest: Digest::Fnv1a64,
        }
    }

    /// Each policy with its defaults, in the order in which reports list them.
    #[must_use]
    pub fn all() -> [Self; 9] {
        [
            Self::maglev(),
            Self::ring_hash(),
            Self::ketama(),
            Self::modula(),
            Self::Random,
            Self::Slots,
            Self::Libketama,
            Self::Jump,
            Self::Rendezvous,
        ]
    }

    /// The policy called `name`, with its defaults.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|policy| policy.name() == name)
    }

    /// The name of the policy in configurations and reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Maglev { .. } => "maglev",
            Self::RingHash { .. } => "ring_hash",
            Self::Ketama { .. } => "ketama",
            Self::Modula { .. } => "modula",
            Self::Random => "random",
            Self::Slots => "slots",
            Self::Libketama => "libketama",
            Self::Jump => "jump",
            Self::Rendezvous => "rendezvous",
        }
    }

    /// Whether nodes are hashed by their host names where they have no hash key.
    pub(super) fn hashes_hostnames(&self) -> bool {
        match self {
            Self::Maglev { hash_hostnames, .. } | Self::RingHash { hash_hostnames, .. } => {
                *hash_hostnames
            }
            _ => false,
        }
    }
}

/// When Envoy gives up on health. Means nothing to other policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Panic {
    /// Below so many percent of available nodes a priority places keys on all its nodes, dead ones included; 0 never.
    pub threshold_percent: u32,
    /// Hundredfold of the factor by which health is overestimated; Envoy's `overprovisioning_factor`.
    pub overprovisioning: u32,
}

impl Default for Panic {
    fn default() -> Self {
        Self {
            threshold_percent: 50,
            overprovisioning: 140,
        }
    }
}

/// The ordered list of nodes that a proxy shards over, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The placement function.
    pub policy: Policy,
    /// Which part of a key is hashed.
    pub tags: TagRule,
    /// The nodes; a [`NodeId`] is a place in this list.
    pub nodes: Vec<Node>,
    /// When health is disregarded.
    pub panic: Panic,
}

impl Cluster {
    /// A cluster of `nodes` where whole keys are hashed.
    #[must_use]
    pub fn new(policy: Policy, nodes: Vec<Node>) -> Self {
        Self {
            policy,
            tags: TagRule::WholeKey,
            nodes,
            panic: Panic::default(),
        }
    }
}
