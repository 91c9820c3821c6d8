//! Published vectors and the laws of placement.

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::{Cluster, Error, Node, NodeId, Placement, Policy};
use crate::hash::TagRule;

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

fn weighted(address: &str, weight: u32) -> Node {
    Node {
        weight,
        ..Node::at(address)
    }
}

fn loopback(ports: std::ops::RangeInclusive<u16>) -> Vec<String> {
    ports.map(|port| format!("127.0.0.1:{port}")).collect()
}

fn owners(placement: &Placement) -> Vec<u16> {
    placement.entries().map(|(_, node)| node.0).collect()
}

/// SHA-256 over the owners of all slots, each as little-endian u16.
fn table_digest(placement: &Placement) -> String {
    let bytes: Vec<u8> = owners(placement)
        .iter()
        .flat_map(|slot| slot.to_le_bytes())
        .collect();
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[track_caller]
fn check_table(nodes: Vec<Node>, slots: &[usize], first: &[u16], digest: &str) {
    let placement = Placement::new(&maglev(nodes, 65_537)).unwrap();
    assert_eq!(placement.entries_per_node(), slots);
    assert_eq!(&owners(&placement)[..first.len()], first);
    assert_eq!(table_digest(&placement), digest);
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
    let nodes = |weights: [u32; 3]| {
        loopback(7001..=7003)
            .iter()
            .zip(weights)
            .map(|(address, weight)| weighted(address, weight))
            .collect()
    };
    check_table(
        nodes([1, 2, 3]),
        &[10923, 21846, 32768],
        &[2, 2, 1, 1, 1, 2, 0, 2, 1, 2, 2, 2, 1, 0, 0, 2],
        "659c45032903dd434f6a6f666d1165487925f561ccccce26b4981d50e9370d91",
    );
    check_table(
        nodes([5, 1, 1]),
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
        table_digest(&placement),
        "b118fdc73c8dd420c5800c8e96cd1691499785fb463909fe2920bf4736f06b67"
    );
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
fn hostnames_are_hashed_where_the_policy_says_so() {
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
fn what_cannot_be_placed_is_named() {
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

/// Distinct addresses, as hosts in a private network have them.
fn addresses(count: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::hash_set((0_u8..4, 1_u8..255, 1024_u16..), count).prop_map(|hosts| {
        hosts
            .into_iter()
            .map(|(net, host, port)| format!("10.0.{net}.{host}:{port}"))
            .collect()
    })
}

/// Slots whose owner differs, the owner told by its address.
fn moved(before: &Placement, from: &[String], after: &Placement, to: &[String]) -> usize {
    before
        .entries()
        .zip(after.entries())
        .filter(|((_, old), (_, new))| from[old.index()] != to[new.index()])
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_key_has_a_node_of_the_cluster(
        hosts in addresses(1..=9),
        keys in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 64),
    ) {
        let placement = equal(&hosts);
        for key in keys {
            prop_assert!(placement.node(&key).index() < hosts.len());
            prop_assert_eq!(placement.node(&key), placement.clone().node(&key));
        }
    }

    #[test]
    fn the_order_of_the_nodes_does_not_matter(hosts in addresses(2..=9), turn in 0_usize..9) {
        let mut turned = hosts.clone();
        turned.rotate_left(turn % hosts.len());
        prop_assert_eq!(moved(&equal(&hosts), &hosts, &equal(&turned), &turned), 0);
    }

    #[test]
    fn slots_are_even_within_one_percent(hosts in addresses(3..=9)) {
        let slots = equal(&hosts).entries_per_node();
        let (min, max) = (*slots.iter().min().unwrap(), *slots.iter().max().unwrap());
        prop_assert!((max - min) as f64 <= max as f64 * 0.01, "{slots:?}");
    }

    #[test]
    fn weights_move_shares_in_proportion(
        hosts in addresses(2..=6),
        weights in prop::collection::vec(1_u32..10, 6),
    ) {
        let nodes: Vec<Node> = hosts.iter().zip(&weights).map(|(host, weight)| weighted(host, *weight)).collect();
        let sum: u32 = nodes.iter().map(|node| node.weight).sum();
        let slots = Placement::new(&maglev(nodes.clone(), 65_537)).unwrap().entries_per_node();
        for (node, slots) in nodes.iter().zip(slots) {
            let share = 65_537.0 * f64::from(node.weight) / f64::from(sum);
            prop_assert!((slots as f64 - share).abs() <= 1.0 + share * 0.01, "{} has {slots} slots, {share} are due", node.address);
        }
    }

    #[test]
    fn keys_with_one_tag_share_a_node(
        hosts in addresses(1..=9),
        tag in "[a-z0-9]{1,12}",
        rest in prop::collection::vec("[a-z:]{0,8}", 8),
    ) {
        let nodes = hosts.iter().map(Node::at).collect();
        let placement = Placement::new(&Cluster { tags: TagRule::BRACES, ..maglev(nodes, 65_537) }).unwrap();
        for rest in rest {
            prop_assert_eq!(placement.node(format!("{{{tag}}}{rest}").as_bytes()), placement.node(tag.as_bytes()));
        }
    }
}

/// Slots that move beyond those that the newcomer must get, as a share of the table.
fn excess(hosts: &[String], newcomer: &str) -> f64 {
    let mut more = hosts.to_vec();
    more.push(newcomer.to_owned());
    let (small, large) = (equal(hosts), equal(&more));
    let minimum = large.entries_per_node()[hosts.len()];
    let moved = moved(&small, hosts, &large, &more);
    assert!(moved >= minimum, "{moved} slots move, {minimum} must");
    (moved - minimum) as f64 / 65_537.0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// One law for both directions: what is added when read forwards is removed when read backwards.
    ///
    /// Less than 1 % is the rule, not a bound: of 10,500 random clusters of 3 to 9 nodes the median was 0.05 % (3 nodes)
    /// to 0.22 % (9 nodes), 99 in 100 stayed below 0.61 %, ten exceeded 1 %, and the worst moved 4.5 %, where two nodes
    /// happen to walk the table alike.
    #[test]
    fn adding_or_removing_a_node_moves_less_than_one_percent_beyond_the_minimum(
        clusters in prop::collection::vec((addresses(3..=9), 1_u8..255, 1024_u16..), 11),
    ) {
        let mut shares: Vec<f64> = clusters
            .iter()
            .map(|(hosts, host, port)| excess(hosts, &format!("10.1.0.{host}:{port}")))
            .collect();
        shares.sort_by(f64::total_cmp);
        prop_assert!(shares[5] < 0.01, "the median of {shares:?}");
        prop_assert!(shares[10] < 0.1, "the worst of {shares:?}");
    }
}

#[test]
fn a_cluster_that_moves_more_than_one_percent_is_known() {
    let hosts = ["10.0.0.1:1025", "10.0.0.1:1024", "10.0.1.230:2020"].map(str::to_owned);
    let share = excess(&hosts, "10.1.0.8:6466");
    assert!((0.018..0.02).contains(&share), "{share}");
}
