//! Nodes that run different servers: they still give one answer.

use testbed::client::Client;
use testbed::node::{Node as _, Process};
use testbed::program::{Program, Search};

use crate::fan_out::fields;
use crate::support::{DEADLINE, Proxy, ask};

/// One node of Redis 7.0, and one of each newer server that is installed.
async fn unequal_nodes() -> Vec<Process> {
    let search = Search::new(&std::env::current_exe().unwrap(), std::env::vars_os());
    let newer = Program::newer_servers();
    let newer = newer.iter().filter_map(|server| search.find(server).ok());
    let mut nodes = vec![Process::start(&search).await.unwrap()];
    for server in newer {
        let search = search.clone().with_server(server);
        nodes.push(Process::start(&search).await.unwrap());
    }
    nodes
}

#[tokio::test]
async fn clients_that_look_at_the_version_find_one() {
    let nodes = unequal_nodes().await;
    let addrs: Vec<_> = nodes.iter().map(|node| node.addr()).collect();
    let proxy = Proxy::start(&addrs, "workers: 1").await;
    let mut oldest = Client::connect(addrs[0], DEADLINE).await.unwrap();
    ask(
        &mut oldest,
        &["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"],
    )
    .await;
    let plain = fields(&ask(&mut oldest, &["INFO"]).await);
    let told = fields(&ask(&mut proxy.client().await, &["INFO"]).await);
    for field in [
        "redis_version",
        "redis_mode",
        "role",
        "arch_bits",
        "cluster_enabled",
        "loading",
        "maxmemory",
        "maxmemory_policy",
        "rdb_last_bgsave_status",
        "aof_enabled",
        "hz",
    ] {
        assert_eq!(told.get(field), plain.get(field), "{field}");
    }
    assert_eq!(told["run_id"].len(), 40, "{told:?}");
    assert!(!told.contains_key("valkey_version"), "{told:?}");
}
