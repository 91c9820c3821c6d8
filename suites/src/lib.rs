//! shardproof: a conformance and chaos suite for RESP sharding proxies.

pub mod child;
pub mod client;
pub mod cluster;
pub mod fixtures;
pub mod http;
pub mod link;
pub mod node;
pub mod port;
pub mod program;
pub mod target;
pub mod text;
pub mod verdict;
pub mod wire;
