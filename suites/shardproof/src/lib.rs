//! shardproof: a conformance and chaos suite for RESP sharding proxies.
//!
//! - `planner`: computes the nodes of keys before a change. Pure.
//! - `fleet`: checks and migrates the keys of a running cluster.
//! - `keys`: reads keys from files and generates them from patterns.
//! - `export`: writes a case out of a chaos run. Pure.
//! - `baseline`: the known failures of a proxy. Pure.
//! - `diff`: two reports, compared. Pure.
//! - `run`: one function per command, from options to an outcome.
//! - `report`: outcomes as terminal text, JSON, JUnit and HTML.
//!
//! The crates below it can be used alone: `testbed` (nodes, proxies, links), `conformance` (cases, matrix, differential
//! test), `chaos` (rescale experiments) and `placement`.

pub mod baseline;
pub mod diff;
pub mod export;
pub mod fleet;
pub mod keys;
pub mod planner;
pub mod report;
pub mod run;

pub use {chaos, conformance, placement, testbed};
