//! What a run works with: the proxy's address, the nodes, the links where they are ours.

use std::net::SocketAddr;
use std::time::Duration;

use super::asked::Known;
use super::case::{Action, Case, Fault, NODES, Party};
use super::disturbs::Disturbed;
use super::word::{Variable, letter};
use testbed::client::{self, Client, NODE_DEADLINE};
use testbed::cluster::{self, Cluster};
use testbed::leftovers::Record;
use testbed::link::toxic::{Hold, Kind, Latency, ResetPeer, Stream, Toxic};
use testbed::link::{Answer, Answers, Tap};
use testbed::node;
use testbed::wire::Value;

/// A replica refuses writes. Nobody listens on that port, so nothing else comes of it.
const READ_ONLY: &[&str] = &["REPLICAOF", "127.0.0.1", "1"];
const WRITABLE: &[&str] = &["REPLICAOF", "NO", "ONE"];
/// Any node has more than a byte in use.
const FULL: &[&str] = &["CONFIG", "SET", "maxmemory", "1"];
const ROOMY: &[&str] = &["CONFIG", "SET", "maxmemory", "0"];

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
    pub(super) allowed: Allowed,
    /// Where servers are foreign: what is written there.
    pub(super) record: Option<Record>,
    /// Whether the nodes are child processes, so that everything on them is ours.
    pub(super) owns_nodes: bool,
    /// Whether the suite started the proxy.
    pub(super) owns_proxy: bool,
    /// Whether the links are ours, with a tap and all toxics.
    pub(super) has_links: bool,
    /// The longest time for one reply, while the proxy is silent.
    pub(super) reply_within: Option<Duration>,
}

/// What cases may do to a proxy or nodes that the suite did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowed {
    /// Destroy what others keep there.
    pub destructive: bool,
    /// Change what other clients depend on.
    pub disturbing: bool,
}

/// A fault or its end could not be carried out. Never a verdict on the proxy.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    #[error(transparent)]
    Fault(#[from] testbed::toxiproxy::fault::Error),
    #[error(transparent)]
    Node(#[from] node::Error),
    #[error(transparent)]
    Client(#[from] client::Error),
    #[error("a node refused a fault: {0}")]
    Refused(String),
    #[error("{0} of a cluster that is not ours")]
    NotOurs(&'static str),
    #[error("the proxy has no connection to node {}", letter(*.0))]
    NotConnected(usize),
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
        if case.destructive && !self.allowed.destructive {
            return Some("it touches foreign keys: needs --allow-destructive".to_owned());
        }
        if let Some(what) = self.disturbed(case) {
            return Some(format!(
                "it can change {what} that other clients use: needs --allow-disturbing"
            ));
        }
        let known = self.nodes.len();
        let unknown = |variable: &&Variable| variable.node.is_some_and(|node| node >= known);
        if known > 0 && case.variables.iter().any(|variable| unknown(&variable)) {
            return Some(format!("it takes {NODES} nodes, and {known} are known"));
        }
        case.steps
            .iter()
            .find_map(|step| self.obstacle_to(&step.action))
    }

    /// What a case may change of the things that the suite did not start.
    fn disturbed(&self, case: &Case) -> Option<&'static str> {
        let ours = |what: &Disturbed| match what {
            Disturbed::Connections | Disturbed::Proxy => self.owns_proxy,
            Disturbed::Nodes => self.owns_nodes,
        };
        let foreign = case.disturbs.iter().find(|what| !ours(what))?;
        (!self.allowed.disturbing).then(|| foreign.name())
    }

    fn obstacle_to(&self, action: &Action) -> Option<String> {
        let direct =
            |party: &Party| matches!(party, Party::Node(node) if *node >= self.nodes.len());
        match action {
            Action::Fault { fault, .. } if fault.is_of_node() && !self.owns_nodes => {
                Some("it changes nodes, and these are not ours".to_owned())
            }
            Action::Asked { .. } | Action::Await { .. } if !self.has_links => {
                Some("what nodes are asked is seen on links of our own only".to_owned())
            }
            Action::Answers { .. } | Action::Interject { .. } if !self.has_links => {
                Some("what nodes say is scripted on links of our own only".to_owned())
            }
            Action::Fault { fault, .. } if *fault == Fault::Hold && self.is_foreign() => {
                Some("no Toxiproxy can hold bytes and let them go".to_owned())
            }
            Action::Fault { .. } | Action::Heal { .. } if self.cluster.is_none() => {
                Some("faults act on links and nodes of our own only".to_owned())
            }
            Action::Send { from, .. }
            | Action::Want { from, .. }
            | Action::Likewise { from, .. }
                if direct(from) =>
            {
                Some("it speaks with a node, and the nodes are not known".to_owned())
            }
            _ => None,
        }
    }

    /// Whether a Toxiproxy of somebody else stands before the nodes.
    fn is_foreign(&self) -> bool {
        self.cluster.is_some() && !self.has_links
    }

    fn ours(&self, what: &'static str) -> Result<&Cluster, Error> {
        self.cluster.as_ref().ok_or(Error::NotOurs(what))
    }

    pub(super) async fn fault(&self, node: usize, fault: Fault) -> Result<(), Error> {
        let cluster = self.ours("faults")?;
        let add = |kind| {
            let toxic = Toxic::new(Stream::Downstream, kind);
            cluster.faults().add(node, toxic)
        };
        match fault {
            Fault::Latency(time) => {
                add(Kind::Latency(Latency {
                    latency_ms: i64::try_from(time.as_millis()).unwrap_or(i64::MAX),
                    ..Latency::default()
                }))
                .await?
            }
            Fault::Hold => add(Kind::Hold(Hold {})).await?,
            // Its rules and bytes are set by `answers` and `interject`.
            Fault::Scripted => {}
            Fault::Reset => add(Kind::ResetPeer(ResetPeer::default())).await?,
            Fault::Down => cluster.faults().down(node).await?,
            Fault::ReadOnly => self.order(node, READ_ONLY).await?,
            Fault::Full => self.order(node, FULL).await?,
            Fault::Pause => cluster.node(node).pause().await?,
            Fault::Kill => cluster.node(node).kill().await?,
        }
        Ok(())
    }

    /// From now on the link of a node says `answer` to requests with the word `to`.
    pub(super) fn answers(&self, node: usize, to: &[u8], answer: Answer) -> Result<(), Error> {
        self.script(node)?.set(to, answer);
        Ok(())
    }

    /// Sends `bytes` on all connections of a node, and returns when they are on their way.
    pub(super) async fn interject(&self, node: usize, bytes: &[u8]) -> Result<(), Error> {
        match self.script(node)?.interject(bytes).await {
            0 => Err(Error::NotConnected(node)),
            _ => Ok(()),
        }
    }

    fn script(&self, node: usize) -> Result<&Answers, Error> {
        let what = "scripting the answers";
        let answers = self.ours(what)?.faults().answers(node);
        answers.ok_or(Error::NotOurs(what))
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
            self.order(node, WRITABLE).await?;
        }
        if faults.contains(&Fault::Full) {
            self.order(node, ROOMY).await?;
        }
        cluster.faults().heal(node).await?;
        Ok(())
    }

    /// Changes how a node of our own behaves; what others run is left alone.
    async fn order(&self, node: usize, command: &[&str]) -> Result<(), Error> {
        if !self.owns_nodes {
            return Err(Error::NotOurs("changing the nodes"));
        }
        let mut client = Client::connect(self.nodes[node], NODE_DEADLINE).await?;
        match client.call(command, NODE_DEADLINE).await? {
            Value::Error(why) => Err(Error::Refused(why.escape_ascii().to_string())),
            _ => Ok(()),
        }
    }
}

impl Fault {
    /// Whether it is done to the node and not to its link.
    fn is_of_node(self) -> bool {
        match self {
            Self::ReadOnly | Self::Full | Self::Pause | Self::Kill => true,
            Self::Latency(_) | Self::Hold | Self::Reset | Self::Scripted | Self::Down => false,
        }
    }

    pub(super) fn shown(self, node: usize) -> String {
        let node = letter(node);
        match self {
            Self::Latency(time) => format!("fault {node} latency {}ms", time.as_millis()),
            Self::Hold => format!("fault {node} hold"),
            Self::Reset => format!("fault {node} reset"),
            Self::Scripted => format!("answers {node}"),
            Self::Down => format!("fault {node} down"),
            Self::ReadOnly => format!("fault {node} readonly"),
            Self::Full => format!("fault {node} full"),
            Self::Pause => format!("fault {node} pause"),
            Self::Kill => format!("fault {node} kill"),
        }
    }
}
