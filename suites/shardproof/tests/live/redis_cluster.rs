//! Real nodes in cluster mode: alone, or as a Redis Cluster whose slots a test has dealt.

use std::error::Error;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::process::{Command, Stdio};
use std::time::Duration;

use libtest_mimic::Failed;
use tempfile::TempDir;
use testbed::child::Running;
use testbed::client::{self, Client};
use testbed::port::{self, Port};
use testbed::program::Program;
use testbed::wait::{self, Probed};
use testbed::wire::Value;

use crate::support;

const WITHIN: Duration = Duration::from_secs(30);
/// The error when another process has the port of a server.
const ENDED: &str = "the server ended";

/// A Redis in cluster mode, gone when dropped.
pub(crate) struct ClusterNode {
    /// Its port for clients, and its port for other nodes.
    ports: [Port; 2],
    _server: Running,
    _folder: TempDir,
}

/// The slots of a node.
pub(crate) type Slots = &'static [RangeInclusive<u16>];

impl ClusterNode {
    /// A server as soon as it answers. It has met no other node, and has no slot.
    pub(crate) async fn start() -> Result<Self, Failed> {
        let taken = |why: &String| why.contains(ENDED);
        Ok(port::retry_if_taken(taken, Self::launch).await?)
    }

    async fn launch() -> Result<Self, String> {
        let failed = |why: &dyn Error| why.to_string();
        let program = support::search().find(&Program::redis_server());
        let folder = TempDir::new().map_err(|why| failed(&why))?;
        let [port, bus] = [Port::free(), Port::free()];
        let ports = [
            port.map_err(|why| failed(&why))?,
            bus.map_err(|why| failed(&why))?,
        ];
        let addr = ports[0].addr();
        let [port, bus] = ports.each_ref().map(|port| port.number().to_string());
        let mut command = Command::new(program.map_err(|why| failed(&why))?);
        command
            .args(["--bind", "127.0.0.1", "--port", &port])
            .args(["--cluster-enabled", "yes", "--cluster-port", &bus])
            .args(["--save", "", "--dir"])
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
        Ok(Self {
            ports,
            _server: server,
            _folder: folder,
        })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.ports[0].addr()
    }

    /// The reply to a request that is not an error.
    pub(crate) async fn ask(&self, words: &str) -> Result<Value, Failed> {
        let mut client = Client::connect(self.addr(), WITHIN).await?;
        let words: Vec<&str> = words.split(' ').collect();
        let answer = client.call(&words, WITHIN).await?;
        match answer.is_error() {
            true => Err(format!("{words:?} is answered with {answer}").into()),
            false => Ok(answer),
        }
    }

    /// The text of a reply.
    pub(crate) async fn text(&self, words: &str) -> Result<String, Failed> {
        match self.ask(words).await? {
            Value::Bulk(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
            other => Err(format!("{words} is answered with {other}").into()),
        }
    }

    /// Gives it slots that no node has.
    pub(crate) async fn own(&self, slots: Slots) -> Result<(), Failed> {
        for range in slots {
            let (first, last) = range.clone().into_inner();
            self.ask(&format!("CLUSTER ADDSLOTSRANGE {first} {last}"))
                .await?;
        }
        Ok(())
    }

    async fn meet(&self, other: &Self) -> Result<(), Failed> {
        let [port, bus] = other.ports.each_ref().map(Port::number);
        self.ask(&format!("CLUSTER MEET 127.0.0.1 {port} {bus}"))
            .await?;
        Ok(())
    }

    pub(crate) async fn id(&self) -> Result<String, Failed> {
        self.text("CLUSTER MYID").await
    }
}

/// A Redis Cluster: a primary for each of `slots`, and a replica of the first one. Every node agrees when it is returned.
pub(crate) async fn start(slots: &[Slots]) -> Result<Vec<ClusterNode>, Failed> {
    let mut nodes = Vec::new();
    for _ in 0..=slots.len() {
        nodes.push(ClusterNode::start().await?);
    }
    for (node, slots) in nodes.iter().zip(slots) {
        node.own(slots).await?;
    }
    for other in &nodes[1..] {
        nodes[0].meet(other).await?;
    }
    let (first, last) = (nodes[0].id().await?, &nodes[slots.len()]);
    until(last, |known| known.contains(&first)).await?;
    last.ask(&format!("CLUSTER REPLICATE {first}")).await?;
    for node in &nodes {
        let all = nodes.len();
        let is_settled = |known: &str| {
            let lines = known.lines();
            let connected =
                lines.filter(|line| line.contains(" connected") && !line.contains("handshake"));
            connected.count() == all && known.contains("slave")
        };
        until(node, is_settled).await?;
        let probe = async || match node.text("CLUSTER INFO").await {
            Ok(info) => wait::found(info.contains("cluster_state:ok"), || info),
            Err(why) => Probed::Continue(format!("{why:?}")),
        };
        wait::eventually("cluster_state:ok", WITHIN, probe).await?;
    }
    Ok(nodes)
}

/// Waits until CLUSTER NODES of a node is as it must be.
async fn until(node: &ClusterNode, is_right: impl Fn(&str) -> bool) -> Result<(), Failed> {
    let probe = async || match node.text("CLUSTER NODES").await {
        Ok(known) => wait::found(is_right(&known), || known.clone()),
        Err(why) => Probed::Continue(format!("{why:?}")),
    };
    Ok(wait::eventually("nodes that know each other", WITHIN, probe).await?)
}
