//! Descriptions of clusters: from the text of a proxy's own configuration to the cluster that keys are placed over.
//!
//! Never asks a name server: hints give the addresses of names.

mod envoy;
mod inline;
mod manifest;
mod near;
mod predixy;
mod refproxy;
mod routing;
mod secrets;
mod seeds;
mod tree;
mod twemproxy;

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ::placement::file::Error as Unread;
use ::placement::hash::TagRule;
use ::placement::{self, Cluster, Node, Placement};
use serde_saphyr::Spanned;

pub use inline::{inline, is_inline, node};
pub use predixy::included;
pub use routing::Routing;
pub use secrets::{Secret, check_address};
pub use seeds::{Description, Seeds, SlotRange};
use tree::Merges;

/// A cluster as its proxy sees it, and the addresses at which we reach its nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The cluster that keys are placed over; there is a placement for it.
    pub cluster: Cluster,
    /// The address at which we reach each node, in the order of the cluster's nodes: an address, or the path of a Unix
    /// socket.
    pub reach: Vec<String>,
    /// The database that the proxy selects on its nodes, if the description names one.
    pub database: Option<u32>,
    /// Which keys the proxy sends to this cluster.
    pub routing: Routing,
    /// Notes on the cluster that are needed to understand its proxy's answers.
    pub notes: Vec<String>,
}

impl Described {
    /// Whether each node has its own slots, so that those of other nodes are unknown.
    #[must_use]
    pub fn has_given_slots(&self) -> bool {
        self.cluster.nodes.iter().any(|node| !node.slots.is_empty())
    }

    /// The cluster with more nodes, and without those at some addresses (as the proxy sees them).
    ///
    /// # Errors
    /// A node to remove does not exist; lists the existing ones.
    pub fn changed(&self, add: Vec<(Node, String)>, remove: &[String]) -> Result<Self, String> {
        let known: Vec<&str> = self
            .cluster
            .nodes
            .iter()
            .map(|node| &*node.address)
            .collect();
        if let Some(missing) = remove.iter().find(|node| !known.contains(&node.as_str())) {
            let known = known.join(", ");
            return Err(format!("{missing}: expected one of {known}"));
        }
        let nodes = self
            .cluster
            .nodes
            .iter()
            .cloned()
            .zip(self.reach.iter().cloned());
        let staying = nodes.filter(|(node, _)| !remove.contains(&node.address));
        let (nodes, reach) = staying.chain(add).unzip();
        Ok(Self {
            cluster: Cluster {
                nodes,
                ..self.cluster.clone()
            },
            reach,
            ..self.clone()
        })
    }
}

/// Facts that a description may not contain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hints {
    /// Host names with the addresses that the proxy resolves them to; a name may have several.
    pub resolve: Vec<(String, IpAddr)>,
    /// Which cluster or pool is meant, if a file has several.
    pub pick: Option<String>,
    /// Whether hash tags count, if a description does not say it.
    pub hash_tags: Option<bool>,
    /// The texts of the files that a description includes, by their paths as [`included`] collects them.
    pub included: BTreeMap<String, String>,
}

impl Hints {
    /// The addresses of `host`.
    fn addresses(&self, host: &str) -> impl Iterator<Item = IpAddr> {
        let known = self.resolve.iter().filter(move |(name, _)| name == host);
        known.map(|(_, address)| *address)
    }

    /// `host:port`, with the address that a hint gives the host, if one does.
    fn address(&self, host: &str, port: u16) -> String {
        let ip = self.addresses(host).next().or(host.parse().ok());
        match ip {
            Some(ip) => SocketAddr::new(ip, port).to_string(),
            None => format!("{host}:{port}"),
        }
    }
}

/// A description cannot be used: one line that says where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It cannot be read; the place is in the text.
    #[error(transparent)]
    Unread(#[from] Unread),
    /// The description is not valid.
    #[error("{place}: {why}")]
    Wrong {
        /// `file:line`, or the file if no line is to blame.
        place: String,
        /// The problem.
        why: Why,
    },
}

/// The problem of a description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// A Kubernetes manifest without a file of a proxy.
    #[error("a Kubernetes manifest, expected a ConfigMap with the proxy configuration in `data`")]
    Manifest,
    /// A Kubernetes manifest with several files of proxies.
    #[error(
        "a ConfigMap in which several entries describe a cluster: {}; give one of them as a file",
        .0.join(", ")
    )]
    SeveralEntries(Vec<String>),
    /// No proxy that we know has such files.
    #[error(
        "not a description of a cluster: `static_resources` (Envoy), pools with `servers` (twemproxy), a server pool (predixy), or \
         `policy` and `nodes` (refproxy) are expected"
    )]
    UnknownFormat,
    /// Nothing in it holds keys.
    #[error("it contains no cluster of Redis nodes")]
    Nothing,
    /// More than one thing in it holds keys.
    #[error("several {what} hold keys: {}; choose one with --cluster-name", .names.join(", "))]
    Several {
        /// `clusters` or `pools`.
        what: &'static str,
        /// They.
        names: Vec<String>,
    },
    /// The wanted cluster does not exist.
    #[error("--cluster-name {wanted}: expected one of {}", .names.join(", "))]
    NotThere {
        /// The name asked for.
        wanted: String,
        /// The existing clusters.
        names: Vec<String>,
    },
    /// The proxy sends a key to any of several nodes.
    #[error(
        "{0} is not a placement over several nodes: every request may go to another one, and keys scatter; where health checks \
         leave only one in use, describe that one, as random:HOST:PORT"
    )]
    Scatters(String),
    /// A name may have several nodes, and keys would scatter over them.
    #[error(
        "{what} is not a placement over several nodes, and the proxy resolves host `{host}`: give --resolve {host}=IP if it \
         has one address"
    )]
    MaybeSeveral {
        /// The policy.
        what: String,
        /// The name.
        host: String,
    },
    /// The proxy resolves this name and hashes its address.
    #[error("the proxy resolves host `{0}` and hashes its address: give it with --resolve {0}=IP")]
    Unresolved(String),
    /// The file does not say whether hash tags count.
    #[error(
        "cluster {0}: no readable redis_proxy filter routes to it, so it is unknown whether hash tags count: give \
         --hash-tags on or --hash-tags off, or Envoy's /config_dump as the description"
    )]
    TagsUnsaid(String),
    /// Only the nodes of a Redis Cluster know the owners of its slots.
    #[error(
        "{0}: the nodes decide who owns which slot, and the file does not say it; write a description with policy: slots, and \
         the slots of each node as CLUSTER SLOTS answers them"
    )]
    SlotsUnsaid(&'static str),
    /// The slots of a Redis Cluster are no placement.
    #[error(
        "seed {seed} answers CLUSTER SLOTS, and {why}; expected one owner for each of the 16384 slots"
    )]
    SlotsUncovered {
        /// The seed.
        seed: String,
        /// The error in its answer.
        why: placement::Error,
    },
    /// The hint and the description disagree.
    #[error("--hash-tags {}: hash tags are {} here", on_off(*.0), on_off(!*.0))]
    TagsContradicted(bool),
    /// A field that the proxy does not know.
    #[error("unknown field `{}` in {of}{instead}", .field.escape_debug())]
    UnknownField {
        /// Its name.
        field: String,
        /// The message that contains the field.
        of: &'static str,
        /// The field to write instead.
        instead: Suggestion,
    },
    /// A user or a password is given.
    #[error(transparent)]
    Secret(#[from] Secret),
    /// A field has an invalid value, or one without a placement.
    #[error("{field}: {expected}")]
    Field {
        /// The field, with its value if that helps.
        field: String,
        /// The expected value, or the reason why it cannot be computed.
        expected: String,
    },
    /// There is no placement over this cluster.
    #[error(transparent)]
    Placement(#[from] placement::Error),
}

/// The field to write instead of an unknown one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// No suggestion.
    Unknown,
    /// A field with a similar name.
    NearMiss(String),
    /// The expected value, as text.
    Known(&'static str),
}

impl Suggestion {
    /// The nearest of `known` to `field`, if any is near.
    fn nearest<'a>(field: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        near::nearest(field, known).map_or(Self::Unknown, |near| Self::NearMiss(near.to_owned()))
    }

    /// For the merge key of YAML, which is a field with an odd name to Envoy and to nutcracker.
    fn merge_key(field: &str) -> Option<Self> {
        let words = "merge keys are not read as such, write the fields out";
        (field == "<<").then_some(Self::Known(words))
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => Ok(()),
            Self::NearMiss(field) => write!(out, ", did you mean `{field}`?"),
            Self::Known(words) => write!(out, ": {words}"),
        }
    }
}

impl Why {
    fn field(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self::Field {
            field: field.into(),
            expected: expected.into(),
        }
    }

    fn at(self, place: impl Into<String>) -> Error {
        Error::Wrong {
            place: place.into(),
            why: self,
        }
    }
}

/// Reads the configuration of a proxy, whose kind is detected from its content; `name` is its name in errors.
///
/// # Errors
/// `file:line: ` and the problem. A Redis Cluster is one, because its slots are not in the file.
pub fn read(text: &str, name: &str, hints: &Hints) -> Result<Described, Error> {
    read_description(text, name, hints)?.into_described()
}

/// Reads the configuration of a proxy, also one that asks a Redis Cluster for its slots.
///
/// # Errors
/// `file:line: ` and the problem.
pub fn read_description(text: &str, name: &str, hints: &Hints) -> Result<Description, Error> {
    if predixy::is_one(text) {
        return predixy::read(text, name, hints);
    }
    let top = tree::parse(text, name, Merges::Fields)?;
    if envoy::are_in(&top) {
        return envoy::read(&top, name, hints);
    }
    if twemproxy::has_pools(&top) {
        return twemproxy::read((text, &top), name, hints).map(Description::Cluster);
    }
    if manifest::is_one(&top) {
        return manifest::read(&top, name, hints);
    }
    // Of the proxies only refproxy supports merge keys.
    let top = tree::parse(text, name, Merges::Merged)?;
    let described = if top.get("cluster").is_some() {
        refproxy::read_config((text, &top), name, hints)
    } else if top.get("policy").or_else(|| top.get("nodes")).is_some() {
        refproxy::read_cluster((text, &top), name, hints)
    } else {
        Err(Why::UnknownFormat.at(name))
    };
    described.map(Description::Cluster)
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

/// The rule of hash tags: that of the description, with its line, or else that of the hint. `unsaid` is the error if
/// neither gives one.
fn hash_tags(
    said: Option<(u64, bool)>,
    hints: &Hints,
    name: &str,
    unsaid: impl FnOnce() -> Error,
) -> Result<TagRule, Error> {
    let on = match (said, hints.hash_tags) {
        (Some((line, said)), Some(hint)) if said != hint => {
            return Err(Why::TagsContradicted(hint).at(format!("{name}:{line}")));
        }
        (Some((_, on)), _) | (None, Some(on)) => on,
        (None, None) => return Err(unsaid()),
    };
    Ok(if on {
        TagRule::BRACES
    } else {
        TagRule::WholeKey
    })
}

/// Checks the hint against a rule that a description always gives.
fn agrees(tags: TagRule, hints: &Hints) -> Result<(), Why> {
    match hints.hash_tags {
        Some(hint) if hint != (tags != TagRule::WholeKey) => Err(Why::TagsContradicted(hint)),
        _ => Ok(()),
    }
}

/// `file:line` of a value.
fn place<T>(name: &str, value: &Spanned<T>) -> String {
    format!("{name}:{}", value.referenced.line())
}

/// The note for a cluster of one node whose policy would scatter keys over several.
fn on_only_node(policy: &str) -> String {
    format!(
        "all keys are on the only node of the cluster; with two nodes {policy} would scatter them"
    )
}

/// The note for a setting that takes failing nodes out of the cluster.
fn moves_by_itself(setting: &str) -> String {
    format!(
        "{setting}: while a node is out, other nodes get its keys, and the values that it still has are stale when it returns"
    )
}

/// A cluster that has a placement; `reach` are the addresses at which we reach its nodes.
fn described(cluster: Cluster, reach: Vec<String>, place: String) -> Result<Described, Error> {
    match Placement::new(&cluster) {
        Ok(_) => Ok(Described {
            cluster,
            reach,
            database: None,
            routing: Routing::default(),
            notes: Vec::new(),
        }),
        Err(why) => Err(Why::from(why).at(place)),
    }
}

/// Of several things by name, the only one or the one that is asked for.
fn pick<'a, T>(what: &'static str, all: &'a [(String, T)], hints: &Hints) -> Result<&'a T, Why> {
    let names = || all.iter().map(|(name, _)| name.clone()).collect();
    match (&hints.pick, all) {
        (_, []) => Err(Why::Nothing),
        (Some(wanted), _) => {
            let found = all.iter().find(|(name, _)| name == wanted);
            found.map(|(_, thing)| thing).ok_or_else(|| Why::NotThere {
                wanted: wanted.clone(),
                names: names(),
            })
        }
        (None, [(_, only)]) => Ok(only),
        (None, _) => Err(Why::Several {
            what,
            names: names(),
        }),
    }
}

#[cfg(test)]
mod tests;
