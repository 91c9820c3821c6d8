//! Effects of a migration on keys, one promise per test.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use shardproof::fleet::{Moving, OnConflict, Proof, migrate};
use testbed::wire::Value;

use crate::fleet::nodes::{Nodes, bulk};

const NIL: Value = Value::NullBulk;

/// A value of each type, as commands on `{key}`.
const TYPES: &[(&str, &[&str])] = &[
    ("string", &["SET {key} value"]),
    ("number", &["SET {key} 42"]),
    ("list", &["RPUSH {key} a b c"]),
    // Any other set has an order of each server's own.
    ("set", &["SADD {key} 3 1 2"]),
    ("sorted set", &["ZADD {key} 1 a 2.5 b"]),
    ("hash", &["HSET {key} f v g w"]),
    (
        "stream",
        &[
            "XADD {key} 1-1 f v",
            "XADD {key} 2-1 f w",
            "XGROUP CREATE {key} group 0",
            "XREADGROUP GROUP group reader COUNT 1 STREAMS {key} >",
        ],
    ),
    ("bits", &["SETBIT {key} 100000 1"]),
    ("hyperloglog", &["PFADD {key} a b c"]),
];

pub(crate) async fn values_of_every_type_keep_their_content_and_expiry() {
    let nodes = Nodes::start(2, 0).await;
    let mut expected = Vec::new();
    for (number, (kind, commands)) in TYPES.iter().enumerate() {
        for ttl in [false, true] {
            let key = nodes.key(1, number * 2 + usize::from(ttl));
            for command in *commands {
                let answer = nodes.ask(0, &command.replace("{key}", &key)).await;
                assert!(!answer.is_error(), "{kind}: {answer}");
            }
            if ttl {
                nodes.ask(0, &format!("PEXPIRE {key} 1000000")).await;
            }
            expected.push((kind, key.clone(), dump_and_expiry(&nodes, 0, &key).await));
        }
    }
    let large = vec![b'x'; 20_000_000];
    let odd: &[&[u8]] = &[b"\0\r\n\xff", b"", b"key with spaces", &[b'k'; 3000]];
    let odd: Vec<&[u8]> = odd
        .iter()
        .copied()
        .filter(|key| nodes.fleet.right(key) == 1)
        .collect();
    assert!(odd.len() > 1, "the test shows too little");
    for key in &odd {
        nodes.ask_bytes(0, &[&b"SET"[..], key, &large]).await;
    }

    let carried = nodes.migrate().await;
    assert_eq!(
        carried.moved,
        (expected.len() + odd.len()) as u64,
        "{carried:?}"
    );
    for (kind, key, before) in expected {
        assert_eq!(dump_and_expiry(&nodes, 1, &key).await, before, "{kind}");
        assert_eq!(
            nodes.ask(0, &format!("EXISTS {key}")).await,
            Value::Integer(0)
        );
    }
    for key in odd {
        let value = nodes.ask_bytes(1, &[&b"GET"[..], key]).await;
        assert!(
            value == Value::Bulk(large.clone()),
            "{}",
            key.escape_ascii()
        );
    }
    assert!(nodes.check().await.as_expected());
}

/// Small values have one order, so their dumps are equal if they are.
async fn dump_and_expiry(nodes: &Nodes, place: usize, key: &str) -> (Value, Value) {
    (
        nodes.ask(place, &format!("DUMP {key}")).await,
        nodes.ask(place, &format!("PEXPIRETIME {key}")).await,
    )
}

/// Redis before 7.0 does not return the time of expiry of a key, only its time to live.
pub(crate) async fn without_pexpiretime_no_life_is_prolonged() {
    let nodes = Nodes::start(2, 0).await;
    nodes.ask(0, "ACL SETUSER default -pexpiretime").await;
    let expires = now_ms() + 100_000;
    for number in 0..500 {
        let key = nodes.key(1, number);
        nodes.ask(0, &format!("SET {key} v PXAT {expires}")).await;
    }
    nodes.ask(0, &format!("SET {} v", nodes.key(1, 500))).await;
    assert_eq!(nodes.migrate().await.moved, 501);
    for number in 0..500 {
        let key = nodes.key(1, number);
        let Value::Integer(at) = nodes.ask(1, &format!("PEXPIRETIME {key}")).await else {
            panic!("no time of expiry");
        };
        let early = i64::try_from(expires).unwrap() - at;
        assert!((0..1000).contains(&early), "{key} expires {early} ms early");
    }
    let key = nodes.key(1, 500);
    assert_eq!(
        nodes.ask(1, &format!("TTL {key}")).await,
        Value::Integer(-1)
    );
}

pub(crate) async fn a_key_that_expires_while_it_is_moved_is_gone_on_both() {
    let nodes = Nodes::start(2, 0).await;
    let (short, long) = (nodes.key(1, 0), nodes.key(1, 1));
    nodes.ask(0, &format!("SET {short} v PX 300")).await;
    nodes.ask(0, &format!("SET {long} v")).await;
    let carried = nodes
        .migrate_while((0, 1), async || {
            nodes.wait(0, &format!("EXISTS {short}"), ":0").await;
        })
        .await;
    assert_eq!((carried.moved, carried.gone), (1, 1), "{carried:?}");
    for place in [0, 1] {
        assert_eq!(
            nodes.ask(place, &format!("EXISTS {short}")).await,
            Value::Integer(0)
        );
    }
    assert_eq!(nodes.ask(1, &format!("GET {long}")).await, bulk("v"));
    assert_eq!(nodes.ask(0, "DBSIZE").await, Value::Integer(0));
}

pub(crate) async fn a_write_through_the_switched_proxy_wins() {
    let nodes = Nodes::start(2, 0).await;
    let (before, during) = (nodes.key(1, 0), nodes.key(1, 1));
    for key in [&before, &during] {
        nodes.ask(0, &format!("SET {key} old")).await;
    }
    nodes.ask(1, &format!("SET {before} new")).await;
    let write = format!("SET {during} new");
    let (carried, _) = nodes.migrate_late((0, 1), &write).await;
    assert_eq!((carried.moved, carried.superseded), (0, 2), "{carried:?}");
    for key in [before, during] {
        assert_eq!(nodes.ask(1, &format!("GET {key}")).await, bulk("new"));
    }
    assert_eq!(nodes.ask(0, "DBSIZE").await, Value::Integer(0));
}

pub(crate) async fn copies_of_another_value_can_be_spared() {
    let nodes = Nodes::start(2, 0).await;
    let (same, other, only) = (nodes.key(1, 0), nodes.key(1, 1), nodes.key(1, 2));
    for place in [0, 1] {
        nodes.ask(place, &format!("SET {same} same")).await;
        nodes.ask(place, &format!("SET {other} {place}")).await;
    }
    nodes.ask(0, &format!("SET {only} only")).await;
    let moving = Moving {
        stale: OnConflict::Spared,
        ..Moving::new(Proof::Unverified)
    };
    let carried = migrate(&nodes.fleet, &moving, &Arc::default())
        .await
        .unwrap();
    let counts = (carried.moved, carried.superseded, carried.spared);
    assert_eq!(counts, (1, 1, 1), "{carried:?}");
    assert_eq!(
        nodes.ask(0, "KEYS *").await,
        Value::Array(vec![bulk(&other)])
    );
    assert_eq!(nodes.ask(1, &format!("GET {other}")).await, bulk("1"));
}

pub(crate) async fn a_write_to_the_old_node_during_the_move_is_not_deleted() {
    let nodes = Nodes::start(2, 0).await;
    let (touched, spared) = (nodes.key(1, 0), nodes.key(1, 1));
    for key in [&touched, &spared] {
        nodes.ask(0, &format!("SET {key} old")).await;
    }
    let carried = nodes
        .migrate_while((0, 1), async || {
            nodes.ask(0, &format!("SET {touched} late")).await;
        })
        .await;
    assert_eq!((carried.moved, carried.contested), (1, 1), "{carried:?}");
    assert!(carried.examples[0].starts_with(&touched), "{carried:?}");
    assert_eq!(nodes.ask(0, &format!("GET {touched}")).await, bulk("late"));
    assert_eq!(nodes.ask(0, &format!("GET {spared}")).await, NIL);
    assert_eq!(nodes.ask(1, &format!("GET {spared}")).await, bulk("old"));
    assert_eq!(nodes.check().await.stale, 1);
}

/// Not promised, but reported: the right node remembers no key that it never had.
pub(crate) async fn a_key_deleted_before_its_move_is_back_and_reported() {
    let nodes = Nodes::start(2, 0).await;
    let (early, late) = (nodes.key(1, 0), nodes.key(1, 1));
    for key in [&early, &late] {
        nodes.ask(0, &format!("SET {key} old")).await;
    }
    let (carried, deleted) = nodes.migrate_late((0, 1), &format!("DEL {early}")).await;
    assert_eq!(deleted, Value::Integer(0), "the client's DEL finds no key");
    assert_eq!(carried.deletes, Some(1), "{carried:?}");
    assert_eq!(nodes.ask(1, &format!("GET {early}")).await, bulk("old"));

    // A key that is deleted after it was moved stays deleted, and without deletes of other clients none are reported.
    nodes.ask(1, &format!("DEL {late}")).await;
    let carried = nodes.migrate().await;
    assert_eq!(
        (carried.moved, carried.deletes),
        (0, Some(0)),
        "{carried:?}"
    );
    assert_eq!(nodes.ask(1, &format!("GET {late}")).await, NIL);
}

/// Nodes that give and take at once count our deletes among the others'.
pub(crate) async fn our_own_deletes_are_not_reported() {
    let nodes = Nodes::start(2, 1).await;
    for number in 0..30 {
        for place in 0..3 {
            let key = nodes.key(1 - place % 2, number * 3 + place);
            nodes.ask(place, &format!("SET {key} v")).await;
        }
    }
    let carried = nodes.migrate().await;
    assert_eq!(
        (carried.moved, carried.deletes),
        (90, Some(0)),
        "{carried:?}"
    );
}

pub(crate) async fn a_key_that_its_right_node_refuses_stays() {
    let nodes = Nodes::start(2, 0).await;
    let keys: Vec<String> = (0..250).map(|number| nodes.key(1, number)).collect();
    for key in &keys {
        nodes.ask(0, &format!("SET {key} value")).await;
    }
    nodes.ask(1, "CONFIG SET maxmemory 1").await;
    let carried = nodes.migrate().await;
    assert_eq!((carried.moved, carried.refused), (0, 250), "{carried:?}");
    assert!(carried.examples[0].contains("OOM"), "{carried:?}");
    assert_eq!(nodes.check().await.unreachable, 250);
    nodes.ask(1, "CONFIG SET maxmemory 0").await;
    assert_eq!(nodes.migrate().await.moved, 250);
    assert!(nodes.check().await.as_expected());
}

pub(crate) async fn only_misplaced_keys_are_touched() {
    let nodes = Nodes::start(3, 0).await;
    for number in 0..100 {
        let right = number % 3;
        nodes
            .ask(right, &format!("SET {} v", nodes.key(right, number)))
            .await;
    }
    nodes.ask(0, &format!("SET {} v", nodes.key(1, 1000))).await;
    for place in 0..3 {
        nodes.ask(place, "CONFIG RESETSTAT").await;
    }
    assert_eq!(nodes.migrate().await.moved, 1);
    for (place, command, times) in [(0, "dump", "1"), (0, "unlink", "1"), (1, "restore", "1")] {
        let asked = format!("cmdstat_{command}:calls={times},");
        nodes.wait(place, "INFO commandstats", &asked).await;
    }
    let Value::Bulk(stats) = nodes.ask(2, "INFO commandstats").await else {
        panic!("no statistics");
    };
    let stats = String::from_utf8_lossy(&stats);
    for command in ["dump", "restore", "unlink", "del", "multi"] {
        assert!(!stats.contains(&format!("cmdstat_{command}:")), "{stats}");
    }
}

/// A batch takes memory, so it is limited by bytes, too.
pub(crate) async fn large_values_are_moved_few_at_a_time() {
    let nodes = Nodes::start(2, 0).await;
    let large = vec![b'x'; 3_000_000];
    for number in 0..9 {
        let key = nodes.key(1, number);
        nodes.ask_bytes(0, &[b"SET", key.as_bytes(), &large]).await;
    }
    assert_eq!(nodes.migrate().await.moved, 9);
    // Two fit into a batch.
    nodes
        .wait(0, "INFO commandstats", "cmdstat_exec:calls=5,")
        .await;
}

pub(crate) async fn a_rate_is_kept() {
    let nodes = Nodes::start(2, 0).await;
    for number in 0..300 {
        nodes
            .ask(0, &format!("SET {} v", nodes.key(1, number)))
            .await;
    }
    let started = std::time::Instant::now();
    let moving = Moving {
        rate: Some(500),
        ..Moving::new(Proof::Unverified)
    };
    let carried = migrate(&nodes.fleet, &moving, &Arc::default()).await;
    assert_eq!(carried.unwrap().moved, 300);
    // The last fifty are due when 250 have passed.
    assert!(started.elapsed() >= Duration::from_millis(495));
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}
