//! The connections of transactions: one client at a time, and nothing is left behind on them.

use std::net::SocketAddr;

use testbed::client::Client;

use super::{Setting, say};
use crate::support::{DEADLINE, ask, eventually};

#[tokio::test]
async fn a_neighbour_is_never_queued() {
    let setting = Setting::start("workers: 1").await;
    let (mut mine, mut theirs) = (setting.proxy.client().await, setting.proxy.client().await);
    let begun = say(&mut mine, &setting.lines("MULTI; SET a mine"), 1000).await;
    assert_eq!(begun, ["OK", "QUEUED"]);
    let lines = setting.lines("SET a theirs; GET a; MGET a b x; EXEC; MULTI; SET b 1; EXEC");
    let replies = say(&mut theirs, &lines, 1000).await;
    assert_eq!(
        replies,
        [
            "OK",
            "\"theirs\"",
            "[\"theirs\" nil nil]",
            "-ERR EXEC without MULTI",
            "OK",
            "QUEUED",
            "[OK]"
        ]
    );
    let replies = say(&mut mine, &setting.lines("GET b; EXEC; GET a"), 1000).await;
    assert_eq!(replies, ["QUEUED", "[OK \"1\"]", "\"mine\""]);
}

/// How many clients a node has, but for the one that asks, and how many of them are in a transaction or watch.
async fn clients_of(node: SocketAddr) -> (usize, usize) {
    let mut client = Client::connect(node, DEADLINE).await.unwrap();
    let list = ask(&mut client, &["CLIENT", "LIST"]).await;
    let lines: Vec<&str> = list
        .split("\\n")
        .filter(|line| line.contains("cmd="))
        .collect();
    let begun = lines.iter().filter(|line| !line.contains(" multi=-1 "));
    (lines.len() - 1, begun.count())
}

#[tokio::test]
async fn a_client_that_leaves_in_the_middle_leaves_nothing_behind() {
    let setting = Setting::start("workers: 1").await;
    let node = setting.proxy.nodes[1];
    let mut other = setting.proxy.client().await;
    say(&mut other, &setting.lines("SET b 1"), 1000).await;
    let (before, _) = clients_of(node).await;
    for text in [
        "MULTI; SET a 1",
        "WATCH a",
        "WATCH a; SET b 2; MULTI; GET a",
        "MULTI; SET a 1; SET x 1",
    ] {
        let mut client = setting.proxy.client().await;
        say(&mut client, &setting.lines(text), 1000).await;
        eventually(&format!("{text}: one of its own"), DEADLINE, async || {
            clients_of(node).await.0 == before + 1
        })
        .await;
        drop(client);
        eventually("the node has forgotten it", DEADLINE, async || {
            clients_of(node).await == (before, 0)
        })
        .await;
        let kept = say(&mut other, &setting.lines("GET a"), 1000).await;
        assert_eq!(kept, ["nil"], "{text}");
    }
}

#[tokio::test]
async fn connections_are_used_again_and_come_back_clean() {
    let setting = Setting::start("workers: 1").await;
    let node = setting.proxy.nodes[1];
    let connections = async || {
        let mut client = Client::connect(node, DEADLINE).await.unwrap();
        let stats = ask(&mut client, &["INFO", "stats"]).await;
        let (_, rest) = stats.split_once("total_connections_received:").unwrap();
        rest.split('\\').next().unwrap().parse::<usize>().unwrap()
    };
    let before = connections().await;
    for round in 0..50 {
        let mut client = setting.proxy.client().await;
        let text = match round % 4 {
            0 => "MULTI; SET a 1; EXEC",
            1 => "WATCH a; SET a 2; MULTI; SET a 3; EXEC",
            2 => "WATCH a; UNWATCH",
            _ => "MULTI; SET a 1; DISCARD",
        };
        for line in setting.lines(text) {
            say(&mut client, &[line], 1000).await;
        }
    }
    // One that is shared, one that is not, and the one that asks.
    assert!(connections().await - before <= 4);
    let (_, begun) = clients_of(node).await;
    assert_eq!(begun, 0);
}
