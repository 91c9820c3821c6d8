//! shardproof: a conformance and chaos suite for RESP sharding proxies.

pub mod child;
pub mod client;
pub mod cluster;
pub mod conformance;
pub mod fixtures;
pub mod fleet;
pub mod folder;
pub mod http;
pub mod keys;
pub mod ledger;
pub mod leftovers;
pub mod link;
pub mod node;
pub mod planner;
pub mod port;
pub mod program;
pub mod report;
pub mod rescale;
pub mod run;
pub mod target;
pub mod text;
pub mod toxiproxy;
pub mod verdict;
pub mod wire;
