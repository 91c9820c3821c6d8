//! What a transaction refuses: keys of other nodes, and commands that are not about one node.

use testbed::client::Client;

use super::{ABORTED, Setting, say};
use crate::support::{DEADLINE, Proxy, nodes};

#[tokio::test]
async fn a_key_on_another_node_is_an_error_and_nothing_is_done() {
    let setting = Setting::start("workers: 1").await;
    let mut client = setting.proxy.client().await;
    for (text, at, code) in [
        (
            "MULTI; SET a 1; SET x 1; SET b 1; EXEC",
            2,
            "-CROSSSLOT keys of one transaction",
        ),
        (
            "MULTI; MSET a 1 x 1; EXEC",
            1,
            "-CROSSSLOT keys of one 'mset'",
        ),
        (
            "WATCH a x; MULTI; EXEC",
            0,
            "-CROSSSLOT keys of one 'watch'",
        ),
        (
            "WATCH a; MULTI; SET x 1; EXEC",
            2,
            "-CROSSSLOT keys of one transaction",
        ),
        (
            "WATCH a; WATCH x; MULTI; SET a 1; DISCARD",
            1,
            "-CROSSSLOT keys of one transaction",
        ),
        (
            "MULTI; SET a 1; DBSIZE; EXEC",
            2,
            "-ERR command 'DBSIZE' is not supported by this proxy: in a transaction it would be about one node only",
        ),
        (
            "MULTI; SET a 1; SUBSCRIBE s; EXEC",
            2,
            "-ERR command 'SUBSCRIBE' is not supported",
        ),
        (
            "MULTI; SORT a BY w_*; SET a 1; EXEC",
            1,
            "-ERR command 'SORT' is not supported",
        ),
    ] {
        let replies = say(&mut client, &setting.lines(text), 1000).await;
        assert!(replies[at].starts_with(code), "{text}: {replies:?}");
        let errors = replies
            .iter()
            .filter(|reply| reply.starts_with('-'))
            .count();
        let aborts = replies.last().unwrap() == ABORTED;
        assert_eq!(errors, 1 + usize::from(aborts), "{text}: {replies:?}");
        assert!(
            aborts || text.ends_with("DISCARD") || text.contains("a x;"),
            "{text}: {replies:?}"
        );
        let kept = say(&mut client, &setting.lines("MGET a b x"), 1000).await;
        assert_eq!(kept, ["[nil nil nil]"], "{text}");
    }
    let after = say(
        &mut client,
        &setting.lines("MULTI; SET x 1; EXEC; GET x"),
        1000,
    )
    .await;
    assert_eq!(after, ["OK", "QUEUED", "[OK]", "\"1\""]);
}

/// With a single node, every key lives together, and commands about all nodes are about that one.
#[tokio::test]
async fn one_node_takes_everything() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs[..1], "workers: 1").await;
    let mut plain = Client::connect(addrs[1], DEADLINE).await.unwrap();
    let lines: Vec<String> =
        "FLUSHALL; MULTI; SET a 1; SET x 2; DBSIZE; KEYS nothing; FLUSHDB; DBSIZE; EXEC"
            .split("; ")
            .map(str::to_owned)
            .collect();
    let expected = say(&mut plain, &lines, 1000).await;
    assert_eq!(say(&mut proxy.client().await, &lines, 1000).await, expected);
}

#[tokio::test]
async fn a_refused_command_aborts_the_transaction() {
    let setting = Setting::start("workers: 1").await;
    let mut client = setting.proxy.client().await;
    for refused in [
        "SUBSCRIBE x",
        "PUBLISH x y",
        "PUBSUB CHANNELS",
        "BLPOP k 0",
        "DEBUG SLEEP 0",
    ] {
        let lines = ["MULTI", "SET k v", refused, "EXEC", "GET k"].map(str::to_owned);
        let replies = say(&mut client, &lines, 10_000).await;
        assert!(
            replies[2].contains("is not supported by this proxy"),
            "{refused}: {replies:?}"
        );
        assert_eq!(replies[3..], [ABORTED, "nil"], "{refused}");
    }
}
