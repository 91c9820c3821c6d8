//! A Redis Cluster: its nodes decide who owns which slot, and a file has only the seeds that a proxy asks first.
//!
//! Never asks them: the slots are passed in as data.

use std::ops::RangeInclusive;

use ::placement::{Cluster, Node, Policy};

use super::{Described, Error, Hints, Routing, Why, described};

/// What a file describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Description {
    /// A cluster whose nodes are in the file.
    Cluster(Described),
    /// A Redis Cluster, whose nodes have to be asked for its slots.
    RedisCluster(Seeds),
}

/// The seeds of a Redis Cluster, and the rest of what the file says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seeds {
    /// Where it is in the file: `file:line`.
    pub place: String,
    /// The setting that makes it a Redis Cluster, as written in the file.
    pub setting: &'static str,
    /// `host:port` of each seed, as the proxy sees it. At least one.
    pub addresses: Vec<String>,
    /// Which keys the proxy sends to this cluster.
    pub routing: Routing,
    /// Notes on the cluster.
    pub notes: Vec<String>,
}

/// Slots in a row, and the primary that owns them, as CLUSTER SLOTS answers them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SlotRange {
    /// The first slot.
    pub first: u16,
    /// The last slot.
    pub last: u16,
    /// The address or the name of the primary.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl SlotRange {
    fn slots(&self) -> RangeInclusive<u16> {
        self.first..=self.last
    }
}

impl Description {
    /// The cluster, if its nodes are in the file.
    ///
    /// # Errors
    /// It is a Redis Cluster.
    pub fn into_described(self) -> Result<Described, Error> {
        match self {
            Self::Cluster(described) => Ok(described),
            Self::RedisCluster(seeds) => {
                let why = Why::SlotsUnsaid(seeds.setting);
                Err(why.at(seeds.place))
            }
        }
    }
}

impl Seeds {
    /// The cluster with the slots that `seed` answered. Its nodes are the primaries, in the order of their first slots.
    ///
    /// # Errors
    /// A slot has no owner, or two.
    pub fn described(
        &self,
        seed: &str,
        ranges: &[SlotRange],
        hints: &Hints,
    ) -> Result<Described, Error> {
        let mut ranges = ranges.to_vec();
        ranges.sort();
        let mut nodes: Vec<Node> = Vec::new();
        for range in &ranges {
            let address = hints.address(&range.host, range.port);
            match nodes.iter_mut().find(|node| node.address == address) {
                Some(node) => node.slots.push(range.slots()),
                None => nodes.push(Node {
                    slots: vec![range.slots()],
                    ..Node::at(address)
                }),
            }
        }
        let reach = nodes.iter().map(|node| node.address.clone()).collect();
        let cluster = Cluster::new(Policy::Slots, nodes);
        let described =
            described(cluster, reach, self.place.clone()).map_err(|error| match error {
                Error::Wrong {
                    why: Why::Placement(why),
                    ..
                } => Why::SlotsUncovered {
                    seed: seed.to_owned(),
                    why,
                }
                .at(self.place.clone()),
                other => other,
            })?;
        Ok(Described {
            routing: self.routing.clone(),
            notes: self.notes.clone(),
            ..described
        })
    }
}
