//! A placement: the tables of a cluster, and the lookup of a key.

use std::sync::Arc;

use crate::digest::KeyDigest;
use crate::hash::{TagRule, hashed_part};
use crate::policy::Nodes;
use crate::table::{Table, Tables};
use crate::{Cluster, Error, NodeId, hosts, levels};

/// An immutable placement: total over all keys, and always the same answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    digest: KeyDigest,
    tags: TagRule,
    nodes: usize,
    tables: Tables,
}

/// A cluster with its placement, so that a large table is built once.
#[derive(Debug, Clone)]
pub struct Placed {
    cluster: Cluster,
    placement: Arc<Placement>,
}

impl Placed {
    /// Builds the placement of `cluster`. A large ring takes seconds.
    ///
    /// # Errors
    /// As of [`Placement::new`].
    pub fn new(cluster: Cluster) -> Result<Self, Error> {
        let placement = Arc::new(Placement::new(&cluster)?);
        Ok(Self { cluster, placement })
    }

    /// The description.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The placement of the cluster.
    #[must_use]
    pub fn placement(&self) -> &Arc<Placement> {
        &self.placement
    }

    /// The description without the placement.
    #[must_use]
    pub fn into_cluster(self) -> Cluster {
        self.cluster
    }
}

impl Placement {
    /// Builds the table of `cluster`: milliseconds of work at default sizes, so off the request path.
    ///
    /// # Errors
    /// The error in the description, with the name of the node or the number concerned.
    pub fn new(cluster: &Cluster) -> Result<Self, Error> {
        hosts::check(cluster)?;
        Ok(Self {
            tables: tables(cluster)?,
            digest: cluster.policy.key_digest(),
            tags: cluster.tag_rule(),
            nodes: cluster.nodes.len(),
        })
    }

    /// The node that holds `key`. Allocates nothing.
    #[must_use]
    pub fn node(&self, key: &[u8]) -> NodeId {
        self.node_of_digest(self.digest(key))
    }

    /// The node that holds the keys with this digest.
    #[must_use]
    pub fn node_of_digest(&self, digest: u64) -> NodeId {
        self.tables.node(digest)
    }

    /// The number that `key` hashes to: 64 bits under Envoy's policies, 32 under twemproxy's, a slot of Redis Cluster.
    #[must_use]
    pub fn digest(&self, key: &[u8]) -> u64 {
        self.digest.of(self.hashed_part(key))
    }

    /// Whether `other` computes the same digest of every key, so that one digest serves both.
    #[must_use]
    pub fn digests_like(&self, other: &Self) -> bool {
        self.digest == other.digest && self.tags == other.tags
    }

    /// The bytes of `key` that are hashed.
    #[must_use]
    pub fn hashed_part<'a>(&self, key: &'a [u8]) -> &'a [u8] {
        hashed_part(self.tags, key)
    }

    /// The number of nodes of the cluster; ids are below this.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.nodes
    }

    /// The tables' entries with their owners: slots by number, or points in ascending order, level after level. Empty
    /// if there is no table (jump, rendezvous).
    pub fn entries(&self) -> impl Iterator<Item = (u64, NodeId)> + '_ {
        self.tables.each().flat_map(|(_, table)| table.entries())
    }

    /// Entries owned by each node, in the order of the description.
    #[must_use]
    pub fn entries_per_node(&self) -> Vec<usize> {
        let mut counts = vec![0; self.nodes];
        for (_, owner) in self.entries() {
            counts[owner.index()] += 1;
        }
        counts
    }

    /// The share of all digests that each node owns, in the order of the description; 1 in all. The shares of a set of
    /// keys differ from it by chance, and by similarities of their digests.
    #[must_use]
    pub fn shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0; self.nodes];
        let mut below = 0;
        for (up_to, table) in self.tables.each() {
            let level = f64::from(up_to - below) / 100.0;
            below = up_to;
            for (share, part) in shares.iter_mut().zip(table.shares(self.nodes)) {
                *share += level * part;
            }
        }
        shares
    }
}

fn tables(cluster: &Cluster) -> Result<Tables, Error> {
    let policy = &cluster.policy;
    let keys = hosts::keys(cluster)?;
    if policy.scatters() && cluster.nodes.len() > 1 {
        return Err(Error::NotAPlacement(policy.name()));
    }
    let hosts = match policy.nodes() {
        Nodes::Levels => return by_level(cluster, &keys),
        Nodes::Live => hosts::live(cluster, &keys)?,
        Nodes::All => hosts::all(cluster, &keys),
    };
    Ok(Tables::One(policy.table(&cluster.nodes, &hosts)?))
}

/// A table for each level of priority that has any load.
fn by_level(cluster: &Cluster, keys: &hosts::Keys<'_>) -> Result<Tables, Error> {
    let mut tables = levels::levels(cluster)
        .iter()
        .map(|level| {
            let hosts = hosts::weighted(cluster, keys, level)?;
            Ok((level.up_to, cluster.policy.table(&cluster.nodes, &hosts)?))
        })
        .collect::<Result<Vec<(u32, Table)>, Error>>()?;
    match tables.pop() {
        None => Err(Error::NoLoad(cluster.panic.overprovisioning)),
        Some((_, only)) if tables.is_empty() => Ok(Tables::One(only)),
        last => Ok(Tables::Levels(tables.into_iter().chain(last).collect())),
    }
}
