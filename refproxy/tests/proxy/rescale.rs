//! The node list changes under traffic.

use std::net::SocketAddr;

use crate::support::{DEADLINE, Proxy, ask, eventually, nodes, show};
use rustix::process::Signal;
use testbed::client::Client;

const KEYS: usize = 500;

/// Writes every key to every node, so that all nodes give the same right answer.
async fn fill(addrs: &[SocketAddr]) {
    for addr in addrs {
        let mut node = Client::connect(*addr, DEADLINE).await.unwrap();
        let pairs: Vec<String> = (0..KEYS)
            .flat_map(|number| [format!("key:{number}"), format!("value:{number}")])
            .collect();
        let args: Vec<&str> = std::iter::once("MSET")
            .chain(pairs.iter().map(String::as_str))
            .collect();
        assert_eq!(ask(&mut node, &args).await, "OK");
    }
}

async fn read_on(
    mut client: Client,
    start: usize,
    stop: tokio::sync::watch::Receiver<bool>,
) -> usize {
    let mut asked = 0;
    while !*stop.borrow() {
        let numbers: Vec<usize> = (0..64)
            .map(|step| (start + asked + step * 7) % KEYS)
            .collect();
        let mut requests: Vec<Vec<String>> = numbers
            .iter()
            .map(|number| vec!["GET".into(), format!("key:{number}")])
            .collect();
        let many = std::iter::once("MGET".to_owned())
            .chain(numbers.iter().map(|number| format!("key:{number}")));
        requests.push(many.collect());
        let replies = client.pipeline(&requests, DEADLINE).await.unwrap();
        let values: Vec<String> = numbers
            .iter()
            .map(|number| format!("\"value:{number}\""))
            .collect();
        let seen: Vec<String> = replies.iter().map(show).collect();
        assert_eq!(seen[..64], values);
        assert_eq!(seen[64], format!("[{}]", values.join(" ")));
        asked += 1;
    }
    asked
}

#[tokio::test]
async fn a_node_list_changed_in_mid_pipeline_loses_and_swaps_no_reply() {
    let (_nodes, addrs) = nodes(4).await;
    fill(&addrs).await;
    let proxy = Proxy::start(&addrs[..3], "workers: 2").await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut readers = Vec::new();
    for reader in 0..8 {
        readers.push(tokio::spawn(read_on(
            proxy.client().await,
            reader * 31,
            stopped.clone(),
        )));
    }
    for round in 0..60_u64 {
        // All ways to change: add, remove, put another in its place, reorder.
        let list = match round % 4 {
            0 => vec![addrs[0], addrs[1], addrs[2], addrs[3]],
            1 => vec![addrs[3], addrs[1]],
            2 => vec![addrs[2], addrs[0], addrs[1]],
            _ => vec![addrs[3], addrs[2], addrs[1], addrs[0]],
        };
        let answer = proxy.put(&list).await;
        assert_eq!(
            (answer.status, answer.body),
            (200, format!("{{\"generation\":{}}}", round + 2))
        );
    }
    stop.send(true).unwrap();
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

#[tokio::test]
async fn a_bad_put_is_answered_in_one_line_and_changes_nothing() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    for (body, expected) in [
        (
            "{",
            r#"{"error":"EOF while parsing an object at line 1 column 1"}"#,
        ),
        (
            r#"{"policy":"maglev","nodes":[]}"#,
            r#"{"error":"the cluster has no nodes"}"#,
        ),
        (
            r#"{"policy":"ketama","nodes":[]}"#,
            r#"{"error":"the cluster has no nodes"}"#,
        ),
        (
            r#"{"policy":"random","nodes":[{"address":"a:1"},{"address":"b:1"}]}"#,
            r#"{"error":"policy random does not place keys: each request can go to any node"}"#,
        ),
        (
            r#"{"policy":"maglev","nodes":[{"address":"nowhere"}]}"#,
            r#"{"error":"node `nowhere`: expected host:port or unix:/path"}"#,
        ),
        (
            r#"{"policy":"maglev","nodez":[]}"#,
            r#"{"error":"unknown field `nodez`, expected one of `policy`, `table_size`, `minimum_ring_size`, `maximum_ring_size`, `hash_function`, `hash_hostnames`, `hash`, `hash_tags`, `healthy_panic_threshold`, `overprovisioning_factor`, `nodes` at line 1 column 26"}"#,
        ),
    ] {
        let answer = testbed::http::put(proxy.admin, "/cluster", body.into(), DEADLINE)
            .await
            .unwrap();
        assert_eq!((answer.status, answer.body.as_str()), (400, expected));
    }
    let mut client = proxy.client().await;
    assert_eq!(ask(&mut client, &["SET", "k", "v"]).await, "OK");
    let stats = async |query: &str| {
        let path = format!("/stats{query}");
        let answer = testbed::http::get(proxy.admin, &path, DEADLINE).await;
        answer.unwrap()
    };
    let all = stats("").await.body;
    assert!(all.contains("refproxy.cluster_generation: 1\n"), "{all}");
    assert!(all.contains("redis.egress_redis.command.get.total: 0\n"));
    // As Envoy's admin is asked.
    let used = stats("?usedonly&filter=redis.egress_redis.command").await;
    assert_eq!(used.body, "redis.egress_redis.command.set.total: 1\n");
    assert_eq!(stats("?filter=(").await.status, 400);
}

#[tokio::test]
async fn sighup_reads_the_file_again_and_the_later_change_wins() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs[..1], "workers: 2").await;
    assert_eq!(proxy.put(&addrs).await.body, r#"{"generation":2}"#);
    proxy.rewrite(&addrs[1..]);
    proxy.signal(Signal::HUP);
    eventually("the file is read", DEADLINE, async || {
        proxy.log().contains("SIGHUP: cluster generation 3")
    })
    .await;
    let mut client = proxy.client().await;
    assert_eq!(ask(&mut client, &["SET", "k", "v"]).await, "OK");
    let mut node = Client::connect(addrs[1], DEADLINE).await.unwrap();
    assert_eq!(ask(&mut node, &["GET", "k"]).await, "\"v\"");

    std::fs::write(proxy.config_path(), "listen: 1").unwrap();
    proxy.signal(Signal::HUP);
    eventually("the file is refused", DEADLINE, async || {
        proxy.log().contains("the cluster stays as it is")
    })
    .await;
    assert_eq!(ask(&mut client, &["GET", "k"]).await, "\"v\"");
    let nodes = testbed::http::get(proxy.admin, "/clusters", DEADLINE)
        .await
        .unwrap()
        .body;
    assert!(
        nodes.contains(&addrs[1].to_string()) && !nodes.contains(&addrs[0].to_string()),
        "{nodes}"
    );
}
