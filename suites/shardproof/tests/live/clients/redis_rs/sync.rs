//! The synchronous client: values, pipelines, transactions, SCAN, refusals, and a node that is down.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use redis::{Commands, Connection, cmd, pipe};

use super::{TIME_LIMIT, expect, opened, refused};
use crate::clients::site::Site;

/// How long a node that is back may be unreachable; it takes less than a second.
const FOUND_WITHIN: Duration = Duration::from_secs(20);

fn connected(site: &Site, options: &str) -> Result<Connection, Failed> {
    let connection = opened(site, options)?.get_connection()?;
    connection.set_read_timeout(Some(TIME_LIMIT))?;
    Ok(connection)
}

pub(super) fn values(site: &Site, options: &str) -> Result<(), Failed> {
    let mut client = connected(site, options)?;
    let () = client.set_ex("user:1", "Ada", 60)?;
    expect("GET", client.get("user:1")?, Some("Ada".to_owned()))?;
    expect(
        "GET of what is not there",
        client.get("user:2")?,
        None::<String>,
    )?;
    expect("INCRBY", client.incr("visits", 42)?, 42)?;
    expect("INCRBYFLOAT", client.incr("price", 10.5)?, 10.5)?;
    let () = client.hset_multiple("cart", &[("apple", 2), ("pear", 1)])?;
    let cart = HashMap::from([("apple".to_owned(), 2), ("pear".to_owned(), 1)]);
    expect("HGETALL", client.hgetall("cart")?, cart)?;
    expect("RPUSH", client.rpush("queue", &["a", "b"])?, 2)?;
    expect("LPOP", client.lpop("queue", None)?, "a".to_owned())?;
    expect("SADD", client.sadd("tags", &["red", "red"])?, 1)?;
    expect(
        "ZADD",
        client.zadd_multiple("scores", &[(1.5, "ada"), (0.5, "bob")])?,
        2,
    )?;
    let ranked = [("bob".to_owned(), 0.5), ("ada".to_owned(), 1.5)];
    expect(
        "ZRANGE WITHSCORES",
        client.zrange_withscores("scores", 0, -1)?,
        ranked.to_vec(),
    )?;
    let bytes: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let () = client.set(&bytes[..256], &bytes)?;
    expect(
        "GET of 1 MB",
        client.get::<_, Vec<u8>>(&bytes[..256])? == bytes,
        true,
    )?;
    refused(
        "INCR of a word",
        client.incr::<_, _, i64>("user:1", 1),
        "ERR",
        "not an integer",
    )
}

pub(super) fn pipelines(site: &Site) -> Result<(), Failed> {
    let mut client = connected(site, "")?;
    let mut requests = pipe();
    for number in 0..500 {
        let key = format!("key:{number}");
        requests.set(&key, number).ignore().get(&key).incr(&key, 1);
    }
    let replies: Vec<usize> = requests.query(&mut client)?;
    let wanted: Vec<usize> = (0..500).flat_map(|number| [number, number + 1]).collect();
    expect("a pipeline", replies, wanted)?;
    let keys: Vec<String> = (0..500).map(|number| format!("key:{number}")).collect();
    expect(
        "MGET",
        client.mget(&keys)?,
        (1..=500).collect::<Vec<usize>>(),
    )?;
    expect("DEL", client.del(&keys)?, 500)
}

pub(super) fn transactions(site: &Site) -> Result<(), Failed> {
    let (mut client, mut other) = (connected(site, "")?, connected(site, "")?);
    let mut atomic = pipe();
    atomic
        .atomic()
        .set("{t}a", 1)
        .ignore()
        .incr("{t}a", 1)
        .rpush("{t}b", "x");
    expect("a transaction", atomic.query(&mut client)?, (2, 1))?;

    // The first attempt loses, because another client writes first.
    let mut attempts = Vec::new();
    let done: (usize,) = redis::transaction(&mut client, &["{t}a"], |client, pipe| {
        let value: usize = client.get("{t}a")?;
        if attempts.is_empty() {
            let () = other.incr("{t}a", 1)?;
        }
        attempts.push(value);
        pipe.set("{t}a", value * 10)
            .ignore()
            .incr("{t}a", 1)
            .query(client)
    })?;
    expect(
        "a value that is watched",
        (done, attempts),
        ((31,), vec![2, 3]),
    )?;

    let mut far = pipe();
    far.atomic();
    for number in 0..40 {
        far.set(format!("far:{number}"), "x").ignore();
    }
    let outcome = far.query::<()>(&mut client);
    match site.is_sharded() {
        true => refused(
            "over several nodes",
            outcome,
            "EXECABORT",
            "must live on one node",
        )?,
        false => outcome?,
    }
    expect("the client goes on", client.get("{t}a")?, 31)
}

pub(super) fn scan(site: &Site) -> Result<(), Failed> {
    let mut client = connected(site, "")?;
    let items: Vec<(String, usize)> = (0..300).map(|n| (format!("item:{n}"), n)).collect();
    let () = client.mset(&items)?;
    let found: Result<Vec<String>, _> = client.scan_match("item:*")?.collect();
    let (mut found, mut wanted) = (
        found?,
        items.into_iter().map(|item| item.0).collect::<Vec<_>>(),
    );
    found.sort();
    wanted.sort();
    expect("how many keys SCAN finds", found.len(), 300)?;
    expect("SCAN finds the keys", found == wanted, true)?;
    expect("DBSIZE", cmd("DBSIZE").query(&mut client)?, 300)
}

pub(super) fn refusals(site: &Site) -> Result<(), Failed> {
    let mut client = connected(site, "")?;
    if site.is_sharded() {
        let published = client.publish::<_, _, i64>("news", "x");
        refused("PUBLISH", published, "ERR", "pub/sub has no single node")?;
        // Not by `PubSub::subscribe`: as of 1.8.1 it treats any reply as a subscription, an error too.
        let subscribed = cmd("SUBSCRIBE").arg("news").exec(&mut client);
        refused("SUBSCRIBE", subscribed, "ERR", "pub/sub has no single node")?;
        let keys: Vec<String> = (0..40).map(|number| format!("far:{number}")).collect();
        let joined = client.sunion::<_, Vec<String>>(keys);
        refused("SUNION", joined, "CROSSSLOT", "must live on one node")?;
    } else {
        expect("PUBLISH", client.publish("news", "x")?, 0)?;
    }
    let () = client.set("a", 1)?;
    expect("the client goes on", client.get("a")?, 1)
}

/// The error names the node, keys on other nodes are served, and all keys are served again once it is back.
pub(super) fn node_down(site: &Site) -> Result<(), Failed> {
    let mut client = connected(site, "")?;
    let keys: Vec<String> = (0..60).map(|number| format!("key:{number}")).collect();
    if site.is_sharded() {
        let node = format!("node {}: connection refused", site.lose_a_node()?);
        let mut errors = 0;
        for key in &keys {
            if let outcome @ Err(_) = client.set::<_, _, ()>(key, "x") {
                refused(key, outcome, "ERR", &node)?;
                errors += 1;
            }
        }
        expect("some keys live on it", errors > 0 && errors < 60, true)?;
        site.get_it_back()?;
        let until = Instant::now() + FOUND_WITHIN;
        while client.mget::<_, Vec<Option<String>>>(&keys).is_err() {
            expect("it is found again", Instant::now() < until, true)?;
        }
    }
    for key in &keys {
        let () = client.set(key, "x")?;
    }
    expect("EXISTS", client.exists(&keys)?, 60)
}
