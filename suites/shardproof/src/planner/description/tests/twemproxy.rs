//! Twemproxy's pools.

use ::placement::Policy;
use ::placement::hash::{Digest, TagRule};

use super::{POOL, check, cluster, none, picking, read, wrong};

#[test]
fn a_pool_of_twemproxy() {
    let mut expected = cluster(
        Policy::Modula {
            digest: Digest::Md5,
        },
        &["127.0.0.1:6379", "redis-b:6380", "/run/c.sock"],
    );
    expected.tags = TagRule::BRACES;
    for (node, weight) in expected.nodes.iter_mut().zip(1..) {
        node.weight = weight;
    }
    expected.nodes[1].name = Some("second".to_owned());
    expected.nodes[1].hash_key = Some("second".to_owned());
    check(POOL, &none(), expected);
    let least = "p:\n  listen: a:2\n  servers:\n  - a:1:1\n";
    check(least, &none(), cluster(Policy::ketama(), &["a:1"]));
}

#[test]
fn one_pool_of_several_is_asked_for() {
    let two = format!("{POOL}beta:\n  listen: a:2\n  servers:\n  - a:1:1\n");
    wrong(
        &two,
        &none(),
        "file: several pools hold keys: alpha, beta; choose one with --cluster-name",
    );
    check(&two, &picking("beta"), cluster(Policy::ketama(), &["a:1"]));
}

#[test]
fn mistakes_in_a_pool_are_reported() {
    for (from, to, expected) in [
        (
            "modula",
            "random",
            "file:3: distribution random is not a placement over several nodes: every request may go to another one, and keys scatter; \
             where health checks leave only one in use, describe that one, as random:HOST:PORT",
        ),
        (
            "modula",
            "maglev",
            "file:3: distribution `maglev`: expected ketama, modula or random",
        ),
        (
            "md5",
            "MD5",
            "file:3: hash `MD5`: expected one of crc16, crc32, crc32a, fnv1_32, fnv1_64, fnv1a_32, fnv1a_64, hsieh, jenkins, md5, murmur, \
             one_at_a_time",
        ),
        (
            "'{}'",
            "'{'",
            "file:3: hash_tag `{`: expected two characters",
        ),
        (
            "127.0.0.1:6379:1",
            "127.0.0.1:6379",
            "file:9: server `127.0.0.1:6379`: expected HOST:PORT:WEIGHT or /PATH:WEIGHT, optionally followed by a name",
        ),
        (
            "127.0.0.1:6379:1",
            "127.0.0.1:6379:0",
            "file:3: node 127.0.0.1:6379 has weight 0, expected at least 1",
        ),
        (
            "redis-b:6380:2 second",
            "127.0.0.1:6379:1",
            "file:3: two nodes have the hash key `127.0.0.1:6379`, expected a different one for each node",
        ),
    ] {
        wrong(&POOL.replace(from, to), &none(), expected);
    }
    wrong(
        "alpha:\n  listen: a:1\n  servers:\n",
        &none(),
        "file:3: servers: expected a list, one server per line",
    );
}

#[test]
fn one_bad_pool_does_not_hide_the_others() {
    let two = format!("{POOL}bad:\n  hash: none\n  distributon: x\n  servers:\n  - x\n");
    assert!(read(&two, "file", &picking("alpha")).is_ok());
    wrong(
        &two,
        &picking("bad"),
        "file:14: unknown field `distributon` in a pool, did you mean `distribution`?",
    );
}

#[test]
fn ejection_is_noted() {
    let notes = |setting: &str| {
        let pool = format!("{POOL}  auto_eject_hosts: {setting}\n");
        read(&pool, "file", &none()).expect("a pool").notes
    };
    let note = "auto_eject_hosts: while a node is out, other nodes get its keys, and the values that it still has are stale when it \
                returns";
    assert_eq!(notes("true"), [note]);
    assert_eq!(notes("false"), [""; 0]);
}
