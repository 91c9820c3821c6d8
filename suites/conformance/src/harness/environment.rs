//! The environment of a run: the proxy's address, the nodes, and the links if they are ours.

use std::net::SocketAddr;
use std::time::Duration;

use crate::cases::asked::Known;
use crate::cases::case::{Action, Case, NODES, Party};
use crate::cases::disturbed::Disturbed;
use crate::cases::members::Members;
use crate::cases::word::{Variable, letter};
use testbed::cluster::Cluster;
use testbed::endpoint::Endpoint;
use testbed::fault::{self, Fault, Links, Object, Owned};
use testbed::leftovers::Record;
use testbed::link::{Answer, Answers, Tap};

/// The surroundings of a proxy under test.
pub(crate) struct Environment {
    pub(crate) proxy: Endpoint,
    /// The nodes themselves, past the links; empty if they are unknown.
    pub(crate) nodes: Vec<Endpoint>,
    /// How many of them the proxy has before a case changes its cluster: the first ones.
    pub(crate) usual: usize,
    /// Where the nodes and links are our own.
    pub(crate) cluster: Option<Cluster>,
    /// The record of the links, and the clock of transcripts.
    pub(crate) tap: Tap,
    pub(crate) op_timeout: Duration,
    pub(crate) own_traffic: Vec<String>,
    pub(crate) prefix: String,
    pub(crate) allowed: Allowed,
    /// On servers that the suite did not start: register of written keys.
    pub(crate) record: Option<Record>,
    pub(crate) started: Started,
    /// The longest time for one reply, while the proxy is silent.
    pub(crate) reply_within: Option<Duration>,
}

/// The servers that the suite started, and may therefore disturb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    /// None: the proxy and its nodes run already, and there are no links.
    Nothing,
    /// The proxy, and the described part of its cluster.
    Proxy(Owned),
}

/// Permissions of cases on a proxy or nodes that the suite did not start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allowed {
    /// Destroy foreign data.
    pub destructive: bool,
    /// Change state of other clients.
    pub disturbing: bool,
}

/// Damage to a node or its link that must be healed.
#[derive(Debug, Clone)]
pub(crate) enum Damage {
    /// By a step `fault`.
    Fault(Fault),
    /// By a step `answers`: the link answers instead of the node.
    Scripted,
}

/// A fault could not be applied or healed. Never a verdict on the proxy.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Fault(#[from] fault::Error),
    #[error("{0} on a cluster that the suite did not start")]
    NotOurs(&'static str),
    #[error("the proxy has no connection to node {}", letter(*.0))]
    NotConnected(usize),
}

/// Why this process cannot have the clients of a case.
pub(crate) fn obstacle_of_files(case: &Case) -> Option<String> {
    let clients = u64::try_from(case.crowd()?).ok()?;
    fault::obstacle_of_clients(clients)
}

impl Environment {
    pub(crate) fn known(&self) -> Known<'_> {
        Known {
            prefix: &self.prefix,
            own_traffic: &self.own_traffic,
        }
    }

    /// Why a case cannot be run here.
    pub(crate) fn obstacle(&self, case: &Case) -> Option<String> {
        if case.destructive && !self.allowed.destructive {
            return Some("it touches foreign keys: needs --allow-destructive".to_owned());
        }
        if let Some(what) = self.disturbed(case) {
            return Some(format!(
                "it can change {what} that other clients use: needs --allow-disturbing"
            ));
        }
        if let Some(why) = obstacle_of_files(case) {
            return Some(why);
        }
        let known = self.nodes.len();
        let unknown = |variable: &&Variable| variable.node.is_some_and(|node| node >= known);
        if known > 0 && case.variables.iter().any(|variable| unknown(&variable)) {
            return Some(format!("it takes {NODES} nodes, and {known} are known"));
        }
        if let Some(obstacle) = case.clusters().find_map(|members| self.lacks(members)) {
            return Some(obstacle);
        }
        case.steps
            .iter()
            .find_map(|step| self.obstacle_to(&step.action))
    }

    /// Why the proxy cannot get a cluster.
    fn lacks(&self, members: &Members) -> Option<String> {
        let known = self.nodes.len();
        let wanted = members.0.iter().max().map_or(0, |last| last + 1);
        (known > 0 && wanted > known)
            .then(|| format!("it takes {wanted} nodes, and {known} are known"))
    }

    /// The nodes that the proxy has before a case changes its cluster.
    pub(crate) fn usual_nodes(&self) -> &[Endpoint] {
        &self.nodes[..self.usual]
    }

    /// The addresses of a cluster, as the proxy sees them.
    pub(crate) fn links_of(&self, members: &Members) -> Result<Vec<SocketAddr>, Error> {
        let addrs = self.ours("a change of the nodes")?.link_addrs();
        Ok(members.0.iter().map(|node| addrs[*node]).collect())
    }

    /// The shared state that a case may change on servers that the suite did not start.
    fn disturbed(&self, case: &Case) -> Option<&'static str> {
        let ours = |what: &Disturbed| match what {
            Disturbed::Connections | Disturbed::Proxy => self.started != Started::Nothing,
            Disturbed::Nodes => self.owned().nodes,
        };
        let foreign = case.disturbs.iter().find(|what| !ours(what))?;
        (!self.allowed.disturbing).then(|| foreign.name())
    }

    fn obstacle_to(&self, action: &Action) -> Option<String> {
        let direct =
            |party: &Party| matches!(party, Party::Node(node) if *node >= self.nodes.len());
        match action {
            Action::Fault { fault, .. }
                if matches!(fault.row().acts_on, Object::Proxy | Object::Client) =>
            {
                Some("faults of the proxy and of clients are for chaos scenarios".to_owned())
            }
            Action::Fault { fault, .. }
                if self.cluster.is_some() || fault.row().acts_on == Object::Node =>
            {
                fault.row().obstacle(self.owned())
            }
            Action::Asked { .. } | Action::Await { .. } if self.owned().links != Links::Own => {
                Some("what nodes are asked is seen on links of our own only".to_owned())
            }
            Action::Answers { .. } | Action::Interject { .. }
                if self.owned().links != Links::Own =>
            {
                Some("what nodes say is scripted on links of our own only".to_owned())
            }
            Action::Fault { .. } | Action::Heal { .. } if self.cluster.is_none() => {
                Some("faults act on links and nodes of our own only".to_owned())
            }
            Action::Rescale { .. } | Action::BadCluster if self.started == Started::Nothing => {
                Some("the cluster changes only of a proxy that the suite started".to_owned())
            }
            Action::Send { from, .. }
            | Action::Want { from, .. }
            | Action::Likewise { from, .. }
                if direct(from) =>
            {
                Some("it uses a node, and the nodes are unknown".to_owned())
            }
            _ => None,
        }
    }

    /// What the suite owns of the cluster.
    pub(crate) fn owned(&self) -> Owned {
        match self.started {
            Started::Nothing => Owned::default(),
            Started::Proxy(owned) => owned,
        }
    }

    fn ours(&self, what: &'static str) -> Result<&Cluster, Error> {
        self.cluster.as_ref().ok_or(Error::NotOurs(what))
    }

    pub(crate) async fn fault(&self, node: usize, fault: &Fault) -> Result<(), Error> {
        let site = self.ours("faults")?.site(node);
        Ok(fault.apply(site).await?)
    }

    /// From now on the link of a node answers `answer` to requests with the word `to`.
    pub(crate) fn answers(&self, node: usize, to: &[u8], answer: Answer) -> Result<(), Error> {
        self.script(node)?.set(to, answer);
        Ok(())
    }

    /// Sends `bytes` on all connections of a node, and returns when they are on their way.
    pub(crate) async fn interject(&self, node: usize, bytes: &[u8]) -> Result<(), Error> {
        match self.script(node)?.interject(bytes).await {
            0 => Err(Error::NotConnected(node)),
            _ => Ok(()),
        }
    }

    fn script(&self, node: usize) -> Result<&Answers, Error> {
        let what = "scripting the answers";
        let answers = self.ours(what)?.injector().answers(node);
        answers.ok_or(Error::NotOurs(what))
    }

    /// Heals a node and its link.
    pub(crate) async fn heal(&self, node: usize, damages: &[Damage]) -> Result<(), Error> {
        let site = self.ours("healing")?.site(node);
        let fault = |damage: &Damage| match damage {
            Damage::Fault(fault) => Some(fault.clone()),
            // Every heal removes scripted answers from the link.
            Damage::Scripted => None,
        };
        let faults: Vec<Fault> = damages.iter().filter_map(fault).collect();
        Ok(site.heal(&faults).await?)
    }
}
