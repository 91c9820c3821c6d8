use super::{Change, Counts, Detail, Report};
use crate::planner::Policy;
use crate::planner::description::{Described, Hints, inline};

fn described(text: &str) -> Described {
    inline(text, &Hints::default()).unwrap()
}

/// A cluster of the first nodes that a run of the suite has.
fn nodes(policy: &str, count: u16) -> String {
    let nodes: Vec<String> = (1..=count)
        .map(|number| format!("127.0.0.1:{}", 21000 + number))
        .collect();
    format!("{policy}:{}", nodes.join(","))
}

fn keys(count: u32) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("key:{number}"))
}

fn counted(change: &Change, keys: impl IntoIterator<Item = String>) -> Counts {
    let mut counts = change.counts();
    for key in keys {
        change.count(&mut counts, key.as_bytes());
    }
    counts
}

fn plan(from: &str, to: &str, keys: impl IntoIterator<Item = String>) -> Report {
    let change = Change::new(described(from), described(to)).unwrap();
    let counts = counted(&change, keys);
    Report::new(&change, counts, [from, to, "keys"], Detail::Table)
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 0.0005,
        "{found} is not {expected}"
    );
}

/// The figures that were measured through a real Envoy.
#[test]
fn a_fourth_node_moves_the_same_keys_as_behind_envoy() {
    let maglev = plan(&nodes("maglev", 3), &nodes("maglev", 4), keys(10_000));
    assert_eq!((maglev.keys, maglev.moved), (10_000, 2535));
    let counts: Vec<_> = maglev
        .nodes
        .iter()
        .map(|node| (node.before, node.after))
        .collect();
    let expected = [
        (Some(3388), Some(2546)),
        (Some(3296), Some(2477)),
        (Some(3316), Some(2445)),
        (None, Some(2532)),
    ];
    assert_eq!(counts, expected);
    let ring = plan(&nodes("ring_hash", 3), &nodes("ring_hash", 4), keys(10_000));
    near(ring.moved_share, 0.356);
}

#[test]
fn sums_agree() {
    let plan = plan(&nodes("ring_hash", 3), &nodes("ring_hash", 5), keys(10_000));
    let flows: u64 = plan.flows.iter().map(|flow| flow.keys).sum();
    assert_eq!(flows, plan.moved);
    for node in &plan.nodes {
        let before = node.before.unwrap_or(0);
        assert_eq!(
            before + node.arriving - node.leaving,
            node.after.unwrap_or(0)
        );
    }
    let unforced = plan
        .flows
        .iter()
        .filter(|flow| flow.to.as_str() < "127.0.0.1:21004");
    assert_eq!(unforced.map(|flow| flow.keys).sum::<u64>(), plan.unforced);
    assert!(plan.unforced > 0 && plan.minimum > 0 && plan.minimum <= plan.moved);
}

#[test]
fn a_change_of_addresses_only_says_why_keys_move() {
    let note = |from: &str, to: &str| {
        let hints = Hints::default();
        let [from, to] = [from, to].map(|text| inline(text, &hints).expect("a cluster"));
        Change::new(from, to).expect("a change").new_addresses()
    };
    let hashed = note("maglev:a:1,b:1,c:1", "maglev:a:1,b:1,d:1").expect("a note");
    let expected = "1 of 3 nodes have another address, and the policy hashes addresses";
    assert!(hashed.starts_with(expected), "{hashed}");
    let kept = note("modula:a:1,b:1", "modula:c:1,d:1").expect("a note");
    assert!(
        kept.contains("2 of 2 nodes") && kept.contains("each keeps its keys"),
        "{kept}"
    );
    for (from, to) in [
        ("maglev:a:1,b:1", "maglev:a:1,b:1"),
        ("maglev:a:1,b:1", "maglev:b:1,a:1"),
        ("maglev:a:1,b:1", "ring_hash:a:1,c:1"),
        ("maglev:a:1,b:1", "maglev:a:1,b:1,c:1"),
        ("maglev:a:1,b:1", "maglev:a:1,c:1*2"),
    ] {
        assert_eq!(note(from, to), None, "{from} {to}");
    }
}

#[test]
fn the_expectation_is_that_of_the_shares() {
    let four = plan(&nodes("maglev", 3), &nodes("maglev", 4), keys(100));
    near(four.expected_minimum_share, 0.25);
    let heavier = plan("maglev:a:1,b:1", "maglev:a:1*3,b:1", keys(100));
    near(heavier.expected_minimum_share, 0.25);
    let moved_house = plan("maglev:a:1", "maglev:b:1", keys(100));
    near(moved_house.minimum_share, 1.0);
    assert_eq!((moved_house.moved, moved_house.unforced), (100, 0));
}

/// The moves are never fewer than the minimum, and the minimum is the sum of what the counted nodes gain.
#[test]
fn the_minimum_is_that_of_the_counted_keys() {
    for policy in ["ketama", "maglev", "modula", "rendezvous"] {
        for count in [1, 2, 10, 1999] {
            let plan = plan(&nodes(policy, 2), &nodes(policy, 3), keys(count));
            let gains = plan.nodes.iter().map(|node| {
                node.after
                    .unwrap_or(0)
                    .saturating_sub(node.before.unwrap_or(0))
            });
            assert_eq!(plan.minimum, gains.sum::<u64>(), "{policy} {count}");
            assert!(plan.minimum <= plan.moved, "{policy} {count}: {plan:?}");
        }
    }
}

#[test]
fn nothing_moves_without_a_change_and_order_is_none() {
    let same = plan("maglev:a:1,b:1", "maglev:b:1,a:1", keys(1000));
    assert_eq!((same.moved, same.unforced), (0, 0));
    assert!(same.minimum_share.is_sign_positive());
    assert_eq!(same.flows, []);
}

/// The same nodes, another policy, another digest.
#[test]
fn a_change_of_policy_is_a_change() {
    let plan = plan(&nodes("maglev", 4), &nodes("ketama", 4), keys(10_000));
    assert_eq!(plan.moved, plan.unforced);
    assert!(plan.moved_share > 0.6, "{}", plan.moved_share);
}

/// 10,000 keys are all in the sample, so it agrees with the plan.
#[test]
fn the_alternatives_agree_with_the_plan() {
    let plan = plan(&nodes("maglev", 3), &nodes("maglev", 4), keys(10_000));
    let alternatives = &plan.alternatives;
    assert!(alternatives.all_keys && alternatives.keys == 10_000);
    let of = |name: &str| {
        let mut policies = alternatives.policies.iter();
        policies.find(|other| other.policy == name).unwrap()
    };
    near(of("maglev").moved_share.unwrap(), 0.2535);
    assert_eq!(of("maglev").balance, Some(plan.balance_after));
    near(of("ring_hash").moved_share.unwrap(), 0.356);
    assert!(
        !alternatives
            .policies
            .iter()
            .any(|other| other.policy == "random")
    );
}

#[test]
fn a_policy_without_weights_refuses_them() {
    let plan = plan("maglev:a:1*2,b:1", "maglev:a:1*2,b:1,c:1", keys(100));
    let refused: Vec<&str> = plan
        .alternatives
        .policies
        .iter()
        .filter(|other| other.moved_share.is_none())
        .filter_map(|other| other.note.as_deref())
        .collect();
    assert_eq!(
        refused,
        [
            "node a:1 has weight 2, but policy slots does not support weights",
            "node a:1 has weight 2, but policy jump does not support weights"
        ]
    );
}

#[test]
fn tags_are_counted_where_they_are_on_and_where_they_are_not() {
    let tagged = || (0..100).map(|number| format!("{{{}}}:{number}", number % 2));
    let on = plan("maglev/hash_tags:a:1", "maglev/hash_tags:a:1,b:1", tagged());
    let tags = on.hot_tags.unwrap();
    assert!(tags.on && tags.keys == 100 && tags.top.len() == 2);
    let off = plan("maglev:a:1", "maglev:a:1,b:1", tagged());
    assert!(!off.hot_tags.unwrap().on);
    assert_eq!(
        plan("maglev:a:1", "maglev:a:1,b:1", keys(10)).hot_tags,
        None
    );
}

/// However keys are shared out, the report is the same.
#[test]
fn counts_add_up() {
    let change = Change::new(
        described(&nodes("maglev", 3)),
        described(&nodes("ketama/hash=md5", 4)),
    )
    .unwrap();
    let mut parts = change.counts();
    for part in 0..3 {
        let keys = keys(10_000).skip(part).step_by(3);
        parts.add(counted(&change, keys));
    }
    let report = |counts| Report::new(&change, counts, ["a", "b", "c"], Detail::Table);
    assert_eq!(report(parts), report(counted(&change, keys(10_000))));
}

#[test]
fn curves_go_from_2_to_64_nodes() {
    let change = Change::new(
        described("maglev/table_size=251:a:1"),
        described("maglev/table_size=251:a:1,b:1"),
    )
    .unwrap();
    let counts = counted(&change, keys(200));
    let report = Report::new(&change, counts, ["a", "b", "c"], Detail::Curves);
    let curves = report.curves.unwrap();
    assert_eq!(curves.len(), Policy::compared().count());
    for curve in curves {
        assert_eq!(curve.points.len(), 63, "{}", curve.policy);
        let (first, last) = (curve.points[0], curve.points[62]);
        assert_eq!((first.nodes, last.nodes), (2, 64));
        if curve.policy == "maglev" {
            assert!(first.moved_share > 0.25 && first.moved_share < 0.45);
            assert!(last.moved_share < 0.2, "{last:?}");
        }
        if curve.policy == "modula" {
            assert!(last.moved_share > 0.9, "{last:?}");
        }
    }
}
