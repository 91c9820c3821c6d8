//! The clients that people have: they connect and work without a complaint.

use std::process::Command;

use crate::support::{Proxy, nodes};

/// What a program says on both channels.
fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[tokio::test]
async fn redis_cli_and_redis_benchmark() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, "workers: 2").await;
    let port = proxy.addr.port().to_string();
    let port = port.as_str();
    let run = |program: &'static str, args: &[&'static str]| {
        let mut command = Command::new(program);
        command.args(["-p", port]).args(args);
        tokio::task::spawn_blocking(move || said(&mut command))
    };
    assert_eq!(run("redis-cli", &["SET", "a", "1"]).await.unwrap(), "OK\n");
    assert_eq!(
        run("redis-cli", &["MGET", "a", "b"]).await.unwrap(),
        "1\n\n"
    );
    assert_eq!(
        run("redis-cli", &["-n", "0", "GET", "a"]).await.unwrap(),
        "1\n"
    );
    let refused = run("redis-cli", &["SUBSCRIBE", "a"]).await.unwrap();
    assert_eq!(
        refused.trim_end(),
        "ERR command 'SUBSCRIBE' is not supported by this proxy: pub/sub has no single node"
    );
    let benchmark = run(
        "redis-benchmark",
        &[
            "-t",
            "ping,set,get,mset,lpush,zadd",
            "-P",
            "16",
            "-c",
            "20",
            "-n",
            "20000",
            "-r",
            "1000",
            "--csv",
        ],
    );
    let csv = benchmark.await.unwrap();
    let tests: Vec<&str> = csv
        .lines()
        .map(|line| line.split(',').next().unwrap())
        .collect();
    let expected = [
        "\"test\"",
        "\"PING_INLINE\"",
        "\"PING_MBULK\"",
        "\"SET\"",
        "\"GET\"",
        "\"LPUSH\"",
        "\"ZADD\"",
        "\"MSET (10 keys)\"",
    ];
    assert_eq!(tests, expected, "{csv}");
}

#[tokio::test]
async fn redis_rs() {
    let (_nodes, addrs) = nodes(3).await;
    let proxy = Proxy::start(&addrs, "workers: 2").await;
    let client = redis::Client::open(format!("redis://{}/0", proxy.addr)).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut pipe = redis::pipe();
    for number in 0..200 {
        pipe.set(format!("k{number}"), number)
            .ignore()
            .get(format!("k{number}"));
    }
    let values: Vec<usize> = pipe.query_async(&mut connection).await.unwrap();
    assert_eq!(values, (0..200).collect::<Vec<_>>());
    let keys: Vec<String> = (0..200).map(|number| format!("k{number}")).collect();
    let values: Vec<usize> = redis::cmd("MGET")
        .arg(&keys)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(values, (0..200).collect::<Vec<_>>());
    let removed: usize = redis::cmd("DEL")
        .arg(&keys)
        .arg("none")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(removed, 200);
}
