//! The members of the fleet: the nodes that keys are placed on, and those that are leaving.

use std::collections::HashMap;
use std::sync::Arc;

use super::Error;
use super::connection::Connection;
use crate::planner::description::Routing;
use crate::planner::{Cluster, Placement, TagRule};
use testbed::endpoint::Endpoint;
use testbed::wire::Value;

/// One node, as the proxy sees it and as we reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its address as the proxy sees it, which placement may hash and which reports show.
    pub seen: String,
    /// The address at which we reach it.
    pub addr: Endpoint,
    /// Whether no key is placed on it any more.
    pub leaving: bool,
    /// The database that is inspected on it.
    pub database: u32,
}

/// A placement with live nodes under it. The nodes that keys are placed on come first, in the order of the placement.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The policy's name.
    pub policy: &'static str,
    placement: Arc<Placement>,
    /// The same cluster under other rules for hash tags.
    other_tags: Vec<Arc<Placement>>,
    members: Vec<Member>,
    routing: Routing,
}

impl Fleet {
    /// The nodes of `cluster`, each reached at the same place of `reach`, and those that are `leaving`, by name. Each must answer,
    /// be a server of its own, and be no replica.
    ///
    /// # Errors
    /// Which node is not as it must be.
    pub async fn open(
        cluster: &Cluster,
        reach: &[Endpoint],
        leaving: &[(String, Endpoint)],
    ) -> Result<Self, Error> {
        let placed = cluster.nodes.iter().map(|node| &node.address).zip(reach);
        let placed = placed.map(|(seen, addr)| Member::at(seen, *addr));
        let leaving = leaving.iter().map(|(seen, addr)| Member {
            leaving: true,
            ..Member::at(seen, *addr)
        });
        let members: Vec<Member> = placed.chain(leaving).collect();
        let fleet = Self {
            policy: cluster.policy.name(),
            placement: Arc::new(Placement::new(cluster)?),
            other_tags: other_tags(cluster)?,
            members,
            routing: Routing::default(),
        };
        fleet.check_servers().await?;
        Ok(fleet)
    }

    /// The same fleet behind a proxy that sends it only some keys.
    #[must_use]
    pub fn routed(self, routing: Routing) -> Self {
        Self { routing, ..self }
    }

    /// Which keys the proxy sends to the fleet.
    #[must_use]
    pub fn routing(&self) -> &Routing {
        &self.routing
    }

    /// The same nodes, with another database of each.
    #[must_use]
    pub fn in_database(&self, database: u32) -> Self {
        let mut fleet = self.clone();
        for member in &mut fleet.members {
            member.database = database;
        }
        fleet
    }

    /// The database that is inspected: the same on all nodes.
    #[must_use]
    pub fn database(&self) -> u32 {
        self.members.first().map_or(0, |member| member.database)
    }

    /// Some databases, or the fleet's own one if the list is empty.
    pub(super) fn databases_or_own(&self, databases: &[u32]) -> Vec<u32> {
        if databases.is_empty() {
            vec![self.database()]
        } else {
            databases.to_vec()
        }
    }

    /// All nodes: those with keys placed on them, then those that are leaving.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How many of them keys are placed on; their places come first.
    #[must_use]
    pub fn placed(&self) -> usize {
        self.placement.nodes()
    }

    /// The place of the node that is right for `key`.
    #[must_use]
    pub fn right(&self, key: &[u8]) -> usize {
        self.placement.node(key).index()
    }

    /// The nodes, other than its right one, that `key` would be placed on under other rules for hash tags.
    pub(super) fn by_other_tags(&self, key: &[u8]) -> impl Iterator<Item = usize> {
        let right = self.right(key);
        let places = self.other_tags.iter();
        let places = places.map(|placement| placement.node(key).index());
        places.filter(move |place| *place != right)
    }

    /// A connection to the node at `place`.
    pub(super) async fn connect(&self, place: usize) -> Result<Connection, Error> {
        self.members[place].connect().await
    }

    /// With two names for one server, moving a key would delete it. A replica does not keep writes.
    async fn check_servers(&self) -> Result<(), Error> {
        let mut known: HashMap<String, &Member> = HashMap::new();
        for (place, member) in self.members.iter().enumerate() {
            let mut connection = self.connect(place).await?;
            let (run_id, role) = server(&mut connection).await?;
            if role != "master" {
                return Err(Error::Replica(member.seen.clone()));
            }
            if let Some(other) = known.insert(run_id.clone(), member) {
                return Err(Error::SameServer {
                    one: other.seen.clone(),
                    other: member.seen.clone(),
                    run_id,
                });
            }
        }
        Ok(())
    }
}

impl Member {
    /// A node that the proxy sees as `seen`, and that we reach at an endpoint, in its database.
    #[must_use]
    pub fn at(seen: &str, endpoint: Endpoint) -> Self {
        Self {
            seen: seen.to_owned(),
            addr: endpoint.in_database(0),
            leaving: false,
            database: endpoint.database(),
        }
    }

    /// A connection to its database.
    pub(super) async fn connect(&self) -> Result<Connection, Error> {
        Connection::open_database(&self.name(), self.addr, self.database).await
    }

    /// Its name in errors.
    pub(super) fn name(&self) -> String {
        let addr = self.addr.to_string();
        if addr == self.seen {
            format!("node {addr}")
        } else {
            format!("node {} at {addr}", self.seen)
        }
    }
}

/// Placements by the rules that a description is mistaken for: whole keys, and tags between braces.
fn other_tags(cluster: &Cluster) -> Result<Vec<Arc<Placement>>, Error> {
    let rules = [TagRule::WholeKey, TagRule::BRACES];
    let others = rules.into_iter().filter(|rule| *rule != cluster.tags);
    let placement = |tags: TagRule| {
        let cluster = Cluster {
            tags,
            ..cluster.clone()
        };
        Ok(Arc::new(Placement::new(&cluster)?))
    };
    others.map(placement).collect()
}

/// The run id of a server, and its role.
async fn server(connection: &mut Connection) -> Result<(String, String), Error> {
    let mut fields = Vec::new();
    for (section, field) in [("server", "run_id:"), ("replication", "role:")] {
        let answer = connection.ask(&[b"INFO", section.as_bytes()]).await?;
        let value = match &answer {
            Value::Bulk(text) => field_of(text, field),
            _ => None,
        };
        fields.push(value.ok_or_else(|| connection.unexpected("INFO", &answer))?);
    }
    let role = fields.pop().unwrap_or_default();
    Ok((fields.pop().unwrap_or_default(), role))
}

/// The value of a field in a reply like that of INFO.
pub(super) fn field_of(info: &[u8], field: &str) -> Option<String> {
    let info = String::from_utf8_lossy(info);
    let value = info.lines().find_map(|line| line.strip_prefix(field))?;
    Some(value.trim().to_owned())
}
