//! Placement in time: from the digest of a key to its node, and from nodes to a table, compared with crates that do the
//! same. A round is [`KEYS`] keys; divan reports the time of a round and keys per second.

use std::net::SocketAddr;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use hashring::HashRing;
use pingora_ketama::{Bucket, Continuum};
use placement::Policy;
use placement::hash::murmur2_64;
use placement_bench::{KEYS, addresses, keys, placement, ring};

fn main() {
    divan::main();
}

/// Points of a node of average weight on twemproxy's ring, and here on rings of other crates.
const POINTS: usize = 160;

/// Runs `look_up` on each key of a round.
fn each_key<T>(bencher: Bencher<'_, '_>, look_up: impl Fn(&[u8; 16]) -> T + Sync) {
    let keys = keys();
    bencher.counter(ItemsCount::new(KEYS)).bench(|| {
        for key in &keys {
            black_box(look_up(black_box(key)));
        }
    });
}

/// From a key to its node, among 3 nodes unless the name says otherwise.
mod lookup {
    use super::*;

    #[divan::bench]
    fn murmur2_64_only(bencher: Bencher<'_, '_>) {
        each_key(bencher, |key| murmur2_64(key));
    }

    /// The rest of maglev when the digest is computed already.
    #[divan::bench]
    fn maglev_without_digest(bencher: Bencher<'_, '_>) {
        let placement = placement(Policy::maglev(), 3);
        each_key(bencher, |key| {
            placement.node_of_digest(u64::from_le_bytes(std::array::from_fn(|byte| {
                key[byte + 5]
            })))
        });
    }

    #[divan::bench(args = ["maglev", "ring_hash", "ketama", "modula", "slots", "jump", "rendezvous"])]
    fn refproxy(bencher: Bencher<'_, '_>, policy: &str) {
        let placement = placement(Policy::named(policy).unwrap_or(Policy::Random), 3);
        each_key(bencher, |key| placement.node(key));
    }

    #[divan::bench(args = [65_536, 1_048_576])]
    fn ring_hash_over_500(bencher: Bencher<'_, '_>, size_min: u32) {
        let placement = placement(ring(size_min), 500);
        each_key(bencher, |key| placement.node(key));
    }

    /// SipHash of the key and a table of the same size.
    #[divan::bench]
    fn crate_maglev(bencher: Bencher<'_, '_>) {
        let table = maglev::Maglev::with_capacity(addresses(3), 65_537);
        each_key(bencher, |key| table[&key[..]].len());
    }

    #[divan::bench]
    fn crate_hashring(bencher: Bencher<'_, '_>) {
        let ring = hash_ring(3);
        each_key(bencher, |key| ring.get(key).map(|node| node.1));
    }

    /// nginx's ketama: CRC-32 and 160 points per node.
    #[divan::bench]
    fn crate_pingora_ketama(bencher: Bencher<'_, '_>) {
        let ring = Continuum::new(&buckets(3));
        each_key(bencher, |key| ring.node(&key[..]));
    }
}

/// From nodes to a table.
mod build {
    use super::*;

    #[divan::bench(args = [3, 100, 500])]
    fn maglev_65537(nodes: usize) {
        black_box(placement(Policy::maglev(), nodes));
    }

    #[divan::bench(args = [3, 100, 500])]
    fn crate_maglev_65537(nodes: usize) {
        black_box(maglev::Maglev::with_capacity(addresses(nodes), 65_537));
    }

    #[divan::bench]
    fn ring_hash_500_nodes_65536_points() {
        black_box(placement(ring(65_536), 500));
    }

    #[divan::bench]
    fn ketama_500_nodes_80000_points() {
        black_box(placement(Policy::ketama(), 500));
    }

    #[divan::bench]
    fn crate_hashring_500_nodes_80000_points() {
        black_box(hash_ring(500));
    }

    #[divan::bench]
    fn crate_pingora_ketama_500_nodes_80000_points() {
        black_box(Continuum::new(&buckets(500)));
    }
}

/// A ring of as many points as ketama's.
fn hash_ring(nodes: usize) -> HashRing<(usize, usize)> {
    let mut ring = HashRing::new();
    let points = (0..POINTS).flat_map(|point| (0..nodes).map(move |node| (point, node)));
    ring.batch_add(points.collect());
    ring
}

fn buckets(nodes: usize) -> Vec<Bucket> {
    let parsed = addresses(nodes)
        .into_iter()
        .filter_map(|address| address.parse::<SocketAddr>().ok());
    parsed.map(|address| Bucket::new(address, 1)).collect()
}
