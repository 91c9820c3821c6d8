//! The cost of placement in instructions, counted by valgrind: the same on every machine of a kind, independent of
//! other load.

#![expect(
    missing_docs,
    reason = "the macros of the benchmarks make items that are never read"
)]

use std::hint::black_box;

use gungraun::{library_benchmark, library_benchmark_group, main};
use placement::{Placement, Policy};
use placement_bench::{keys, placement, ring};

type Round = (Placement, Vec<[u8; 16]>);

fn round(policy: Policy) -> Round {
    (placement(policy, 3), keys())
}

// A round of 4096 keys.
#[library_benchmark]
#[bench::maglev(round(Policy::maglev()))]
#[bench::ring_hash(round(Policy::ring_hash()))]
#[bench::ketama(round(Policy::ketama()))]
#[bench::modula(round(Policy::modula()))]
#[bench::slots(round(Policy::Slots))]
fn lookup((placement, keys): Round) -> Round {
    for key in &keys {
        black_box(placement.node(black_box(key)));
    }
    (placement, keys)
}

#[library_benchmark]
#[bench::maglev_3(Policy::maglev(), 3)]
#[bench::maglev_500(Policy::maglev(), 500)]
#[bench::ring_hash_500(ring(65_536), 500)]
#[bench::ketama_500(Policy::ketama(), 500)]
fn build(policy: Policy, nodes: usize) -> Placement {
    black_box(placement(policy, nodes))
}

library_benchmark_group!(name = placements; benchmarks = lookup, build);
main!(library_benchmark_groups = placements);
