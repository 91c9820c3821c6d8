//! shardproof: a conformance and chaos suite for RESP sharding proxies.
//!
//! - `planner`: where keys will be, computed before anything is touched. Pure.
//! - `fleet`: what is on the nodes of a running cluster, checked and migrated.
//! - `keys`: keys by the million, from files and patterns.
//! - `run`: one function per command, from options to an outcome.
//! - `report`: outcomes as terminal text, JSON, JUnit and HTML.
//!
//! The crates below it can be used alone: `testbed` (nodes, proxies, links), `conformance` (cases, matrix, differential
//! test), `chaos` (rescale experiments) and `placement`.

pub mod fleet;
pub mod keys;
pub mod planner;
pub mod report;
pub mod run;

pub use {chaos, conformance, placement, testbed};
