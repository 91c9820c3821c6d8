//! The description of a cluster: nodes, their weights, and a policy with its settings.

use std::ops::RangeInclusive;

use crate::Policy;
use crate::hash::TagRule;

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

/// The health of a node, as a proxy that watches its nodes would see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Health {
    /// It answers, or the proxy does not check it.
    #[default]
    Healthy,
    /// Envoy's degraded: it adds to the load of its priority but holds no keys unless there is panic.
    Degraded,
    /// It fails its checks, or was ejected.
    Unhealthy,
    /// It holds no keys, and Envoy leaves it out of its calculations unless there is panic.
    Draining,
}

/// The locality of a node, for Envoy's locality-weighted balancing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Locality {
    /// Envoy's `region/zone/sub_zone`. On a ring, localities come in the order of their names.
    pub name: String,
    /// Share of the keys relative to the other localities of the priority; 0 is a locality without keys.
    pub weight: u32,
}

/// One Redis server of a cluster: its address, and its name that is hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// `host:port`, or the path of a Unix socket.
    pub address: String,
    /// Share of the keys relative to the other nodes, at least 1.
    pub weight: u32,
    /// A name for errors and reports, never hashed.
    pub name: Option<String>,
    /// Hashed instead of the address when the cluster hashes host names (`use_hostname_for_hashing` in Envoy).
    pub hostname: Option<String>,
    /// Hashed instead of everything else (`envoy.lb` metadata `hash_key` in Envoy, a server's name in twemproxy).
    pub hash_key: Option<String>,
    /// Whether it may hold keys. Has an effect only under the policies of Envoy and twemproxy.
    pub health: Health,
    /// Envoy's priority level, from 0, without gaps.
    pub priority: u32,
    /// Set for all nodes of a priority or for none.
    pub locality: Option<Locality>,
    /// The slots of a node of Redis Cluster; when no node has any, they are assigned evenly, as by
    /// `redis-cli`.
    pub slots: Vec<RangeInclusive<u16>>,
}

impl Node {
    /// A healthy node of weight 1 without names.
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

/// Envoy's panic mode, in which health is disregarded. Has no effect under policies of other proxies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Panic {
    /// A priority with a lower percentage of available nodes places keys on all its nodes, whatever their health; 0 is never.
    pub threshold_percent: u32,
    /// Envoy's `overprovisioning_factor`, in percent: the health of a priority is multiplied by it.
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

/// The ordered list of nodes that a proxy shards over, and the policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The placement function.
    pub policy: Policy,
    /// The part of a key that is hashed, unless the policy has its own rule.
    pub tags: TagRule,
    /// The nodes; a [`NodeId`] is a place in this list.
    pub nodes: Vec<Node>,
    /// The limits of health.
    pub panic: Panic,
}

impl Cluster {
    /// A cluster of `nodes` that hashes whole keys.
    #[must_use]
    pub fn new(policy: Policy, nodes: Vec<Node>) -> Self {
        Self {
            policy,
            tags: TagRule::WholeKey,
            nodes,
            panic: Panic::default(),
        }
    }

    /// The effective rule of hash tags: the policy's own, or else the configured one.
    #[must_use]
    pub fn tag_rule(&self) -> TagRule {
        self.policy.own_tags().unwrap_or(self.tags)
    }
}
