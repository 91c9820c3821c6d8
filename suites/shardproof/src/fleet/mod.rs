//! The fleet: live nodes that the suite did not start, checked and migrated key by key.
//!
//! The planner's placement gives the right node of a key; its current nodes are read from the nodes. No code here
//! starts or stops a node, and only `migrate` writes.

mod check;
mod conflict;
mod connection;
mod connections;
mod dump;
mod guard;
mod keyspace;
pub mod locate;
mod members;
mod migrate;
mod mover;
mod other_copies;
pub mod placement_probe;
mod preflight;
mod probe;
mod progress;
mod rate_limit;
mod redis_cluster;
mod report;
mod scan;
mod sizes;
mod slots;
mod stream;
mod value;

use testbed::client;

pub use check::{CheckOptions, check};
pub use conflict::{Conflict, OnConflict};
pub use guard::Proof;
pub use keyspace::databases;
pub use members::{Fleet, Member};
pub use migrate::{Moving, migrate};
pub use preflight::{Finding, Level, Point};
pub use progress::Progress;
pub use rate_limit::RateLimit;
pub use report::{
    Check, CheckStatus, ConflictKey, CopyState, KeyCopy, LargeKey, Migration, MoveOutcome,
    NodeKeys, OtherDatabase, Probed, write_head, write_line,
};
pub use scan::{Scan, Scanning, scan_all};
pub use sizes::KeyBytesMax;
pub use slots::{Slots, ask as ask_slots};
pub use stream::Stream;

/// A node, or the proxy, did not do its part. Never a verdict on where keys are.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The connection.
    #[error("{who}: {why}")]
    Lost {
        /// Which node, or the proxy.
        who: String,
        /// The failure instead of a reply.
        why: client::Error,
    },
    /// It answered with something else than was to be expected.
    #[error("{who} answered {asked} with {answer}")]
    Answer {
        /// Which node, or the proxy.
        who: String,
        /// The command.
        asked: &'static str,
        /// The reply.
        answer: String,
    },
    /// There is no placement over these nodes.
    #[error(transparent)]
    Placement(#[from] crate::planner::PlacementError),
    /// A node is reached at no address.
    #[error("node {seen}: {addr} is not an address: {why}")]
    NoAddress {
        /// As the proxy sees it.
        seen: String,
        /// Where it was to be reached.
        addr: String,
        /// The resolver's reason.
        why: String,
    },
    /// The proxy places keys otherwise.
    #[error(
        "the proxy does not place keys as described, so nothing was moved: {differ} of {asked} keys, such as {example}"
    )]
    Disagrees {
        /// Keys whose answer says so.
        differ: u64,
        /// Keys that the proxy was asked for.
        asked: u64,
        /// One of them.
        example: String,
    },
    /// It is unknown whether the proxy places keys as described.
    #[error("no proof that the proxy places keys as described, so nothing was moved: {0}")]
    Unproven(String),
    /// Moved keys would be refused, or not be served as before.
    #[error("nothing was moved: {0}; fix it, or use --ignore POINT")]
    Blocked(String),
    /// Moving a key from a server to itself would delete it.
    #[error("node {one} and node {other} are the same server, run_id {run_id}")]
    SameServer {
        /// The first.
        one: String,
        /// The second.
        other: String,
        /// The run id of the server.
        run_id: String,
    },
    /// A seed of a Redis Cluster does not answer with the slots.
    #[error("seed {seed}: {why}; expected a node of a Redis Cluster that answers CLUSTER SLOTS")]
    Seed {
        /// Its address as the proxy sees it.
        seed: String,
        /// The failure.
        why: String,
    },
    /// The proxy may ask any seed.
    #[error(
        "seeds {one} and {other} answer CLUSTER SLOTS differently; expected one cluster whose slots are settled"
    )]
    SeedsDiffer {
        /// The first.
        one: String,
        /// The second.
        other: String,
    },
    /// Keys of a slot are on two nodes.
    #[error(
        "node {node} is moving slot {slot}; expected settled slots: run again when the reshard is done, or after \
         redis-cli --cluster fix"
    )]
    SlotMoves {
        /// The node.
        node: String,
        /// The slot, with its direction, as in CLUSTER NODES.
        slot: String,
    },
    /// Keys of a Redis Cluster are moved with their slots.
    #[error(
        "node {0} is in a Redis Cluster of several nodes, which moves keys itself, slot by slot, so nothing was moved; \
         expected redis-cli --cluster reshard"
    )]
    RedisCluster(String),
    /// Writes to a replica are refused, or undone.
    #[error("node {0} is a replica, expected its master")]
    Replica(String),
}
