//! Replies of some nodes: a key of any of them, and the outcome where others fail.

use std::collections::BTreeSet;

use testbed::node::Node as _;

use super::Setup;
use crate::support::{DEADLINE, ask, eventually, keys_on};

const HALF_DONE: &str = "#!lua name=half\nredis.register_function('f', function() return 1 end)";

#[tokio::test]
async fn a_random_key_is_one_of_any_node() {
    let mut setup = Setup::start("workers: 1").await;
    setup.pair.check("RANDOMKEY").await;
    let alone = keys_on(&setup.addrs, 2).next().unwrap();
    setup.told(&format!("SET {alone} v")).await;
    for _ in 0..20 {
        assert_eq!(setup.told("RANDOMKEY").await, format!("\"{alone}\""));
    }
    let mut expected = BTreeSet::from([format!("\"{alone}\"")]);
    for place in [0, 1] {
        let key = keys_on(&setup.addrs, place).next().unwrap();
        setup.told(&format!("SET {key} v")).await;
        expected.insert(format!("\"{key}\""));
    }
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        seen.insert(setup.told("RANDOMKEY").await);
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn what_is_done_on_some_nodes_only_is_told() {
    let mut setup = Setup::start("workers: 1").await;
    let [a, b, c] = [0, 1, 2].map(|place| keys_on(&setup.addrs, place).next().unwrap());
    let [on_a, on_b, on_c] = [0, 1, 2].map(|place| setup.addrs[place].to_string());
    assert_eq!(setup.told(&format!("MSET {a} 1 {b} 2 {c} 3")).await, "OK");
    setup.nodes[1].kill().await.unwrap();
    let refused = format!("-ERR node {on_b}: connection refused");
    eventually("the node is known to be gone", DEADLINE, async || {
        setup.told(&format!("GET {b}")).await == refused
    })
    .await;
    // A value of its own is an error of its own.
    assert_eq!(
        setup.told(&format!("MGET {c} {b} {a} {b}")).await,
        format!("[\"3\" {refused} \"1\" {refused}]")
    );
    let part = |done: &str| format!("{refused}; failed on {on_b}, done on {done}");
    for (line, done) in [
        (format!("MSET {c} 4 {b} 4 {a} 4"), format!("{on_c}, {on_a}")),
        (format!("EXISTS {a} {b}"), on_a.clone()),
        (format!("TOUCH {b} {c}"), on_c.clone()),
        (format!("UNLINK {b} {a}"), on_a.clone()),
        (format!("DEL {c} {b}"), on_c.clone()),
        ("DBSIZE".to_owned(), format!("{on_a}, {on_c}")),
        (
            "SCRIPT LOAD return(1)".to_owned(),
            format!("{on_a}, {on_c}"),
        ),
        ("FLUSHALL".to_owned(), format!("{on_a}, {on_c}")),
    ] {
        assert_eq!(setup.told(&line).await, part(&done), "{line}");
    }
    let load = ["FUNCTION", "LOAD", HALF_DONE];
    let told = ask(&mut setup.pair.proxy, &load).await;
    assert_eq!(told, part(&format!("{on_a}, {on_c}")));
    // A node's own error names the node.
    setup.nodes[1].restart().await.unwrap();
    eventually("the node is back", DEADLINE, async || {
        setup.told(&format!("GET {b}")).await == "nil"
    })
    .await;
    setup.at(2, "REPLICAOF 127.0.0.1 1").await;
    assert_eq!(
        setup.told(&format!("MSET {a} 1 {b} 2 {c} 3")).await,
        format!(
            "-READONLY You can't write against a read only replica.; failed on {on_c}, done on {on_a}, {on_b}"
        )
    );
}
