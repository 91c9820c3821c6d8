//! Where a worker's requests go: a placement with the connections to its nodes, in each protocol that clients speak.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::cursor::Cursors;
use crate::resp::Protocol;
use crate::upstream::{self, Health, Upstream};
use placement::Placement;

/// A placement and where its nodes are; the same for all workers.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) placement: Arc<Placement>,
    /// By `NodeId`.
    pub(crate) addresses: Vec<String>,
    /// Of a SCAN over these nodes.
    pub(crate) cursors: Cursors,
}

/// State of one node at one worker.
#[derive(Debug, Clone)]
pub(crate) struct NodeReport {
    pub(crate) address: String,
    pub(crate) health: Health,
    /// Pending requests.
    pub(crate) waiting: usize,
}

/// Shared settings of connections to nodes, in each protocol.
#[derive(Debug)]
pub(crate) struct Connections {
    pub(crate) resp2: upstream::Settings,
    pub(crate) resp3: upstream::Settings,
}

impl Connections {
    pub(crate) fn settings(&self, protocol: Protocol) -> &upstream::Settings {
        match protocol {
            Protocol::Resp2 => &self.resp2,
            Protocol::Resp3 => &self.resp3,
        }
    }
}

/// A plan with this worker's connections.
#[derive(Debug)]
pub(crate) struct Routing {
    plan: Arc<Plan>,
    connections: Rc<Connections>,
    /// By `NodeId`.
    pub(crate) nodes: Vec<Rc<Upstream>>,
    /// The same nodes for clients that speak RESP3, once there was one.
    resp3: OnceCell<Vec<Rc<Upstream>>>,
}

impl Routing {
    /// Connects to all nodes of the plan.
    pub(crate) fn new(plan: Arc<Plan>, connections: Rc<Connections>) -> Self {
        let nodes = connect_all(&plan, &[], &connections.resp2);
        Self {
            plan,
            connections,
            nodes,
            resp3: OnceCell::new(),
        }
    }

    /// For another plan: nodes that stay keep their connection, others finish their pending requests.
    pub(crate) fn changed_to(&self, plan: Arc<Plan>) -> Self {
        let of = |old: &[Rc<Upstream>], settings| connect_all(&plan, old, settings);
        let nodes = of(&self.nodes, &self.connections.resp2);
        let resp3 = self.resp3.get();
        let resp3 = resp3.map(|old| of(old, &self.connections.resp3));
        Self {
            connections: Rc::clone(&self.connections),
            nodes,
            resp3: resp3.map(OnceCell::from).unwrap_or_default(),
            plan,
        }
    }

    /// The same nodes, but in `protocol` one of them is reached through `other`, a connection to the same address.
    /// `None` when there is no such node.
    pub(crate) fn through(&self, other: &Rc<Upstream>, protocol: Protocol) -> Option<Self> {
        let mut nodes = self.nodes.clone();
        let place = nodes
            .iter()
            .position(|node| node.address() == other.address())?;
        let mut resp3 = self.resp3.get().cloned();
        match protocol {
            Protocol::Resp2 => nodes[place] = Rc::clone(other),
            Protocol::Resp3 => {
                let nodes = resp3.get_or_insert_with(|| self.resp3().clone());
                nodes[place] = Rc::clone(other);
            }
        }
        Some(Self {
            plan: Arc::clone(&self.plan),
            connections: Rc::clone(&self.connections),
            nodes,
            resp3: resp3.map(OnceCell::from).unwrap_or_default(),
        })
    }

    pub(crate) fn placement(&self) -> &Placement {
        &self.plan.placement
    }

    pub(crate) fn cursors(&self) -> Cursors {
        self.plan.cursors
    }

    /// The connections on which replies come in this protocol, by `NodeId`.
    #[inline]
    pub(crate) fn nodes_in(&self, protocol: Protocol) -> &[Rc<Upstream>] {
        match protocol {
            Protocol::Resp2 => &self.nodes,
            Protocol::Resp3 => self.resp3(),
        }
    }

    fn resp3(&self) -> &Vec<Rc<Upstream>> {
        self.resp3
            .get_or_init(|| connect_all(&self.plan, &[], &self.connections.resp3))
    }

    pub(crate) fn leads_to(&self, address: &str) -> bool {
        self.nodes.iter().any(|node| node.address() == address)
    }

    pub(crate) fn report(&self) -> Vec<NodeReport> {
        let resp3 = self.resp3.get().map(Vec::as_slice).unwrap_or_default();
        let report = |(place, node): (usize, &Rc<Upstream>)| {
            let also = resp3.get(place);
            NodeReport {
                address: node.address().to_owned(),
                health: also.map_or(node.health(), |also| node.health().max(also.health())),
                waiting: node.waiting() + also.map_or(0, |also| also.waiting()),
            }
        };
        self.nodes.iter().enumerate().map(report).collect()
    }
}

fn connect(address: &str, settings: &upstream::Settings) -> Rc<Upstream> {
    let node = Upstream::new(address, settings.clone());
    tokio::task::spawn_local(upstream::run(Rc::clone(&node)));
    node
}

/// The connections that `plan` wants: those of `old` if they exist; the others of `old` end.
fn connect_all(
    plan: &Plan,
    old: &[Rc<Upstream>],
    settings: &upstream::Settings,
) -> Vec<Rc<Upstream>> {
    let find = |address: &String| old.iter().find(|node| node.address() == address);
    let nodes: Vec<_> = plan
        .addresses
        .iter()
        .map(|address| match find(address) {
            Some(node) => Rc::clone(node),
            None => connect(address, settings),
        })
        .collect();
    for node in old {
        if !nodes.iter().any(|kept| Rc::ptr_eq(kept, node)) {
            node.retire();
        }
    }
    nodes
}
