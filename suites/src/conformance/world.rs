//! What a run works with: the proxy's address, the nodes, the links where they are ours.

use std::net::SocketAddr;
use std::time::Duration;

use super::asked::Known;
use super::case::{Action, Case, Fault, Party};
use super::word::letter;
use crate::client::{self, Client, NODE_DEADLINE};
use crate::cluster::{self, Cluster};
use crate::link::Tap;
use crate::link::toxic::{Hold, Kind, Latency, ResetPeer, Stream, Toxic};
use crate::node;
use crate::wire::Value;

/// The surroundings of a proxy under test.
pub(super) struct World {
    pub(super) proxy: SocketAddr,
    /// The nodes themselves, past the links; empty where they are not known.
    pub(super) nodes: Vec<SocketAddr>,
    /// Where the nodes and links are our own.
    pub(super) cluster: Option<Cluster>,
    /// The record of the links, and the clock of transcripts.
    pub(super) tap: Tap,
    pub(super) op_timeout: Duration,
    pub(super) own_traffic: Vec<String>,
    pub(super) prefix: String,
    pub(super) allow_destructive: bool,
}

/// A fault or its end could not be carried out. Never a verdict on the proxy.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    #[error(transparent)]
    Link(#[from] crate::link::Error),
    #[error(transparent)]
    Node(#[from] node::Error),
    #[error(transparent)]
    Client(#[from] client::Error),
    #[error("a node refused a fault: {0}")]
    Refused(String),
    #[error("{0} of a cluster that is not ours")]
    NotOurs(&'static str),
}

impl World {
    pub(super) fn known(&self) -> Known<'_> {
        Known {
            prefix: &self.prefix,
            own_traffic: &self.own_traffic,
        }
    }

    /// Why a case cannot be run here.
    pub(super) fn obstacle(&self, case: &Case) -> Option<String> {
        if case.destructive && self.cluster.is_none() && !self.allow_destructive {
            return Some("it touches foreign keys: needs --allow-destructive".to_owned());
        }
        case.steps
            .iter()
            .find_map(|step| self.obstacle_to(&step.action))
    }

    fn obstacle_to(&self, action: &Action) -> Option<String> {
        let direct =
            |party: &Party| matches!(party, Party::Node(node) if *node >= self.nodes.len());
        match action {
            Action::Asked { .. } | Action::Await { .. } if self.cluster.is_none() => {
                Some("what nodes are asked is seen on links only".to_owned())
            }
            Action::Fault { .. } | Action::Heal { .. } if self.cluster.is_none() => {
                Some("faults act on links and nodes of our own only".to_owned())
            }
            Action::Send { from, .. } | Action::Want { from, .. } if direct(from) => {
                Some("it speaks with a node, and the nodes are not known".to_owned())
            }
            _ => None,
        }
    }

    fn ours(&self, what: &'static str) -> Result<&Cluster, Error> {
        self.cluster.as_ref().ok_or(Error::NotOurs(what))
    }

    pub(super) async fn fault(&self, node: usize, fault: Fault) -> Result<(), Error> {
        let cluster = self.ours("faults")?;
        let add = |kind| {
            cluster.link(node).add(Toxic {
                stream: Stream::Downstream,
                kind,
            });
        };
        match fault {
            Fault::Latency(time) => add(Kind::Latency(Latency {
                latency_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            })),
            Fault::Hold => add(Kind::Hold(Hold)),
            Fault::Reset => add(Kind::ResetPeer(ResetPeer)),
            Fault::Down => cluster.link(node).down().await?,
            Fault::ReadOnly if !self.allow_destructive => return Err(Error::NotOurs("faults")),
            // Nobody listens there, so nothing but the refusal of writes comes of it.
            Fault::ReadOnly => self.replicate(node, ["127.0.0.1", "1"]).await?,
            Fault::Pause => cluster.node(node).pause().await?,
            Fault::Kill => cluster.node(node).kill().await?,
        }
        Ok(())
    }

    /// Takes back what `faults` did to a node.
    pub(super) async fn heal(&self, node: usize, faults: &[Fault]) -> Result<(), Error> {
        let cluster = self.ours("healing")?;
        if faults.contains(&Fault::Kill) {
            cluster.node(node).restart().await?;
        } else if faults.contains(&Fault::Pause) {
            cluster.node(node).resume().await?;
        }
        if faults.contains(&Fault::ReadOnly) {
            self.replicate(node, ["NO", "ONE"]).await?;
        }
        cluster.link(node).heal().await?;
        Ok(())
    }

    async fn replicate(&self, node: usize, of: [&str; 2]) -> Result<(), Error> {
        let mut client = Client::connect(self.nodes[node], NODE_DEADLINE).await?;
        let reply = client
            .call(&["REPLICAOF", of[0], of[1]], NODE_DEADLINE)
            .await;
        match reply? {
            Value::Error(why) => Err(Error::Refused(why.escape_ascii().to_string())),
            _ => Ok(()),
        }
    }
}

impl Fault {
    pub(super) fn shown(self, node: usize) -> String {
        let node = letter(node);
        match self {
            Self::Latency(time) => format!("fault {node} latency {}ms", time.as_millis()),
            Self::Hold => format!("fault {node} hold"),
            Self::Reset => format!("fault {node} reset"),
            Self::Down => format!("fault {node} down"),
            Self::ReadOnly => format!("fault {node} readonly"),
            Self::Pause => format!("fault {node} pause"),
            Self::Kill => format!("fault {node} kill"),
        }
    }
}
