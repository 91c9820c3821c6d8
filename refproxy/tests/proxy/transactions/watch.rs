//! WATCH: what other clients write stops the transaction.

use testbed::client::Client;

use super::{Setting, say};
use crate::support::{DEADLINE, ask, show};

#[tokio::test]
async fn a_watched_key_that_another_client_writes_stops_the_transaction() {
    let setting = Setting::start("workers: 2").await;
    for (text, other, expected) in [
        ("WATCH a; GET a", "SET a theirs", "nil"),
        ("WATCH b a", "MSET a theirs x 1", "nil"),
        ("WATCH a; MULTI; SET b 1", "DEL a", "nil"),
        ("WATCH a", "SET b theirs", "[OK]"),
        ("WATCH a; UNWATCH", "SET a theirs", "[OK]"),
        ("WATCH a; MULTI; DISCARD", "SET a theirs", "[OK]"),
        ("WATCH a; MULTI; EXEC", "SET a theirs", "[OK]"),
        ("WATCH a; MULTI; FOO; EXEC", "SET a theirs", "[OK]"),
        ("WATCH a; RESET", "SET a theirs", "[OK]"),
    ] {
        let (mut mine, mut theirs) = (setting.proxy.client().await, setting.proxy.client().await);
        ask(&mut theirs, &["FLUSHALL"]).await;
        for line in setting.lines("SET a before") {
            say(&mut theirs, &[line], 1000).await;
        }
        for line in setting.lines(text) {
            say(&mut mine, &[line], 1000).await;
        }
        say(&mut theirs, &setting.lines(other), 1000).await;
        let multi = if text.contains("SET b") {
            "SET a mine"
        } else {
            "MULTI; SET a mine"
        };
        let replies = say(&mut mine, &setting.lines(&format!("{multi}; EXEC")), 1000).await;
        let seen = replies.last().unwrap();
        let expected = if text.contains("SET b") && expected != "nil" {
            "[OK OK]"
        } else {
            expected
        };
        assert_eq!(seen, expected, "{text}; another: {other}");
        let replies = say(&mut mine, &setting.lines("GET a"), 1000).await;
        assert_eq!(replies[0] == "\"mine\"", expected != "nil", "{text}");
    }
}

/// A value that is read after WATCH is not older than the WATCH: both use one connection.
#[tokio::test]
async fn what_is_read_behind_watch_is_read_over_the_same_connection() {
    let setting = Setting::start("workers: 1").await;
    let proxy = &setting.proxy;
    let mut monitor = Client::connect(proxy.nodes[1], DEADLINE).await.unwrap();
    assert_eq!(ask(&mut monitor, &["MONITOR"]).await, "OK");
    let mut client = proxy.client().await;
    let text = "GET a; WATCH a; GET a; MGET a x b; MULTI; SET a 1; EXEC; GET a";
    say(&mut client, &setting.lines(text), 10_000).await;
    let mut seen = Vec::new();
    while seen.len() < 8 {
        // `+1700000000.000000 [0 127.0.0.1:1234] "GET" "key"`
        let line = show(&monitor.reply(DEADLINE).await.unwrap());
        let from = line.split([' ', ']']).nth(2).unwrap().to_owned();
        let command = line
            .split(['"', '\\'])
            .find(|word| word.starts_with(char::is_uppercase));
        let command = command.unwrap().to_owned();
        seen.push((command, from));
    }
    let watching = &seen[1].1;
    let own: Vec<(&str, bool)> = seen
        .iter()
        .map(|(command, from)| (command.as_str(), from == watching))
        .collect();
    let expected = [
        ("GET", false),
        ("WATCH", true),
        ("GET", true),
        ("MGET", true),
        ("MULTI", true),
        ("SET", true),
        ("EXEC", true),
        ("GET", false),
    ];
    assert_eq!(own, expected);
}
