//! The slots of a real Redis in cluster mode: `CLUSTER KEYSLOT` of every key.

use std::error::Error;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use libtest_mimic::Failed;
use placement::{Cluster, Node, Placement, Policy};
use tempfile::TempDir;
use testbed::child::Running;
use testbed::client::{self, Client};
use testbed::port::{self, Port};
use testbed::program::Program;
use testbed::wait::{self, Probed};
use testbed::wire::{self, Value};
use tokio::runtime::Runtime;

use crate::support;
use crate::vectors::Keys;

const WITHIN: Duration = Duration::from_secs(20);

/// Each key has the slot that Redis computes.
pub(super) fn run(keys: &Keys) -> Result<(), Failed> {
    let nodes = vec![Node::at("127.0.0.1:1")];
    let placement = Placement::new(&Cluster::new(Policy::Slots, nodes))?;
    let slots = Runtime::new()?.block_on(slots_of(keys))?;
    for (key, slot) in keys.iter().zip(slots) {
        let ours = i64::try_from(placement.digest(key))?;
        if slot != Value::Integer(ours) {
            let key = wire::quoted(key);
            return Err(format!("key {key}: Redis says {slot}, we say {ours}").into());
        }
    }
    Ok(())
}

async fn slots_of(keys: &Keys) -> Result<Vec<Value>, Failed> {
    let folder = TempDir::new()?;
    let taken = |why: &String| why.contains(ENDED);
    let started = port::retry_if_taken(taken, async || server(&folder).await);
    let (_server, addr) = started.await?;
    let mut client = Client::connect(addr, WITHIN).await?;
    let asked: Vec<Vec<&[u8]>> = keys
        .iter()
        .map(|key| vec![&b"CLUSTER"[..], b"KEYSLOT", key])
        .collect();
    Ok(client.pipeline(&asked, WITHIN).await?)
}

/// How a server tells that another process has its port.
const ENDED: &str = "the server ended";

/// A Redis in cluster mode, as soon as it answers.
async fn server(folder: &TempDir) -> Result<(Running, SocketAddr), String> {
    let failed = |why: &dyn Error| why.to_string();
    let program = support::search().find(&Program::redis_server());
    let [port, bus] = [Port::free(), Port::free()];
    let port = port.map_err(|why| failed(&why))?;
    let bus = bus.map_err(|why| failed(&why))?;
    let addr = port.addr();
    let mut command = Command::new(program.map_err(|why| failed(&why))?);
    command
        .args(["--bind", "127.0.0.1", "--port", &port.number().to_string()])
        .args(["--cluster-enabled", "yes"])
        .args([
            "--cluster-port",
            &bus.number().to_string(),
            "--save",
            "",
            "--dir",
        ])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let mut server = Running::start(command).map_err(|why| failed(&why))?;
    let probe = async || match (client::ping(addr).await, server.ended()) {
        (_, Ok(Some(status))) => Probed::Break(Err(format!("{ENDED} with {status}"))),
        (Ok(()), _) => Probed::Break(Ok(())),
        (Err(why), _) => Probed::Continue(why.to_string()),
    };
    let ready = wait::eventually("redis-server in cluster mode", WITHIN, probe).await;
    ready.map_err(|late| failed(&late))??;
    Ok((server, addr))
}
