//! The input of a table: the nodes that take part, the text that is hashed of each, and its weight.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddrV6};

use crate::levels::Level;
use crate::policy::{Names, Weights};
use crate::{Cluster, Error, Health, Node, NodeId};

/// The port that twemproxy leaves out of a name, as libmemcached does.
const PORT_UNNAMED: u16 = 11_211;

/// A node that may hold keys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Host<'a> {
    pub(crate) id: NodeId,
    /// The text that is hashed.
    pub(crate) key: &'a str,
    pub(crate) weight: u32,
    /// Envoy's normalised weight; 0 under other policies, which take the weight itself.
    pub(crate) share: f64,
}

/// The text that is hashed of each node, in the order of the description.
pub(crate) type Keys<'a> = Vec<Cow<'a, str>>;

/// Checks the nodes, as far as all policies agree.
pub(crate) fn check(cluster: &Cluster) -> Result<(), Error> {
    let nodes = &cluster.nodes;
    if nodes.is_empty() {
        return Err(Error::NoNode);
    }
    if nodes.len() > usize::from(u16::MAX) {
        return Err(Error::TooManyNodes(nodes.len()));
    }
    if let Some(node) = nodes.iter().find(|node| node.weight == 0) {
        return Err(Error::WeightZero(node.address.clone()));
    }
    if cluster.panic.overprovisioning == 0 {
        return Err(Error::Overprovisioning);
    }
    check_weights(cluster)?;
    check_levels(nodes)
}

fn check_weights(cluster: &Cluster) -> Result<(), Error> {
    let most = match cluster.policy.weights() {
        Weights::UpTo(most) => most,
        Weights::Unsupported => return check_unweighted(cluster),
    };
    let sum: u64 = cluster
        .nodes
        .iter()
        .map(|node| u64::from(node.weight))
        .sum();
    if sum > u64::from(most) {
        return Err(Error::WeightsOverflow(most));
    }
    Ok(())
}

fn check_unweighted(cluster: &Cluster) -> Result<(), Error> {
    match cluster.nodes.iter().find(|node| node.weight != 1) {
        None => Ok(()),
        Some(node) => Err(Error::Unweighted {
            node: node.address.clone(),
            weight: node.weight,
            policy: cluster.policy.name(),
        }),
    }
}

/// Checks that priorities have no gaps, and that either all nodes of a priority have a locality or none has.
fn check_levels(nodes: &[Node]) -> Result<(), Error> {
    let used: HashSet<u32> = nodes.iter().map(|node| node.priority).collect();
    if let Some(gap) = (0..used.len() as u32).find(|priority| !used.contains(priority)) {
        return Err(Error::PriorityGap(gap));
    }
    let local = nodes.iter().filter(|node| node.locality.is_some());
    let weighted: HashSet<u32> = local.map(|node| node.priority).collect();
    let mut weights = HashMap::new();
    for node in nodes {
        match &node.locality {
            None if weighted.contains(&node.priority) => {
                return Err(Error::NoLocality(node.address.clone()));
            }
            Some(locality) => {
                let known = weights.entry((node.priority, &locality.name));
                if *known.or_insert(locality.weight) != locality.weight {
                    return Err(Error::LocalityWeights(locality.name.clone()));
                }
            }
            None => {}
        }
    }
    Ok(())
}

/// The text that is hashed of each node; all are different.
pub(crate) fn keys(cluster: &Cluster) -> Result<Keys<'_>, Error> {
    let hostnames = cluster.policy.hashes_hostnames();
    let names = cluster.policy.names();
    let keys = cluster
        .nodes
        .iter()
        .map(|node| key(node, names, hostnames))
        .collect::<Result<Keys<'_>, Error>>()?;
    let mut seen = HashSet::new();
    for key in &keys {
        if !seen.insert(key.as_ref()) {
            return Err(Error::DuplicateHashKey(key.to_string()));
        }
    }
    Ok(keys)
}

fn key(node: &Node, names: Names, hostnames: bool) -> Result<Cow<'_, str>, Error> {
    if let Some(key) = node.hash_key.as_deref().filter(|key| !key.is_empty()) {
        return Ok(Cow::Borrowed(key));
    }
    match names {
        Names::Twemproxy => Ok(twemproxy_name(&node.address)),
        Names::Address if hostnames => match &node.hostname {
            Some(hostname) => Ok(Cow::Borrowed(hostname)),
            None => Err(Error::NoHostname(node.address.clone())),
        },
        Names::Address => Ok(canonical(&node.address)),
    }
}

/// Envoy hashes the address that it resolved, as printed by `inet_ntop`: `[0:0::1]:6379` is `[::1]:6379`, and an IPv4
/// address after six groups of 0 keeps its dots.
fn canonical(address: &str) -> Cow<'_, str> {
    let Ok(parsed) = address.parse::<SocketAddrV6>() else {
        return Cow::Borrowed(address);
    };
    match parsed.ip().segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            let embedded = Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
            Cow::Owned(format!("[::{embedded}]:{}", parsed.port()))
        }
        _ => Cow::Owned(parsed.to_string()),
    }
}

/// The name of a server without a configured one. Source: nutcracker 0.5.0 `src/nc_conf.c`, `conf_add_server`.
fn twemproxy_name(address: &str) -> Cow<'_, str> {
    if address.starts_with('/') {
        return Cow::Owned(format!("{address}:"));
    }
    match address.rsplit_once(':') {
        Some((host, port)) if port.parse() == Ok(PORT_UNNAMED) => Cow::Borrowed(host),
        _ => Cow::Borrowed(address),
    }
}

/// Every node, in the order of the description.
pub(crate) fn all<'a>(cluster: &Cluster, keys: &'a Keys<'_>) -> Vec<Host<'a>> {
    (0..)
        .map(NodeId)
        .zip(cluster.nodes.iter().zip(keys))
        .map(|(id, (node, key))| Host {
            id,
            key,
            weight: node.weight,
            share: 0.0,
        })
        .collect()
}

/// The servers that twemproxy has not ejected, in its order: shorter names first, then bytewise.
pub(crate) fn live<'a>(cluster: &Cluster, keys: &'a Keys<'_>) -> Result<Vec<Host<'a>>, Error> {
    let mut live = all(cluster, keys);
    live.retain(|host| {
        let health = cluster.nodes[host.id.index()].health;
        matches!(health, Health::Healthy | Health::Degraded)
    });
    if live.is_empty() {
        return Err(Error::NoHealthyNode(0));
    }
    live.sort_by_key(|host| (host.key.len(), host.key.as_bytes()));
    Ok(live)
}

/// The members of a level with their normalised weights, as Envoy computes them: multiply, then divide.
///
/// Source: Envoy 1.40 `thread_aware_lb_impl.cc` (`normalizeHostWeights`, `normalizeLocalityWeights`).
pub(crate) fn weighted<'a>(
    cluster: &Cluster,
    keys: &'a Keys<'_>,
    level: &Level,
) -> Result<Vec<Host<'a>>, Error> {
    let mut hosts = Vec::new();
    for (share, members) in localities(&cluster.nodes, level) {
        let weight = |id: &NodeId| cluster.nodes[id.index()].weight;
        let sum: f64 = members.iter().map(|id| f64::from(weight(id))).sum();
        hosts.extend(members.iter().map(|id| Host {
            id: *id,
            key: &keys[id.index()],
            weight: weight(id),
            share: f64::from(weight(id)) * share / sum,
        }));
    }
    if hosts.is_empty() {
        return Err(Error::NoHealthyNode(level.priority));
    }
    Ok(hosts)
}

/// The members by locality, in the order of region, zone and sub-zone, each with its share of the level.
fn localities(nodes: &[Node], level: &Level) -> Vec<(f64, Vec<NodeId>)> {
    let mut weights: Vec<(&str, u32)> = Vec::new();
    for locality in level
        .all
        .iter()
        .filter_map(|id| nodes[id.index()].locality.as_ref())
    {
        if !weights.iter().any(|(name, _)| *name == locality.name) {
            weights.push((&locality.name, locality.weight));
        }
    }
    if weights.is_empty() {
        return vec![(1.0, level.members.clone())];
    }
    weights.sort_by(|(one, _), (other, _)| one.split('/').cmp(other.split('/')));
    let sum: f64 = weights.iter().map(|(_, weight)| f64::from(*weight)).sum();
    let is_in = |id: &NodeId, name: &str| {
        let locality = nodes[id.index()].locality.as_ref();
        locality.is_some_and(|locality| locality.name == name)
    };
    weights
        .iter()
        .filter(|(_, weight)| *weight > 0)
        .map(|(name, weight)| {
            let members = level.members.iter().copied().filter(|id| is_in(id, name));
            (f64::from(*weight) / sum, members.collect())
        })
        .collect()
}
