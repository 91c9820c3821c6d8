//! The planner: computes the nodes of keys before a change.
//!
//! Pure, and the only module that uses refproxy's placement, the executable specification that is tested against real
//! proxies.

pub mod description;
pub mod fingerprint;
pub mod locate;
pub mod plan;
pub mod quality;

use std::fmt::Display;

pub use placement::Error as PlacementError;
pub use placement::file::ClusterFile;
pub use placement::hash::TagRule;
pub use placement::{Cluster, Health, Node, NodeId, Placement, Policy};

/// The node of each key, by its place in `nodes`, or `None` for a policy that this build cannot compute.
#[must_use]
pub fn predict<'a>(
    policy: &str,
    hash_tags: bool,
    nodes: &[impl Display],
    keys: impl IntoIterator<Item = &'a [u8]>,
) -> Option<Vec<usize>> {
    let nodes = nodes.iter().map(|addr| Node::at(addr.to_string()));
    let mut cluster = Cluster::new(Policy::named(policy)?, nodes.collect());
    if hash_tags {
        cluster.tags = TagRule::BRACES;
    }
    let placement = Placement::new(&cluster).ok()?;
    Some(
        keys.into_iter()
            .map(|key| placement.node(key).index())
            .collect(),
    )
}
