//! Judgements of proxies over links at fixed ports: `cases::envoy::multi-key/mget-keeps-key-order`.
//!
//! Scenarios, and the cases of several targets, run at the same time ([`turns`]).

mod bystander;
mod cases;
mod changes;
mod chaos;
mod differential;
mod foreign_nodes;
mod matrix;
mod planted;
mod rescale;
mod scenarios;
#[path = "../support/mod.rs"]
mod support;
mod turns;

use libtest_mimic::Arguments;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert_with(turns::threads);
    let trials = [
        rescale::trials(),
        changes::trials(),
        chaos::trials(),
        scenarios::trials(),
        matrix::trials(),
        differential::trials(),
        bystander::trials(),
        foreign_nodes::trials(),
        planted::trials(),
        cases::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    turns::close();
    conclusion.exit_code()
}
