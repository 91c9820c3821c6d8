//! `toxiproxy_rust` drives the faults while proxies are judged: three scenarios, each on every installed proxy.
//!
//! In each, requests for keys of the faulted node end in an error or the end of the connection and never in a wrong
//! reply, the keys of the other nodes are still served, and the faulted node is served again when the fault is gone.

use std::net::SocketAddr;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use testbed::client::{Client, Error};
use testbed::cluster::{Cluster, RunOptions};
use testbed::targets::{Proxy, Setting, Target};
use testbed::toxiproxy::Server;
use testbed::wait::{self, Probed};
use testbed::wire::Value;
use tokio::runtime::Runtime;
use toxiproxy_rust::client::Client as Toxiproxy;
use toxiproxy_rust::proxy::Proxy as Link;

use crate::support;

const PORT_BASE: u16 = 22701;
const WITHIN: Duration = Duration::from_secs(5);
/// How long a proxy may keep away from a node that was faulted.
const RECOVERS_WITHIN: Duration = Duration::from_secs(30);
/// Far more than `limit_data` lets through.
const VALUE: usize = 10_000;

type Fault = fn(&Link) -> &Link;

pub(crate) fn trials() -> Vec<Trial> {
    let scenarios: [(&str, Fault); 3] = [
        ("a-node-slower-than-the-time-limit", |link| {
            link.with_latency("downstream".to_owned(), 3_600_000, 0, 1.0)
        }),
        ("a-node-that-swallows-what-it-is-asked", |link| {
            link.with_timeout("upstream".to_owned(), 0, 1.0)
        }),
        ("a-node-that-is-cut-off-in-a-reply", |link| {
            link.with_limit_data("downstream".to_owned(), 100, 1.0)
        }),
    ];
    let targets = support::targets();
    let pairs = targets
        .iter()
        .flat_map(|target| scenarios.iter().map(move |scenario| (target, scenario)));
    pairs
        .map(|(target, (name, fault))| {
            let title = format!("toxiproxy::toxiproxy_rust::{}::{name}", target.name);
            let (target, fault) = (target.clone(), *fault);
            support::trial(title, support::presence(&target), move || {
                judge(&target, fault)
            })
        })
        .collect()
}

fn judge(target: &Target, fault: Fault) -> Result<(), Failed> {
    support::prepare(target);
    let runtime = Runtime::new()?;
    let server = runtime.block_on(Server::start("127.0.0.1:0", None, 1))?;
    let options = RunOptions {
        link_port_base: PORT_BASE,
        toxiproxy: Some(server.addr()),
        ..RunOptions::new(support::search(), 1)
    };
    let cluster = runtime.block_on(Cluster::start(&options, 3))?;
    let setting = Setting {
        nodes: cluster.link_addrs(),
        policy: target.policies[0].clone(),
        hash_tags: false,
        op_timeout_ms: target.op_timeout_ms,
    };
    let proxy = runtime.block_on(Proxy::start(target, setting, &options.search))?;
    let keys = runtime.block_on(keys(proxy.addr(), &cluster.node_addrs()))?;

    // Blocking, so on this thread, outside the runtime.
    let toxiproxy = Toxiproxy::new(server.addr());
    let link = toxiproxy.find_proxy(&format!("shardproof-{PORT_BASE}"))?;
    fault(&link);
    if link.toxics()?.is_empty() {
        return Err("the toxic was refused".into());
    }
    match runtime.block_on(get(proxy.addr(), &keys[0])) {
        Ok(Value::Error(_)) | Err(Error::Closed { .. }) => {}
        other => {
            return Err(format!(
                "the faulted node: an error or the end is expected, got {other:?}"
            )
            .into());
        }
    }
    for key in &keys[1..] {
        let value = runtime.block_on(get(proxy.addr(), key))?;
        if value != wanted(key) {
            return Err(
                format!("another node: the value of {key} is expected, got {value}").into(),
            );
        }
    }
    toxiproxy.reset()?;
    runtime.block_on(served_again(proxy.addr(), &keys[0]))
}

async fn served_again(proxy: SocketAddr, key: &str) -> Result<(), Failed> {
    let probe = async || match get(proxy, key).await {
        Ok(value) if value == wanted(key) => Probed::Break(Ok(())),
        again @ (Ok(Value::Error(_)) | Err(_)) => Probed::Continue(format!("{again:?}")),
        untrue => Probed::Break(Err(format!(
            "the value of {key} is expected, got {untrue:?}"
        ))),
    };
    let served = wait::eventually("the healed node", RECOVERS_WITHIN, probe).await?;
    Ok(served?)
}

async fn get(proxy: SocketAddr, key: &str) -> Result<Value, Error> {
    let mut client = Client::connect(proxy, WITHIN).await?;
    client.call(&["GET", key], WITHIN).await
}

/// A long value that tells its key.
fn value(key: &str) -> String {
    format!("{key:x<VALUE$}")
}

fn wanted(key: &str) -> Value {
    Value::Bulk(value(key).into_bytes())
}

/// A key of each node, written through the proxy and found by looking on the nodes.
async fn keys(proxy: SocketAddr, nodes: &[SocketAddr]) -> Result<Vec<String>, Failed> {
    let mut found = vec![None; nodes.len()];
    let mut client = Client::connect(proxy, WITHIN).await?;
    for number in 0..1000 {
        let key = format!("key-{}", number * 7919);
        client.call(&["SET", &key, &value(&key)], WITHIN).await?;
        for (node, found) in nodes.iter().zip(&mut found) {
            let mut direct = Client::connect(*node, WITHIN).await?;
            if direct.call(&["EXISTS", &key], WITHIN).await? == Value::Integer(1) {
                found.get_or_insert(key.clone());
            }
        }
        if let Some(keys) = found.iter().cloned().collect() {
            return Ok(keys);
        }
    }
    Err("no key on every node".into())
}
