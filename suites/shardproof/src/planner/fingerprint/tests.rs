//! Hidden clusters whose placement answers for the proxy: each is found, and a placement of no policy is not.

use std::collections::{BTreeSet, HashMap};

use placement::hash::{Digest, TagRule};
use placement::{Cluster, Node, Placement, Policy, RING_SIZE_MAX, RingFunction};

use super::{Failure, Finding, Found, Known, Naming, Observer, Outcome, Query, identify};

/// A proxy that is one function, over nodes that remember.
struct Double<F> {
    place: F,
    writes: usize,
    held: HashMap<Vec<u8>, BTreeSet<usize>>,
}

impl<F: FnMut(&[u8], usize) -> usize> Observer for Double<F> {
    type Error = std::convert::Infallible;

    fn write(&mut self, keys: &[Vec<u8>], times: usize) -> Result<Vec<Vec<usize>>, Self::Error> {
        for key in keys {
            for _ in 0..times {
                let place = (self.place)(key, self.writes);
                self.writes += 1;
                self.held.entry(key.clone()).or_default().insert(place);
            }
        }
        let on = |key: &Vec<u8>| {
            self.held[key]
                .iter()
                .copied()
                .filter(|place| *place < NOWHERE)
        };
        Ok(keys.iter().map(|key| on(key).collect()).collect())
    }
}

/// A node that is not read.
const NOWHERE: usize = 1000;

fn double<F: FnMut(&[u8], usize) -> usize>(place: F) -> Double<F> {
    Double {
        place,
        writes: 0,
        held: HashMap::new(),
    }
}

/// `count` nodes on the ports from 21001 on, called as their numbers.
pub(super) fn question(count: u16) -> Query {
    let node = |number: u16| Known {
        seen: format!("127.0.0.1:{}", 21_000 + number),
        reached: format!("127.0.0.1:{}", 7000 + number),
        name: Some(format!("redis-{number}")),
    };
    Query {
        nodes: (1..=count).map(node).collect(),
        weights: None,
        tags: Vec::new(),
        table_sizes: Vec::new(),
        ring_sizes: Vec::new(),
        keys_max: 4096,
        prefix: "probe".to_owned(),
        seed: 7,
    }
}

/// A cluster of the question's nodes as the proxy sees them.
fn cluster(policy: Policy, weights: &[u32]) -> Cluster {
    let node = |(number, weight): (usize, &u32)| {
        let mut node = Node::at(format!("127.0.0.1:{}", 21_001 + number));
        node.weight = *weight;
        node
    };
    Cluster::new(policy, weights.iter().enumerate().map(node).collect())
}

/// Investigates a hidden cluster whose nodes are, in its own order, those of the question at `order`.
fn investigate(hidden: &Cluster, order: &[usize], question: &Query) -> Finding {
    let placement = Placement::new(hidden).unwrap();
    let mut double = double(|key: &[u8], _| order[placement.node(key).index()]);
    identify(question, &mut double, &|_| ()).unwrap()
}

#[track_caller]
fn found(finding: &Finding) -> &Found {
    match &finding.outcome {
        Outcome::Found(found) => found,
        other => panic!("{other:?}, nearest {:#?}", finding.nearest),
    }
}

/// The hidden cluster is found, with every parameter, without alternatives.
#[track_caller]
fn check(hidden: &Cluster, question: &Query) -> Finding {
    let order: Vec<usize> = (0..hidden.nodes.len()).collect();
    let finding = investigate(hidden, &order, question);
    let found = found(&finding);
    assert_eq!(found.undecided, [""; 0], "{finding:#?}");
    assert_eq!(found.cluster, *hidden, "{finding:#?}");
    println!(
        "{:?} {} keys, {} needed, {} tried, alike {:?}",
        hidden.policy, finding.keys, finding.needed, finding.tried, found.alike
    );
    finding
}

fn maglev(table_size: u32) -> Policy {
    Policy::Maglev {
        table_size,
        hash_hostnames: false,
    }
}

fn ring(size_min: u32, size_max: u32, function: RingFunction) -> Policy {
    Policy::RingHash {
        size_min,
        size_max,
        function,
        hash_hostnames: false,
    }
}

#[test]
fn usual_placements_are_found_by_few_keys() {
    for policy in [
        Policy::maglev(),
        Policy::ring_hash(),
        Policy::ketama(),
        Policy::modula(),
    ] {
        let finding = check(&cluster(policy, &[1; 3]), &question(3));
        assert!(finding.keys < 500, "{}", finding.keys);
    }
}

#[test]
fn every_digest_is_found() {
    for digest in Digest::all() {
        check(&cluster(Policy::Modula { digest }, &[1; 5]), &question(5));
        // All keys are on one node, which proves nothing.
        if digest != Digest::Crc32 {
            check(&cluster(Policy::Ketama { digest }, &[1; 5]), &question(5));
        }
    }
}

#[test]
fn sizes_of_tables_and_rings_are_found() {
    for size in [7, 251, 997, 4093, 65_521] {
        check(&cluster(maglev(size), &[1; 3]), &question(3));
    }
    for size in [64, 1000, 4096] {
        check(
            &cluster(ring(size, RING_SIZE_MAX, RingFunction::XxHash), &[1; 4]),
            &question(4),
        );
    }
    check(
        &cluster(ring(1024, RING_SIZE_MAX, RingFunction::Murmur2), &[1; 4]),
        &question(4),
    );
}

#[test]
fn an_unusual_size_is_found_by_climbing() {
    let hidden = cluster(ring(3 * 1234, RING_SIZE_MAX, RingFunction::XxHash), &[1; 3]);
    check(&hidden, &question(3));
    let hidden = cluster(ring(50, 50, RingFunction::XxHash), &[1; 3]);
    check(&hidden, &question(3));
}

/// One point a node more or less moves a key in a thousand: only keys that are chosen for it tell.
#[test]
fn the_ring_next_to_the_usual_one_is_not_taken_for_it() {
    for (size, nodes) in [
        (1021, 3),
        (1027, 3),
        (1020, 4),
        (1028, 4),
        (1022, 2),
        (1026, 2),
    ] {
        let hidden = ring(size, RING_SIZE_MAX, RingFunction::XxHash);
        let hidden = cluster(hidden, &vec![1; nodes]);
        let order: Vec<usize> = (0..nodes).collect();
        let finding = investigate(&hidden, &order, &question(nodes as u16));
        let found = found(&finding);
        let (least, most) = found.same_ring.unwrap();
        assert!((least..=most).contains(&size), "{finding:#?}");
        assert!(!(least..=most).contains(&1024) && found.undecided.is_empty());
    }
}

#[test]
fn a_table_size_of_the_user_is_tried() {
    let mut question = question(3);
    question.table_sizes = vec![7919];
    check(&cluster(maglev(7919), &[1; 3]), &question);
}

#[test]
fn weights_are_found() {
    let weights = [1, 2, 3];
    check(&cluster(Policy::maglev(), &weights), &question(3));
    check(&cluster(Policy::ketama(), &weights), &question(3));
    check(&cluster(Policy::modula(), &weights), &question(3));
    check(&cluster(Policy::ring_hash(), &weights), &question(3));
    check(&cluster(maglev(251), &[5, 1, 1, 10]), &question(4));
    let odd = ring(13 * 100, RING_SIZE_MAX, RingFunction::XxHash);
    check(&cluster(odd, &[4, 2, 7]), &question(3));
    let digest = Digest::Murmur;
    check(&cluster(Policy::Modula { digest }, &[2, 2]), &question(2));
    check(&cluster(Policy::Ketama { digest }, &[3, 10]), &question(2));
}

#[test]
fn weights_of_the_user_are_taken() {
    let mut question = question(3);
    question.weights = Some(vec![29, 41, 50]);
    check(&cluster(Policy::ketama(), &[29, 41, 50]), &question);
}

/// Two programs that count points a little differently: for most weights they are one and the same.
#[test]
fn libketama_is_distinguished_from_ketama() {
    let digest = Digest::Md5;
    let finding = check(&cluster(Policy::Ketama { digest }, &[1; 3]), &question(3));
    assert_eq!(found(&finding).alike, ["libketama"]);
    let mut question = question(3);
    question.weights = Some(vec![29, 41, 50]);
    let finding = check(&cluster(Policy::Libketama, &[29, 41, 50]), &question);
    assert_eq!(found(&finding).alike, [""; 0]);
}

#[test]
fn names_are_found_where_they_are_given() {
    for policy in [Policy::maglev(), Policy::ketama(), Policy::modula()] {
        let mut hidden = cluster(policy, &[1; 3]);
        for (node, number) in hidden.nodes.iter_mut().zip(1..) {
            // The names sort differently from the addresses.
            node.hash_key = Some(format!("redis-{}", 9 - number));
            node.name.clone_from(&node.hash_key);
        }
        let mut question = question(3);
        for (known, node) in question.nodes.iter_mut().zip(&hidden.nodes) {
            known.name.clone_from(&node.name);
        }
        let finding = check(&hidden, &question);
        assert_eq!(found(&finding).naming, Naming::Given);
    }
}

#[test]
fn host_names_are_found() {
    let mut question = question(3);
    let mut hidden = cluster(
        Policy::Maglev {
            table_size: 65_537,
            hash_hostnames: true,
        },
        &[1; 3],
    );
    for (number, (known, node)) in question.nodes.iter_mut().zip(&mut hidden.nodes).enumerate() {
        known.seen = format!("redis{number}:6379");
        node.address.clone_from(&known.seen);
        node.hostname = Some(format!("redis{number}"));
    }
    assert_eq!(found(&check(&hidden, &question)).naming, Naming::Host);
}

#[test]
fn tags_are_found() {
    for tags in [
        TagRule::BRACES,
        TagRule::Between(b'$', b'$'),
        TagRule::Between(b'<', b'>'),
    ] {
        for policy in [Policy::maglev(), Policy::ketama(), Policy::Jump] {
            let mut hidden = cluster(policy, &[1; 3]);
            hidden.tags = tags;
            let mut question = question(3);
            question.tags = vec![TagRule::Between(b'$', b'$'), TagRule::Between(b'<', b'>')];
            let finding = check(&hidden, &question);
            assert_eq!(found(&finding).alike, [""; 0]);
        }
    }
}

/// The order of nodes matters only for a ring that is cut.
#[test]
fn the_order_is_found_where_it_matters() {
    let hidden = cluster(ring(100, 100, RingFunction::XxHash), &[1; 3]);
    let mut reversed = hidden.clone();
    reversed.nodes.reverse();
    let finding = investigate(&reversed, &[2, 1, 0], &question(3));
    assert_eq!(found(&finding).order[0], 2, "{finding:#?}");
    assert_eq!(found(&finding).cluster, reversed);

    let mut reversed = cluster(Policy::ring_hash(), &[1, 2, 3]);
    reversed.nodes.reverse();
    let finding = investigate(&reversed, &[2, 1, 0], &question(3));
    assert_eq!(found(&finding).cluster.nodes.len(), 3);
}

#[test]
fn numbered_nodes_are_put_in_order() {
    for policy in [Policy::Slots, Policy::Jump] {
        let hidden = cluster(policy.clone(), &[1; 5]);
        let finding = investigate(&hidden, &[3, 0, 4, 2, 1], &question(5));
        assert_eq!(found(&finding).order, [3, 0, 4, 2, 1]);
        assert_eq!(found(&finding).cluster.policy, policy);
    }
}

#[test]
fn all_keys_on_one_node_are_reported_as_weak_evidence() {
    let digest = Digest::Crc32;
    let hidden = cluster(Policy::Ketama { digest }, &[1; 3]);
    let finding = investigate(&hidden, &[0, 1, 2], &question(3));
    let found = found(&finding);
    assert!(!found.alike.is_empty(), "{finding:#?}");
}

/// As behind a proxy that has only one node.
#[test]
fn keys_on_one_node_have_no_far_fetched_explanation() {
    let finding = identify(&question(3), &mut double(|_: &[u8], _| 1), &|_| ()).unwrap();
    assert_eq!(finding.outcome, Outcome::Unexplained);
    assert!(finding.keys < 300, "{}", finding.keys);
}

/// The remainder of a CRC-32 of tags between braces, as many home-made proxies have it, over nodes in another order.
#[test]
fn a_home_made_placement_is_found_with_its_tags() {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
    let place = |key: &[u8], _| {
        let part = placement::hash::hashed_part(TagRule::BRACES, key);
        [1, 2, 0][crc.checksum(part) as usize % 3]
    };
    let finding = identify(&question(3), &mut double(place), &|_| ()).unwrap();
    let Outcome::HomeMade(found) = &finding.outcome else {
        panic!("{finding:#?}");
    };
    assert_eq!(found.digest, "crc32");
    assert_eq!(found.rule, "remainder of a division by 3");
    assert_eq!(found.numbers, Some(vec![vec![2], vec![0], vec![1]]));
    assert_eq!(found.tags, "tags between `{` and `}`");
}

#[test]
fn a_placement_of_no_policy_is_not_found() {
    // Another seed of the key digest, as it were.
    let salted = |key: &[u8], _| {
        let salted = [b"salt", key].concat();
        (placement::hash::murmur2_64(&salted) % 3) as usize
    };
    let finding = identify(&question(3), &mut double(salted), &|_| ()).unwrap();
    assert_eq!(finding.outcome, Outcome::Unexplained);
    assert!(finding.nearest[0].explained < 0.6, "{finding:#?}");
    assert!((0.32..0.36).contains(&finding.chance), "{finding:#?}");
    assert!(finding.quality.balance.p_value > 0.001, "{finding:#?}");
}

/// If one key in a hundred is elsewhere, that is no explanation, and the closest candidate is named.
#[test]
fn the_nearest_is_named_with_its_share() {
    let placement = Placement::new(&cluster(Policy::maglev(), &[1; 3])).unwrap();
    let nearly = |key: &[u8], _| {
        let place = placement.node(key).index();
        let moved = (placement::hash::murmur2_64(key) / 65_537).is_multiple_of(100);
        (place + usize::from(moved)) % 3
    };
    let finding = identify(&question(3), &mut double(nearly), &|_| ()).unwrap();
    assert_eq!(finding.outcome, Outcome::Unexplained);
    let nearest = &finding.nearest[0];
    assert_eq!(nearest.cluster.policy, Policy::maglev());
    assert!(
        (0.97..1.0).contains(&nearest.explained),
        "{}",
        nearest.explained
    );
}

#[test]
fn keys_that_scatter_are_no_placement() {
    let round_robin = |_: &[u8], writes: usize| writes % 2;
    let finding = identify(&question(2), &mut double(round_robin), &|_| ()).unwrap();
    assert!(
        matches!(finding.outcome, Outcome::Scatter { rewritten: 16, scattered } if scattered > 8),
        "{:?}",
        finding.outcome
    );
}

#[test]
fn a_missing_node_is_reported() {
    let placement = Placement::new(&cluster(Policy::maglev(), &[1; 4])).unwrap();
    let four = |key: &[u8], _| match placement.node(key).index() {
        3 => NOWHERE,
        place => place,
    };
    let failure = identify(&question(3), &mut double(four), &|_| ()).unwrap_err();
    assert!(
        matches!(failure, Failure::Missing { missing, written: 64 } if missing > 5),
        "{failure}"
    );
    let failure = identify(&question(1), &mut double(|_: &[u8], _| 0), &|_| ()).unwrap_err();
    assert_eq!(failure, Failure::Nothing);
}

#[test]
fn candidates_that_too_few_keys_leave_open_are_reported() {
    let mut question = question(3);
    question.keys_max = 100;
    let finding = investigate(
        &cluster(Policy::ring_hash(), &[1; 3]),
        &[0, 1, 2],
        &question,
    );
    let found = found(&finding);
    assert!(!found.undecided.is_empty(), "{finding:#?}");
    let open = "ring_hash by XX_HASH, minimum ring size 1021".to_owned();
    assert!(found.undecided.contains(&open), "{:?}", found.undecided);
}

#[test]
fn no_more_keys_are_written_than_allowed() {
    let mut question = question(3);
    question.keys_max = 100;
    let hidden = cluster(Policy::maglev(), &[1, 2, 3]);
    let finding = investigate(&hidden, &[0, 1, 2], &question);
    assert_eq!(finding.keys, 100);
}

#[test]
fn many_nodes_with_weights_are_found() {
    let weights = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    check(&cluster(Policy::maglev(), &weights), &question(9));
    check(&cluster(Policy::modula(), &weights), &question(9));
    check(&cluster(Policy::ketama(), &weights), &question(9));
    check(&cluster(Policy::ring_hash(), &weights), &question(9));
    let weights = [10, 1, 1, 7, 3, 2, 2];
    for seed in [2000, 5000, 8000] {
        let mut question = question(7);
        question.seed = seed;
        check(&cluster(Policy::ring_hash(), &weights), &question);
    }
}

/// Three nodes, one of which owns two runs: as after a migration.
#[test]
fn slots_that_are_not_even_are_found_to_the_slot() {
    let mut hidden = cluster(Policy::Slots, &[1; 3]);
    hidden.tags = TagRule::BRACES;
    let runs = [
        vec![0..=4999, 16_000..=16_383],
        vec![5000..=5460],
        vec![5461..=15_999],
    ];
    for (node, runs) in hidden.nodes.iter_mut().zip(runs) {
        node.slots = runs;
    }
    let finding = check(&hidden, &question(3));
    assert!(finding.keys < 1000, "{}", finding.keys);
}
