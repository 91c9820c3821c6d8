//! shardproof: a conformance and chaos suite for RESP sharding proxies.

pub mod child;
pub mod client;
pub mod link;
pub mod node;
pub mod port;
pub mod program;
pub mod text;
pub mod wire;
