//! Vectors and laws of placement.

mod laws;
mod levels;
mod libketama;
mod maglev;
mod predixy;
mod ring_hash;
mod slots;
mod twemproxy;

use sha2::{Digest, Sha256};

use crate::{Cluster, Node, Placement, Policy};

fn maglev(nodes: Vec<Node>, table_size: u32) -> Cluster {
    let hash_hostnames = false;
    Cluster::new(
        Policy::Maglev {
            table_size,
            hash_hostnames,
        },
        nodes,
    )
}

fn equal(addresses: &[String]) -> Placement {
    let nodes = addresses.iter().map(Node::at).collect();
    Placement::new(&maglev(nodes, 65_537)).unwrap()
}

fn weighted(address: impl Into<String>, weight: u32) -> Node {
    Node {
        weight,
        ..Node::at(address)
    }
}

/// The clusters of the published vectors: loopback ports with these weights.
fn three(ports: std::ops::RangeInclusive<u16>, weights: [u32; 3]) -> Vec<Node> {
    let addresses = loopback(ports);
    let nodes = addresses.into_iter().zip(weights);
    nodes
        .map(|(address, weight)| weighted(address, weight))
        .collect()
}

fn loopback(ports: std::ops::RangeInclusive<u16>) -> Vec<String> {
    ports.map(|port| format!("127.0.0.1:{port}")).collect()
}

fn owners(placement: &Placement) -> Vec<u16> {
    placement.entries().map(|(_, node)| node.0).collect()
}

/// SHA-256 in hexadecimal.
fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
