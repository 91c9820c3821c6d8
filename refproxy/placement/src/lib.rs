//! Placement: from a cluster description to an immutable table, and from a key to its node, bit for bit as in Envoy,
//! twemproxy, libketama and Redis Cluster, and as in the source of predixy. The executable specification that real proxies are
//! compared with.
//!
//! Pure: built once from data, then only read. Never opens a socket, never watches a node's health, never reads a clock.
//!
//! - `hash`: the table of digests, and the rules of hash tags.
//! - `policy`: the table of policies, one file per policy. They build a `table`, `remainder` or `ring`.
//! - `cluster`: the description, a list of nodes and a policy with its settings.
//! - `hosts` and `levels`: the nodes of a cluster that take part, by health, priority and locality.
//! - `file`: the shape of a description in YAML and JSON.
//!
//! ```
//! use shardproof_placement::{Cluster, Node, Placement, Policy};
//!
//! let nodes = ["10.0.0.1:6379", "10.0.0.2:6379", "10.0.0.3:6379"].map(Node::at);
//! let maglev = Policy::named("maglev").expect("a known policy");
//! let placement = Placement::new(&Cluster::new(maglev, nodes.to_vec()))?;
//! assert!(placement.node(b"user:1").index() < 3);
//! # Ok::<(), shardproof_placement::Error>(())
//! ```

pub mod file;
pub mod hash;

mod cluster;
mod digest;
mod error;
mod hosts;
mod levels;
mod placement;
mod policy;
mod remainder;
mod ring;
mod setting;
mod table;

pub use cluster::{Cluster, Health, Locality, Node, NodeId, Panic};
pub use error::Error;
pub use placement::{Placed, Placement};
pub use policy::Policy;
pub use policy::jump::jump_bucket;
pub use policy::maglev::{TABLE_SIZE_DEFAULT, TABLE_SIZE_MAX};
pub use policy::ring_hash::{
    RingFunction, SIZE_MAX as RING_SIZE_MAX, SIZE_MIN_DEFAULT as RING_SIZE_MIN_DEFAULT,
};
pub use setting::{SettingError, Value};

#[cfg(test)]
mod tests;
