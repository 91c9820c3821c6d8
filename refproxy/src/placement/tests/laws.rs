//! The laws of placement, policy by policy.

use proptest::prelude::*;

use super::{equal, maglev, weighted};
use crate::hash::TagRule;
use crate::placement::{Cluster, Node, Placement};

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
