//! libketama's own test: a checksum over the digest, the point and the server of a million keys.

use md5::{Digest as _, Md5};

use super::weighted;
use crate::{Cluster, Placement, Policy};

/// Of `libketama/test.sh` and `ketama.servers`.
const CHECKSUM: &str = "5672b131391f5aa2b280936aec1eea74";
const SERVERS: [(&str, u32); 8] = [
    ("10.0.1.1:11211", 600),
    ("10.0.1.2:11211", 300),
    ("10.0.1.3:11211", 200),
    ("10.0.1.4:11211", 350),
    ("10.0.1.5:11211", 1000),
    ("10.0.1.6:11211", 800),
    ("10.0.1.7:11211", 950),
    ("10.0.1.8:11211", 100),
];

#[test]
fn a_million_keys_of_libketamas_own_test() {
    let nodes = SERVERS.map(|(address, weight)| weighted(address, weight));
    let cluster = Cluster::new(Policy::Libketama, nodes.to_vec());
    let placement = Placement::new(&cluster).unwrap();
    let points: Vec<u64> = placement.entries().map(|(point, _)| point).collect();
    // The program prints its empty error first.
    let mut printed = String::from("\n");
    for number in 0..1_000_000 {
        let key = number.to_string();
        let digest = placement.digest(key.as_bytes());
        let next = points.partition_point(|point| *point < digest);
        let point = points[next % points.len()];
        let server = SERVERS[placement.node(key.as_bytes()).index()].0;
        printed.push_str(&format!("{digest} {point} {server}\n"));
    }
    let checksum: String = Md5::digest(printed.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(checksum, CHECKSUM);
    // Unlike twemproxy, it hashes an empty key.
    assert_eq!(placement.digest(b""), 0xd98c_1dd4);
}
