//! Behind real proxies: a node is added and removed while clients work, and every key stays reachable once it was
//! moved.

use std::net::SocketAddr;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use shardproof::fleet::{self, CheckOptions, Fleet, MoveOutcome, Moving, Proof};
use shardproof::planner::{self, Node, Policy};
use testbed::client::Client;
use testbed::cluster::{Cluster, RunOptions};
use testbed::targets::{Proxy, Setting, Target};
use testbed::wire::Value;

use crate::fleet::registers::Registers;
use crate::support;

/// Not the suite's own, so that other tests need not wait for these.
const LINK_PORT_BASE: u16 = 22421;
const SEED: u64 = 1;
/// Keys per second: slow enough for clients to see keys before, while and after they are moved.
const RATE: u64 = 2000;

/// A key, how it is written and how it is read.
pub(super) struct Written {
    key: Vec<u8>,
    write: Vec<Vec<u8>>,
    read: Vec<Vec<u8>>,
    ttl_ms: Option<u64>,
}

/// Policies per proxy: moving is the same for all, and the planner decides which keys move.
const POLICIES: usize = 2;

/// A trial for the first policies of each proxy.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |target: Target, policy: String| {
        let name = format!("fleet::behind::{}::{policy}-3-to-4-and-back", target.name);
        support::trial(name, support::presence(&target), move || {
            support::prepare(&target);
            tokio::runtime::Runtime::new()?.block_on(there_and_back(&target, &policy))
        })
    };
    let targets = support::targets().into_iter();
    targets
        .flat_map(|target| {
            let policies = target.policies.clone();
            policies
                .into_iter()
                .take(POLICIES)
                .map(move |policy| trial(target.clone(), policy))
        })
        .collect()
}

async fn there_and_back(target: &Target, policy: &str) -> Result<(), Failed> {
    let options = RunOptions {
        link_port_base: LINK_PORT_BASE,
        ..RunOptions::new(support::search(), SEED)
    };
    let cluster = Cluster::start(&options, 4).await?;
    cluster.tap().set_paused(true);
    let setting = Setting {
        nodes: cluster.link_addrs()[..3].to_vec(),
        policy: policy.to_owned(),
        hash_tags: false,
        op_timeout_ms: 5000,
    };
    let mut proxy = Proxy::start(target, setting, &options.search).await?;
    let keys = keys();
    write(proxy.addr(), &keys).await;
    let mut registers = Registers::create(proxy.addr()).await;

    let first = fleet(&cluster, policy, 3).await;
    let before = contents(&keys, &first).await;
    for count in [4, 3] {
        proxy
            .rescale(cluster.link_addrs()[..count].to_vec())
            .await?;
        let fleet = fleet(&cluster, policy, count).await;
        let load = registers.begin(proxy.addr());
        load.first_round().await;
        let rounds = load.rounds();
        let carried = migrate(&fleet, proxy.addr()).await;
        assert!(
            load.rounds() > rounds,
            "no client worked during the migration"
        );
        registers = load.end().await;

        let looking = CheckOptions {
            proxy: Some(proxy.addr().into()),
            ..CheckOptions::default()
        };
        let check = fleet::check(&fleet, &looking, &Arc::default(), None).await?;
        assert!(check.as_expected(), "{check:?}");
        assert_eq!(check.keys, keys.len() as u64 + 120, "{check:?}");
        assert!(carried.moved > 400, "{carried:?}");
        assert!(carried.superseded > 0, "{carried:?}");
        assert_eq!(carried.contested + carried.refused, 0, "{carried:?}");
        assert_eq!(carried.deletes, Some(0), "{carried:?}");
        registers.check(proxy.addr()).await;
        assert_eq!(contents(&keys, &fleet).await, before, "{count} nodes");
    }
    Ok(())
}

/// The first `count` nodes of the cluster as those that keys are placed on; the rest have left.
pub(super) async fn fleet(cluster: &Cluster, policy: &str, count: usize) -> Arc<Fleet> {
    let (seen, reach) = (cluster.link_addrs(), cluster.node_endpoints());
    let text = |addrs: &[SocketAddr]| addrs.iter().map(ToString::to_string).collect::<Vec<_>>();
    let nodes = text(&seen[..count]).into_iter().map(Node::at);
    let described = planner::Cluster::new(Policy::named(policy).unwrap(), nodes.collect());
    let left: Vec<_> = reach[count..]
        .iter()
        .map(|node| (node.to_string(), *node))
        .collect();
    let fleet = Fleet::open(&described, &reach[..count], &left).await;
    Arc::new(fleet.unwrap())
}

async fn migrate(fleet: &Arc<Fleet>, proxy: SocketAddr) -> MoveOutcome {
    let moving = Moving {
        rate: Some(RATE),
        ..Moving::new(Proof::Proxy(proxy.into()))
    };
    let carried = fleet::migrate(fleet, &moving, &Arc::default()).await;
    carried.unwrap()
}

/// Keys of many types, some binary, some large, every third with a time to live.
pub(super) fn keys() -> Vec<Written> {
    let key = |number: usize| {
        let kind = number % 8;
        let key = match kind {
            0 => [&b"bin\0\r\n\xff"[..], &number.to_be_bytes()].concat(),
            _ => format!("key:{number}").into_bytes(),
        };
        let value = match kind {
            1 if number < 100 => "x".repeat(100_000),
            _ => format!("value-{number}"),
        };
        let (write, read) = match kind {
            2 => (format!("HSET {{}} field {value}"), "HGETALL {}"),
            3 => (format!("RPUSH {{}} a {value}"), "LRANGE {} 0 -1"),
            4 => (format!("SADD {{}} {value}"), "SMEMBERS {}"),
            5 => (format!("ZADD {{}} 1.5 {value}"), "ZRANGE {} 0 -1"),
            _ => (format!("SET {{}} {value}"), "GET {}"),
        };
        let with_key = |text: &str| {
            let word = |word: &str| match word {
                "{}" => key.clone(),
                word => word.as_bytes().to_vec(),
            };
            text.split(' ').map(word).collect()
        };
        Written {
            write: with_key(&write),
            read: with_key(read),
            ttl_ms: number
                .is_multiple_of(3)
                .then_some(1_000_000 + number as u64),
            key,
        }
    };
    (0..2400).map(key).collect()
}

pub(super) async fn write(proxy: SocketAddr, keys: &[Written]) {
    let within = std::time::Duration::from_secs(10);
    let mut client = Client::connect(proxy, within).await.unwrap();
    let mut requests: Vec<Vec<Vec<u8>>> = keys.iter().map(|key| key.write.clone()).collect();
    requests.extend(keys.iter().filter_map(|key| {
        let ttl = key.ttl_ms?.to_string().into_bytes();
        Some(vec![b"PEXPIRE".to_vec(), key.key.clone(), ttl])
    }));
    for batch in requests.chunks(100) {
        for answer in client.pipeline(batch, within).await.unwrap() {
            assert!(!answer.is_error(), "{answer}");
        }
    }
}

/// The value of each key on its right node, and its time of expiry.
pub(super) async fn contents(keys: &[Written], fleet: &Fleet) -> Vec<(Value, Value)> {
    let within = std::time::Duration::from_secs(10);
    let mut clients = Vec::new();
    for member in fleet.members() {
        clients.push(Client::connect(member.addr, within).await.unwrap());
    }
    let mut contents = Vec::new();
    for written in keys {
        let right = &mut clients[fleet.right(&written.key)];
        let expires = vec![b"PEXPIRETIME".to_vec(), written.key.clone()];
        let requests = [written.read.clone(), expires];
        let mut answers = right.pipeline(&requests, within).await.unwrap();
        contents.push((answers.remove(0), answers.remove(0)));
    }
    contents
}
