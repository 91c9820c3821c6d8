//! Published vectors of maglev, and its errors.

use super::{equal, loopback, maglev, owners, sha256, three, weighted};
use crate::{Cluster, Error, Node, NodeId, Placement, Policy, TABLE_SIZE_MAX};

/// Over the owners of all slots, each as little-endian u16.
fn sha256_of_slots(placement: &Placement) -> String {
    let owners = owners(placement).into_iter();
    let bytes: Vec<u8> = owners.flat_map(u16::to_le_bytes).collect();
    sha256(&bytes)
}

#[track_caller]
fn check_table(nodes: Vec<Node>, slots: &[usize], first: &[u16], digest: &str) {
    let placement = Placement::new(&maglev(nodes, 65_537)).unwrap();
    assert_eq!(placement.entries_per_node(), slots);
    assert_eq!(&owners(&placement)[..first.len()], first);
    assert_eq!(sha256_of_slots(&placement), digest);
}

#[test]
fn small_tables_of_envoys_own_tests() {
    let nodes = loopback(90..=95).into_iter().map(Node::at).collect();
    let placement = Placement::new(&maglev(nodes, 7)).unwrap();
    assert_eq!(owners(&placement), [2, 4, 0, 1, 5, 0, 3]);

    let nodes = vec![weighted("127.0.0.1:90", 1), weighted("127.0.0.1:91", 2)];
    let placement = Placement::new(&maglev(nodes, 17)).unwrap();
    assert_eq!(
        owners(&placement),
        [1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1]
    );
}

// The digests below were recorded with an oracle that agreed with a real Envoy on every key asked.
#[test]
fn three_loopback_nodes_at_the_default_size() {
    check_table(
        loopback(7001..=7003).into_iter().map(Node::at).collect(),
        &[21846, 21846, 21845],
        &[2, 2, 1, 1, 1, 1, 0, 0, 1, 1, 2, 2, 1, 0, 0, 0],
        "7174d2f06491f63a1ba2b3303832f7be275d6a9d35059fa658b123db1d0d15a1",
    );
}

#[test]
fn weights_are_rounded_as_envoy_rounds_them() {
    check_table(
        three(7001..=7003, [1, 2, 3]),
        &[10923, 21846, 32768],
        &[2, 2, 1, 1, 1, 2, 0, 2, 1, 2, 2, 2, 1, 0, 0, 2],
        "659c45032903dd434f6a6f666d1165487925f561ccccce26b4981d50e9370d91",
    );
    check_table(
        three(7001..=7003, [5, 1, 1]),
        &[46811, 9363, 9363],
        &[],
        "8deb10dc5d5cc5b25a9d518757fb724aeb31a59018d8ccb1ffaac085293e76a4",
    );
}

#[test]
fn hash_keys_and_ten_nodes() {
    let nodes = ["redis-a", "redis-b", "redis-c"].map(|key| Node {
        hash_key: Some(key.to_owned()),
        ..Node::at(format!("{key}.example:6379"))
    });
    check_table(
        nodes.to_vec(),
        &[21846, 21846, 21845],
        &[2, 2, 2, 2, 1, 1, 0, 2, 0, 1, 0, 2, 2, 0, 2, 0],
        "598b99126d715b62aca940908c8470e2d673381c03e3c75a014ab7b8ae0f6406",
    );
    let ten: Vec<Node> = (1..=10)
        .map(|last| Node::at(format!("10.0.0.{last}:6379")))
        .collect();
    let placement = Placement::new(&maglev(ten, 65_537)).unwrap();
    assert_eq!(
        owners(&placement)[..16],
        [2, 4, 5, 8, 4, 1, 8, 3, 4, 3, 6, 2, 6, 0, 6, 2]
    );
    assert_eq!(
        sha256_of_slots(&placement),
        "b118fdc73c8dd420c5800c8e96cd1691499785fb463909fe2920bf4736f06b67"
    );
}

#[test]
fn the_largest_table_is_built() {
    let nodes = three(7001..=7003, [1, 2, 3]);
    let placement = Placement::new(&maglev(nodes, TABLE_SIZE_MAX)).unwrap();
    let sixth = TABLE_SIZE_MAX as usize / 6;
    for (slots, weight) in placement.entries_per_node().into_iter().zip(1..) {
        assert!(
            slots.abs_diff(sixth * weight) <= 3,
            "weight {weight}: {slots}"
        );
    }
}

#[test]
fn keys_of_the_reference_cluster() {
    let placement = equal(&loopback(7001..=7003));
    for (key, node) in [
        (&b"foo"[..], 0),
        (b"bar", 2),
        (b"user:1000", 1),
        (b"user1000", 2),
        (b"{user1000}.following", 2),
        (b"", 2),
        (b"key:0", 0),
        (b"key:1", 0),
        (b"key:2", 0),
        (b"key:3", 0),
    ] {
        assert_eq!(
            placement.node(key),
            NodeId(node),
            "key {}",
            key.escape_ascii()
        );
    }
}

#[test]
fn hostnames_are_hashed_if_the_policy_says_so() {
    let with_name = |address: &str, name: &str| Node {
        hostname: Some(name.to_owned()),
        ..Node::at(address)
    };
    let by_hostname = Cluster::new(
        Policy::Maglev {
            table_size: 65_537,
            hash_hostnames: true,
        },
        vec![
            with_name("10.0.0.1:6379", "redis-a"),
            with_name("10.0.0.2:6379", "redis-b"),
        ],
    );
    let by_address = maglev(vec![Node::at("redis-a"), Node::at("redis-b")], 65_537);
    assert_eq!(
        owners(&Placement::new(&by_hostname).unwrap()),
        owners(&Placement::new(&by_address).unwrap())
    );
}

#[test]
fn clusters_without_a_placement_are_named() {
    #[track_caller]
    fn check(nodes: Vec<Node>, table_size: u32, expected: Error) {
        assert_eq!(
            Placement::new(&maglev(nodes, table_size)).unwrap_err(),
            expected
        );
    }
    check(vec![], 65_537, Error::NoNode);
    check(
        vec![weighted("a:1", 0)],
        65_537,
        Error::WeightZero("a:1".to_owned()),
    );
    check(
        vec![weighted("a:1", u32::MAX), weighted("b:1", 1)],
        65_537,
        Error::WeightsOverflow(u32::MAX),
    );
    check(
        vec![Node::at("a:1"), Node::at("a:1")],
        65_537,
        Error::DuplicateHashKey("a:1".to_owned()),
    );
    for not_prime in [0, 1, 4, 65_536, 5_000_012, 5_000_077] {
        check(
            vec![Node::at("a:1")],
            not_prime,
            Error::TableSize(not_prime),
        );
    }
    check(
        vec![Node::at("a:1"), Node::at("b:1"), Node::at("c:1")],
        2,
        Error::TableTooSmall {
            table_size: 2,
            nodes: 3,
        },
    );
}
