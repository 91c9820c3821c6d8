//! Commands through the proxy: the same answer as one plain Redis, or a clear refusal.

use refproxy::command::COMMANDS;
use testbed::client::Client;
use testbed::wire::Value;

use crate::support::{DEADLINE, Proxy, ask, keys_on, nodes, show};

/// Asks the proxy and a plain Redis, which is not a node of the proxy; both must give the same reply.
pub(crate) struct Pair {
    pub(crate) proxy: Client,
    pub(crate) plain: Client,
}

impl Pair {
    pub(crate) async fn check(&mut self, line: &str) {
        let args: Vec<&str> = line.split(' ').collect();
        let expected = ask(&mut self.plain, &args).await;
        assert_eq!(ask(&mut self.proxy, &args).await, expected, "{line}");
    }
}

#[tokio::test]
async fn the_answer_is_that_of_one_plain_redis() {
    let (_nodes, addrs) = nodes(4).await;
    let proxy = Proxy::start(&addrs[..3], "workers: 1").await;
    let mut pair = Pair {
        proxy: proxy.client().await,
        plain: Client::connect(addrs[3], DEADLINE).await.unwrap(),
    };
    for line in [
        "MSET a 1 b 2 c 3 d 4 e 5 f 6",
        "MGET f e d c b a none a",
        "MGET a",
        "EXISTS a a b none",
        "TOUCH a b c none",
        "DEL a a b none",
        "UNLINK c",
        "DBSIZE",
        "SET s x EX 100 GET",
        "APPEND s yz",
        "GETRANGE s 1 2",
        "STRLEN s",
        "INCRBY n 5",
        "INCRBY s 5",
        "RPUSH l a b c",
        "LRANGE l 0 -1",
        "LPOP l 2",
        "HSET h f v g w",
        "HMGET h g f x",
        "HSET h f",
        "SADD t a b a",
        "SMISMEMBER t a x",
        "ZADD z 1 a 2 b",
        "ZRANGE z 0 -1 WITHSCORES",
        "ZADD z x a",
        "GET z",
        "MGET z s",
        "SET k1 1",
        "SET k2 2",
        "SET k3 3",
        "SET k4 4",
        "SET k5 5",
        "SET k6 6",
        "MGET k1 k2 k3 k4 k5 k6",
        "MSET k1 a k2 b k3 c k4 d k5 e k6 f",
        "GET k1",
        "GET k2",
        "GET k3",
        "GET k4",
        "GET k5",
        "GET k6",
        "DEL k1 k2 k3 k4 k5 k6",
        "XADD x 1-1 f v",
        "XRANGE x - +",
        "SETBIT bits 7 1",
        "BITCOUNT bits",
        "PFADD p a b",
        "GEOADD g 1 2 a",
        "GEOPOS g a",
        "TYPE z",
        "EXPIRE z 100 NX",
        "PERSIST z",
        "HSCAN h 0",
        "MSET a",
        "MSET a 1 b",
        "MGET",
        "GET",
        "GET a b",
        "DEL",
        "PING x y",
        "ECHO",
        "SELECT x",
        "SELECT 99",
        "DBSIZE x",
        "KEYS",
        "nonsense a b",
        "GETT a",
        "FLUSHALL SYNC",
        "DBSIZE",
        "KEYS *",
        "FLUSHDB ASYNC",
        "FLUSHALL NOW",
    ] {
        pair.check(line).await;
    }
}

#[tokio::test]
async fn every_node_is_asked_exactly_once() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut client = proxy.client().await;
    let keys: Vec<String> = (0..3)
        .flat_map(|place| proxy.keys_on(place).take(2))
        .collect();
    for key in &keys {
        assert_eq!(ask(&mut client, &["SET", key, "v"]).await, "OK");
    }
    assert_eq!(ask(&mut client, &["DBSIZE"]).await, ":6");
    let mut listed: Vec<String> = ask(&mut client, &["KEYS", "*"])
        .await
        .split(' ')
        .map(|key| key.trim_matches(['[', ']', '"']).to_owned())
        .collect();
    listed.sort();
    let mut expected = keys.clone();
    expected.sort();
    assert_eq!(listed, expected);
    let args: Vec<&str> = std::iter::once("MGET")
        .chain(keys.iter().map(String::as_str))
        .collect();
    ask(&mut client, &args).await;
    assert_eq!(ask(&mut client, &["FLUSHALL"]).await, "OK");
    for addr in &addrs {
        let mut node = Client::connect(*addr, DEADLINE).await.unwrap();
        let stats = ask(&mut node, &["INFO", "commandstats"]).await;
        for (command, calls) in [
            ("set", 2),
            ("dbsize", 1),
            ("keys", 1),
            ("mget", 1),
            ("flushall", 1),
        ] {
            assert!(
                stats.contains(&format!("cmdstat_{command}:calls={calls},")),
                "{command} {calls} times: {stats}"
            );
        }
        assert_eq!(ask(&mut node, &["DBSIZE"]).await, ":0");
    }
}

#[tokio::test]
async fn a_refusal_names_the_reason_and_the_connection_goes_on() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut client = proxy.client().await;
    for (args, reason) in [
        (&["SUBSCRIBE", "a"][..], "pub/sub has no single node"),
        (
            &["BLPOP", "a", "0"],
            "it would block a connection that all clients share",
        ),
        (&["MOVE", "a", "1"], "there is only database 0"),
        (&["COPY", "a", "b", "DB", "1"], "there is only database 0"),
        (
            &["SHUTDOWN"],
            "it is about one server, not about a cluster of nodes",
        ),
        (
            &["SORT", "a", "BY", "w_*"],
            "its patterns make keys that may live on other nodes",
        ),
        (
            &["XREAD", "BLOCK", "0", "STREAMS", "a", "0"],
            "it would block a connection that all clients share",
        ),
    ] {
        let expected = format!(
            "-ERR command '{}' is not supported by this proxy: {reason}",
            args[0]
        );
        assert_eq!(ask(&mut client, args).await, expected);
        assert_eq!(ask(&mut client, &["PING"]).await, "PONG");
    }
}

/// Wherever its keys are among the arguments, a request reaches the one node that has them all, or none.
#[tokio::test]
async fn keys_that_must_live_together_are_found_wherever_they_stand() {
    let (_nodes, addrs) = nodes(3).await;
    let (plain, addrs) = (addrs[2], &addrs[..2]);
    let proxy = Proxy::start(addrs, "workers: 1").await;
    let mut pair = Pair {
        proxy: proxy.client().await,
        plain: Client::connect(plain, DEADLINE).await.unwrap(),
    };
    let on = |node| keys_on(addrs, node);
    let here: Vec<String> = on(1).take(3).collect();
    let [a, b, c] = [0, 1, 2].map(|place| here[place].as_str());
    let there = on(0).next().unwrap();
    for line in [
        format!("SADD {a} x y"),
        format!("SADD {b} y z"),
        format!("SINTER {a} {b}"),
        format!("SINTERCARD 2 {a} {b}"),
        format!("SUNIONSTORE {c} {a} {b}"),
        format!("SORT {c} ALPHA LIMIT 0 1"),
        format!("RENAME {c} {b}"),
        format!("SCARD {b}"),
        format!("EVAL return(redis.call('scard',KEYS[1])) 1 {b}"),
        "EVAL return(7) x".to_owned(),
        "EVAL return(7) -1".to_owned(),
        "EVAL return(7) 2 a".to_owned(),
        "EVALSHA x 01 a".to_owned(),
        "FCALL f x".to_owned(),
        "FCALL f 2 a".to_owned(),
        "ZUNION x a".to_owned(),
        format!("ZUNION 2 {a}"),
        format!("ZUNIONSTORE {a} 2 {b}"),
        format!("ZUNIONSTORE {a} 0 {b}"),
        "ZINTERCARD 2 a".to_owned(),
        "ZINTERCARD 0 a".to_owned(),
        "SINTERCARD -1 a".to_owned(),
        "LMPOP x a LEFT".to_owned(),
        "LMPOP 3 a LEFT".to_owned(),
        "ZMPOP 0 a MIN".to_owned(),
        "ZDIFF 18446744073709551616 a".to_owned(),
        "XREAD STREAMS a b 0".to_owned(),
        "XREAD STREAMS".to_owned(),
        format!("OBJECT encoding {a}"),
        "ZUNION 1 nothing".to_owned(),
        "ZUNION 0 nothing".to_owned(),
        format!("XGROUP CREATE {c} group $ MKSTREAM"),
        format!("XADD {c} 1-1 f v"),
        format!("XREADGROUP GROUP group me STREAMS {c} >"),
        "OBJECT WEIGHT a".to_owned(),
        "XGROUP CREATE a".to_owned(),
        format!("COPY {a} {c} REPLACE"),
        format!("SORT {c} ALPHA"),
    ] {
        pair.check(&line).await;
    }
    for line in [
        format!("BITOP NOT {c} {there}"),
        format!("SUNION {a} {there}"),
        format!("ZUNIONSTORE {a} 2 {b} {there}"),
        format!("EVAL return(1) 2 {a} {there}"),
        format!("SORT {a} STORE {there}"),
        format!("MSETNX {a} 1 {there} 2"),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let answer = ask(&mut pair.proxy, &args).await;
        let told = |key: &str| answer.contains(&format!("'{key}' is on 127.0.0.1:"));
        let one = [a, b, c].into_iter().any(told);
        assert!(
            answer.starts_with("-CROSSSLOT ") && one && told(&there),
            "{line}: {answer}"
        );
    }
}

/// The same with every list in one order: each server has its subcommands in an order of its own.
fn sorted(value: Value) -> String {
    match value {
        Value::Array(values) => {
            let mut shown: Vec<String> = values.into_iter().map(sorted).collect();
            shown.sort();
            format!("[{}]", shown.join(" "))
        }
        other => show(&other),
    }
}

#[tokio::test]
async fn commands_are_described_as_redis_describes_them() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs[..1], "workers: 1").await;
    let mut pair = Pair {
        proxy: proxy.client().await,
        plain: Client::connect(addrs[1], DEADLINE).await.unwrap(),
    };
    let each = COMMANDS
        .iter()
        .map(|row| format!("COMMAND INFO {}", row.name));
    let more = [
        "COMMAND",
        "COMMAND INFO",
        "COMMAND INFO get nonsense set",
        "COMMAND COUNT",
        "COMMAND LIST",
        "COMMAND LIST FILTERBY ACLCAT hyperloglog",
        "COMMAND LIST FILTERBY MODULE json",
    ];
    for line in each.chain(more.map(str::to_owned)) {
        let args: Vec<&str> = line.split(' ').collect();
        let answer = pair.proxy.call(&args, DEADLINE).await.unwrap();
        let expected = pair.plain.call(&args, DEADLINE).await.unwrap();
        assert_eq!(sorted(answer), sorted(expected), "{line}");
    }
    for line in [
        "ZADD z 1 m",
        "ZRANK z m",
        "ZRANK z m WITHSCORE",
        "HTTL h FIELDS 1 f",
    ] {
        pair.check(line).await;
    }
    for line in [
        "COMMAND GETKEYS GET a",
        "COMMAND GETKEYS mset a 1 b 2",
        "COMMAND GETKEYS SORT a STORE b",
        "COMMAND GETKEYS EVAL x 2 a b c",
        "COMMAND GETKEYS EVAL x 0",
        "COMMAND GETKEYS EVAL x y",
        "COMMAND GETKEYS ZUNION 3 a b",
        "COMMAND GETKEYS XREAD COUNT 1 STREAMS a b 0 0",
        "COMMAND GETKEYS OBJECT ENCODING a",
        "COMMAND GETKEYS OBJECT NONSENSE a",
        "COMMAND GETKEYS GET",
        "COMMAND GETKEYS GET a b",
        "COMMAND GETKEYS PING x",
        "COMMAND GETKEYS nonsense x",
        "COMMAND GETKEYS",
    ] {
        pair.check(line).await;
    }
}
