//! One test per conformance case in `cargo test`, for the author of a proxy.
//!
//! The test file belongs to a target with `harness = false`. It is one line for a proxy that a target file describes:
//!
//! ```ignore
//! shardproof::harness!("tests/my-proxy.toml");
//! ```
//!
//! and some more for a proxy that is started in the process of the test:
//!
//! ```ignore
//! use shardproof::harness::Suite;
//!
//! shardproof::harness!(
//!     Suite::in_process("my-proxy", async |listen, setting| {
//!         my_proxy::serve(listen, &setting.nodes).await
//!     })
//!     .claims(&["split-del", "split-mget", "split-mset"])
//!     .known("framing/inline-quotes", "quotes are part of the word")
//! );
//! ```
//!
//! Each case is a test of libtest: `cases::my-proxy::multi-key/mget-keeps-key-order`. Names, filters, `--list`, `--exact`
//! and `--ignored` work as usual, also under cargo-nextest. No server is started before the first test runs. A case that
//! the proxy does not claim is ignored, with the reason; it never passes.
//!
//! All tests of a suite use the same ports, because a placement may hash addresses: they run one after the other.
//!
//! | variable | meaning |
//! |---|---|
//! | `SHARDPROOF_SEED` | repeats a run: hexadecimal digits, as a failure prints them |
//! | `SHARDPROOF_STRICT` | set to anything: promises of level `should` count too |
//! | `SHARDPROOF_REDIS_SERVER` | path of the `redis-server` that nodes are made of; otherwise the one on `PATH` |

mod host;
mod main;
mod suite;
mod trial;

pub use host::{Host, outcome};
pub use libtest_mimic::{Arguments, Failed, Trial};
pub use main::run;
pub use suite::{Suite, cases};
pub use testbed::targets::Setting;
pub use trial::{Presence, case_trial, trial};

use std::io;
use std::path::PathBuf;

use testbed::{fixtures, targets};

/// There are no tests.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The target file cannot be read.
    #[error("cannot read {}: {why}", .path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// The reason.
        why: io::Error,
    },
    /// The target file is wrong.
    #[error(transparent)]
    Target(#[from] targets::FileError),
    /// A claim of a capability that does not exist.
    #[error("claims: `{name}` is unknown, {correction}")]
    Capability {
        /// The claim.
        name: String,
        /// What to write instead.
        correction: String,
    },
    /// A failure is recorded for no case.
    #[error("known: `{0}` matches no case")]
    NoCase(String),
    /// The cases.
    #[error(transparent)]
    Fixtures(#[from] fixtures::Error),
    /// A case file is wrong.
    #[error("{0}")]
    Cases(String),
    /// The seed.
    #[error("SHARDPROOF_SEED={given}: expected up to 16 hexadecimal digits")]
    Seed {
        /// The value.
        given: String,
    },
    /// The process does not know its own executable.
    #[error("find this executable: {0}")]
    Executable(io::Error),
}
