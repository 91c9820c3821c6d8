//! A client that does not read: its cost for the proxy and the other clients.

use crate::support::{DEADLINE, Proxy, ask, eventually, nodes};
use testbed::client::Error;

const MIB: usize = 1 << 20;

#[tokio::test]
async fn a_client_that_never_reads_costs_bounded_memory_and_no_other_client() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(
        &addrs,
        "workers: 1\nlimits: { client_output_bytes: 33554432 }",
    )
    .await;
    let big = proxy.key_on(0);
    let mut other = proxy.client().await;
    assert_eq!(
        ask(&mut other, &["SET", &big, &"x".repeat(MIB)]).await,
        "OK"
    );
    let keys = [proxy.keys_on(0).nth(1).unwrap(), proxy.key_on(1)];
    for key in &keys {
        assert_eq!(ask(&mut other, &["SET", key, "v"]).await, "OK");
    }
    let before = proxy.rss_mib();

    let mut greedy = proxy.client().await;
    let request = format!("*2\r\n$3\r\nGET\r\n${}\r\n{big}\r\n", big.len());
    greedy
        .write(request.repeat(2_000).as_bytes(), DEADLINE)
        .await
        .unwrap();
    eventually("replies wait for the greedy client", DEADLINE, async || {
        proxy.stat("refproxy.output_bytes").await >= MIB as u64
    })
    .await;
    let mut most = 0;
    for _ in 0..500 {
        for key in &keys {
            assert_eq!(ask(&mut other, &["GET", key]).await, "\"v\"");
        }
        most = most.max(proxy.rss_mib());
    }
    assert!(
        most < before + 160,
        "{most} MiB in use, {before} before, 2000 of 1 MiB asked for"
    );
}

#[tokio::test]
async fn a_client_past_the_output_limit_is_closed_and_the_others_go_on() {
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(
        &addrs,
        "workers: 1\nlimits: { client_output_bytes: 4194304 }",
    )
    .await;
    let mut other = proxy.client().await;
    assert_eq!(
        ask(&mut other, &["SET", "big", &"x".repeat(MIB)]).await,
        "OK"
    );
    let mut greedy = proxy.client().await;
    let request = "*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n";
    greedy
        .write(request.repeat(30).as_bytes(), DEADLINE)
        .await
        .unwrap();
    eventually("the client is closed", DEADLINE, async || {
        proxy.log().contains("it does not read its replies")
    })
    .await;
    let outcome = loop {
        match greedy.reply(DEADLINE).await {
            Ok(reply) => assert!(!reply.is_error()),
            Err(error) => break error,
        }
    };
    assert!(matches!(outcome, Error::Closed { .. }), "{outcome}");
    assert_eq!(ask(&mut other, &["PING"]).await, "PONG");
    assert_eq!(ask(&mut other, &["STRLEN", "big"]).await, format!(":{MIB}"));
}

#[tokio::test]
async fn a_slow_reader_within_the_limit_gets_everything() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut client = proxy.client().await;
    let keys: Vec<String> = proxy
        .keys_on(0)
        .take(5)
        .chain(proxy.keys_on(1).take(5))
        .collect();
    for key in &keys {
        assert_eq!(
            ask(&mut client, &["SET", key, &key.repeat(100_000)]).await,
            "OK"
        );
    }
    let requests: Vec<Vec<&str>> = (0..100)
        .map(|number| vec!["GET", keys[number % 10].as_str()])
        .collect();
    let replies = client.pipeline(&requests, DEADLINE).await.unwrap();
    for (reply, request) in replies.iter().zip(&requests) {
        assert!(*reply == testbed::wire::Value::Bulk(request[1].repeat(100_000).into_bytes()));
    }
}
