//! Envoy's health, panic, priorities and localities, with the figures that a real Envoy showed.

use super::{loopback, maglev, owners, weighted};
use crate::levels::levels;
use crate::{
    Cluster, Error, Health, Locality, Node, NodeId, Panic, Placement, Policy, RingFunction,
};

/// Nodes of one priority each: `h` healthy, `d` degraded, `u` unhealthy, `x` draining.
fn cluster(priorities: &[&str], panic: Panic) -> Cluster {
    let mut nodes = Vec::new();
    for (priority, states) in (0..).zip(priorities) {
        for state in states.chars() {
            nodes.push(Node {
                priority,
                health: match state {
                    'h' => Health::Healthy,
                    'd' => Health::Degraded,
                    'x' => Health::Draining,
                    _ => Health::Unhealthy,
                },
                ..Node::at(format!("127.0.0.1:{}", 7001 + nodes.len()))
            });
        }
    }
    Cluster {
        panic,
        ..Cluster::new(Policy::maglev(), nodes)
    }
}

/// Priority, the percent up to which digests are its own, and the nodes that hold keys.
#[track_caller]
fn check(priorities: &[&str], expected: &[(u32, u32, &[u16])]) {
    check_with(priorities, Panic::default(), expected);
}

#[track_caller]
fn check_with(priorities: &[&str], panic: Panic, expected: &[(u32, u32, &[u16])]) {
    let levels = levels(&cluster(priorities, panic));
    let found: Vec<_> = levels
        .iter()
        .map(|level| {
            let members: Vec<u16> = level.members.iter().map(|node| node.0).collect();
            (level.priority, level.up_to, members)
        })
        .collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(priority, up_to, members)| (*priority, *up_to, members.to_vec()))
        .collect();
    assert_eq!(found, expected, "{priorities:?}");
}

#[test]
fn the_dead_leave_the_table_until_there_is_panic() {
    check(&["hhh"], &[(0, 100, &[0, 1, 2])]);
    check(&["huh"], &[(0, 100, &[0, 2])]);
    check(&["uhu"], &[(0, 100, &[0, 1, 2])]);
    check(&["uuu"], &[(0, 100, &[0, 1, 2])]);
}

#[test]
fn a_threshold_of_zero_never_panics() {
    let never = Panic {
        threshold_percent: 0,
        ..Panic::default()
    };
    check_with(&["uhu"], never, &[(0, 100, &[1])]);
    let unhealthy = Placement::new(&cluster(&["uuu"], never));
    assert_eq!(unhealthy, Err(Error::NoHealthyNode(0)));
}

/// Without it no level has any load; with a large one percentages are cut, not wrapped.
#[test]
fn any_overprovisioning_factor_places_keys_or_is_refused() {
    let factor = |overprovisioning| Panic {
        overprovisioning,
        ..Panic::default()
    };
    for priorities in [&["h"][..], &["hu", "h"], &["u"]] {
        let none = Placement::new(&cluster(priorities, factor(0)));
        assert_eq!(none, Err(Error::Overprovisioning), "{priorities:?}");
    }
    for large in [1 << 31, u32::MAX] {
        check_with(&["hh", "hh"], factor(large), &[(0, 100, &[0, 1])]);
    }
}

#[test]
fn a_later_priority_takes_the_overflow_of_an_earlier_one() {
    check(&["hh", "hh"], &[(0, 100, &[0, 1])]);
    // Half of two nodes times 1.4 is 70 %.
    check(&["hu", "hh"], &[(0, 70, &[0]), (1, 100, &[2, 3])]);
    check(&["uu", "hh"], &[(1, 100, &[2, 3])]);
    // 46 % and 46 % of 92 %: rounded down, the rest to the first; both are below the threshold and in panic.
    check(
        &["huu", "uhu"],
        &[(0, 50, &[0, 1, 2]), (1, 100, &[3, 4, 5])],
    );
    // All in panic: by size.
    check(&["u", "uu"], &[(0, 34, &[0]), (1, 100, &[1, 2])]);
}

/// As Envoy 1.40 placed keys, with `health_status: DRAINING`.
#[test]
fn draining_nodes_are_not_counted_until_there_is_panic() {
    check(&["hx", "hd"], &[(0, 100, &[0])]);
    check(&["xhh", "u"], &[(0, 100, &[1, 2])]);
    check(&["xxhu"], &[(0, 100, &[2])]);
    // One of three is below the threshold.
    check(&["xuuh"], &[(0, 100, &[0, 1, 2, 3])]);
    // All in panic: by size, draining nodes included.
    check(&["xu", "uu"], &[(0, 50, &[0, 1]), (1, 100, &[2, 3])]);
}

#[test]
fn degraded_nodes_add_load_and_hold_no_keys() {
    check(&["hd"], &[(0, 70, &[0]), (0, 100, &[0])]);
    check(&["du", "hh"], &[(1, 100, &[2, 3])]);
    let only_degraded = Placement::new(&cluster(&["dd"], Panic::default()));
    assert_eq!(only_degraded, Err(Error::NoHealthyNode(0)));
}

#[test]
fn the_same_digest_chooses_the_level_and_the_slot() {
    let cluster = cluster(&["hu", "hh"], Panic::default());
    let placement = Placement::new(&cluster).unwrap();
    let second = vec![Node::at("127.0.0.1:7003"), Node::at("127.0.0.1:7004")];
    let second = Placement::new(&maglev(second, 65_537)).unwrap();
    for digest in 0..10_000_u64 {
        let expected = match digest % 100 + 1 {
            1..=70 => NodeId(0),
            _ => NodeId(second.node_of_digest(digest).0 + 2),
        };
        assert_eq!(
            placement.node_of_digest(digest),
            expected,
            "digest {digest}"
        );
    }
    let shares = placement.shares();
    assert!(
        (shares[0] - 0.7).abs() < 1e-9 && shares[1] == 0.0,
        "{shares:?}"
    );
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
}

fn in_locality(node: Node, name: &str, weight: u32) -> Node {
    Node {
        locality: Some(Locality {
            name: name.to_owned(),
            weight,
        }),
        ..node
    }
}

/// Envoy's own test: two localities of equal weight, so that the weights of their only nodes do not matter.
#[test]
fn localities_share_by_their_own_weights() {
    let nodes = vec![
        in_locality(weighted("127.0.0.1:90", 1), "a", 1),
        in_locality(weighted("127.0.0.1:91", 2), "b", 1),
    ];
    assert_eq!(
        owners(&Placement::new(&maglev(nodes, 17)).unwrap()),
        [1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1]
    );
}

#[test]
fn a_locality_without_weight_has_no_keys() {
    let nodes = vec![
        in_locality(Node::at("127.0.0.1:90"), "a", 0),
        in_locality(Node::at("127.0.0.1:91"), "b", 3),
    ];
    assert_eq!(
        Placement::new(&maglev(nodes.clone(), 17))
            .unwrap()
            .entries_per_node(),
        [0, 17]
    );
    let unhealthy = nodes
        .into_iter()
        .map(|node| in_locality(node, "a", 0))
        .collect();
    assert_eq!(
        Placement::new(&maglev(unhealthy, 17)),
        Err(Error::NoHealthyNode(0))
    );
}

/// Ten points for shares of a third and two thirds: the first locality gets the remaining part of a point.
#[test]
fn localities_take_their_turns_by_region_zone_and_sub_zone() {
    let policy = Policy::RingHash {
        size_min: 10,
        size_max: 10,
        function: RingFunction::XxHash,
        hash_hostnames: false,
    };
    for (first, last) in [
        ("/a/", "/b/"),
        ("/z/", "y/a/"),
        ("/a/", "/a/b"),
        ("/a/c", "/a-b/"),
    ] {
        let nodes = vec![
            in_locality(Node::at("127.0.0.1:90"), last, 1),
            in_locality(Node::at("127.0.0.1:91"), first, 2),
        ];
        let placement = Placement::new(&Cluster::new(policy.clone(), nodes)).unwrap();
        assert_eq!(
            placement.entries_per_node(),
            [3, 7],
            "{first} before {last}"
        );
    }
}

/// 1 * 2 / 3 is 0 percent, and 66 percent is not panic.
#[test]
fn a_factor_that_leaves_no_load_is_an_error() {
    let mut nodes: Vec<Node> = loopback(1..=3).into_iter().map(Node::at).collect();
    nodes[2].health = Health::Unhealthy;
    let mut cluster = maglev(nodes, 17);
    cluster.panic.overprovisioning = 1;
    cluster.panic.threshold_percent = 1;
    assert_eq!(Placement::new(&cluster), Err(Error::NoLoad(1)));
    cluster.panic.overprovisioning = 2;
    assert!(Placement::new(&cluster).is_ok());
}

#[test]
fn levels_that_do_not_fit_together_are_refused() {
    let mut gap = loopback(1..=2)
        .into_iter()
        .map(Node::at)
        .collect::<Vec<_>>();
    gap[1].priority = 2;
    assert_eq!(Placement::new(&maglev(gap, 17)), Err(Error::PriorityGap(1)));
    let half = vec![in_locality(Node::at("a:1"), "a", 1), Node::at("b:1")];
    assert_eq!(
        Placement::new(&maglev(half, 17)),
        Err(Error::NoLocality("b:1".to_owned()))
    );
    let two = vec![
        in_locality(Node::at("a:1"), "a", 1),
        in_locality(Node::at("b:1"), "a", 2),
    ];
    assert_eq!(
        Placement::new(&maglev(two, 17)),
        Err(Error::LocalityWeights("a".to_owned()))
    );
}

#[test]
fn addresses_are_hashed_as_envoy_prints_them() {
    let long = vec![
        Node::at("[0:0:0:0:0:0:0:1]:6379"),
        Node::at("[2001:DB8::0:1]:6379"),
        Node::at("[::ffff:7f00:1]:6379"),
        Node::at("[::7f00:1]:6379"),
        Node::at("[::0:8080]:6379"),
    ];
    let short = [
        "[::1]",
        "[2001:db8::1]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[::8080]",
    ];
    let short = short.map(|host| Node {
        hash_key: Some(format!("{host}:6379")),
        ..Node::at(format!("{host}:6379"))
    });
    assert_eq!(
        owners(&Placement::new(&maglev(long, 251)).unwrap()),
        owners(&Placement::new(&maglev(short.into(), 251)).unwrap())
    );
}
