//! No key is moved, and no placement is called verified, without evidence that the proxy places keys as described.

use std::net::SocketAddr;
use std::process::{Command, Output};
use std::sync::Arc;

use shardproof::fleet::{Error, Moving, Proof, migrate};
use shardproof::planner::{self, Node as Placed, Placement, Policy, TagRule};
use testbed::targets::{Proxy, Setting};
use testbed::wire::Value;

use crate::fleet::commands::{json, text};
use crate::fleet::nodes::Nodes;
use crate::support;

/// The reference proxy over the nodes, by maglev.
async fn proxy(nodes: &Nodes, hash_tags: bool) -> Proxy {
    let targets = support::targets();
    let target = targets.iter().find(|target| target.name == "refproxy");
    let target = target.unwrap();
    support::prepare(target);
    let addr = |place: usize| nodes.addr(place).parse::<SocketAddr>().unwrap();
    let setting = Setting {
        nodes: (0..nodes.fleet.placed()).map(addr).collect(),
        policy: "maglev".to_owned(),
        hash_tags,
        op_timeout_ms: 5000,
    };
    Proxy::start(target, setting, &support::search())
        .await
        .unwrap()
}

/// A command with a description that has the real addresses of the nodes.
fn run(nodes: &Nodes, subcommand: &str, settings: &str, proxy: &str, more: &[&str]) -> Output {
    let addrs: Vec<String> = (0..nodes.fleet.placed())
        .map(|place| nodes.addr(place))
        .collect();
    let described = format!("maglev{settings}:{}", addrs.join(","));
    Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args([subcommand, "--to", &described, "--proxy", proxy])
        .args(more)
        .output()
        .unwrap()
}

/// Where keys are placed by whole keys.
fn by_whole_keys(nodes: &Nodes) -> Placement {
    let addrs = (0..nodes.fleet.placed()).map(|place| Placed::at(nodes.addr(place)));
    let mut cluster = planner::Cluster::new(Policy::maglev(), addrs.collect());
    cluster.tags = TagRule::WholeKey;
    Placement::new(&cluster).unwrap()
}

/// Another empty server replaces the proxy. It finds no key, so no answer differs.
pub(crate) async fn answers_that_do_not_differ_are_no_evidence() {
    let nodes = Nodes::start(2, 1).await;
    let placement = by_whole_keys(&nodes);
    let keys = (0..200).map(|number| format!("key:{number}"));
    let away = keys.filter(|key| placement.node(key.as_bytes()).index() == 1);
    for key in away.take(30) {
        nodes.ask(0, &format!("SET {key} v")).await;
    }
    nodes.ask(2, "CONFIG SET min-replicas-to-write 1").await;
    let proxy = nodes.addr(2);
    let refused = run(&nodes, "migrate", "", &proxy, &["--apply"]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("nothing was moved") && stderr.contains("SET"),
        "{stderr}"
    );
    assert_eq!(nodes.ask(0, "DBSIZE").await, Value::Integer(30));

    // If it accepts writes, those are not seen on the nodes.
    nodes.ask(2, "CONFIG SET min-replicas-to-write 0").await;
    let refused = run(&nodes, "migrate", "", &proxy, &["--apply"]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains("no node of the description has it"),
        "{stderr}"
    );
    assert_eq!(nodes.ask(0, "DBSIZE").await, Value::Integer(30));
}

/// Without keys a check, which writes none, has no evidence. A migration writes keys of its own.
pub(crate) async fn an_empty_fleet_is_verified_by_writing_only() {
    let nodes = Nodes::start(2, 0).await;
    let proxy = proxy(&nodes, false).await;
    let addr = proxy.addr().to_string();
    let checked = text(&run(&nodes, "check", "", &addr, &[]), 2);
    assert!(checked.contains("NOT VERIFIED"), "{checked}");
    let moving = ["--apply", "--json", "-"];
    let done = json(&run(&nodes, "migrate", "", &addr, &moving), 0);
    assert!(
        done["carried"]["proof"]["written"].as_u64() > Some(10),
        "{done}"
    );
    for place in [0, 1] {
        assert_eq!(nodes.ask(place, "DBSIZE").await, Value::Integer(0));
    }
    let refused = run(&nodes, "migrate", "/hash_tags", &addr, &moving);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.contains(":tagged: written through the proxy"),
        "{stderr}"
    );
}

/// The proxy has hash tags, and the description has none. Each tagged key is on both nodes, so the proxy finds it
/// wherever it asks. A migration would delete the copies that the proxy asks for.
pub(crate) async fn tagged_keys_that_show_nothing_leave_a_doubt() {
    let nodes = Nodes::start(2, 0).await;
    let proxy = proxy(&nodes, true).await;
    let addr = proxy.addr().to_string();
    let placement = by_whole_keys(&nodes);
    for number in 0..40 {
        let key = format!("plain:{number}");
        let right = placement.node(key.as_bytes()).index();
        nodes.ask(right, &format!("SET {key} v")).await;
        for place in [0, 1] {
            nodes
                .ask(place, &format!("SET user:{{{number}}}:name v"))
                .await;
        }
    }
    let checked = text(&run(&nodes, "check", "", &addr, &[]), 1);
    assert!(
        checked.contains("NOT VERIFIED") && checked.contains("hash tags"),
        "{checked}"
    );
    let refused = run(&nodes, "migrate", "", &addr, &["--apply"]);
    let stderr = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("nothing was moved"), "{stderr}");
    for number in 0..40 {
        let key = format!("user:{{{number}}}:name");
        for place in [0, 1] {
            let there = nodes.ask(place, &format!("EXISTS {key}")).await;
            assert_eq!(there, Value::Integer(1), "{key} on {place}");
        }
    }
    // With the right description the same keys are put right.
    let done = json(
        &run(
            &nodes,
            "migrate",
            "/hash_tags",
            &addr,
            &["--apply", "--json", "-"],
        ),
        0,
    );
    assert_eq!(done["carried"]["superseded"], 40, "{done}");
}

/// The guard is part of the library: no caller needs to ask the proxy first. The proxy hashes the nodes' real addresses, and
/// the description has others.
pub(crate) async fn the_library_moves_nothing_where_the_proxy_disagrees() {
    let nodes = Nodes::start(2, 0).await;
    let proxy = proxy(&nodes, false).await;
    for number in 0..30 {
        let key = nodes.key(1, number);
        nodes.ask(0, &format!("SET {key} v")).await;
    }
    let moving = Moving::new(Proof::Proxy(proxy.addr().into()));
    let refused = migrate(&nodes.fleet, &moving, &Arc::default()).await;
    assert!(
        matches!(refused, Err(Error::Disagrees { .. })),
        "{refused:?}"
    );
    assert_eq!(nodes.ask(0, "DBSIZE").await, Value::Integer(30));
    assert_eq!(nodes.ask(1, "DBSIZE").await, Value::Integer(0));
    // Without a proxy to ask, the same keys move.
    assert_eq!(nodes.migrate().await.moved, 30);
}
