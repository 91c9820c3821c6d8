//! Who belongs to the fleet: the nodes that keys are placed on, and those that are leaving.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::Error;
use super::connection::Connection;
use crate::planner::description::Routing;
use crate::planner::{Cluster, Placement};
use crate::wire::Value;

/// One node, as the proxy sees it and as we reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its address as the proxy sees it: what placement may hash, and what reports call it.
    pub seen: String,
    /// Where we reach it.
    pub addr: SocketAddr,
    /// Whether no key is placed on it any more.
    pub leaving: bool,
}

/// A placement with live nodes under it. The nodes that keys are placed on come first, in the order of the placement.
#[derive(Debug, Clone)]
pub struct Fleet {
    /// The policy's name.
    pub policy: &'static str,
    placement: Placement,
    members: Vec<Member>,
    routing: Routing,
}

impl Fleet {
    /// The nodes of `cluster`, each reached at the same place of `reach`, and those that are `leaving`. Each must answer,
    /// be a server of its own, and be no replica.
    ///
    /// # Errors
    /// Which node is not as it must be.
    pub async fn open(
        cluster: &Cluster,
        reach: &[String],
        leaving: &[String],
    ) -> Result<Self, Error> {
        let placed = cluster.nodes.iter().map(|node| &node.address);
        let placed = placed.zip(reach).map(|(seen, addr)| (seen, addr, false));
        let leaving = leaving.iter().map(|addr| (addr, addr, true));
        let mut members = Vec::new();
        for (seen, addr, leaving) in placed.chain(leaving) {
            members.push(Member {
                seen: seen.clone(),
                addr: resolve(seen, addr).await?,
                leaving,
            });
        }
        let fleet = Self {
            policy: cluster.policy.name(),
            placement: Placement::new(cluster)?,
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

    /// A connection to the node at `place`.
    pub(super) async fn connect(&self, place: usize) -> Result<Connection, Error> {
        let member = &self.members[place];
        Connection::open(&member.name(), member.addr).await
    }

    /// Two names for one server would make moving a key deleting it, and a replica does not keep what is written to it.
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
    /// A node that is reached where it is seen: `HOST:PORT` or `redis://HOST:PORT`.
    ///
    /// # Errors
    /// When that is no address.
    pub async fn at(text: &str) -> Result<Self, Error> {
        let bare = text.strip_prefix("redis://").unwrap_or(text);
        let addr = bare.strip_suffix('/').unwrap_or(bare);
        Ok(Self {
            seen: addr.to_owned(),
            addr: resolve(text, addr).await?,
            leaving: false,
        })
    }

    /// What errors call it.
    pub(super) fn name(&self) -> String {
        let addr = self.addr.to_string();
        if addr == self.seen {
            format!("node {addr}")
        } else {
            format!("node {} at {addr}", self.seen)
        }
    }
}

/// What a server calls itself, and whether it is a master.
async fn server(connection: &mut Connection) -> Result<(String, String), Error> {
    let mut fields = Vec::new();
    for (section, field) in [("server", "run_id:"), ("replication", "role:")] {
        let answer = connection.ask(&[b"INFO", section.as_bytes()]).await?;
        let told = match &answer {
            Value::Bulk(text) => field_of(text, field),
            _ => None,
        };
        fields.push(told.ok_or_else(|| connection.unexpected("INFO", &answer))?);
    }
    let role = fields.pop().unwrap_or_default();
    Ok((fields.pop().unwrap_or_default(), role))
}

fn field_of(info: &[u8], field: &str) -> Option<String> {
    let info = String::from_utf8_lossy(info);
    let told = info.lines().find_map(|line| line.strip_prefix(field))?;
    Some(told.trim().to_owned())
}

async fn resolve(seen: &str, addr: &str) -> Result<SocketAddr, Error> {
    let failed = |why: String| Error::NoAddress {
        seen: seen.to_owned(),
        addr: addr.to_owned(),
        why,
    };
    let found: Vec<SocketAddr> = tokio::net::lookup_host(addr)
        .await
        .map_err(|why| failed(why.to_string()))?
        .collect();
    // Nodes listen on IPv4 by default, where a name has both.
    let first = found.iter().find(|addr| addr.is_ipv4()).or(found.first());
    first
        .copied()
        .ok_or_else(|| failed("the name has none".to_owned()))
}
