//! shardproof: a conformance and chaos suite for RESP sharding proxies.
//!
//! - `harness`: one test per conformance case in `cargo test`, for the author of a proxy.
//! - `evidence`: the evidence of a broken promise as text.
//!
//! With the feature `cli`, which is on by default:
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

#[cfg(feature = "cli")]
pub mod baseline;
#[cfg(feature = "cli")]
pub mod diff;
pub mod evidence;
#[cfg(feature = "cli")]
pub mod export;
#[cfg(feature = "cli")]
pub mod fleet;
pub mod harness;
#[cfg(feature = "cli")]
pub mod keys;
#[cfg(feature = "cli")]
pub mod planner;
#[cfg(feature = "cli")]
pub mod report;
#[cfg(feature = "cli")]
pub mod run;

#[cfg(feature = "cli")]
pub use {chaos, placement};
pub use {conformance, testbed};
