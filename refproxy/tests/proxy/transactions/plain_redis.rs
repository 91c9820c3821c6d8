//! The same answers as one plain Redis, in any pieces, and for clients of other projects.

use testbed::client::Client;

use super::{Setting, say};
use crate::support::{DEADLINE, ask};

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

/// Its connection exists already and would be faster than the large value.
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

#[tokio::test]
async fn redis_rs_transactions() {
    let setting = Setting::start("workers: 2").await;
    let key = setting.proxy.key_on(1);
    let client = redis::Client::open(format!("redis://{}/", setting.proxy.addr)).unwrap();
    // Clients that read, add one and write, all at once: with WATCH no increment is lost.
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
