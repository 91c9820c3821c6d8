//! Promises of a node, on every available source of nodes: the same laws for processes and containers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod leftovers;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use libtest_mimic::Trial;
use testbed::client::{Client, Error, NODE_DEADLINE, ping};
use testbed::cluster::{Cluster, RunOptions, Source};
use testbed::node::Node;
use testbed::wire::Value;

use crate::support::{self, Presence, docker};

/// Not the suite's own, so that other tests need not wait for these.
const LINK_PORT_BASE: u16 = 22301;
/// How long a node must stay silent.
const SHORT: Duration = Duration::from_millis(100);

type Law = fn(&dyn Node) -> Pin<Box<dyn Future<Output = ()> + '_>>;

/// Laws for containers whose process does not end in order.
const LEFTOVERS: &[(&str, fn())] = &[
    (
        "a-killed-process-leaves-no-container",
        leftovers::a_killed_process_leaves_none,
    ),
    (
        "what-is-left-is-swept-by-the-next-start",
        leftovers::leftovers_are_swept,
    ),
];

/// Laws for every node that we start.
const LAWS: &[(&str, Law)] = &[
    ("a-paused-node-is-silent-and-goes-on", |node| {
        Box::pin(a_paused_node(node))
    }),
    ("a-stopped-node-closes-and-refuses", |node| {
        Box::pin(a_stopped_node(node))
    }),
    ("a-killed-node-comes-back-empty-at-its-address", |node| {
        Box::pin(a_killed_node(node))
    }),
    ("a-paused-node-can-be-killed", |node| {
        Box::pin(a_paused_node_killed(node))
    }),
    ("a-node-keeps-its-data-over-one-restart-only", |node| {
        Box::pin(a_node_restarted_with_data(node))
    }),
    ("a-replacement-is-empty-and-elsewhere", |node| {
        Box::pin(a_replaced_node(node))
    }),
];

/// Laws for a node with a network of its own.
const NETWORK_LAWS: &[(&str, Law)] = &[
    ("a-disconnected-node-keeps-its-data", |node| {
        Box::pin(a_disconnected_node(node))
    }),
    ("a-restarted-node-has-its-network-again", |node| {
        Box::pin(a_disconnected_node_restarted(node))
    }),
];

pub(crate) fn trials() -> Vec<Trial> {
    let docker = Source::Docker { image: None };
    let presence = docker::presence();
    let laws = |name, source: &Source, presence: &Presence, laws: &'static [(&str, Law)]| {
        let named = |(law_name, law): &'static (&str, Law)| {
            let (source, law) = (source.clone(), *law);
            trial(name, law_name, presence, move || check(&source, law))
        };
        laws.iter().map(named).collect::<Vec<_>>()
    };
    let mut trials = laws("process", &Source::Process, &Presence::Expected, LAWS);
    trials.extend(laws("docker", &docker, &presence, LAWS));
    trials.extend(laws("docker", &docker, &presence, NETWORK_LAWS));
    for (law_name, law) in LEFTOVERS {
        trials.push(trial("docker", law_name, &presence, law));
    }
    trials
}

fn trial(
    source: &'static str,
    law: &str,
    presence: &Presence,
    test: impl FnOnce() + Send + 'static,
) -> Trial {
    let name = format!("nodes::{source}::{law}");
    support::trial(name, presence.clone(), || {
        test();
        Ok(())
    })
}

fn check(source: &Source, law: Law) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = RunOptions {
            nodes: source.clone(),
            link_port_base: LINK_PORT_BASE,
            ..RunOptions::new(support::search(), 1)
        };
        let cluster = Cluster::start(&options, 1).await;
        let cluster = cluster.unwrap_or_else(|why| panic!("{why}"));
        law(cluster.node(0)).await;
    });
}

async fn a_paused_node(node: &dyn Node) {
    let mut client = connected(node).await;
    node.pause().await.unwrap();
    let silence = client.call(&["PING"], SHORT).await;
    assert!(matches!(silence, Err(Error::Silent { .. })), "{silence:?}");
    node.resume().await.unwrap();
    let answer = client.reply(NODE_DEADLINE).await;
    assert_eq!(answer, Ok(Value::Simple(b"PONG".to_vec())));
}

async fn a_stopped_node(node: &dyn Node) {
    let mut client = connected(node).await;
    node.stop().await.unwrap();
    closed(&mut client).await;
    refuses(node).await;
}

async fn a_killed_node(node: &dyn Node) {
    let mut client = with_a_key(node).await;
    node.kill().await.unwrap();
    closed(&mut client).await;
    refuses(node).await;
    node.restart().await.unwrap();
    holds(node, Value::NullBulk).await;
}

async fn a_paused_node_killed(node: &dyn Node) {
    let mut client = with_a_key(node).await;
    node.pause().await.unwrap();
    client
        .write(b"*1\r\n$4\r\nPING\r\n", NODE_DEADLINE)
        .await
        .unwrap();
    node.kill().await.unwrap();
    closed(&mut client).await;
    node.restart().await.unwrap();
    holds(node, Value::NullBulk).await;
}

async fn a_node_restarted_with_data(node: &dyn Node) {
    let home = node.addr();
    let mut client = with_a_key(node).await;
    node.restart_with_data().await.unwrap();
    closed(&mut client).await;
    holds(node, Value::Bulk(b"v".to_vec())).await;
    node.restart().await.unwrap();
    holds(node, Value::NullBulk).await;
    assert_eq!(node.addr(), home);
}

async fn a_replaced_node(node: &dyn Node) {
    let home = node.addr();
    let mut client = with_a_key(node).await;
    node.replace().await.unwrap();
    closed(&mut client).await;
    assert_ne!(node.addr(), home);
    let refused = ping(home).await;
    assert!(matches!(refused, Err(Error::Connect { .. })), "{refused:?}");
    holds(node, Value::NullBulk).await;
    with_a_key(node).await;
    node.return_home().await.unwrap();
    assert_eq!(node.addr(), home);
    holds(node, Value::NullBulk).await;
}

async fn a_disconnected_node(node: &dyn Node) {
    let mut client = with_a_key(node).await;
    node.disconnect().await.unwrap();
    let answer = client.call(&["PING"], SHORT).await;
    assert!(answer.is_err(), "{answer:?}");
    refuses(node).await;
    node.connect().await.unwrap();
    holds(node, Value::Bulk(b"v".to_vec())).await;
}

async fn a_disconnected_node_restarted(node: &dyn Node) {
    with_a_key(node).await;
    node.disconnect().await.unwrap();
    node.restart().await.unwrap();
    holds(node, Value::NullBulk).await;
}

async fn connected(node: &dyn Node) -> Client {
    Client::connect(node.addr(), NODE_DEADLINE).await.unwrap()
}

async fn with_a_key(node: &dyn Node) -> Client {
    let mut client = connected(node).await;
    let set = client.call(&["SET", "k", "v"], NODE_DEADLINE).await;
    assert_eq!(set, Ok(Value::Simple(b"OK".to_vec())));
    client
}

async fn holds(node: &dyn Node, expected: Value) {
    let value = connected(node)
        .await
        .call(&["GET", "k"], NODE_DEADLINE)
        .await;
    assert_eq!(value, Ok(expected));
}

async fn closed(client: &mut Client) {
    let end = client.reply(NODE_DEADLINE).await;
    assert!(matches!(end, Err(Error::Closed { .. })), "{end:?}");
}

async fn refuses(node: &dyn Node) {
    let refused = ping(node.addr()).await;
    assert!(matches!(refused, Err(Error::Connect { .. })), "{refused:?}");
}
