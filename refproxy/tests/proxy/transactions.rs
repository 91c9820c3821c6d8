//! Transactions through the proxy: what one plain Redis does, on the node of their keys, or an error and nothing done.

use std::net::SocketAddr;

use testbed::client::Client;
use testbed::node::Node as _;
use testbed::wire;

use crate::support::{DEADLINE, Proxy, ask, eventually, keys_on, nodes, show};

const ABORTED: &str = "-EXECABORT Transaction discarded because of previous errors.";

/// The replies to lines that are written in pieces of `piece` bytes, up to the end of the connection.
async fn say(client: &mut Client, lines: &[String], piece: usize) -> Vec<String> {
    let bytes: Vec<u8> = lines
        .iter()
        .flat_map(|line| wire::encode_request(&line.split(' ').collect::<Vec<_>>()))
        .collect();
    for piece in bytes.chunks(piece) {
        if client.write(piece, DEADLINE).await.is_err() {
            break;
        }
    }
    let mut replies = Vec::new();
    for _ in lines {
        match client.reply(DEADLINE).await {
            Ok(reply) => replies.push(show(&reply)),
            Err(_) => {
                replies.push("closed".to_owned());
                break;
            }
        }
    }
    replies
}

/// Commands, written `WATCH a; MULTI`, in which a, b, c are keys of one node, and x, y, z keys of another.
fn lines(text: &str, addrs: &[SocketAddr]) -> Vec<String> {
    let key = |word: &str| {
        let place = |letters: &str| letters.split(' ').position(|letter| letter == word);
        let on = |node: usize, place: usize| keys_on(addrs, node).nth(place);
        place("a b c")
            .and_then(|place| on(1, place))
            .or_else(|| place("x y z").and_then(|place| on(0, place)))
            .unwrap_or_else(|| word.to_owned())
    };
    let line = |line: &str| line.split(' ').map(key).collect::<Vec<_>>().join(" ");
    text.split("; ").map(line).collect()
}

struct Setting {
    proxy: Proxy,
    plain: SocketAddr,
    nodes: Vec<testbed::node::Process>,
}

impl Setting {
    /// A proxy over two nodes, and a plain Redis.
    async fn start(settings: &str) -> Self {
        let (nodes, addrs) = nodes(3).await;
        Self {
            proxy: Proxy::start(&addrs[..2], settings).await,
            plain: addrs[2],
            nodes,
        }
    }

    fn lines(&self, text: &str) -> Vec<String> {
        lines(text, &self.proxy.nodes)
    }

    /// Says the same to both, from new clients, over empty nodes: line by line, and at once in pieces.
    async fn check(&self, text: &str) {
        let lines = self.lines(text);
        for piece in [0, 1, 7, 64, usize::MAX] {
            let mut plain = Client::connect(self.plain, DEADLINE).await.unwrap();
            let mut proxy = self.proxy.client().await;
            for client in [&mut plain, &mut proxy] {
                assert_eq!(ask(client, &["FLUSHALL"]).await, "OK");
            }
            let (mut expected, mut seen) = (Vec::new(), Vec::new());
            if piece == 0 {
                for line in &lines {
                    let line = std::slice::from_ref(line);
                    expected.extend(say(&mut plain, line, usize::MAX).await);
                    seen.extend(say(&mut proxy, line, usize::MAX).await);
                }
            } else {
                expected = say(&mut plain, &lines, piece).await;
                seen = say(&mut proxy, &lines, piece).await;
            }
            assert_eq!(seen, expected, "{text} in pieces of {piece}");
        }
    }
}

#[tokio::test]
async fn the_answers_are_those_of_one_plain_redis() {
    let setting = Setting::start("workers: 1\nscripts_without_keys: any_node").await;
    for text in [
        "MULTI; SET a 1; GET a; EXEC; GET a",
        "MULTI; EXEC; MULTI; DISCARD; EXEC",
        "MULTI; MULTI; SET a 1; EXEC; GET a",
        "MULTI; WATCH a; SET a 1; EXEC; GET a",
        "EXEC; DISCARD; UNWATCH; SET a 1; GET a",
        "MULTI; UNWATCH; EXEC",
        "MULTI; SET a 1; UNWATCH; EXEC",
        "MULTI; SET a 1; FOO; SET a; EXEC; EXEC; GET a",
        "MULTI; FOO; SET a 1; EXEC; GET a",
        "MULTI; SET a; SET a 1; DISCARD; GET a; EXEC",
        "MULTI x; MULTI; SET a 1; EXEC x; GET a; EXEC",
        "EXEC x; SET a 1; GET a",
        "WATCH a; EXEC x; SET a 1; MULTI; GET a; EXEC",
        "MULTI; SET a 1; DISCARD x; EXEC; GET a",
        "MULTI; WATCH; SET a 1; EXEC; GET a",
        "MULTI; SET a 1; RESET; EXEC; GET a",
        "CLIENT SETNAME me; MULTI; RESET; CLIENT GETNAME; EXEC",
        "WATCH a; RESET; SET a 1; MULTI; GET a; EXEC",
        "RESET x; MULTI; RESET x; EXEC",
        "MULTI; SET a 1; QUIT",
        "MULTI; QUIT x",
        "MULTI; PING; ECHO hi; SELECT 0; SELECT 99; SELECT x; EXEC",
        "MULTI; PING; SET a 1; ECHO hi; GET a; PING a b; EXEC; PING",
        "MULTI; SET a 1; PING; PING hi; GET a; EXEC",
        "MULTI; CLIENT SETNAME me; SET a 1; CLIENT GETNAME; EXEC; CLIENT GETNAME",
        "MULTI; CLIENT FOO; EXEC",
        "MULTI; CLIENT SETNAME; EXEC",
        "MULTI; OBJECT FOO a; EXEC",
        "MULTI; SET a 1; OBJECT ENCODING a; MEMORY FOO; EXEC",
        "MULTI; EVAL return(7) 0; SET a 1; EXEC",
        "MULTI; EVAL return(7) 0; PING; EVAL return(8) 0; EXEC",
        "MULTI; EVAL return 0; SET a 1; INCR a; EXEC; GET a",
        "MULTI; EVAL return x; SET a 1; ZUNION 2 b; EXEC",
        "MULTI; MSET a 1 b 2; MGET a b c; DEL a b c; EXISTS a b; EXEC",
        "MULTI; RENAME a b; SET a 1; RENAME a b; GET b; EXEC; GET b",
        "MULTI; SET a x; INCR a; LPUSH a 1; GET a; EXEC; GET a",
        "MULTI; RPUSH a 1 2 3; LRANGE a 0 -1; LPOP b 2; HSET c f v; HGETALL c; EXEC",
        "WATCH a; SET a 2; MULTI; EXEC; MULTI; PING; EXEC",
        "WATCH a; SET a 2; UNWATCH; MULTI; EXEC",
        "WATCH a; SET a 2; EXEC; DISCARD; MULTI; PING; EXEC; GET a",
        "WATCH a; SET a 2; MULTI; FOO; EXEC; MULTI; SET a 3; EXEC; GET a",
        "WATCH a b; SET c 2; MULTI; SET a 1; EXEC; GET a",
        "WATCH a; WATCH b c; SET c 2; MULTI; SET a 1; EXEC; GET a",
        "WATCH a; SET a 1; MULTI; SET a 2; DISCARD; MULTI; SET a 3; EXEC; GET a",
        "WATCH a; MSET a 1 x 2; MGET a x; MULTI; SET a 2; EXEC; GET a",
        "WATCH a; MULTI; CLIENT GETNAME; SET a 2; EXEC; GET a",
        "SET a 1; WATCH a; MULTI; INCR a; EXEC; GET a",
        "SET a 1; INCR a; MULTI; INCR a; EXEC; INCR a; GET a; MULTI; INCR a; EXEC; INCR a",
        "SET x 1; MULTI; SET a 1; EXEC; GET x; MULTI; INCR x; EXEC; GET a; INCR x; MULTI; SET x 9; EXEC; GET x",
        "MULTI; SET a 1; EXEC; MULTI; SET x 2; EXEC; MULTI; SET b 3; EXEC; MGET a x b",
        "MULTI; SET a 1; DISCARD; MULTI; SET a 2; EXEC; MULTI; GET a; DISCARD; GET a",
        "multi; set a 1; exec; Get a",
    ] {
        setting.check(text).await;
    }
}

#[tokio::test]
async fn thousands_of_requests_in_any_pieces_keep_their_order() {
    let setting = Setting::start("workers: 1").await;
    let proxy = &setting.proxy;
    for (text, times) in [
        ("MULTI; SET a N; EXEC", 1000),
        (
            "INCR a; MULTI; INCR a; INCR b; EXEC; INCR a; INCR x; MULTI; INCR x; EXEC; GET a; GET x",
            200,
        ),
        (
            "WATCH a; GET a; MULTI; INCR a; EXEC; UNWATCH; MULTI; FOO; EXEC",
            100,
        ),
    ] {
        let lines: Vec<String> = (0..times)
            .flat_map(|number| setting.lines(&text.replace('N', &number.to_string())))
            .collect();
        for piece in [13, 1500, 70_000] {
            let mut plain = Client::connect(setting.plain, DEADLINE).await.unwrap();
            let mut client = proxy.client().await;
            for client in [&mut plain, &mut client] {
                assert_eq!(ask(client, &["FLUSHALL"]).await, "OK");
            }
            let expected = say(&mut plain, &lines, piece).await;
            let seen = say(&mut client, &lines, piece).await;
            let first = (0..lines.len()).find(|place| seen[*place] != expected[*place]);
            let shown = first.map(|place| (&lines[place], &seen[place], &expected[place]));
            assert_eq!(shown, None, "{text} in pieces of {piece}, at {first:?}");
        }
    }
}

#[tokio::test]
async fn a_large_request_behind_a_transaction_waits_whole() {
    let setting = Setting::start("workers: 1").await;
    let large = "v".repeat(300_000);
    let text = format!(
        "MULTI; SET a {large}; EXEC; SET a {large}w; STRLEN a; MULTI; SET x {large}; STRLEN a x; EXEC"
    );
    setting.check(&text).await;
}

/// Its connection is there already and would be faster than the large value.
#[tokio::test]
async fn a_transaction_does_not_overtake_what_was_asked_before() {
    let setting = Setting::start("workers: 1").await;
    let mut client = setting.proxy.client().await;
    let before = say(&mut client, &setting.lines("MULTI; SET b 1; EXEC"), 1000).await;
    assert_eq!(before[2], "[OK]");
    let large = "v".repeat(30_000_000);
    let text = format!(
        "SET a {large}; MULTI; STRLEN a; EXEC; SET b {large}; WATCH b; MULTI; STRLEN b; EXEC"
    );
    let replies = say(&mut client, &setting.lines(&text), usize::MAX).await;
    assert_eq!(
        replies,
        [
            "OK",
            "OK",
            "QUEUED",
            "[:30000000]",
            "OK",
            "OK",
            "OK",
            "QUEUED",
            "[:30000000]"
        ]
    );
}

/// In RESP3 the connection to the node speaks it too, and what is written behind WATCH goes over it.
#[tokio::test]
async fn a_transaction_is_answered_in_the_protocol_of_its_client() {
    let setting = Setting::start("workers: 1").await;
    let said = |text: &str| -> Vec<u8> {
        let lines = setting.lines(text).into_iter();
        lines
            .flat_map(|line| wire::encode_request(&line.split(' ').collect::<Vec<_>>()))
            .collect()
    };
    let mut proxy = setting.proxy.client().await;
    let mut plain = Client::connect(setting.plain, DEADLINE).await.unwrap();
    for (text, expected) in [
        (
            "HELLO 3; WATCH a; HSET a f v; MULTI; PING; EXEC; SET z end",
            "+OK\r\n:1\r\n+OK\r\n+QUEUED\r\n_\r\n+OK\r\n",
        ),
        (
            "MULTI; HGETALL a; PING; EXEC; SET z end",
            "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n%1\r\n$1\r\nf\r\n$1\r\nv\r\n+PONG\r\n+OK\r\n",
        ),
    ] {
        for client in [&mut plain, &mut proxy] {
            client.write(&said(text), DEADLINE).await.unwrap();
            let mut seen = String::new();
            // What HELLO says is not the same.
            while !seen.ends_with(expected) {
                let byte = client.take(1, DEADLINE).await;
                let byte = byte.unwrap_or_else(|error| panic!("{error} after {seen:?}"));
                seen.push(char::from(byte[0]));
            }
        }
    }
}

/// What HELLO says without the number of the connection.
fn without_id(reply: &str) -> String {
    let mut words = reply.split(' ');
    let mut seen: Vec<&str> = Vec::new();
    while let Some(word) = words.next() {
        seen.push(word);
        if word == "\"id\"" {
            words.next();
        }
    }
    seen.join(" ")
}

/// Redis carries it out at EXEC, so its errors come there too, and what is queued with it is carried out.
#[tokio::test]
async fn hello_is_queued_as_long_as_the_protocol_stays() {
    let setting = Setting::start("workers: 1").await;
    for text in [
        "MULTI; HELLO; EXEC",
        "MULTI; HELLO 2; EXEC",
        "MULTI; SET a 1; HELLO 2 SETNAME me; CLIENT GETNAME; GET a; EXEC; CLIENT GETNAME; GET a",
        "MULTI; HELLO 4; SET a 2; EXEC; GET a",
        "MULTI; HELLO x; HELLO 2 FOO; HELLO 2 SETNAME; HELLO 2 AUTH default; EXEC",
        "MULTI; HELLO 2 SETNAME you; DISCARD; CLIENT GETNAME",
        "MULTI; FOO; HELLO 2; HELLO 4; EXEC",
        "WATCH a; HELLO 2; HELLO; HELLO 4; HELLO 2 SETNAME me; MULTI; SET a 3; EXEC; CLIENT GETNAME; GET a",
        "MULTI; AUTH x; AUTH a b c; SELECT 0; SELECT x; SET a 4; EXEC; GET a",
        "MULTI; SET a 5; RESET; EXEC; GET a",
        "MULTI; SET a 6; QUIT",
    ] {
        let mut sides = Vec::new();
        for addr in [setting.plain, setting.proxy.addr] {
            let mut client = Client::connect(addr, DEADLINE).await.unwrap();
            let replies = say(&mut client, &setting.lines(text), 1000).await;
            sides.push(
                replies
                    .iter()
                    .map(|reply| without_id(reply))
                    .collect::<Vec<_>>(),
            );
        }
        assert_eq!(sides[1], sides[0], "{text}");
    }
    for text in [
        "MULTI; SET a 7; HELLO 3; EXEC; GET a",
        "MULTI; SET a 7; HELLO 3 SETNAME me; EXEC; GET a",
    ] {
        let mut proxy = setting.proxy.client().await;
        let replies = say(&mut proxy, &setting.lines(text), 1000).await;
        assert!(
            replies[2].ends_with("a transaction ends in the protocol in which it began; call HELLO before WATCH and MULTI"),
            "{replies:?}"
        );
        assert_eq!(&replies[3..], [ABORTED, "\"4\""]);
    }
}

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

/// A value read behind WATCH is not older than the WATCH: both go over one connection.
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
    // The rest is told without asking the node.
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
    // All at once: whether the node will carry it out is not known, and said so.
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

#[tokio::test]
async fn what_is_kept_for_a_transaction_has_a_limit() {
    let settings = "workers: 1\nlimits: { client_bytes: 20000 }\nscripts_without_keys: any_node";
    let setting = Setting::start(settings).await;
    let mut client = setting.proxy.client().await;
    let mut lines = vec!["MULTI".to_owned()];
    lines.extend((0..30).map(|_| format!("ECHO {}", "x".repeat(1000))));
    lines.push("EXEC".to_owned());
    let replies = say(&mut client, &lines, 10_000).await;
    assert!(
        replies.contains(&"-ERR transaction too large".to_owned()),
        "{replies:?}"
    );
    assert_eq!(replies.last().unwrap(), ABORTED);
    assert_eq!(ask(&mut client, &["PING"]).await, "PONG");
}

#[tokio::test]
async fn redis_rs_transactions() {
    let setting = Setting::start("workers: 2").await;
    let key = setting.proxy.key_on(1);
    let client = redis::Client::open(format!("redis://{}/", setting.proxy.addr)).unwrap();
    // Clients that read, add one and write, all at once: with WATCH none is lost.
    let mut adders = Vec::new();
    for _ in 0..4 {
        let (client, key) = (client.clone(), key.clone());
        adders.push(tokio::spawn(async move {
            let mut connection = client.get_multiplexed_async_connection().await.unwrap();
            for _ in 0..50 {
                loop {
                    let mut ask = redis::pipe();
                    ask.cmd("WATCH").arg(&key).ignore().get(&key);
                    let (old,): (Option<i64>,) = ask.query_async(&mut connection).await.unwrap();
                    let mut write = redis::pipe();
                    write.atomic().set(&key, old.unwrap_or(0) + 1).get(&key);
                    let done: Option<((), i64)> = write.query_async(&mut connection).await.unwrap();
                    if done.is_some() {
                        break;
                    }
                }
            }
        }));
    }
    for adder in adders {
        adder.await.unwrap();
    }
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let sum: i64 = redis::cmd("GET")
        .arg(&key)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(sum, 200);
}

#[tokio::test]
async fn redis_cli_transactions() {
    let setting = Setting::start("workers: 1").await;
    let script = setting
        .lines("MULTI; SET a 1; INCR a; PING; EXEC; GET a")
        .join("\n");
    let port = setting.proxy.addr.port().to_string();
    let mut child = std::process::Command::new("redis-cli")
        .args(["-p", &port])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), script.as_bytes()).unwrap();
    let output = tokio::task::spawn_blocking(|| child.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "OK\nQUEUED\nQUEUED\nQUEUED\nOK\n2\nPONG\n2\n"
    );
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

#[tokio::test]
async fn what_a_node_has_got_is_kept_no_longer() {
    let settings = "workers: 1\nlimits: { client_bytes: 20000 }\nscripts_without_keys: any_node";
    let setting = Setting::start(settings).await;
    let mut client = setting.proxy.client().await;
    let long = "x".repeat(1000);
    let mut lines = vec!["MULTI".to_owned()];
    // The first ones wait for a key, the last ones for EXEC.
    lines.extend((0..15).map(|_| format!("EVAL return(1)--{long} 0")));
    lines.push("SET k v".to_owned());
    lines.extend((0..15).map(|_| format!("ECHO {long}")));
    lines.push("EXEC".to_owned());
    let replies = say(&mut client, &lines, 10_000).await;
    assert_eq!(replies[1..32], vec!["QUEUED"; 31], "{replies:?}");
    let done = [
        vec![":1".to_owned(); 15],
        vec!["OK".to_owned()],
        vec![format!("\"{long}\""); 15],
    ];
    assert_eq!(replies[32], format!("[{}]", done.concat().join(" ")));
}

#[tokio::test]
async fn many_small_requests_count_for_what_keeping_them_costs() {
    let settings = "workers: 1\nlimits: { client_bytes: 20000 }\nscripts_without_keys: any_node";
    let setting = Setting::start(settings).await;
    let mut client = setting.proxy.client().await;
    for small in ["PING", "EVAL return(1) 0"] {
        for (count, fits) in [(100, true), (400, false)] {
            let mut lines = vec!["MULTI".to_owned()];
            lines.extend(vec![small.to_owned(); count]);
            lines.push("EXEC".to_owned());
            let replies = say(&mut client, &lines, 10_000).await;
            let refused = replies.contains(&"-ERR transaction too large".to_owned());
            assert_eq!(refused, !fits, "{count} {small}");
            assert_eq!(replies[count + 1] == ABORTED, !fits, "{count} {small}");
        }
    }
}
