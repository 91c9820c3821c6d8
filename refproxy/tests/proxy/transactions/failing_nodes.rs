//! Transactions on a node that stops, dies or gives its keys away.

use testbed::node::Node as _;

use super::{ABORTED, Setting, say};
use crate::support::{DEADLINE, ask, eventually, keys_on};

#[tokio::test]
async fn a_stopped_node_ends_the_transaction_in_time() {
    let setting = Setting::start("workers: 1\ntimeouts: { op_ms: 300 }").await;
    let mut client = setting.proxy.client().await;
    let mut neighbour = setting.proxy.client().await;
    let begun = say(&mut client, &setting.lines("MULTI; SET a 1"), 1000).await;
    assert_eq!(begun, ["OK", "QUEUED"]);
    setting.nodes[1].pause().await.unwrap();
    let replies = say(&mut client, &setting.lines("SET b 1"), 1000).await;
    assert_eq!(replies, [format!("-{}", setting.proxy.error(1, "timeout"))]);
    // The rest is answered without asking the node.
    let replies = say(
        &mut client,
        &setting.lines("SET c 1; PING; EXEC; EXEC; SET x 1"),
        1000,
    )
    .await;
    assert!(replies[0].starts_with(&format!("-{}", setting.proxy.error(1, "timeout"))));
    assert_eq!(
        replies[1..],
        ["QUEUED", ABORTED, "-ERR EXEC without MULTI", "OK"]
    );
    // All at once: whether the node will execute it is unknown, and the reply says so.
    let replies = say(
        &mut neighbour,
        &setting.lines("MULTI; SET x 1; EXEC; MULTI; SET a 1; EXEC; PING"),
        1000,
    )
    .await;
    assert_eq!(replies[..3], ["OK", "QUEUED", "[OK]"]);
    assert!(replies[4].starts_with("-ERR node "), "{replies:?}");
    assert!(
        replies[5].starts_with("-ERR node ") || replies[5] == ABORTED,
        "{replies:?}"
    );
    assert_eq!(replies[6], "PONG");
    setting.nodes[1].resume().await.unwrap();
    eventually("the node answers", DEADLINE, async || {
        say(&mut client, &setting.lines("MGET b c"), 1000).await == ["[nil nil]"]
    })
    .await;
    let replies = say(
        &mut client,
        &setting.lines("MULTI; SET a 5; EXEC; GET a"),
        1000,
    )
    .await;
    assert_eq!(replies, ["OK", "QUEUED", "[OK]", "\"5\""]);
}

#[tokio::test]
async fn a_dead_node_ends_the_transaction_at_once() {
    // Longer than this test waits for a reply.
    let setting = Setting::start("workers: 1\ntimeouts: { op_ms: 60000 }").await;
    let mut begun = setting.proxy.client().await;
    let mut watching = setting.proxy.client().await;
    let mut late = setting.proxy.client().await;
    say(&mut begun, &setting.lines("MULTI; SET a 1"), 1000).await;
    say(&mut watching, &setting.lines("WATCH a; GET a"), 1000).await;
    setting.nodes[1].kill().await.unwrap();
    let lost = format!("-{}", setting.proxy.error(1, "connection lost"));
    let refused = format!("-{}", setting.proxy.error(1, "connection refused"));
    let replies = say(&mut begun, &setting.lines("SET b 1; EXEC"), 1000).await;
    assert!(replies[0].starts_with(&lost), "{replies:?}");
    assert_eq!(replies[1], ABORTED);
    let replies = say(
        &mut watching,
        &setting.lines("MULTI; PING; EXEC; MULTI; PING; EXEC"),
        1000,
    )
    .await;
    assert_eq!(replies, ["OK", "QUEUED", ABORTED, "OK", "QUEUED", "[PONG]"]);
    let replies = say(
        &mut late,
        &setting.lines("MULTI; SET a 1; EXEC; WATCH a; PING"),
        1000,
    )
    .await;
    assert_eq!(replies, ["OK", &refused, ABORTED, &refused, "PONG"]);
    setting.nodes[1].restart().await.unwrap();
    for client in [&mut begun, &mut watching, &mut late] {
        let text = "UNWATCH; WATCH a; MULTI; SET a 5; EXEC; GET a";
        let mut replies = Vec::new();
        eventually("the node is back", DEADLINE, async || {
            replies = say(client, &setting.lines(text), 1000).await;
            replies[1] == "OK"
        })
        .await;
        assert_eq!(replies[4..], ["[OK]", "\"5\""]);
    }
}

#[tokio::test]
async fn a_rescale_in_the_middle_lets_it_finish_where_its_keys_still_live() {
    let setting = Setting::start("workers: 1").await;
    let (proxy, old) = (&setting.proxy, setting.proxy.nodes.clone());
    let new = [old[1], setting.plain];
    let stays = keys_on(&old, 1).find(|key| keys_on(&new, 0).take(500).any(|other| other == *key));
    let moves = keys_on(&old, 1).find(|key| keys_on(&new, 1).take(500).any(|other| other == *key));
    let (stays, moves) = (stays.unwrap(), moves.unwrap());
    let words = |text: &str| -> Vec<String> {
        let named = text.replace("STAYS", &stays).replace("MOVES", &moves);
        named.split("; ").map(str::to_owned).collect()
    };
    for (before, after, expected) in [
        ("MULTI; SET STAYS 1", "GET STAYS; EXEC", "[OK \"1\"]"),
        ("MULTI; SET STAYS 1", "EXEC", "[OK]"),
        ("MULTI; SET STAYS 1; SET MOVES 1", "EXEC", ABORTED),
        ("MULTI; SET MOVES 1", "SET STAYS 1; EXEC", ABORTED),
        ("MULTI; SET STAYS 1", "SET MOVES 1; EXEC", ABORTED),
        ("WATCH MOVES", "MULTI; SET STAYS 1; EXEC", ABORTED),
        ("WATCH STAYS; MULTI", "SET STAYS 1; EXEC", "[OK]"),
    ] {
        assert_eq!(proxy.put(&old).await.status, 200);
        let mut client = proxy.client().await;
        ask(&mut client, &["FLUSHALL"]).await;
        let replies = say(&mut client, &words(before), 1000).await;
        assert!(
            !replies.iter().any(|reply| reply.starts_with('-')),
            "{replies:?}"
        );
        assert_eq!(proxy.put(&new).await.status, 200);
        let replies = say(&mut client, &words(after), 1000).await;
        assert_eq!(
            replies.last().unwrap(),
            expected,
            "{before}, then {after}: {replies:?}"
        );
        let done = say(&mut client, &words("EXISTS STAYS MOVES"), 1000).await;
        let written = usize::from(expected != ABORTED);
        assert_eq!(done, [format!(":{written}")], "{before}, then {after}");
    }
}
