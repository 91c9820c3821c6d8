//! Large replies: what they cost the node, the proxy and the other clients of the node.

use std::time::{Duration, Instant};

use shardproof::client::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{DEADLINE, Proxy, ask, nodes};

const MIB: usize = 1 << 20;

fn get(key: &str) -> String {
    format!("*2\r\n$3\r\nGET\r\n${}\r\n{key}\r\n", key.len())
}

/// Asks `count` times at once for a value of `len` bytes; gives how many replies were it.
async fn take(proxy: std::net::SocketAddr, key: String, count: usize, len: usize) -> usize {
    let mut stream = TcpStream::connect(proxy).await.unwrap();
    stream
        .write_all(get(&key).repeat(count).as_bytes())
        .await
        .unwrap();
    let head = format!("${len}\r\n");
    let mut reply = vec![0; head.len() + len + 2];
    for good in 0..count {
        let mut at = 0;
        while at < reply.len() {
            let read = tokio::time::timeout(3 * DEADLINE, stream.read(&mut reply[at..])).await;
            match read.expect("the reply comes").unwrap() {
                0 => return good,
                count => at += count,
            }
            if at >= head.len() && !reply.starts_with(head.as_bytes()) {
                eprintln!("{}", String::from_utf8_lossy(&reply[..at.min(100)]));
                return good;
            }
        }
    }
    count
}

/// What INFO memory of the node at `place` says.
async fn node_memory_mib(proxy: &Proxy, place: usize) -> usize {
    let mut node = Client::connect(proxy.nodes[place], DEADLINE).await.unwrap();
    let info = ask(&mut node, &["INFO", "memory"]).await;
    let peak = info.split("used_memory_peak:").nth(1).unwrap();
    peak.split('\\').next().unwrap().parse::<usize>().unwrap() / MIB
}

#[tokio::test]
async fn many_pipelines_of_large_values_complete_in_bounded_memory_and_spare_another_client() {
    const CLIENTS: usize = 30;
    const EACH: usize = 30;
    let (_nodes, addrs) = nodes(1).await;
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut other = proxy.client().await;
    assert_eq!(
        ask(&mut other, &["SET", "big", &"x".repeat(MIB)]).await,
        "OK"
    );
    assert_eq!(ask(&mut other, &["SET", "small", "v"]).await, "OK");
    let loads: Vec<_> = (0..CLIENTS)
        .map(|_| tokio::spawn(take(proxy.addr, "big".into(), EACH, MIB)))
        .collect();
    let (mut asked, mut proxy_mib) = (0, 0);
    let mut longest = Duration::ZERO;
    while !loads.iter().all(tokio::task::JoinHandle::is_finished) {
        let asked_at = Instant::now();
        assert_eq!(ask(&mut other, &["GET", "small"]).await, "\"v\"");
        longest = longest.max(asked_at.elapsed());
        asked += 1;
        proxy_mib = proxy_mib.max(proxy.rss_mib());
    }
    let mut good = 0;
    for load in loads {
        good += load.await.unwrap();
    }
    let node_mib = node_memory_mib(&proxy, 0).await;
    eprintln!(
        "{good} of {}, another client asked {asked} times, at most {longest:?}, node {node_mib} MiB, proxy {proxy_mib} MiB",
        CLIENTS * EACH
    );
    assert_eq!(good, CLIENTS * EACH);
    assert!(node_mib < 400, "the node had {node_mib} MiB");
    assert!(proxy_mib < 500, "the proxy had {proxy_mib} MiB");
}
