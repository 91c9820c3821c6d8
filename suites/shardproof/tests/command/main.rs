//! The program as scripts see it: exit codes, one clear line for each mistake, no leftovers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod arguments;
mod baseline;
mod ci;
mod connect;
mod differential;
mod ending;
mod explain;
mod files;
mod fingerprint;
mod harness;
mod history;
mod init;
mod limits;
mod list;
mod matrix;
mod output;
mod planner;
mod probe;
mod program;
mod rescale;
mod run;
mod shell;
#[path = "../support/stub.rs"]
mod stub;
#[expect(
    dead_code,
    unused_imports,
    reason = "nothing is missing here, and one target will do"
)]
#[path = "../support/mod.rs"]
mod support;
mod targets;
mod toxiproxy;
