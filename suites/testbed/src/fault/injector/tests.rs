//! The same faults through both injectors, over a real Redis.

use std::env;

use super::*;
use crate::client::{Client as Redis, Error as RedisError, NODE_DEADLINE, ping};
use crate::fault::{Latency, Stream, Timeout, ToxicKind};
use crate::node::{Node, Process};
use crate::port::{Port, PortLock};
use crate::program::Search;
use crate::toxiproxy::Server;
use crate::wire::Value;

async fn node() -> Process {
    let search = Search::new(&env::current_exe().unwrap(), env::vars_os());
    Process::start(&search).await.unwrap()
}

fn slow(latency_ms: i64) -> Toxic {
    Toxic::new(
        Stream::Downstream,
        ToxicKind::Latency(Latency {
            latency_ms,
            jitter_ms: 0,
        }),
    )
}

/// Checks what faults do to a cluster, and what a client sees of them.
async fn check(injector: FaultInjector, node: &Process) {
    let addr = injector.addrs()[0];
    let pong = Ok(Value::Simple(b"PONG".to_vec()));
    let mut client = Redis::connect(addr, NODE_DEADLINE).await.unwrap();
    injector.add(0, slow(1)).await.unwrap();
    assert_eq!(client.call(&["PING"], NODE_DEADLINE).await, pong);
    assert!(injector.add(0, slow(1)).await.is_err(), "the name is taken");

    // An hour would be noticed; the removal lets go of the reply.
    injector.update(0, slow(3_600_000)).await.unwrap();
    let request = b"*1\r\n$4\r\nPING\r\n";
    client.write(request, NODE_DEADLINE).await.unwrap();
    injector.remove(0, "latency_downstream").await.unwrap();
    assert_eq!(client.reply(NODE_DEADLINE).await, pong);
    assert!(injector.remove(0, "latency_downstream").await.is_err());
    assert!(injector.update(0, slow(1)).await.is_err());

    injector.down(0).await.unwrap();
    let closed = client.reply(NODE_DEADLINE).await;
    assert!(
        matches!(closed, Err(RedisError::Closed { .. })),
        "{closed:?}"
    );
    assert!(ping(addr).await.is_err());
    assert_eq!(ping(node.addr()).await, Ok(()));
    injector.up(0).await.unwrap();
    assert_eq!(ping(addr).await, Ok(()));

    injector.down(0).await.unwrap();
    assert!(ping(addr).await.is_err());
    let swallows = ToxicKind::Timeout(Timeout { timeout_ms: 0 });
    let toxic = Toxic::new(Stream::Upstream, swallows);
    injector.add(0, toxic).await.unwrap();
    injector.heal(0).await.unwrap();
    assert_eq!(ping(addr).await, Ok(()));
    drop(injector);
}

/// A port that is ours as long as the lease is.
async fn ports() -> (u16, PortLock) {
    let base = Port::free().unwrap().number();
    (base, PortLock::on(base).await.unwrap())
}

#[tokio::test]
async fn links_in_this_process_are_tapped() {
    let node = node().await;
    let (base, _lease) = ports().await;
    let tap = Tap::default();
    let injector = FaultInjector::links(&[node.addr()], base, &tap, Chance::seeded(0)).unwrap();
    check(injector, &node).await;
    assert!(tap.mark() > link::TapPosition::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_server_listens_on_the_same_ports() {
    let node = node().await;
    let server = Server::start("127.0.0.1:0", None, 1).await.unwrap();
    let client = Client::new(server.addr());
    let (base, _lease) = ports().await;
    // A proxy that another run left behind.
    let left = format!("shardproof-{base}");
    let anywhere = "127.0.0.1:0";
    client.create(&left, anywhere, anywhere).await.unwrap();
    let theirs = client.create("theirs", anywhere, anywhere).await.unwrap();
    let injector = FaultInjector::foreign(client, &[node.addr()], base)
        .await
        .unwrap();
    assert_eq!(injector.addrs()[0].port(), base);
    check(injector, &node).await;
    // Ours are deleted, and the foreign proxy is not.
    let proxies = client.proxies().await.unwrap();
    assert_eq!(proxies.into_values().collect::<Vec<_>>(), [theirs]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_of_an_operator_are_healed_when_a_run_is_cut_off() {
    let nodes = [node().await, node().await];
    let server = Server::start("127.0.0.1:0", None, 1).await.unwrap();
    let client = Client::new(server.addr());
    let addrs = nodes.each_ref().map(|node| node.addr());
    for (name, node) in ["one", "two"].iter().zip(addrs) {
        let made = client.create(name, "127.0.0.1:0", &node.to_string()).await;
        made.unwrap();
    }
    let theirs = Toxic {
        name: "theirs".to_owned(),
        ..slow(1)
    };
    client.add("one", &theirs).await.unwrap();
    let injector = FaultInjector::attach(client, &addrs).await.unwrap();
    injector.add(0, slow(3_600_000)).await.unwrap();
    injector.down(1).await.unwrap();
    drop(injector);
    let [one, two] = [client.proxy("one").await, client.proxy("two").await];
    assert_eq!(one.unwrap().toxics, [theirs]);
    assert!(two.unwrap().enabled);
}
