//! RESP3: the bytes of one plain Redis, only for clients that asked for them.

use std::net::SocketAddr;

use testbed::client::Client;
use testbed::node::{Act, Scripted};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{DEADLINE, Proxy, ask, eventually, keys_on, nodes};

/// A connection for raw bytes, without a codec.
struct Raw {
    stream: TcpStream,
    marks: usize,
}

impl Raw {
    async fn connect(addr: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(addr).await.unwrap(),
            marks: 0,
        }
    }

    /// The bytes after these requests, written at once: all up to the echo of a word that no other client sends.
    async fn bytes(&mut self, requests: &[&[&str]]) -> Vec<u8> {
        self.marks += 1;
        let mark = format!("mark-{}", self.marks);
        let mut wire = Vec::new();
        for request in requests {
            wire.extend(refproxy::resp::request(request));
        }
        wire.extend(refproxy::resp::request(&["ECHO", &mark]));
        self.stream.write_all(&wire).await.unwrap();
        let end = format!("${}\r\n{mark}\r\n", mark.len()).into_bytes();
        let mut seen = Vec::new();
        while !seen.ends_with(&end) {
            let read = tokio::time::timeout(DEADLINE, self.stream.read_buf(&mut seen)).await;
            let read = read.unwrap_or_else(|_| panic!("{}", seen.escape_ascii()));
            assert_ne!(read.unwrap(), 0, "closed after {}", seen.escape_ascii());
        }
        seen.truncate(seen.len() - end.len());
        seen
    }

    /// As [`Raw::bytes`], as text.
    async fn ask(&mut self, request: &[&str]) -> String {
        let bytes = self.bytes(&[request]).await;
        bytes.escape_ascii().to_string().replace("\\'", "'")
    }

    async fn ask_line(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        self.ask(&words).await
    }
}

/// HELLO's answer without the number of the connection.
fn without_id(answer: &str) -> String {
    let (before, after) = answer.split_once("id\\r\\n:").unwrap();
    format!(
        "{before}{}",
        after.trim_start_matches(|c: char| c.is_ascii_digit())
    )
}

/// Commands of every shape of reply that RESP3 has. None depends on the order within a set or hash.
const LINES: &[&str] = &[
    "SET a 1",
    "GET a",
    "GET none",
    "SET a 2 GET",
    "SET a 3 XX",
    "SET none 3 XX",
    "GETDEL none",
    "MSET b 2 c 3 d 4 e 5",
    "MGET a b none c d e none2",
    "MGET a",
    "MGET none",
    "DEL b none",
    "EXISTS a c d none",
    "UNLINK e",
    "TOUCH a c",
    "INCRBYFLOAT f 1.5",
    "INCR a",
    "INCR f",
    "HSET h f1 v1",
    "HGETALL h",
    "HGETALL none",
    "HGET h none",
    "HMGET h f1 none",
    "HRANDFIELD h 1 WITHVALUES",
    "HRANDFIELD none",
    "HSCAN h 0",
    "HINCRBYFLOAT h n 0.5",
    "SADD s x",
    "SMEMBERS s",
    "SMEMBERS none",
    "SMISMEMBER s x y",
    "SPOP s 1",
    "SPOP none",
    "SRANDMEMBER none",
    "ZADD z 1.5 m",
    "ZADD z inf i",
    "ZADD z -inf j",
    "ZADD z INCR 2 m",
    "ZADD z NX INCR 2 m",
    "ZSCORE z m",
    "ZSCORE z none",
    "ZMSCORE z m none i",
    "ZRANGE z 0 -1 WITHSCORES",
    "ZRANGEBYSCORE z -inf +inf WITHSCORES LIMIT 0 2",
    "ZRANK z m",
    "ZRANK z none",
    "ZPOPMIN z",
    "ZPOPMIN z 2",
    "ZPOPMIN none",
    "ZMPOP 1 none MIN",
    "ZINCRBY z 0.1 k",
    "ZRANDMEMBER z 1 WITHSCORES",
    "ZRANDMEMBER none",
    "ZSCAN z 0",
    "RPUSH l 1 2 3",
    "LRANGE l 0 -1",
    "LPOP l 2",
    "LPOP none 2",
    "LPOP none",
    "LPOS l none",
    "LMPOP 1 l LEFT",
    "XADD x 1-1 f v",
    "XRANGE x - +",
    "XREAD STREAMS x 0",
    "XREAD STREAMS x 9",
    "XINFO STREAM x",
    "XGROUP CREATE x g 0",
    "XINFO GROUPS x",
    "XREADGROUP GROUP g me STREAMS x >",
    "XPENDING x g",
    "XPENDING x none",
    "XAUTOCLAIM x g me 0 0",
    "GEOADD g 13.361389 38.115556 p",
    "GEOPOS g p none",
    "GEODIST g p none",
    "GEOSEARCH g FROMMEMBER p BYRADIUS 1 km WITHCOORD WITHDIST",
    "OBJECT ENCODING a",
    "OBJECT ENCODING none",
    "OBJECT HELP",
    "TYPE a",
    "TTL a",
    "DUMP none",
    "SORT l GET none",
    "LCS a a IDX",
    "BITFIELD bf SET u8 0 255 OVERFLOW FAIL INCRBY u8 0 1",
    "SETBIT bits 1 1",
    "EVAL return(redis.setresp(3)) 1 a",
    "EVAL return{double=1.5} 1 a",
    "EVAL redis.setresp(3);return(redis.call('hgetall',KEYS[1])) 1 h",
    "EVAL redis.setresp(3);return(redis.call('zscore',KEYS[1],'k')) 1 z",
    "EVAL return{map={k=false}} 1 a",
    "EVAL return{set={k=true}} 1 a",
    "EVAL redis.setresp(3);return(true) 1 a",
    "EVAL redis.setresp(3);return(false) 1 a",
    "EVAL return{big_number='12345678901234567890123'} 1 a",
    "EVAL return{verbatim_string={format='mkd',string='#a'}} 1 a",
    "EVAL return(redis.error_reply('OWN')) 1 a",
    "GET z",
    "SET a",
    "NOSUCH a b",
    "PING",
    "PING x",
    "ECHO x",
    "SELECT 0",
    "SELECT 99",
    "DBSIZE",
    "KEYS none*",
    "CONFIG GET nosuch",
    "CONFIG GET maxmemory",
    "SCRIPT EXISTS a",
    "FUNCTION STATS",
    "FUNCTION LIST",
    "SLOWLOG GET 0",
    "CLIENT GETNAME",
    "CLIENT SETNAME me",
    "CLIENT GETNAME",
    "COMMAND INFO nosuch",
    "COMMAND DOCS nosuch",
    "FLUSHALL",
    "RANDOMKEY",
    "KEYS *",
];

#[tokio::test]
async fn the_bytes_are_those_of_one_plain_redis() {
    let (_nodes, addrs) = nodes(4).await;
    let proxy = Proxy::start(&addrs[..3], "workers: 1").await;
    let mut one = Raw::connect(proxy.addr).await;
    let mut plain = Raw::connect(addrs[3]).await;
    for version in ["3", "2", "3"] {
        let hello = ["HELLO", version];
        assert_eq!(
            without_id(&one.ask(&hello).await),
            without_id(&plain.ask(&hello).await)
        );
        for line in LINES {
            let expected = plain.ask_line(line).await;
            assert_eq!(
                one.ask_line(line).await,
                expected,
                "{line}, HELLO {version}"
            );
        }
        for wrong in [
            "HELLO 4",
            "HELLO x",
            "HELLO 3 WHAT",
            "HELLO 2 AUTH a",
            "HELLO 1",
        ] {
            let expected = plain.ask_line(wrong).await;
            assert_eq!(one.ask_line(wrong).await, expected, "{wrong}");
            // Nothing has changed.
            let expected = plain.ask_line("GET none").await;
            assert_eq!(one.ask_line("GET none").await, expected);
        }
        let expected = without_id(&plain.ask_line("HELLO").await);
        assert_eq!(without_id(&one.ask_line("HELLO").await), expected);
    }
    for line in ["RESET", "GET none", "CLIENT GETNAME"] {
        assert_eq!(
            one.ask_line(line).await,
            plain.ask_line(line).await,
            "{line}"
        );
    }
}

/// Each request is answered in the protocol that was current when it was sent, and sees earlier writes, although the
/// two protocols have connections of their own to the nodes.
#[tokio::test]
async fn a_change_of_protocol_within_a_pipeline_overtakes_nothing() {
    let (_nodes, addrs) = nodes(4).await;
    let proxy = Proxy::start(&addrs[..3], "workers: 1").await;
    let (mut one, mut plain) = (Raw::connect(proxy.addr).await, Raw::connect(addrs[3]).await);
    let long = "x".repeat(20_000);
    let mut requests: Vec<Vec<String>> = Vec::new();
    let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    for turn in 0..200 {
        let key = format!("k{}", turn % 7);
        requests.push(words(&format!("INCR {key}")));
        requests.push(words(&format!("APPEND big {long}")));
        // A change of protocol of any size.
        let change = ["HELLO 3", "HELLO 2", "RESET"][turn % 3];
        requests.push(match turn % 4 {
            3 if change != "RESET" => words(&format!("{change} SETNAME {long}")),
            _ => words(change),
        });
        requests.push(words("STRLEN big"));
        requests.push(words(&format!("MGET {key} none k1 k2 k3")));
        requests.push(words("GET none"));
        requests.push(words("NOSUCH"));
    }
    let requests: Vec<Vec<&str>> = requests
        .iter()
        .map(|request| request.iter().map(String::as_str).collect())
        .collect();
    let requests: Vec<&[&str]> = requests.iter().map(Vec::as_slice).collect();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let without_ids = |text: String| {
        let mut parts = text.split("\r\nid\r\n:");
        let mut out = parts.next().unwrap().to_owned();
        parts.for_each(|part| out.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit())));
        out
    };
    let expected = without_ids(text(plain.bytes(&requests).await));
    assert!(
        expected.contains("%7\r\n") && expected.contains("*14\r\n") && expected.contains("_\r\n")
    );
    assert!(without_ids(text(one.bytes(&requests).await)) == expected);
}

#[tokio::test]
async fn a_neighbour_keeps_its_protocol() {
    let (_nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut clients = Vec::new();
    for number in 0..10 {
        let mut raw = Raw::connect(proxy.addr).await;
        if number % 2 == 1 {
            raw.ask(&["HELLO", "3"]).await;
        }
        clients.push(raw);
    }
    // One that sends half of it, and one that disconnects in the middle of its pipeline.
    let mut half = TcpStream::connect(proxy.addr).await.unwrap();
    half.write_all(b"*2\r\n$5\r\nHELLO\r\n$1\r\n")
        .await
        .unwrap();
    let mut gone = Raw::connect(proxy.addr).await;
    let wire = [
        refproxy::resp::request(&["HELLO", "3"]),
        refproxy::resp::request(&["GET", "none"]),
    ];
    gone.stream
        .write_all(&wire.concat().repeat(50))
        .await
        .unwrap();
    drop(gone);
    for _ in 0..20 {
        let asked = clients.iter_mut().enumerate().map(async |(number, raw)| {
            let request: &[&str] = &["MGET", "none", "nothing", "nil", "null"];
            let get: &[&str] = &["GET", "none"];
            let hgetall: &[&str] = &["HGETALL", "none"];
            let bytes = raw.bytes(&[request, get, hgetall].repeat(30)).await;
            let expected = match number % 2 {
                0 => "*4\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n$-1\r\n*0\r\n",
                _ => "*4\r\n_\r\n_\r\n_\r\n_\r\n_\r\n%0\r\n",
            };
            assert_eq!(
                bytes.escape_ascii().to_string(),
                expected.repeat(30).as_bytes().escape_ascii().to_string()
            );
        });
        for one in asked {
            one.await;
        }
    }
    half.write_all(b"3\r\n").await.unwrap();
    let mut answer = [0; 4];
    tokio::time::timeout(DEADLINE, half.read_exact(&mut answer))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&answer, b"%7\r\n");
}

/// How many connections a node has on which RESP3 is spoken.
async fn of_resp3(node: SocketAddr) -> usize {
    let mut node = Client::connect(node, DEADLINE).await.unwrap();
    ask(&mut node, &["CLIENT", "LIST"])
        .await
        .matches("resp=3")
        .count()
}

#[tokio::test]
async fn connections_of_resp3_come_with_the_first_client_and_follow_the_cluster() {
    let (_nodes, addrs) = nodes(3).await;
    for addr in &addrs {
        let mut node = Client::connect(*addr, DEADLINE).await.unwrap();
        ask(&mut node, &["CONFIG", "SET", "requirepass", "s3cret"]).await;
        ask(&mut node, &["AUTH", "s3cret"]).await;
        ask(&mut node, &["CONFIG", "SET", "protected-mode", "no"]).await;
        ask(&mut node, &["ACL", "SETUSER", "default", "nopass"]).await;
        ask(
            &mut node,
            &["ACL", "SETUSER", "proxy", "on", ">s3cret", "+@all", "~*"],
        )
        .await;
    }
    let settings = "workers: 1\nnode_auth: { username: proxy, password: s3cret }";
    let proxy = Proxy::start(&addrs[..2], settings).await;
    let mut old = Raw::connect(proxy.addr).await;
    assert_eq!(
        old.ask_line("MGET a b c").await,
        "*3\\r\\n$-1\\r\\n$-1\\r\\n$-1\\r\\n"
    );
    assert_eq!(of_resp3(addrs[0]).await + of_resp3(addrs[1]).await, 0);
    let mut one = Raw::connect(proxy.addr).await;
    let mut other = Raw::connect(proxy.addr).await;
    for raw in [&mut one, &mut other] {
        raw.ask_line("HELLO 3").await;
        assert_eq!(
            raw.ask_line("MGET a b c").await,
            "*3\\r\\n_\\r\\n_\\r\\n_\\r\\n"
        );
    }
    for node in &addrs[..2] {
        assert_eq!(of_resp3(*node).await, 1);
    }
    assert_eq!(proxy.put(&addrs[1..]).await.status, 200);
    assert_eq!(
        one.ask_line("MGET a b c").await,
        "*3\\r\\n_\\r\\n_\\r\\n_\\r\\n"
    );
    for place in 0..2 {
        let key = keys_on(&addrs[1..], place).next().unwrap();
        assert_eq!(one.ask(&["SET", &key, "v"]).await, "+OK\\r\\n");
        assert_eq!(old.ask(&["GET", &key]).await, "$1\\r\\nv\\r\\n");
    }
    assert_eq!(of_resp3(addrs[1]).await, 1, "the connection is kept");
    assert_eq!(of_resp3(addrs[2]).await, 1);
    eventually("the node that left is left", DEADLINE, async || {
        of_resp3(addrs[0]).await == 0
    })
    .await;
}

#[tokio::test]
async fn a_node_that_fails_is_an_error_and_found_again() {
    let (nodes, addrs) = nodes(2).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut raw = Raw::connect(proxy.addr).await;
    raw.ask_line("HELLO 3").await;
    let (lost, kept) = (proxy.key_on(1), proxy.key_on(0));
    assert_eq!(raw.ask(&["SET", &kept, "v"]).await, "+OK\\r\\n");
    assert_eq!(raw.ask(&["SET", &lost, "v"]).await, "+OK\\r\\n");
    let mut node = Client::connect(addrs[1], DEADLINE).await.unwrap();
    ask(
        &mut node,
        &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"],
    )
    .await;
    eventually("it is connected again", DEADLINE, async || {
        raw.ask(&["GET", &lost]).await == "$1\\r\\nv\\r\\n"
    })
    .await;
    let mut nodes = nodes;
    drop(nodes.pop());
    eventually("the node's end is seen", DEADLINE, async || {
        raw.ask(&["GET", &lost])
            .await
            .contains("connection refused")
    })
    .await;
    let named = format!("-{}\\r\\n", proxy.error(1, "connection refused"));
    assert_eq!(raw.ask(&["GET", &lost]).await, named);
    assert!(raw.ask(&["MGET", &lost, &kept]).await.contains(&named));
    assert_eq!(raw.ask(&["GET", &kept]).await, "$1\\r\\nv\\r\\n");
}

/// Bytes that no Redis sends on such a connection.
#[tokio::test]
async fn a_reply_without_a_request_reaches_no_client() {
    let push = b">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n";
    let node = Scripted::start(move |request| {
        let word = |place: usize| request.get(place).map(|word| word.to_ascii_uppercase());
        Act::Send(match (word(0).as_deref(), word(1).as_deref()) {
            (Some(b"HELLO"), _) => b"%1\r\n+proto\r\n:3\r\n".to_vec(),
            (Some(b"GET"), Some(b"PUSH")) => [&push[..], b"$1\r\nv\r\n", push].concat(),
            (Some(b"GET"), Some(b"ATTRIBUTE")) => b"|1\r\n+ttl\r\n:7\r\n$1\r\na\r\n".to_vec(),
            (Some(b"GET"), Some(b"STREAMED")) => b"$?\r\n;1\r\nx\r\n;0\r\n".to_vec(),
            (Some(b"GET"), Some(b"NESTED")) => b"*1\r\n>1\r\n+x\r\n".to_vec(),
            (Some(b"GET"), Some(b"BLOB")) => b"!7\r\nERR a\r\n\r\n".to_vec(),
            _ => b"_\r\n".to_vec(),
        })
    })
    .await
    .unwrap();
    let proxy = Proxy::start(&[node.addr()], "workers: 1").await;
    let mut raw = Raw::connect(proxy.addr).await;
    raw.ask_line("HELLO 3").await;
    assert_eq!(raw.ask_line("GET push").await, "$1\\r\\nv\\r\\n");
    assert_eq!(raw.ask_line("GET none").await, "_\\r\\n");
    assert_eq!(
        raw.ask_line("GET attribute").await,
        "|1\\r\\n+ttl\\r\\n:7\\r\\n$1\\r\\na\\r\\n"
    );
    assert_eq!(raw.ask_line("GET blob").await, "!7\\r\\nERR a\\r\\n\\r\\n");
    let broken = |what: &str| {
        format!(
            "-{}\\r\\n",
            proxy.error(0, &format!("connection lost: {what}"))
        )
    };
    assert_eq!(raw.ask_line("GET streamed").await, broken("streamed reply"));
    assert_eq!(raw.ask_line("GET none").await, "_\\r\\n");
    assert_eq!(raw.ask_line("GET nested").await, broken("malformed reply"));
    assert_eq!(raw.ask_line("GET push").await, "$1\\r\\nv\\r\\n");
    // A RESP2 client cannot read any of it.
    let mut old = Raw::connect(proxy.addr).await;
    assert_eq!(old.ask_line("GET push").await, broken("malformed reply"));
}

#[tokio::test]
async fn a_node_that_speaks_no_resp3_is_named() {
    let node = Scripted::start(|request| {
        Act::Send(match request.first().map(Vec::as_slice) {
            Some(b"HELLO") => {
                b"-ERR unknown command `HELLO`, with args beginning with: `3`, \r\n".to_vec()
            }
            _ => b"+OK\r\n".to_vec(),
        })
    })
    .await
    .unwrap();
    let proxy = Proxy::start(&[node.addr()], "workers: 1").await;
    let mut raw = Raw::connect(proxy.addr).await;
    raw.ask_line("HELLO 3").await;
    let refused = proxy.error(
        0,
        "HELLO 3 refused: ERR unknown command `HELLO`, with args beginning with: `3`,",
    );
    assert_eq!(raw.ask_line("GET a").await, format!("-{refused}\\r\\n"));
    raw.ask_line("HELLO 2").await;
    assert_eq!(raw.ask_line("GET a").await, "+OK\\r\\n");
}

#[tokio::test]
async fn redis_rs_speaks_resp3() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, "workers: 2").await;
    let url = format!("redis://{}/0?protocol=resp3", proxy.addr);
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut pipe = redis::pipe();
    for number in 0..200 {
        pipe.hset(format!("h{number}"), "f", number).ignore();
        pipe.hgetall(format!("h{number}"));
    }
    let maps: Vec<redis::Value> = pipe.query_async(&mut connection).await.unwrap();
    for (number, map) in maps.iter().enumerate() {
        let text = |text: &str| redis::Value::BulkString(text.as_bytes().to_vec());
        let expected = redis::Value::Map(vec![(text("f"), text(&number.to_string()))]);
        assert_eq!(*map, expected);
    }
    let values: Vec<redis::Value> = redis::cmd("MGET")
        .arg(&["a", "b", "c", "d"])
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(
        values,
        [
            redis::Value::Nil,
            redis::Value::Nil,
            redis::Value::Nil,
            redis::Value::Nil
        ]
    );
    let score: redis::Value = redis::cmd("ZADD")
        .arg(&["z", "INCR", "1.5", "m"])
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(score, redis::Value::Double(1.5));
}
