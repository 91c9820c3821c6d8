//! A node that stops answering: which clients notice, when, and which must not.

use std::time::Duration;

use crate::support::{DEADLINE, Proxy, ask, eventually, nodes, show};
use testbed::client::Client;
use testbed::http;
use testbed::node::Node as _;

const SETTINGS: &str = "workers: 1\ntimeouts: { op_ms: 600 }";

#[tokio::test]
async fn a_stopped_node_holds_up_no_client_of_another_node() {
    let (nodes, addrs) = nodes(3).await;
    // Clients that wait for the stopped node wait longer than this test.
    let proxy = Proxy::start(&addrs, "workers: 1\ntimeouts: { op_ms: 60000 }").await;
    let key = proxy.key_on(1);
    let mut held_up = proxy.client().await;
    assert_eq!(ask(&mut held_up, &["SET", &key, "before"]).await, "OK");
    nodes[1].pause().await.unwrap();
    held_up.write(get(&key).as_bytes(), DEADLINE).await.unwrap();
    eventually("the request waits for the node", DEADLINE, async || {
        let answer = http::get(proxy.admin, "/clusters", DEADLINE).await;
        answer.unwrap().body.contains("\"waiting\":1")
    })
    .await;
    let mut others = Vec::new();
    for place in [0, 2] {
        for key in proxy.keys_on(place).take(4) {
            others.push(tokio::spawn(rounds(proxy.client().await, key)));
        }
    }
    for other in others {
        other.await.unwrap();
    }
    nodes[1].resume().await.unwrap();
    assert_eq!(show(&held_up.reply(DEADLINE).await.unwrap()), "\"before\"");
}

/// Writes and reads a key again and again.
async fn rounds(mut client: Client, key: String) {
    for round in 0..100 {
        let value = format!("{key} {round}");
        let requests = vec![vec!["SET", &key, &value], vec!["GET", &key]];
        let replies = client.pipeline(&requests, DEADLINE).await.unwrap();
        let seen: Vec<String> = replies.iter().map(show).collect();
        assert_eq!(seen, ["OK".to_owned(), format!("\"{value}\"")]);
    }
}

fn get(key: &str) -> String {
    format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len())
}

#[tokio::test]
async fn a_request_does_not_fail_before_its_own_deadline() {
    let (nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1\ntimeouts: { op_ms: 5000 }").await;
    let mut client = proxy.client().await;
    assert_eq!(ask(&mut client, &["SET", "k", "v"]).await, "OK");
    nodes[0].pause().await.unwrap();
    client.write(get("k").as_bytes(), DEADLINE).await.unwrap();
    // How long the node takes is the stimulus: 60 % of the time limit.
    tokio::time::sleep(Duration::from_secs(3)).await;
    nodes[0].resume().await.unwrap();
    assert_eq!(show(&client.reply(DEADLINE).await.unwrap()), "\"v\"");
}

#[tokio::test]
async fn a_stopped_node_fails_its_own_requests_and_no_others() {
    let (nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, SETTINGS).await;
    let key = proxy.key_on(1);
    let mut early = proxy.client().await;
    let mut late = proxy.client().await;
    assert_eq!(ask(&mut early, &["SET", &key, "before"]).await, "OK");

    nodes[1].pause().await.unwrap();
    let timeout = format!("-{}", proxy.error(1, "timeout"));
    for client in [&mut early, &mut late] {
        client.write(get(&key).as_bytes(), DEADLINE).await.unwrap();
    }
    for client in [&mut early, &mut late] {
        assert_eq!(show(&client.reply(DEADLINE).await.unwrap()), timeout);
    }
    // A client of the stopped node can still use the others.
    assert_eq!(
        ask(&mut early, &["EXISTS", &proxy.key_on(0), &proxy.key_on(2)]).await,
        ":0"
    );
    let joined = ask(&mut early, &["EXISTS", &proxy.key_on(0), &key]).await;
    let (slow, other) = (proxy.nodes[1], proxy.nodes[0]);
    assert_eq!(
        joined,
        format!("{timeout}; failed on {slow}, done on {other}"),
        "a part's error is the reply"
    );

    nodes[1].resume().await.unwrap();
    eventually("the node answers again", DEADLINE, async || {
        ask(&mut late, &["GET", &key]).await == "\"before\""
    })
    .await;
}

#[tokio::test]
async fn a_late_reply_reaches_no_client() {
    let (nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, SETTINGS).await;
    let keys: Vec<String> = proxy.keys_on(0).take(3).collect();
    let mut slow = proxy.client().await;
    for key in &keys {
        assert_eq!(
            ask(&mut slow, &["SET", key, &format!("value of {key}")]).await,
            "OK"
        );
    }
    nodes[0].pause().await.unwrap();
    let timeout = format!("-{}", proxy.error(0, "timeout"));
    assert_eq!(ask(&mut slow, &["GET", &keys[0]]).await, timeout);
    // Asked on the same connections to the node, before it continues: the late reply arrives first.
    let mut other = proxy.client().await;
    slow.write(get(&keys[1]).as_bytes(), DEADLINE)
        .await
        .unwrap();
    other
        .write(get(&keys[2]).as_bytes(), DEADLINE)
        .await
        .unwrap();
    nodes[0].resume().await.unwrap();
    for (client, key) in [(&mut slow, &keys[1]), (&mut other, &keys[2])] {
        assert_eq!(
            show(&client.reply(DEADLINE).await.unwrap()),
            format!("\"value of {key}\"")
        );
    }
    for client in [&mut slow, &mut other] {
        assert_eq!(ask(client, &["PING", "x"]).await, "\"x\"");
        assert_eq!(
            ask(client, &["GET", &keys[0]]).await,
            format!("\"value of {}\"", keys[0])
        );
    }
}

#[tokio::test]
async fn what_was_not_sent_in_time_is_never_executed() {
    let (nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, SETTINGS).await;
    let mut client = proxy.client().await;
    assert_eq!(ask(&mut client, &["PING"]).await, "PONG");
    nodes[0].pause().await.unwrap();
    // More than the sockets between proxy and node can hold, so that the last request is still here.
    let value = "x".repeat(1 << 20);
    let mut requests = vec![vec!["SET", "big", &value]; 20];
    requests.push(vec!["SET", "last", "1"]);
    let replies = client.pipeline(&requests, DEADLINE).await.unwrap();
    assert_eq!(show(&replies[0]), format!("-{}", proxy.error(0, "timeout")));
    assert_eq!(
        show(&replies[20]),
        format!("-{}", proxy.error(0, "timeout, the request was not sent"))
    );
    nodes[0].resume().await.unwrap();
    eventually("the node answers again", DEADLINE, async || {
        ask(&mut client, &["EXISTS", "big"]).await == ":1"
    })
    .await;
    assert_eq!(ask(&mut client, &["EXISTS", "last"]).await, ":0");
}

#[tokio::test]
async fn a_node_that_stays_silent_is_connected_anew() {
    let (nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(
        &addrs,
        "workers: 1\ntimeouts: { op_ms: 100, stall_ms: 400 }",
    )
    .await;
    let mut client = proxy.client().await;
    assert_eq!(ask(&mut client, &["SET", "k", "v"]).await, "OK");
    nodes[0].pause().await.unwrap();
    eventually("the connection is given up", DEADLINE, async || {
        ask(&mut client, &["GET", "k"]).await;
        proxy.log().contains("Stalled")
    })
    .await;
    nodes[0].resume().await.unwrap();
    eventually("the node answers again", DEADLINE, async || {
        ask(&mut client, &["GET", "k"]).await == "\"v\""
    })
    .await;
}
