//! One row of the table of faults: everything about a fault but its parameters' values.

mod parameter;

pub use parameter::{CLIENTS_MAX, CONNECTIONS_MAX, Default, Parameter, REQUESTS_MAX, Unit};

use super::reply::SELECTION;

/// What a fault acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// The link between the proxy and a node.
    Link,
    /// The node itself.
    Node,
    /// The proxy.
    Proxy,
    /// Clients of the proxy, besides those that are judged.
    Client,
}

impl Object {
    /// Its word in documents and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Node => "node",
            Self::Proxy => "proxy",
            Self::Client => "client",
        }
    }
}

/// What the proxy sees of the node while the fault lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Everything arrives, later or in other pieces.
    Delay,
    /// Connections close after some bytes; the bytes before may be whole replies.
    Cut,
    /// No reply arrives. Connections end, at the latest when the fault does.
    Close,
    /// No reply arrives. Connections stay open.
    Silence,
    /// The node answers reads, and refuses writes with an error.
    RefuseWrites,
    /// Some replies or connections are affected, or all of them for a while; which ones depends on the requests.
    Partial,
    /// Nothing: the fault is not between the proxy and a node.
    Nothing,
}

/// Whose links they are. Each kind has the faults of those before it, and more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Links {
    /// Of a foreign Toxiproxy, with its own toxics only.
    #[default]
    Toxiproxy,
    /// Of a fault server of shardproof, in another process: all toxics, but no tap.
    Extended,
    /// Of this process.
    Own,
}

/// The description in the file of a fault.
pub(super) trait Describe {
    /// The object that it acts on.
    const ACTS_ON: Object;
    /// What the proxy sees of it.
    const EFFECT: Effect;
    /// Its parameters; in a text, the first one is given without its name.
    const PARAMETERS: &'static [Parameter] = &[];
    /// Whether it acts on replies that can be selected, by the parameters of [`SELECTION`].
    const SELECTS: bool = false;
    /// Whether the node has its keys again when the fault is over.
    const KEEPS_DATA: bool = true;
    /// Whether it lasts until it is healed; otherwise it is over once it has been applied.
    const LASTS: bool = true;
    /// Whether the node is started again when it is healed.
    const ENDS_NODE: bool = false;
    /// The links that it needs at least.
    const LINKS: Links = Links::Toxiproxy;
    /// Whether the node must have a separate network.
    const NEEDS_NETWORK: bool = false;
}

/// Properties of a fault that do not depend on its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Its name, which is the stem of its file.
    pub name: &'static str,
    /// What happens, in one sentence.
    pub summary: &'static str,
    /// The object that it acts on.
    pub acts_on: Object,
    /// What the proxy sees of it.
    pub effect: Effect,
    /// Its own parameters, the main one first.
    pub parameters: &'static [Parameter],
    /// Parameters that select replies; empty if it does not act on replies.
    pub selection: &'static [Parameter],
    /// Whether the node has its keys again when the fault is over.
    pub keeps_data: bool,
    /// Whether it lasts until it is healed; otherwise it is over once it has been applied.
    pub lasts: bool,
    ends_node: bool,
    links: Links,
    needs_network: bool,
}

/// What the suite owns of the cluster that a fault acts on; by default nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owned {
    /// The nodes: the suite started them.
    pub nodes: bool,
    /// The proxy: the suite started it.
    pub proxy: bool,
    /// A network of each node.
    pub networks: bool,
    /// Whose links they are.
    pub links: Links,
}

impl Row {
    pub(super) const fn of<F: Describe>(name: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            summary,
            acts_on: F::ACTS_ON,
            effect: F::EFFECT,
            parameters: F::PARAMETERS,
            selection: if F::SELECTS { SELECTION } else { &[] },
            keeps_data: F::KEEPS_DATA,
            lasts: F::LASTS,
            ends_node: F::ENDS_NODE,
            links: F::LINKS,
            needs_network: F::NEEDS_NETWORK,
        }
    }

    /// All parameters: its own ones, then those that select replies.
    pub fn all_parameters(&self) -> impl Iterator<Item = &'static Parameter> + Clone + use<> {
        self.parameters.iter().chain(self.selection)
    }

    /// Whether the node is started again when the fault is healed.
    pub(super) fn ends_node(&self) -> bool {
        self.ends_node
    }

    /// Why the fault cannot be applied to a cluster of which the suite owns only `owned`.
    #[must_use]
    pub fn obstacle(&self, owned: Owned) -> Option<String> {
        if self.acts_on == Object::Node && !owned.nodes {
            Some("it changes nodes, which the suite did not start".to_owned())
        } else if matches!(self.acts_on, Object::Proxy | Object::Client) && !owned.proxy {
            Some(format!(
                "it disturbs the {}, and the suite did not start it",
                match self.acts_on {
                    Object::Client => "proxy by clients",
                    _ => "proxy",
                }
            ))
        } else if self.needs_network && !owned.networks {
            Some("it disconnects a node's network, and the nodes are not containers".to_owned())
        } else if self.links == Links::Own && owned.links != Links::Own {
            Some("it needs links of this run, and they are in another process".to_owned())
        } else if self.links > owned.links {
            Some(format!(
                "no Toxiproxy has the toxic `{}`, only `shardproof links` has it",
                self.name
            ))
        } else {
            None
        }
    }
}
