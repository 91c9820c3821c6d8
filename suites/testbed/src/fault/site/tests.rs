//! Every fault is applied and healed, over a real Redis and both injectors.

mod effects;

use std::env;

use super::*;
use crate::chance::Chance;
use crate::fault::{Links, Owned, Row};
use crate::link::Tap;
use crate::node::{External, Process};
use crate::port::PortLock;
use crate::program::Search;
use crate::toxiproxy::{Client as Toxiproxy, Server};

async fn process() -> Process {
    let search = Search::new(&env::current_exe().unwrap(), env::vars_os());
    Process::start(&search).await.unwrap()
}

/// Small parameters.
fn smallest(row: &Row) -> Fault {
    row.example().parse().expect(row.name)
}

async fn serves(site: Site<'_>) -> bool {
    let addr = site.injector.addrs()[site.index];
    let Ok(mut client) = Client::connect(addr, NODE_DEADLINE).await else {
        return false;
    };
    let set = client.call(&["SET", "key", "value"], NODE_DEADLINE).await;
    set == Ok(Value::Simple(b"OK".to_vec()))
}

/// Each fault on its own is healed, and so are all together.
async fn heals(node: &Process, injector: &FaultInjector, owned: Owned) {
    let (index, node): (_, &dyn Node) = (0, node);
    let site = Site::new(node, injector, index);
    let rows = Fault::rows().into_iter();
    let faults: Vec<Fault> = rows
        .filter(|row| row.obstacle(owned).is_none())
        .map(smallest)
        .collect();
    for fault in &faults {
        if fault.row().acts_on == Object::Link {
            // Healing a fault that was not applied is no error.
            fault
                .heal(site)
                .await
                .unwrap_or_else(|why| panic!("{}: {why}", fault.name()));
        }
        fault
            .apply(site)
            .await
            .unwrap_or_else(|why| panic!("{}: {why}", fault.name()));
        fault
            .heal(site)
            .await
            .unwrap_or_else(|why| panic!("{}: {why}", fault.name()));
        assert!(serves(site).await, "{fault} is not healed");
    }
    // Orders take a node that serves, and signals one that runs.
    let mut order: Vec<Fault> = faults.into_iter().filter(|it| it.row().lasts).collect();
    order.sort_by_key(|fault| match fault.row() {
        row if row.effect == Effect::RefuseWrites => 0,
        row if row.ends_node() => 3,
        row if row.effect == Effect::Partial => 1,
        _ => 2,
    });
    let ends = order.iter().filter(|it| it.row().ends_node()).count();
    for all in [&order[..], &order[..order.len() - ends]] {
        for fault in all {
            fault
                .apply(site)
                .await
                .unwrap_or_else(|why| panic!("{}: {why}", fault.name()));
        }
        assert!(!serves(site).await);
        site.heal(all).await.unwrap();
        assert!(serves(site).await, "not everything is healed");
    }
}

#[tokio::test]
async fn own_links_and_nodes_heal() {
    let node = process().await;
    let base = 23_801;
    let _lease = PortLock::on(base).await.unwrap();
    let (tap, chance) = (Tap::default(), Chance::seeded(0));
    let injector = FaultInjector::links(&[node.addr()], base, &tap, chance).unwrap();
    let owned = Owned {
        nodes: true,
        proxy: false,
        networks: false,
        links: Links::Own,
    };
    heals(&node, &injector, owned).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_in_a_foreign_toxiproxy_heal() {
    let node = process().await;
    let server = Server::start("127.0.0.1:0", None, 1).await.unwrap();
    let client = Toxiproxy::new(server.addr());
    let base = 23_811;
    let _lease = PortLock::on(base).await.unwrap();
    let injector = FaultInjector::foreign(client, &[node.addr()], base)
        .await
        .unwrap();
    let owned = Owned {
        nodes: true,
        proxy: false,
        networks: false,
        links: client.links().await.unwrap(),
    };
    heals(&node, &injector, owned).await;
}

#[tokio::test]
async fn nodes_of_others_are_left_alone() {
    let node = process().await;
    let foreign = External::at(node.addr()).await.unwrap();
    let injector = FaultInjector::Links(Vec::new());
    let site = Site::new(&foreign, &injector, 0);
    for row in Fault::rows() {
        if row.acts_on == Object::Node {
            let refused = smallest(row).apply(site).await;
            let refused = matches!(refused, Err(Error::Node(node::Error::NotOurs { .. })));
            assert!(refused, "{}", row.name);
        }
    }
}
