//! Real nodes at the places of a configuration: any loopback address, port or Unix socket.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use testbed::child::Running;
use testbed::client::{self, Client};
use testbed::port::{self, Port};
use testbed::program::{Program, Search};
use testbed::wait::{self, Probed};
use testbed::wire::{self, Value};
use tokio::net::TcpStream;

use crate::vectors::recording::Landing;

/// How long a server may take until it answers.
const READY_WITHIN: Duration = Duration::from_secs(20);
/// How long a reply may take. Loaded machines take their time.
const REPLY_WITHIN: Duration = Duration::from_secs(20);
/// Requests in flight: enough to be fast, too few to fill a buffer.
const PIPELINED: usize = 500;
/// The error when another process has the address of a server.
const ENDED: &str = "the server ended";
/// Rounds until a proxy that must first notice which nodes are down places keys the same way twice.
const ROUNDS_MAX: usize = 5;

/// A `redis-server` at a fixed place. Gone when dropped.
struct Node {
    /// Where we look at it.
    looked_at: SocketAddr,
    /// The file of its Unix socket, which a killed server leaves behind.
    socket: Option<PathBuf>,
    server: Running,
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(socket) = &self.socket {
            // Gone already is as good.
            let _ = fs::remove_file(socket);
        }
    }
}

/// The nodes of a configuration, those that run.
pub(crate) struct Nodes(Vec<Option<Node>>);

impl Nodes {
    /// Starts a node at each place of `reach`, except those in `down`.
    ///
    /// # Errors
    /// A place that cannot be used.
    pub(crate) async fn start(
        search: &Search,
        reach: &[String],
        down: &[bool],
    ) -> Result<Self, String> {
        let mut nodes = Vec::with_capacity(reach.len());
        for (place, down) in reach.iter().zip(down) {
            nodes.push(match down {
                false => Some(Node::start(search, place)?),
                true if TcpStream::connect(place).await.is_ok() => {
                    return Err(format!(
                        "a server listens at {place}, where none is expected"
                    ));
                }
                true => None,
            });
        }
        for (node, place) in nodes.iter_mut().zip(reach) {
            if let Some(node) = node {
                let ready = node.ready_at(search, place).await;
                ready.map_err(|why| format!("node at {place}: {why}"))?;
            }
        }
        Ok(Self(nodes))
    }

    /// The nodes on which a proxy puts `keys`: written through it and searched on the nodes, until two rounds agree.
    ///
    /// # Errors
    /// A key on no node or on two, or one that was refused and is on a node; and a proxy whose rounds never agree.
    pub(crate) async fn landings(
        &self,
        proxy: SocketAddr,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Landing>, String> {
        let mut before = self.round(proxy, keys).await?;
        for _ in 1..ROUNDS_MAX {
            let landings = self.round(proxy, keys).await?;
            if landings == before {
                return Ok(landings);
            }
            before = landings;
        }
        Err(format!(
            "keys are placed differently in each of {ROUNDS_MAX} rounds"
        ))
    }

    async fn round(&self, proxy: SocketAddr, keys: &[Vec<u8>]) -> Result<Vec<Landing>, String> {
        for node in self.0.iter().flatten() {
            node.empty().await?;
        }
        let written = write(proxy, keys).await?;
        let places: HashMap<&[u8], usize> = keys.iter().map(Vec::as_slice).zip(0..).collect();
        let mut found = vec![None; keys.len()];
        for (index, node) in self.0.iter().enumerate() {
            let Some(node) = node else { continue };
            for key in node.keys().await? {
                let place = places.get(key.as_slice());
                let place = *place.ok_or_else(|| {
                    format!(
                        "node {index} has a key {} that no client wrote",
                        wire::quoted(&key)
                    )
                })?;
                if let Some(other) = found[place].replace(index) {
                    return Err(format!(
                        "key {} is on nodes {other} and {index}",
                        wire::quoted(&key)
                    ));
                }
            }
        }
        let landings = written.into_iter().zip(found).zip(keys);
        landings
            .map(|((written, found), key)| match (written, found) {
                (Ok(()), Some(node)) => Ok(Landing::On(node)),
                (Err(_), None) => Ok(Landing::Refused),
                (Ok(()), None) => Err(format!(
                    "key {} was acknowledged and is nowhere",
                    wire::quoted(key)
                )),
                (Err(why), Some(node)) => Err(format!(
                    "key {} was refused with {why} and is on node {node}",
                    wire::quoted(key)
                )),
            })
            .collect()
    }
}

/// Writes `keys` through a proxy; an error that it answers is kept.
async fn write(proxy: SocketAddr, keys: &[Vec<u8>]) -> Result<Vec<Result<(), Value>>, String> {
    let failed = |why: client::Error| format!("the proxy: {why}");
    let mut client = Client::connect(proxy, REPLY_WITHIN).await.map_err(failed)?;
    let mut written = Vec::with_capacity(keys.len());
    for some in keys.chunks(PIPELINED) {
        let requests: Vec<Vec<&[u8]>> =
            some.iter().map(|key| vec![&b"SET"[..], key, b""]).collect();
        let replies = client
            .pipeline(&requests, REPLY_WITHIN)
            .await
            .map_err(failed)?;
        for reply in replies {
            written.push(match reply {
                Value::Simple(ok) if ok == b"OK" => Ok(()),
                refused if refused.is_error() => Err(refused),
                other => return Err(format!("the reply to SET is {other}")),
            });
        }
    }
    Ok(written)
}

impl Node {
    fn start(search: &Search, place: &str) -> Result<Self, String> {
        let program = search
            .find(&Program::redis_server())
            .map_err(|why| why.to_string())?;
        let failed = |why: std::io::Error| format!("node at {place}: {why}");
        let mut command = Command::new(program);
        let socket = self_chosen(place).then(|| PathBuf::from(place));
        let looked_at = if let Some(socket) = &socket {
            command.arg("--unixsocket").arg(socket);
            Port::free().map_err(failed)?.addr()
        } else {
            let parsed = place.parse();
            parsed.map_err(|_| format!("node at {place}: ADDRESS:PORT is expected"))?
        };
        command
            .args([
                "--bind",
                &looked_at.ip().to_string(),
                "--port",
                &looked_at.port().to_string(),
            ])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = Running::start(command).map_err(failed)?;
        Ok(Self {
            looked_at,
            socket,
            server,
        })
    }

    /// Waits for the server. If the port is our own choice, another one is tried when another process was faster.
    async fn ready_at(&mut self, search: &Search, place: &str) -> Result<(), String> {
        let taken = |why: &String| self_chosen(place) && why.contains(ENDED);
        let mut is_first = true;
        port::retry_if_taken(taken, async || {
            if !is_first {
                *self = Self::start(search, place)?;
            }
            is_first = false;
            self.wait_until_ready().await
        })
        .await
    }

    /// Waits until our own server answers. Another server at this address must not be written to, let alone emptied.
    async fn wait_until_ready(&mut self) -> Result<(), String> {
        let ours = format!("process_id:{}\r\n", self.server.pid());
        let probe = async || {
            let answer = self.call(&[b"INFO", b"server"]).await;
            if matches!(&answer, Ok(Value::Bulk(info)) if String::from_utf8_lossy(info).contains(&ours))
            {
                return Probed::Break(Ok(()));
            }
            match self.server.ended() {
                Ok(Some(status)) => Probed::Break(Err(format!("{ENDED} with {status}"))),
                _ => Probed::Continue(format!("{answer:?}")),
            }
        };
        let ready = wait::eventually("an answer of our server", READY_WITHIN, probe).await;
        ready.map_err(|late| late.to_string())?
    }

    async fn empty(&self) -> Result<(), String> {
        match self.call(&[b"FLUSHALL"]).await? {
            Value::Simple(_) => Ok(()),
            other => Err(format!("the reply to FLUSHALL is {other}")),
        }
    }

    /// All keys of the node.
    async fn keys(&self) -> Result<Vec<Vec<u8>>, String> {
        let mut keys = Vec::new();
        let mut cursor = b"0".to_vec();
        loop {
            let reply = self.call(&[b"SCAN", &cursor, b"COUNT", b"1000"]).await?;
            let Some((next, some)) = scanned(&reply) else {
                return Err(format!("the reply to SCAN is {reply}"));
            };
            keys.extend(some);
            if next == b"0" {
                return Ok(keys);
            }
            cursor = next;
        }
    }

    async fn call(&self, request: &[&[u8]]) -> Result<Value, String> {
        let failed = |why: client::Error| format!("node at {}: {why}", self.looked_at);
        let mut client = Client::connect(self.looked_at, REPLY_WITHIN)
            .await
            .map_err(failed)?;
        client.call(request, REPLY_WITHIN).await.map_err(failed)
    }
}

/// Whether the node is at a Unix socket, and its port is for us alone.
fn self_chosen(place: &str) -> bool {
    place.starts_with('/')
}

/// The cursor and the keys of a reply to SCAN.
fn scanned(reply: &Value) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let bulk = |value: &Value| match value {
        Value::Bulk(bytes) => Some(bytes.clone()),
        _ => None,
    };
    match reply {
        Value::Array(parts) => match &parts[..] {
            [cursor, Value::Array(keys)] => {
                Some((bulk(cursor)?, keys.iter().map(bulk).collect::<Option<_>>()?))
            }
            _ => None,
        },
        _ => None,
    }
}
