//! Redis Cluster's slots.

use crate::{Cluster, Error, Node, Placement, Policy};

fn owning(runs: &[std::ops::RangeInclusive<u16>]) -> Vec<Node> {
    (1..)
        .zip(runs)
        .map(|(port, run)| Node {
            slots: vec![run.clone()],
            ..Node::at(format!("127.0.0.1:{port}"))
        })
        .collect()
}

fn slots(nodes: Vec<Node>) -> Result<Placement, Error> {
    Placement::new(&Cluster::new(Policy::Slots, nodes))
}

/// As `CLUSTER KEYSLOT` of Redis 7.0.15 answers.
#[test]
fn keys_have_the_slots_of_redis() {
    let placement = slots(owning(&[0..=16383])).unwrap();
    for (key, slot) in [
        (&b"foo"[..], 12_182),
        (b"bar", 5_061),
        (b"user1000", 3_443),
        (b"{user1000}.following", 3_443),
        (b"", 0),
        (b"123456789", 12_739),
        (b"foo{}{bar}", 8_363),
    ] {
        assert_eq!(placement.digest(key), slot, "{}", key.escape_ascii());
    }
}

/// As `redis-cli --cluster create` deals them.
#[test]
fn slots_are_dealt_evenly_by_default() {
    for (count, last) in [
        (1, vec![16_383]),
        (3, vec![5_460, 10_922, 16_383]),
        (5, vec![3_276, 6_553, 9_829, 13_106, 16_383]),
        (6, vec![2_730, 5_460, 8_191, 10_922, 13_652, 16_383]),
    ] {
        let nodes = (1..=count).map(|port| Node::at(format!("127.0.0.1:{port}")));
        let owners: Vec<_> = slots(nodes.collect()).unwrap().entries().collect();
        let ends = (0..count).map(|node| {
            let end = owners.iter().rfind(|(_, owner)| owner.index() == node);
            end.unwrap().0
        });
        assert_eq!(ends.collect::<Vec<_>>(), last, "{count} nodes");
    }
}

#[test]
fn slots_without_one_owner_are_refused() {
    for (runs, expected) in [
        (
            vec![0..=8_000, 8_002..=16_383],
            Error::SlotWithoutNode(8_001),
        ),
        (vec![0..=8_000, 8_000..=16_383], Error::SlotTwice(8_000)),
        (vec![0..=8_000, 8_001..=16_384], Error::NoSuchSlot(16_384)),
    ] {
        assert_eq!(slots(owning(&runs)), Err(expected));
    }
    let weighted = Node {
        weight: 2,
        ..Node::at("a:1")
    };
    assert_eq!(
        slots(vec![weighted]),
        Err(Error::Unweighted {
            node: "a:1".to_owned(),
            weight: 2,
            policy: "slots"
        })
    );
}
