//! The slots of a real Redis in cluster mode: `CLUSTER KEYSLOT` of every key.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use placement::{Cluster, Node, Placement, Policy};
use tempfile::TempDir;
use testbed::child::Running;
use testbed::client::{self, Client};
use testbed::port;
use testbed::program::Program;
use testbed::wire::{self, Value};
use tokio::runtime::Runtime;

use crate::support;
use crate::vectors::Keys;

const WITHIN: Duration = Duration::from_secs(20);

/// Each key has the slot that Redis says.
pub(super) fn run(keys: &Keys) -> Result<(), Failed> {
    let nodes = vec![Node::at("127.0.0.1:1")];
    let placement = Placement::new(&Cluster::new(Policy::Slots, nodes))?;
    let told = Runtime::new()?.block_on(told(keys))?;
    for (key, told) in keys.iter().zip(told) {
        let ours = i64::try_from(placement.digest(key))?;
        if told != Value::Integer(ours) {
            let key = wire::quoted(key);
            return Err(format!("key {key}: Redis says {told}, we say {ours}").into());
        }
    }
    Ok(())
}

async fn told(keys: &Keys) -> Result<Vec<Value>, Failed> {
    let folder = TempDir::new()?;
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port::free()?));
    let mut command = Command::new(support::search().find(&Program::redis_server())?);
    command
        .args(["--bind", "127.0.0.1", "--port", &addr.port().to_string()])
        .args([
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            &port::free()?.to_string(),
        ])
        .args(["--save", "", "--dir"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let _server = Running::start(command)?;
    let started = Instant::now();
    while let Err(why) = client::ping(addr).await {
        if started.elapsed() > WITHIN {
            return Err(format!("redis-server in cluster mode does not answer: {why}").into());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut client = Client::connect(addr, WITHIN).await?;
    let asked: Vec<Vec<&[u8]>> = keys
        .iter()
        .map(|key| vec![&b"CLUSTER"[..], b"KEYSLOT", key])
        .collect();
    Ok(client.pipeline(&asked, WITHIN).await?)
}
