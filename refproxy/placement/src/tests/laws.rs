//! The laws of placement, policy by policy: the promises of each, and its known costs.

use proptest::prelude::*;

use super::{equal, maglev, weighted};
use crate::hash::{Digest, PredixyHash, TagRule};
use crate::{Cluster, Error, Node, NodeId, Placement, Policy, RingFunction};

/// The promises of a policy over 1 to 9 nodes of equal weight.
struct Law {
    policy: fn() -> Policy,
    /// Whether the order of the description does not matter.
    any_order: bool,
    /// Least and greatest share of the digests of a node, in fair shares.
    share: (f64, f64),
    /// Keys that move between nodes that stay when one is added at the end, at most, as a share of all keys. Measured on 300
    /// random clusters each, where it was 0.14 at most for ring_hash (its points get fewer a node), and for the two
    /// that deal again from the start 0.82 (modula) and 0.42 (slots).
    unforced: f64,
}

const LAWS: [Law; 9] = [
    Law {
        policy: Policy::maglev,
        any_order: true,
        share: (0.99, 1.01),
        unforced: 0.1,
    },
    Law {
        policy: Policy::ring_hash,
        any_order: true,
        share: (0.5, 1.6),
        unforced: 0.2,
    },
    Law {
        policy: Policy::ketama,
        any_order: true,
        share: (0.55, 1.55),
        unforced: 0.0,
    },
    Law {
        policy: Policy::modula,
        any_order: true,
        share: (1.0, 1.0),
        unforced: 0.85,
    },
    Law {
        policy: || Policy::Predixy {
            hash: PredixyHash::Crc16,
        },
        any_order: false,
        share: (1.0, 1.0),
        unforced: 0.85,
    },
    Law {
        policy: || Policy::Slots,
        any_order: false,
        share: (0.999, 1.001),
        unforced: 0.45,
    },
    Law {
        policy: || Policy::Libketama,
        any_order: true,
        share: (0.55, 1.55),
        unforced: 0.0,
    },
    Law {
        policy: || Policy::Jump,
        any_order: false,
        share: (1.0, 1.0),
        unforced: 0.0,
    },
    Law {
        policy: || Policy::Rendezvous,
        any_order: true,
        share: (1.0, 1.0),
        unforced: 0.0,
    },
];

fn placement(policy: Policy, hosts: &[String]) -> Placement {
    Placement::new(&Cluster::new(policy, hosts.iter().map(Node::at).collect())).unwrap()
}

/// Any policy, with any of its parameters that are cheap to build.
fn policies() -> impl Strategy<Value = Policy> {
    let digests = || prop::sample::select(Digest::all().collect::<Vec<_>>());
    let functions = prop::sample::select(vec![RingFunction::XxHash, RingFunction::Murmur2]);
    prop_oneof![
        prop::sample::select(vec![11, 251, 1021, 65_537]).prop_map(|table_size| Policy::Maglev {
            table_size,
            hash_hostnames: false,
        }),
        (1_u32..3000, 0_u32..3000, functions).prop_map(|(size_min, more, function)| {
            Policy::RingHash {
                size_min,
                size_max: size_min + more,
                function,
                hash_hostnames: false,
            }
        }),
        digests().prop_map(|digest| Policy::Ketama { digest }),
        digests().prop_map(|digest| Policy::Modula { digest }),
        prop::sample::select(PredixyHash::all().collect::<Vec<_>>())
            .prop_map(|hash| Policy::Predixy { hash }),
        Just(Policy::Slots),
        Just(Policy::Libketama),
        Just(Policy::Jump),
        Just(Policy::Rendezvous),
    ]
}

fn keys() -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 64)
}

fn key(number: u32) -> Vec<u8> {
    // Scattered, so that weak digests of short sequential names do not affect the test.
    number.wrapping_mul(0x9e37_79b9).to_le_bytes().to_vec()
}

/// All keys are on the only node, and with a second one they have no place.
#[test]
fn random_is_a_placement_over_one_node() {
    let cluster = |nodes: &[&str]| {
        let nodes = nodes.iter().map(|addr| Node::at(*addr)).collect();
        Cluster::new(Policy::Random, nodes)
    };
    let placement = Placement::new(&cluster(&["a:1"])).unwrap();
    assert!((0..1000).all(|number| placement.node(&key(number)) == NodeId(0)));
    assert_eq!(placement.shares(), [1.0]);
    assert_eq!(
        Placement::new(&cluster(&["a:1", "b:1"])),
        Err(Error::NotAPlacement("random"))
    );
    assert_eq!(Placement::new(&cluster(&[])), Err(Error::NoNode));
}

/// Every policy but random has its row.
#[test]
fn each_policy_has_a_law() {
    for policy in Policy::placing() {
        assert!(
            LAWS.iter().any(|law| (law.policy)() == policy),
            "{policy:?}"
        );
    }
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

/// Slots whose owner, by its address, differs.
fn moved(before: &Placement, from: &[String], after: &Placement, to: &[String]) -> usize {
    before
        .entries()
        .zip(after.entries())
        .filter(|((_, old), (_, new))| from[old.index()] != to[new.index()])
        .count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_key_has_a_node_of_the_cluster(policy in policies(), hosts in addresses(1..=9), keys in keys()) {
        let placement = placement(policy, &hosts);
        for key in keys {
            let node = placement.node(&key);
            prop_assert!(node.index() < hosts.len());
            prop_assert_eq!(placement.clone().node(&key), node);
            prop_assert_eq!(placement.node_of_digest(placement.digest(&key)), node);
        }
        let whole: f64 = placement.shares().iter().sum();
        prop_assert!((whole - 1.0).abs() < 1e-9);
    }

    #[test]
    fn keys_with_one_tag_share_a_node(
        policy in policies(),
        hosts in addresses(1..=9),
        tags in prop::sample::select(vec![TagRule::BRACES, TagRule::Between(b'$', b'$'), TagRule::Between(b'<', b'>')]),
        tag in "[a-z0-9]{1,12}",
        rest in prop::collection::vec("[a-z:]{0,8}", 8),
    ) {
        // Redis Cluster's tags are braces, regardless of the configuration.
        let tags = if policy == Policy::Slots { TagRule::BRACES } else { tags };
        let TagRule::Between(open, close) = tags else { unreachable!() };
        let (open, close) = (char::from(open), char::from(close));
        let nodes = hosts.iter().map(Node::at).collect();
        let placement = Placement::new(&Cluster { tags, ..Cluster::new(policy, nodes) }).unwrap();
        for rest in rest {
            prop_assert_eq!(placement.node(format!("{rest}{open}{tag}{close}{rest}").as_bytes()), placement.node(tag.as_bytes()));
        }
    }

    #[test]
    fn removing_a_node_and_adding_it_back_restores_the_placement(
        policy in policies(), hosts in addresses(2..=9), which in any::<prop::sample::Index>(), keys in keys(),
    ) {
        let before = placement(policy.clone(), &hosts);
        let mut fewer = hosts.clone();
        let node = fewer.remove(which.index(hosts.len()));
        let without = placement(policy.clone(), &fewer);
        prop_assert!(keys.iter().all(|key| without.node(key).index() < fewer.len()));
        fewer.insert(which.index(hosts.len()), node);
        let after = placement(policy, &fewer);
        prop_assert!(keys.iter().all(|key| before.node(key) == after.node(key)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_order_of_the_nodes_matters_only_where_the_law_says_so(hosts in addresses(2..=9), turn in 1_usize..9, keys in keys()) {
        let mut turned = hosts.clone();
        turned.rotate_left(turn % hosts.len());
        for law in LAWS.iter().filter(|law| law.any_order) {
            let (one, other) = (placement((law.policy)(), &hosts), placement((law.policy)(), &turned));
            for key in &keys {
                prop_assert_eq!(&hosts[one.node(key).index()], &turned[other.node(key).index()], "{:?}", (law.policy)());
            }
        }
    }

    #[test]
    fn shares_are_even_within_the_bound_of_the_law(hosts in addresses(1..=9)) {
        for law in LAWS {
            let shares = placement((law.policy)(), &hosts).shares();
            for share in shares.iter().map(|share| share * hosts.len() as f64) {
                let (least, most) = law.share;
                prop_assert!((least - 1e-9..=most + 1e-9).contains(&share), "{:?} {share}", (law.policy)());
            }
        }
    }

    /// Of 2048 keys; for a law of 0 not one.
    #[test]
    fn adding_a_node_moves_little_between_the_others(hosts in addresses(2..=9)) {
        let newcomer = NodeId(hosts.len() as u16 - 1);
        for law in LAWS {
            let before = placement((law.policy)(), &hosts[..hosts.len() - 1]);
            let after = placement((law.policy)(), &hosts);
            let unforced = (0..2048)
                .filter(|number| {
                    let (from, to) = (before.node(&key(*number)), after.node(&key(*number)));
                    from != to && to != newcomer
                })
                .count();
            prop_assert!(unforced as f64 / 2048.0 <= law.unforced, "{:?} {unforced}", (law.policy)());
        }
    }

    /// Exact if entries are counted out; else within the random gaps of a ring.
    #[test]
    fn weights_move_shares(hosts in addresses(2..=6), weights in prop::collection::vec(1_u32..10, 6)) {
        let nodes: Vec<Node> = hosts.iter().zip(&weights).map(|(host, weight)| weighted(host.as_str(), *weight)).collect();
        let sum: u32 = nodes.iter().map(|node| node.weight).sum();
        for (policy, slack) in [
            (Policy::ring_hash(), 0.7),
            (Policy::ketama(), 0.8),
            (Policy::Libketama, 0.8),
            (Policy::modula(), 1e-9),
            (Policy::Rendezvous, 1e-9),
        ] {
            let shares = Placement::new(&Cluster::new(policy.clone(), nodes.clone())).unwrap().shares();
            for (node, share) in nodes.iter().zip(shares) {
                let due = f64::from(node.weight) / f64::from(sum);
                prop_assert!((share - due).abs() <= due * slack, "{policy:?}: {} has {share}, {due} is due", node.address);
            }
        }
    }
}

/// Rendezvous has no table to count: keys are drawn instead.
#[test]
fn rendezvous_keeps_to_its_shares() {
    let nodes = (1..=4).map(|weight| weighted(format!("10.0.0.{weight}:6379"), weight));
    let placement = Placement::new(&Cluster::new(Policy::Rendezvous, nodes.collect())).unwrap();
    let mut counts = [0_u32; 4];
    for number in 0..100_000 {
        counts[placement.node(&key(number)).index()] += 1;
    }
    for (count, due) in counts.iter().zip([10_000, 20_000, 30_000, 40_000]) {
        assert!(count.abs_diff(due) < 600, "{counts:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

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

    /// One law for both directions: a node that is added when read forwards is removed when read backwards.
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
fn a_known_cluster_moves_more_than_one_percent() {
    let hosts = ["10.0.0.1:1025", "10.0.0.1:1024", "10.0.1.230:2020"].map(str::to_owned);
    let share = excess(&hosts, "10.1.0.8:6466");
    assert!((0.018..0.02).contains(&share), "{share}");
}
