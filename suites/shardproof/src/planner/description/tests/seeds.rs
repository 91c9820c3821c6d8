//! A Redis Cluster: its seeds in a file of Envoy, and the cluster that their answer makes of it.

use ::placement::{Node, Placement, Policy};

use super::{cluster, none, read, redis, resolving, tags};
use crate::planner::description::{Description, Hints, Seeds, SlotRange, inline, read_description};

/// A file with a cluster of this type, and some settings of it.
fn file(settings: &str) -> String {
    let config = "{\"@type\": type.googleapis.com/google.protobuf.Struct, value: {}}";
    redis(&format!(
        "      cluster_type: {{name: envoy.clusters.redis, typed_config: {config}}}\n{settings}",
    ))
}

#[track_caller]
fn seeds(hints: &Hints) -> Seeds {
    let text = file("      lb_policy: CLUSTER_PROVIDED\n").replace("10.0.0.2", "redis-b");
    match read_description(&text, "file", hints) {
        Ok(Description::RedisCluster(seeds)) => seeds,
        other => panic!("read {other:?}"),
    }
}

fn range(first: u16, last: u16, host: &str) -> SlotRange {
    SlotRange {
        first,
        last,
        host: host.to_owned(),
        port: 6379,
    }
}

/// The file names only where Envoy starts to ask for the slots.
#[test]
fn the_file_alone_has_no_placement() {
    let text = file("      lb_policy: CLUSTER_PROVIDED\n");
    let error = read(&text, "file", &none()).unwrap_err().to_string();
    assert!(error.starts_with("file:10: "), "{error}");
    for part in ["envoy.clusters.redis", "policy: slots", "CLUSTER SLOTS"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn seeds_are_the_endpoints_with_names_as_hints_resolve_them() {
    let addresses = |hints: &Hints| seeds(hints).addresses;
    assert_eq!(addresses(&none()), ["10.0.0.1:6379", "redis-b:6379"]);
    let two = resolving(&[("redis-b", [10, 0, 0, 3]), ("redis-b", [10, 0, 0, 4])]);
    assert_eq!(
        addresses(&two),
        ["10.0.0.1:6379", "10.0.0.3:6379", "10.0.0.4:6379"]
    );
}

#[test]
fn reads_of_replicas_are_noted() {
    let notes = |settings: &str| {
        let text = file("      lb_policy: CLUSTER_PROVIDED\n");
        let filter = format!("settings: {{op_timeout: 5s{settings}}}\n          prefix_routes:");
        let text = text.replacen("prefix_routes:", &filter, 1);
        match read_description(&text, "file", &none()) {
            Ok(Description::RedisCluster(seeds)) => seeds.notes,
            other => panic!("read {other:?} from {text}"),
        }
    };
    for settings in ["", ", read_policy: MASTER", ", readPolicy: 0"] {
        assert_eq!(notes(settings), [""; 0], "{settings}");
    }
    for settings in [", read_policy: REPLICA", ", readPolicy: 2"] {
        let expected =
            "read_policy REPLICA: reads may go to replicas, which may not have the last writes";
        assert_eq!(notes(settings), [expected], "{settings}");
    }
}

/// Under any other policy Envoy places keys over all nodes that it found.
#[test]
fn other_policies_and_no_hash_tags_are_refused() {
    let provided = "      lb_policy: CLUSTER_PROVIDED\n";
    for (settings, hints, part) in [
        (
            "",
            none(),
            "lb_policy ROUND_ROBIN: expected CLUSTER_PROVIDED",
        ),
        (
            "      lb_policy: MAGLEV\n",
            none(),
            "lb_policy MAGLEV: expected",
        ),
        (provided, tags(false), "--hash-tags off"),
        (
            "      lb_policy: CLUSTER_PROVIDED\n      load_balancing_policy: {}\n",
            none(),
            "load_balancing_policy: expected lb_policy CLUSTER_PROVIDED",
        ),
        (
            "      lb_policy: CLUSTER_PROVIDED\n      type: STATIC\n",
            none(),
            "cluster_type: type is given too",
        ),
    ] {
        let read = read_description(&file(settings), "file", &hints);
        let error = read.unwrap_err().to_string();
        assert!(
            error.starts_with("file:10: ") && error.contains(part),
            "{error}"
        );
    }
    assert!(read_description(&file(provided), "file", &tags(true)).is_ok());
}

#[test]
fn an_answer_makes_a_cluster_of_primaries_in_the_order_of_slots() {
    let answer = [
        range(5461, 16383, "10.0.0.2"),
        range(100, 5460, "redis-a"),
        range(0, 99, "10.0.0.2"),
    ];
    let hints = resolving(&[("redis-a", [10, 0, 0, 1])]);
    let described = seeds(&none()).described("s:1", &answer, &hints).unwrap();
    let mut expected = cluster(Policy::Slots, &[]);
    expected.nodes = vec![
        Node {
            slots: vec![0..=99, 5461..=16383],
            ..Node::at("10.0.0.2:6379")
        },
        Node {
            slots: vec![100..=5460],
            ..Node::at("10.0.0.1:6379")
        },
    ];
    assert_eq!(described.cluster, expected);
    assert_eq!(described.reach, ["10.0.0.2:6379", "10.0.0.1:6379"]);
    assert!(described.has_given_slots());
    let even = inline("slots:10.0.0.1:6379,10.0.0.2:6379", &none()).unwrap();
    assert!(!even.has_given_slots());
    // CLUSTER KEYSLOT foo is 12182, and that of {bar}foo is 5061.
    let placement = Placement::new(&described.cluster).unwrap();
    assert_eq!(placement.node(b"foo").index(), 0);
    assert_eq!(placement.node(b"{bar}foo").index(), 1);
}

#[test]
fn slots_without_one_owner_are_refused_with_the_seed() {
    let all = range(0, 16383, "10.0.0.1");
    for (answer, part) in [
        (vec![], "no nodes"),
        (vec![range(1, 16383, "10.0.0.1")], "slot 0 has no node"),
        (
            vec![all.clone(), range(7, 7, "10.0.0.2")],
            "slot 7 has two nodes",
        ),
        (
            vec![range(0, 16384, "10.0.0.1")],
            "slot 16384 does not exist",
        ),
    ] {
        let error = seeds(&none())
            .described("s:1", &answer, &none())
            .unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with("file:10: seed s:1 answers CLUSTER SLOTS"),
            "{error}"
        );
        assert!(
            error.contains(part) && error.contains("16384 slots"),
            "{error}"
        );
    }
}
