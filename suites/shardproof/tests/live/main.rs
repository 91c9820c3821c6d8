//! Real nodes, proxies, clients and browsers at ports of their own, in parallel: `fleet::moves::a-rate-is-kept`.

mod clients;
mod described;
mod fingerprint;
mod fleet;
mod image;
mod leftovers;
mod nodes;
mod page;
mod redis_cluster;
mod rescaled;
mod running;
mod secured;
mod shrink;
#[path = "../support/stub.rs"]
mod stub;
#[path = "../support/mod.rs"]
mod support;
mod toxiproxy;
mod vectors;

use libtest_mimic::Arguments;

fn main() {
    let trials = [
        vectors::trials(),
        fingerprint::trials(),
        fleet::trials(),
        described::trials(),
        clients::trials(),
        nodes::trials(),
        image::trials(),
        leftovers::trials(),
        toxiproxy::trials(),
        page::trials(),
        shrink::trials(),
        rescaled::trials(),
        running::trials(),
        secured::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
