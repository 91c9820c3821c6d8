//! One row of the table of faults: everything about a fault but its parameters' values.

/// What a fault acts on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// The link between the proxy and a node.
    Link,
    /// The node itself.
    Node,
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
}

/// The unit of a parameter. Toxiproxy has numbers only; a text says the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of bytes: `100B`.
    Bytes,
    /// A rate in 1000 bytes per second: `10KB/s`.
    KilobytesPerSecond,
    /// A time in milliseconds: `50ms` or `2s`.
    Milliseconds,
    /// A time in microseconds: `10us`, `50ms` or `2s`.
    Microseconds,
}

/// One parameter of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, as in Toxiproxy.
    pub name: &'static str,
    /// What it counts.
    pub unit: Unit,
    /// Whether a text has to give it; it is 0 where it is not given. Toxiproxy's API requires none.
    pub required: bool,
}

impl Parameter {
    pub(super) const fn required(name: &'static str, unit: Unit) -> Self {
        Self {
            name,
            unit,
            required: true,
        }
    }

    pub(super) const fn optional(name: &'static str, unit: Unit) -> Self {
        Self {
            name,
            unit,
            required: false,
        }
    }
}

/// What the file of a fault says about it.
pub(super) trait Describe {
    /// The object that it acts on.
    const ACTS_ON: Object;
    /// What the proxy sees of it.
    const EFFECT: Effect;
    /// Its parameters; in a text, the first one is given without its name.
    const PARAMETERS: &'static [Parameter] = &[];
    /// Whether the node has its keys again when the fault is over.
    const KEEPS_DATA: bool = true;
    /// Whether only the suite's own links carry it out, and no Toxiproxy.
    const OWN_LINKS_ONLY: bool = false;
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
    /// Its parameters, the main one first.
    pub parameters: &'static [Parameter],
    /// Whether the node has its keys again when the fault is over.
    pub keeps_data: bool,
    own_links_only: bool,
    needs_network: bool,
}

/// What the suite owns of the cluster that a fault acts on; by default nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Owned {
    /// The nodes: the suite started them.
    pub nodes: bool,
    /// A network of each node.
    pub networks: bool,
    /// The links, which are not those of a foreign Toxiproxy.
    pub links: bool,
}

impl Row {
    pub(super) const fn of<F: Describe>(name: &'static str, summary: &'static str) -> Self {
        Self {
            name,
            summary,
            acts_on: F::ACTS_ON,
            effect: F::EFFECT,
            parameters: F::PARAMETERS,
            keeps_data: F::KEEPS_DATA,
            own_links_only: F::OWN_LINKS_ONLY,
            needs_network: F::NEEDS_NETWORK,
        }
    }

    /// Why the fault cannot be applied to a cluster of which the suite owns only this.
    #[must_use]
    pub fn obstacle(&self, owned: Owned) -> Option<String> {
        if self.acts_on == Object::Node && !owned.nodes {
            Some("it changes nodes, which the suite did not start".to_owned())
        } else if self.needs_network && !owned.networks {
            Some("it disconnects a node's network, and the nodes are not containers".to_owned())
        } else if self.own_links_only && !owned.links {
            Some(format!("no Toxiproxy has the toxic `{}`", self.name))
        } else {
            None
        }
    }
}
