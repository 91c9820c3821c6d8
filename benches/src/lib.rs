//! Input of both benchmarks of placement: keys of 16 bytes, and clusters of a given size.

use placement::{Cluster, Node, Placement, Policy};

/// Keys of one round: more than the first cache holds, few enough to stay in the second.
pub const KEYS: usize = 4096;

/// Scattered names of 16 bytes, as `user:` with a random number makes them.
#[must_use]
pub fn keys() -> Vec<[u8; 16]> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..KEYS)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let name = format!("user:{:011}", state % 100_000_000_000);
            std::array::from_fn(|place| name.as_bytes()[place])
        })
        .collect()
}

/// `nodes` addresses, as in Envoy's own benchmarks.
#[must_use]
pub fn addresses(nodes: usize) -> Vec<String> {
    (0..nodes)
        .map(|node| format!("10.0.{}.{}:6379", node / 256, node % 256))
        .collect()
}

/// The placement of `policy` over that many nodes.
///
/// # Panics
/// When there is none, which would be a mistake in the benchmark.
#[must_use]
pub fn placement(policy: Policy, nodes: usize) -> Placement {
    let nodes = addresses(nodes).into_iter().map(Node::at).collect();
    match Placement::new(&Cluster::new(policy, nodes)) {
        Ok(placement) => placement,
        Err(error) => panic!("{error}"),
    }
}

/// Envoy's ring hash with at least `size_min` points.
#[must_use]
pub fn ring(size_min: u32) -> Policy {
    match Policy::ring_hash() {
        Policy::RingHash {
            size_max,
            function,
            hash_hostnames,
            ..
        } => Policy::RingHash {
            size_min,
            size_max,
            function,
            hash_hostnames,
        },
        other => other,
    }
}
