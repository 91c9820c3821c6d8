//! redis-rs: the synchronous client and the one for tokio, in both protocols.

use std::collections::HashMap;

use libtest_mimic::Failed;
use redis::aio::MultiplexedConnection;
use redis::{Commands, Connection, RedisError, cmd, pipe};

use crate::site::Site;
use crate::{Client, named};

pub(crate) fn client() -> Client {
    Client {
        name: "redis-rs",
        package: "redis-rs",
        missing: None,
        workloads: named(&[
            ("values", values),
            ("pipelines", pipelines),
            ("transactions", transactions),
            ("scan", scan),
            ("refusals", refusals),
            ("tokio", tokio_tasks),
            ("tokio-resp3", tokio_resp3),
        ]),
    }
}

fn opened(site: &Site, options: &str) -> Result<redis::Client, Failed> {
    Ok(redis::Client::open(format!(
        "redis://{}/0{options}",
        site.addr()
    ))?)
}

fn connected(site: &Site) -> Result<Connection, Failed> {
    Ok(opened(site, "")?.get_connection()?)
}

fn expect<T: PartialEq + std::fmt::Debug>(step: &str, got: T, wanted: T) -> Result<(), Failed> {
    if got == wanted {
        return Ok(());
    }
    Err(format!("{step}: expected {wanted:?}, got {got:?}").into())
}

/// The step ended in an error of this code that says this.
fn refused<T: std::fmt::Debug>(
    step: &str,
    got: Result<T, RedisError>,
    code: &str,
    text: &str,
) -> Result<(), Failed> {
    match got {
        Err(error) if error.code() == Some(code) && error.to_string().contains(text) => Ok(()),
        other => Err(format!("{step}: expected {code} with \"{text}\", got {other:?}").into()),
    }
}

fn values(site: &Site) -> Result<(), Failed> {
    let mut client = connected(site)?;
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

fn pipelines(site: &Site) -> Result<(), Failed> {
    let mut client = connected(site)?;
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

fn transactions(site: &Site) -> Result<(), Failed> {
    let (mut client, mut other) = (connected(site)?, connected(site)?);
    let mut atomic = pipe();
    atomic
        .atomic()
        .set("{t}a", 1)
        .ignore()
        .incr("{t}a", 1)
        .rpush("{t}b", "x");
    expect("a transaction", atomic.query(&mut client)?, (2, 1))?;

    // The first attempt loses, because somebody else writes meanwhile.
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

fn scan(site: &Site) -> Result<(), Failed> {
    let mut client = connected(site)?;
    let items: Vec<(String, usize)> = (0..300).map(|n| (format!("item:{n}"), n)).collect();
    let () = client.mset(&items)?;
    let found: Result<Vec<String>, _> = client.scan_match("item:*")?.collect();
    let (mut found, mut wanted) = (
        found?,
        items.into_iter().map(|item| item.0).collect::<Vec<_>>(),
    );
    found.sort();
    wanted.sort();
    expect("SCAN", found, wanted)?;
    expect("DBSIZE", cmd("DBSIZE").query(&mut client)?, 300)
}

fn refusals(site: &Site) -> Result<(), Failed> {
    let mut client = connected(site)?;
    if site.is_sharded() {
        let published = client.publish::<_, _, i64>("news", "x");
        refused("PUBLISH", published, "ERR", "pub/sub has no single node")?;
        // Not by `PubSub::subscribe`: as of 1.8.1 it takes any reply for a subscription, an error too.
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

fn tokio_tasks(site: &Site) -> Result<(), Failed> {
    let client = opened(site, "")?;
    site.block_on(async { share(client.get_multiplexed_async_connection().await?).await })
}

fn tokio_resp3(site: &Site) -> Result<(), Failed> {
    let client = opened(site, "?protocol=resp3")?;
    site.block_on(async {
        let mut connection = client.get_multiplexed_async_connection().await?;
        let said: HashMap<String, redis::Value> = cmd("HELLO").query_async(&mut connection).await?;
        expect(
            "the protocol",
            said.get("proto"),
            Some(&redis::Value::Int(3)),
        )?;
        let mut scores = pipe();
        scores
            .zadd("z", "ada", 1.5)
            .ignore()
            .zscore("z", "ada")
            .zscore("z", "zoe");
        let scores: (f64, Option<f64>) = scores.query_async(&mut connection).await?;
        expect("scores", scores, (1.5, None))?;
        share(connection).await
    })
}

/// Many tasks over one connection: each gets the replies to its own requests.
async fn share(connection: MultiplexedConnection) -> Result<(), Failed> {
    let tasks: Vec<_> = (0..50)
        .map(|task| tokio::spawn(work(connection.clone(), task)))
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

async fn work(mut connection: MultiplexedConnection, task: usize) -> Result<(), Failed> {
    for number in 0..20 {
        let (key, twin) = (format!("{{{task}}}:{number}"), format!("{{{task}}}:twin"));
        let mut both = pipe();
        both.set(&key, number).ignore().get(&key);
        let value: (usize,) = both.query_async(&mut connection).await?;
        expect(&key, value, (number,))?;
        both.clear();
        both.atomic()
            .set(&twin, number)
            .ignore()
            .mget(&[&key, &twin]);
        let values: ((usize, usize),) = both.query_async(&mut connection).await?;
        expect(&twin, values, ((number, number),))?;
    }
    Ok(())
}
