//! SCAN over all nodes, as the loops of standard clients use it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use testbed::client::Client;
use testbed::node::Node as _;
use testbed::wire::Value;

use crate::commands::Pair;
use crate::support::{DEADLINE, Proxy, ask, nodes, show};

/// Keys `prefix:0`, `prefix:1`, ...
fn named(prefix: &str, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("{prefix}:{number}"))
        .collect()
}

async fn set(client: &mut Client, keys: &[String]) {
    let requests: Vec<Vec<&str>> = keys.iter().map(|key| vec!["SET", key, "v"]).collect();
    for replies in requests.chunks(500) {
        for reply in client.pipeline(replies, DEADLINE).await.unwrap() {
            assert_eq!(show(&reply), "OK");
        }
    }
}

/// One page: the cursor and the keys.
async fn page(client: &mut Client, cursor: &str, options: &[&str]) -> (String, Vec<String>) {
    let args = [&["SCAN", cursor], options].concat();
    let text = |value: &Value| match value {
        Value::Bulk(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        other => panic!("no bulk: {other}"),
    };
    match client.call(&args, DEADLINE).await.unwrap() {
        Value::Array(parts) => match &parts[..] {
            [cursor, Value::Array(keys)] => (text(cursor), keys.iter().map(text).collect()),
            other => panic!("no page: {other:?}"),
        },
        other => panic!("{args:?}: {other}"),
    }
}

/// The keys of a whole scan, duplicates included.
async fn scan(client: &mut Client, options: &[&str]) -> Vec<String> {
    let (mut cursor, mut found) = page(client, "0", options).await;
    while cursor != "0" {
        assert!(
            cursor.parse::<i64>().is_ok_and(|number| number > 0),
            "{cursor}"
        );
        let (next, keys) = page(client, &cursor, options).await;
        cursor = next;
        found.extend(keys);
    }
    found
}

#[tokio::test]
async fn a_scan_finds_the_keys_of_all_nodes() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, "workers: 2").await;
    let mut client = proxy.client().await;
    assert_eq!(scan(&mut client, &[]).await, Vec::<String>::new());
    let keys = named("key", 5000);
    set(&mut client, &keys).await;
    ask(&mut client, &["RPUSH", "list:1", "a"]).await;
    let expected: BTreeSet<String> = keys.iter().cloned().collect();
    let strings = scan(&mut client, &["TYPE", "string"]).await;
    assert_eq!(strings.into_iter().collect::<BTreeSet<_>>(), expected);
    assert_eq!(
        scan(&mut client, &["TYPE", "list", "COUNT", "3000"]).await,
        ["list:1"]
    );
    let mut few = scan(&mut client, &["MATCH", "key:*99", "COUNT", "100"]).await;
    few.sort();
    few.dedup();
    assert_eq!(few.len(), 50);
    // All of it at once, as from one Redis.
    let (cursor, all) = page(&mut client, "0", &["COUNT", "100000"]).await;
    assert_eq!((cursor.as_str(), all.len()), ("0", 5001));

    let port = proxy.addr.port().to_string();
    let cli = move || {
        Command::new("redis-cli")
            .args(["-p", &port, "--scan", "--pattern", "key:*"])
            .output()
    };
    let output = tokio::task::spawn_blocking(cli).await.unwrap().unwrap();
    let listed = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        listed.lines().map(str::to_owned).collect::<BTreeSet<_>>(),
        expected
    );

    let client = redis::Client::open(format!("redis://{}", proxy.addr)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut keys = redis::AsyncCommands::scan_match::<_, String>(&mut connection, "key:*")
        .await
        .unwrap();
    let mut iterated = BTreeSet::new();
    while let Some(key) = keys.next_item().await {
        iterated.insert(key.unwrap());
    }
    assert_eq!(iterated, expected);
}

/// How often each node has been asked for a page.
async fn scans(addrs: &[SocketAddr]) -> Vec<u64> {
    let mut counts = Vec::new();
    for addr in addrs {
        let mut node = Client::connect(*addr, DEADLINE).await.unwrap();
        let stats = ask(&mut node, &["INFO", "commandstats"]).await;
        let calls = stats.split_once("cmdstat_scan:calls=");
        counts.push(calls.map_or(0, |(_, rest)| {
            rest.split(',').next().unwrap().parse().unwrap()
        }));
    }
    counts
}

#[tokio::test]
async fn a_scan_of_few_keys_is_one_call_in_either_protocol() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut client = proxy.client().await;
    assert_eq!(
        page(&mut client, "0", &[]).await,
        ("0".to_owned(), Vec::new())
    );
    let keys: Vec<String> = (0..3)
        .flat_map(|node| proxy.keys_on(node).take(3))
        .collect();
    set(&mut client, &keys).await;
    for hello in ["2", "3"] {
        client.call(&["HELLO", hello], DEADLINE).await.unwrap();
        let (cursor, mut found) = page(&mut client, "0", &[]).await;
        found.sort();
        let mut expected = keys.clone();
        expected.sort();
        assert_eq!((cursor.as_str(), found), ("0", expected));
        for options in [["MATCH", "nothing*"], ["TYPE", "list"]] {
            assert_eq!(
                page(&mut client, "0", &options).await,
                ("0".to_owned(), Vec::new())
            );
        }
    }
    // Each node once per call.
    assert_eq!(scans(&addrs).await, [7, 7, 7]);
}

#[tokio::test]
async fn a_call_does_no_more_work_than_a_page_of_each_node() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut client = proxy.client().await;
    set(&mut client, &named("key", 3000)).await;
    let (cursor, found) = page(&mut client, "0", &["MATCH", "nothing*", "COUNT", "50"]).await;
    assert!(cursor != "0" && found.is_empty());
    assert_eq!(scans(&addrs).await, [1, 0, 0]);
    // As many as wanted have come from the first node.
    page(&mut client, "0", &["COUNT", "500"]).await;
    assert_eq!(scans(&addrs).await, [2, 0, 0]);
}

#[tokio::test]
async fn a_scan_does_not_see_what_its_client_does_later() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut client = proxy.client().await;
    let last = proxy.key_on(2);
    set(&mut client, std::slice::from_ref(&last)).await;
    let pipeline = [vec!["SCAN", "0"], vec!["DEL", &last]];
    let replies = client.pipeline(&pipeline, DEADLINE).await.unwrap();
    assert_eq!(show(&replies[1]), ":1");
    // The key existed, so it is in the page, or the page is not the last.
    assert!(
        !show(&replies[0]).starts_with("[\"0\""),
        "{}",
        show(&replies[0])
    );
}

#[tokio::test]
async fn a_node_that_fails_takes_no_keys_of_others_from_the_page() {
    let (nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, "workers: 1\ntimeouts: { op_ms: 500 }").await;
    let mut client = proxy.client().await;
    let keys: Vec<String> = [0, 2].map(|node| proxy.key_on(node)).to_vec();
    set(&mut client, &keys).await;
    for fault in ["dead", "silent"] {
        let told = match fault {
            "dead" => {
                nodes[1].kill().await.unwrap();
                "connection refused"
            }
            _ => {
                nodes[1].restart().await.unwrap();
                crate::support::eventually("the node is back", DEADLINE, async || {
                    ask(&mut client, &["GET", &proxy.key_on(1)]).await == "nil"
                })
                .await;
                nodes[1].pause().await.unwrap();
                "timeout"
            }
        };
        crate::support::eventually("the first page is whole", DEADLINE, async || {
            let (cursor, found) = page(&mut client, "0", &[]).await;
            assert_eq!(found, keys[..1], "{fault}");
            let next = ask(&mut client, &["SCAN", &cursor]).await;
            next == format!("-{}", proxy.error(1, told))
        })
        .await;
    }
    nodes[1].resume().await.unwrap();
}

#[tokio::test]
async fn what_stays_is_found_while_others_come_and_go() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, "workers: 2").await;
    let mut client = proxy.client().await;
    let stays = named("stays", 3000);
    set(&mut client, &stays).await;
    let stop = Arc::new(AtomicBool::new(false));
    let rounds = Arc::new(AtomicUsize::new(0));
    let mut other = proxy.client().await;
    let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&rounds));
    // Enough of them that the nodes' tables grow and shrink during the scan.
    let come_and_go = tokio::spawn(async move {
        let guests = named("guest", 10_000);
        while !stopped.load(Ordering::Relaxed) {
            set(&mut other, &guests).await;
            for keys in guests.chunks(500) {
                let args: Vec<&str> = std::iter::once("DEL")
                    .chain(keys.iter().map(String::as_str))
                    .collect();
                ask(&mut other, &args).await;
            }
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let expected: BTreeSet<String> = stays.into_iter().collect();
    let mut scans = 0;
    while scans < 5 || rounds.load(Ordering::Relaxed) < 3 {
        let found: BTreeSet<String> = scan(&mut client, &["COUNT", "50"])
            .await
            .into_iter()
            .collect();
        let lost: Vec<&String> = expected.difference(&found).collect();
        assert_eq!(lost, Vec::<&String>::new());
        assert!(
            found
                .difference(&expected)
                .all(|key| key.starts_with("guest:"))
        );
        scans += 1;
    }
    stop.store(true, Ordering::Relaxed);
    come_and_go.await.unwrap();
}

#[tokio::test]
async fn a_cursor_that_leads_nowhere_is_an_error() {
    let (nodes, addrs) = nodes(4).await;
    let proxy = Proxy::start(&addrs[..3], "workers: 1").await;
    let mut pair = Pair {
        proxy: proxy.client().await,
        plain: Client::connect(addrs[3], DEADLINE).await.unwrap(),
    };
    for line in [
        "SCAN",
        "SCAN x",
        "SCAN 1x",
        "SCAN 99999999999999999999999",
        "SCAN 0 COUNT x",
        "SCAN 0 COUNT 0",
        "SCAN 0 MATCH",
        "SCAN 0 NONSENSE 1",
    ] {
        pair.check(line).await;
    }
    let mut client = pair.proxy;
    set(&mut client, &named("key", 300)).await;
    let (cursor, _) = page(&mut client, "0", &["COUNT", "5"]).await;
    // The same nodes again, regardless of other changes: the cursor stays valid.
    assert_eq!(proxy.put(&addrs[..3]).await.status, 200);
    page(&mut client, &cursor, &[]).await;
    let foreign = "-ERR invalid cursor: it belongs to another list of nodes; begin again at 0";
    for list in [&addrs[..2], &addrs[..4]] {
        assert_eq!(proxy.put(list).await.status, 200);
        assert_eq!(ask(&mut client, &["SCAN", &cursor]).await, foreign);
    }
    assert_eq!(ask(&mut client, &["SCAN", "1"]).await, foreign);
    assert_eq!(proxy.put(&addrs[..3]).await.status, 200);
    page(&mut client, &cursor, &[]).await;

    nodes[0].kill().await.unwrap();
    let refused = format!("-{}", proxy.error(0, "connection refused"));
    crate::support::eventually("the node is known to be gone", DEADLINE, async || {
        ask(&mut client, &["SCAN", "0"]).await == refused
    })
    .await;
    assert_eq!(ask(&mut client, &["SCAN", &cursor]).await, refused);
}
