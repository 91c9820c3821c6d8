//! Refproxy's file, and descriptions in one word.

use ::placement::hash::TagRule;
use ::placement::{Policy, RING_SIZE_MAX, RingFunction};

use super::{ADDRS, check, cluster, none, resolving, wrong};
use crate::planner::description::{inline, is_inline};

#[test]
fn refproxys_file_whole_or_in_part() {
    let part = "{policy: ring_hash, hash_tags: '$$', nodes: [{address: '10.0.0.1:6379'}, {address: '10.0.0.2:6379'}]}";
    let mut expected = cluster(Policy::ring_hash(), &ADDRS);
    expected.tags = TagRule::Between(b'$', b'$');
    check(part, &none(), expected.clone());
    check(
        &format!("listen: 127.0.0.1:1\ncluster: {part}\n"),
        &none(),
        expected,
    );
    let merged = "nodes: &nodes [{address: '10.0.0.1:6379'}, {address: '10.0.0.2:6379'}]\n<<: {policy: maglev}\n";
    check(merged, &none(), cluster(Policy::maglev(), &ADDRS));
    wrong(
        "listen: 127.0.0.1:1\ncluster:\n  policy: maglev\n  nodes: []\n",
        &none(),
        "file:3: the cluster has no nodes",
    );
    wrong(
        "policy: maglev\nnodes:\n- {adress: 'a:1'}\n",
        &none(),
        "file:3: nodes[0].adress: unknown field `adress`, expected one of address, weight, name, hostname, hash_key, \
         health, priority, locality, slots",
    );
}

#[test]
fn one_word_describes_a_cluster() {
    let described = inline("maglev:10.0.0.1:6379,10.0.0.2:6379", &none()).unwrap();
    assert_eq!(described.cluster, cluster(Policy::maglev(), &ADDRS));
    assert_eq!(described.reach, ADDRS);

    let text =
        "ring_hash/minimum_ring_size=8/hash_tags:10.0.0.1:6379*2,127.0.0.1:7002=redis-b:6379*3";
    let described = inline(text, &resolving(&[("redis-b", [10, 0, 0, 2])])).unwrap();
    let policy = Policy::RingHash {
        size_min: 8,
        size_max: RING_SIZE_MAX,
        function: RingFunction::XxHash,
        hash_hostnames: false,
    };
    let mut expected = cluster(policy, &ADDRS);
    expected.tags = TagRule::BRACES;
    expected.nodes[0].weight = 2;
    expected.nodes[1].weight = 3;
    assert_eq!(described.cluster, expected);
    assert_eq!(described.reach, ["10.0.0.1:6379", "127.0.0.1:7002"]);
}

#[test]
fn a_path_is_no_description_in_one_word() {
    for text in ["maglev:a:1", "ketama/hash=md5:a:1", "slots:"] {
        assert!(is_inline(text), "{text}");
    }
    for text in [
        "maglev.yaml",
        "./maglev:a",
        "maglevs:a",
        "a/maglev:b",
        "maglev",
        "",
    ] {
        assert!(!is_inline(text), "{text}");
    }
}

#[test]
fn mistakes_in_one_word_are_reported() {
    for (text, why) in [
        ("maglev:", "the cluster has no nodes"),
        (
            "maglev:a:1,a:1",
            "two nodes have the hash key `a:1`, expected a different one for each node",
        ),
        ("maglev:a:1*0", "node a:1 has weight 0, expected at least 1"),
        (
            "maglev:a:1*x",
            "node `a:1*x`: expected a whole number after *",
        ),
        ("maglev:a", "node `a`: expected host:port or unix:/path"),
        (
            "maglev/table_size=65536:a:1",
            "maglev table size 65536, expected a prime from 2 to 5000011",
        ),
        (
            "random:a:1,b:1",
            "policy random does not place keys: each request can go to any node",
        ),
        (
            "jump:a:1,b:1*2",
            "node b:1 has weight 2, but policy jump does not support weights",
        ),
        (
            "consistent:a:1",
            "policy `consistent`: expected one of maglev, ring_hash, ketama, modula, random, predixy, slots, libketama, jump, rendezvous",
        ),
    ] {
        let found = inline(text, &none()).unwrap_err().to_string();
        assert_eq!(found, format!("{text}: {why}"));
    }
}
