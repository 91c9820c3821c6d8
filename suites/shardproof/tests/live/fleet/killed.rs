//! A migration that is killed while clients write through the proxy, and run again: each key has one owner, and its last
//! acknowledged value.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use shardproof::fleet::{self, CheckOptions, Fleet};
use testbed::client::{Client, NODE_DEADLINE};
use testbed::cluster::{Cluster, RunOptions};
use testbed::targets::{Proxy, Setting, Target};
use testbed::wait;
use testbed::wire::Value;

use crate::fleet::behind;
use crate::fleet::nodes::WITHIN;
use crate::fleet::registers::Registers;
use crate::support;

/// Not the suite's own, so that other tests need not wait for these.
const LINK_PORT_BASE: u16 = 22431;
const SEED: u64 = 1;
/// Nodes after the change. The last one is new, so every key on it was moved there or written there since.
const NODES: usize = 4;
/// Keys per second: slow enough for a kill in the middle.
const RATE: &str = "500";
/// Each run is killed when the new node has this many more keys.
const MOVED: i64 = 100;
const KILLS: i64 = 3;

/// A trial for the first policy of each proxy.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |target: Target| {
        let name = format!(
            "fleet::killed::{}::a-killed-migration-under-load-is-finished",
            target.name
        );
        support::trial(name, support::presence(&target), move || {
            support::prepare(&target);
            tokio::runtime::Runtime::new()?.block_on(killed(&target))
        })
    };
    support::targets().into_iter().map(trial).collect()
}

async fn killed(target: &Target) -> Result<(), Failed> {
    let options = RunOptions {
        link_port_base: LINK_PORT_BASE,
        ..RunOptions::new(support::search(), SEED)
    };
    let cluster = Cluster::start(&options, NODES).await?;
    cluster.tap().set_paused(true);
    let policy = target.policies.first().ok_or("no policy")?;
    let setting = Setting {
        nodes: cluster.link_addrs()[..NODES - 1].to_vec(),
        policy: policy.clone(),
        hash_tags: false,
        op_timeout_ms: 5000,
    };
    let mut proxy = Proxy::start(target, setting, &options.search).await?;
    let keys = behind::keys();
    behind::write(proxy.addr(), &keys).await;
    let registers = Registers::create(proxy.addr()).await;
    let before = behind::contents(&keys, &*behind::fleet(&cluster, policy, NODES - 1).await).await;

    proxy.rescale(cluster.link_addrs()).await?;
    let fleet = behind::fleet(&cluster, policy, NODES).await;
    let load = registers.begin(proxy.addr());
    load.first_round().await;
    for kill in 1..=KILLS {
        let running = command(&cluster, policy, &proxy)
            .args(["--rate", RATE])
            .spawn()?;
        kill_after(running, &cluster, kill * MOVED).await;
    }
    let again = command(&cluster, policy, &proxy).output()?;
    let said = String::from_utf8_lossy(&again.stderr);
    assert_eq!(again.status.code(), Some(0), "{said}");
    let registers = load.end().await;

    check(&fleet, &proxy, keys.len() as u64 + registers.count()).await?;
    registers.check(proxy.addr()).await;
    assert_eq!(behind::contents(&keys, &fleet).await, before);
    Ok(())
}

/// Every key is on its node alone, and is found through the proxy.
async fn check(fleet: &Arc<Fleet>, proxy: &Proxy, keys: u64) -> Result<(), Failed> {
    let looking = CheckOptions {
        proxy: Some(proxy.addr().into()),
        ..CheckOptions::default()
    };
    let check = fleet::check(fleet, &looking, &Arc::default(), None).await?;
    assert!(check.as_expected(), "{check:?}");
    assert_eq!(check.keys, keys, "{check:?}");
    Ok(())
}

/// `shardproof migrate --apply` to all nodes.
fn command(cluster: &Cluster, policy: &str, proxy: &Proxy) -> Command {
    let seen: Vec<String> = cluster
        .link_addrs()
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_shardproof"));
    command.args([
        "migrate",
        "--apply",
        "--to",
        &format!("{policy}:{}", seen.join(",")),
    ]);
    command.args(["--proxy", &proxy.addr().to_string()]);
    for (node, seen) in cluster.node_addrs().iter().zip(&seen) {
        command.args(["--node", &format!("{node}={seen}")]);
    }
    command.stdout(Stdio::null());
    command
}

/// Kills a migration (SIGKILL) before it is over: when the new node holds `keys` keys.
async fn kill_after(mut running: Child, cluster: &Cluster, keys: i64) {
    let new = cluster.node_addrs()[NODES - 1];
    let probe = async || {
        let mut client = Client::connect(new, NODE_DEADLINE).await.unwrap();
        let Value::Integer(held) = client.call(&["DBSIZE"], NODE_DEADLINE).await.unwrap() else {
            panic!("no number of keys");
        };
        wait::found(held >= keys, || format!("it holds {held} keys"))
    };
    let moved = wait::eventually("moved keys", WITHIN, probe).await;
    moved.unwrap_or_else(|late| panic!("{late}"));
    let ended = running.try_wait().unwrap();
    assert!(ended.is_none(), "it ended before it was killed");
    running.kill().unwrap();
    running.wait().unwrap();
}
