//! Judgements of proxies over links at fixed ports, one after the other: `cases::envoy::multi-key/mget-keeps-key-order`.
//!
//! Placements hash addresses, so the links of every run need the same ports. In parallel, trials would wait for each
//! other.

mod bystander;
mod cases;
mod changes;
mod chaos;
mod differential;
mod foreign_nodes;
mod matrix;
mod rescale;
mod scenarios;
#[path = "../support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::sync::Arc;

use cases::Host;
use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    let host = Arc::new(Host::new());
    let trials = [
        rescale::trials(),
        changes::trials(),
        chaos::trials(),
        scenarios::trials(),
        matrix::trials(),
        differential::trials(),
        bystander::trials(),
        foreign_nodes::trials(),
        // Last: the harness of a target keeps its ports from one of its cases to the next.
        cases::trials(&host),
    ];
    let trials = trials.into_iter().flatten().collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    host.close();
    conclusion.exit_code()
}
