//! A proxy over real nodes, and one plain Redis with the same data: their replies to a request, and their data.

mod compare;
mod contents;
mod entries;
mod one_order;
mod running;
mod site;

use std::collections::BTreeMap;
use std::time::Duration;

use self::site::{Lots, Own, Site};
use super::harness::{Error, Harness};
use crate::cases::case::NODES;
use crate::cases::judge::Outcome;
use crate::cases::word::{Scope, Variable};
use testbed::client::{self, Client, NODE_DEADLINE};
use testbed::cluster::{Cluster, RunOptions};
use testbed::endpoint::Endpoint;
use testbed::leftovers::TTL_S;
use testbed::link::Tap;
use testbed::node::{Node, Process};
use testbed::program::Search;
use testbed::targets::{Proxy, Setting, Target};
use testbed::wait;
use testbed::wire::Value;

pub use compare::Comparison;
pub(crate) use compare::{compare, errors_alike, parted};
pub(crate) use contents::Contents;
pub use site::RunningProxy;

/// Keys of requests, each on a different node if wanted.
pub(crate) const KEYS: usize = 18;
/// How long a proxy may take to serve every node again.
const SETTLED_WITHIN: Duration = Duration::from_secs(5);
/// Undoes all changes of a command on a server of our own.
const CLEAN: &[&[&str]] = &[&["FLUSHALL"], &["FUNCTION", "FLUSH"], &["SCRIPT", "FLUSH"]];

/// Where keys lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// All on one node.
    Together,
    /// One after the other on the next node.
    Apart,
}

/// A proxy over nodes, and a plain Redis of our own.
pub(crate) struct Oracle {
    site: Site,
    plain: Process,
    search: Search,
    /// How long a reply may take before the client calls it hung.
    pub(crate) patience: Duration,
    together: Vec<Vec<u8>>,
    /// The node of the keys that lie together.
    home: usize,
    apart: Vec<Vec<u8>>,
    looks: u64,
}

impl Oracle {
    /// Starts everything; `op_timeout_ms` is the proxy's time limit for a node.
    ///
    /// # Errors
    /// Why the suite could not judge. Never a verdict.
    pub(crate) async fn start(
        target: &Target,
        options: &RunOptions,
        op_timeout_ms: u64,
    ) -> Result<Self, Error> {
        let cluster = Cluster::start(options, NODES).await?;
        let setting = Setting {
            op_timeout_ms,
            ..Setting::usual(target, cluster.link_addrs())
        };
        let proxy = Proxy::start(target, setting, &options.search).await?;
        let tags = target.capabilities.iter().any(|has| has == "hash-tags");
        let site = Site::Own(Box::new(Own { cluster, proxy }));
        Self::over(site, options, op_timeout_ms, tags).await
    }

    /// A proxy that already runs, and a plain Redis of our own. Keys have a random prefix and expire.
    ///
    /// # Errors
    /// Why the suite could not judge. Never a verdict.
    pub(crate) async fn attach(
        running: &RunningProxy,
        options: &RunOptions,
    ) -> Result<Self, Error> {
        let RunningProxy {
            proxy,
            nodes,
            op_timeout_ms,
            allowed,
            hash_tags,
        } = running;
        let harness = Harness::attach(*proxy, nodes, *op_timeout_ms, *allowed, options.seed);
        let site = Site::Running(Box::new(harness.await?));
        Self::over(site, options, *op_timeout_ms, *hash_tags).await
    }

    async fn over(
        site: Site,
        options: &RunOptions,
        op_timeout_ms: u64,
        tags: bool,
    ) -> Result<Self, Error> {
        let plain = Process::start(&options.search)
            .await
            .map_err(testbed::cluster::Error::from)?;
        let mut oracle = Self {
            site,
            plain,
            search: options.search.clone(),
            patience: Duration::from_millis(5 * op_timeout_ms),
            together: Vec::new(),
            home: 0,
            apart: Vec::new(),
            looks: 0,
        };
        oracle.choose_keys(options.seed, tags).await?;
        Ok(oracle)
    }

    async fn choose_keys(&mut self, seed: u64, tags: bool) -> Result<(), Error> {
        let Lots {
            apart,
            tag,
            together,
        } = self.site.draw_keys(seed).await?;
        self.apart = apart;
        self.together = if tags {
            let tag = String::from_utf8_lossy(&tag).into_owned();
            (1..=KEYS)
                .map(|index| format!("{{{tag}}}{index}").into_bytes())
                .collect()
        } else {
            together
        };
        self.record_keys();
        // A policy may hash the tag differently from a whole key: find its node.
        if !self.site.nodes().is_empty() {
            self.home = self.owner(&self.together[0].clone()).await?;
        }
        Ok(())
    }

    /// The node on which a key lands that is written through the proxy.
    pub(crate) async fn owner(&self, key: &[u8]) -> Result<usize, Error> {
        let unsettled = |why: String| Error::Unsettled(why);
        let mut client = self.client().await?;
        let ttl = TTL_S.to_string();
        let set: [&[u8]; 5] = [b"SET", key, b"probe", b"EX", ttl.as_bytes()];
        client
            .call(&set, NODE_DEADLINE)
            .await
            .map_err(|why| unsettled(why.to_string()))?;
        for (index, addr) in self.site.nodes().into_iter().enumerate() {
            let mut node = connect(addr).await?;
            let del: [&[u8]; 2] = [b"DEL", key];
            match node.call(&del, NODE_DEADLINE).await {
                Ok(Value::Integer(1)) => return Ok(index),
                Ok(_) => {}
                Err(why) => return Err(unsettled(why.to_string())),
            }
        }
        Err(unsettled("a written key is on no node".to_owned()))
    }

    /// A connection to the proxy.
    pub(crate) async fn client(&self) -> Result<Client, Error> {
        connect(self.site.proxy()).await
    }

    /// A connection to the plain Redis.
    pub(crate) async fn plain(&self) -> Result<Client, Error> {
        connect(self.plain.addr().into()).await
    }

    /// Name and version of the plain Redis, as `redis 7.0.15`.
    pub(crate) async fn server(&self) -> Result<String, Error> {
        let addr = testbed::endpoint::Endpoint::from(self.plain.addr());
        let server = client::server(addr).await;
        server.map_err(|why| Error::Unreachable { addr, why })
    }

    /// Whether the plain Redis supports a command, or a subcommand as `OBJECT|ENCODING`.
    pub(crate) async fn knows(&self, command: &str) -> Result<bool, Error> {
        let said = self.ask_plain(&["COMMAND", "INFO", command]).await?;
        let Value::Array(rows) = said else {
            return Ok(false);
        };
        Ok(matches!(rows.first(), Some(Value::Array(_))))
    }

    async fn ask_plain(&self, words: &[&str]) -> Result<Value, Error> {
        let (addr, mut plain) = (self.plain.addr().into(), self.plain().await?);
        let said = plain.call(words, NODE_DEADLINE).await;
        said.map_err(|why| Error::Unreachable { addr, why })
    }

    /// Replaces the plain Redis with a new one.
    pub(crate) async fn replace_plain(&mut self) -> Result<(), Error> {
        let plain = Process::start(&self.search).await;
        self.plain = plain.map_err(testbed::cluster::Error::from)?;
        Ok(())
    }

    /// The record of the requests to nodes.
    pub(crate) fn tap(&self) -> &Tap {
        self.site.tap()
    }

    fn keys(&self, place: Place) -> &[Vec<u8>] {
        match place {
            Place::Together => &self.together,
            Place::Apart => &self.apart,
        }
    }

    /// Values of the keys of a row, with the node of each.
    pub(crate) fn scope(&self, place: Place) -> Scope {
        let numbered = (1..).zip(self.keys(place));
        Scope {
            keys: numbered
                .map(|(number, key)| {
                    let variable = Variable {
                        node: None,
                        moved: None,
                        number,
                    };
                    (variable, key.clone())
                })
                .collect(),
            run: "run".to_owned(),
            repetition: 1,
        }
    }

    /// The node of a key of a row.
    pub(crate) fn node_of(&self, place: Place, variable: Variable) -> usize {
        match place {
            Place::Together => self.home,
            Place::Apart => {
                let index = variable.number.max(1) as usize - 1;
                site::place(index, self.site.nodes().len())
            }
        }
    }

    /// The node of each key of a row.
    pub(crate) fn owners(&self, place: Place) -> BTreeMap<Vec<u8>, usize> {
        let keys = self.scope(place).keys.into_iter();
        keys.map(|(variable, key)| (key, self.node_of(place, variable)))
            .collect()
    }

    /// Sends a request to the plain Redis and to one node, or to all: initial data.
    pub(crate) async fn given(
        &self,
        request: &[Vec<u8>],
        node: Option<usize>,
    ) -> Result<(), Error> {
        let places = self.site.places();
        let chosen = match node {
            Some(node) => &places[node..=node],
            None => &places[..],
        };
        for addr in chosen.iter().copied().chain([self.plain.addr().into()]) {
            let given = order(addr, &[request.to_vec()]).await;
            given.map_err(|why| Error::Given { addr, why })?;
        }
        Ok(())
    }

    /// Does something to the node of the first key that lies together or apart, and to no other server.
    pub(crate) async fn meddle(&self, words: &[Vec<u8>]) -> Result<(), Error> {
        let key = words.get(1);
        let at = if key == self.apart.first() {
            0
        } else {
            self.home
        };
        let addr = self.site.nodes()[at];
        let done = order(addr, &[words.to_vec()]).await;
        done.map_err(|why| Error::Unclean { addr, why })
    }

    /// The data on all nodes. On nodes of others, those of our keys.
    pub(crate) async fn contents(&self, place: Place) -> Result<Contents, Error> {
        let places = self.site.places();
        match &self.site {
            Site::Own(_) => Contents::of(&places).await,
            Site::Running(_) => Contents::of_keys(&places, self.keys(place)).await,
        }
    }

    /// The same on the plain Redis.
    pub(crate) async fn plain_contents(&self, place: Place) -> Result<Contents, Error> {
        let plain = [self.plain.addr().into()];
        match &self.site {
            Site::Own(_) => Contents::of(&plain).await,
            Site::Running(_) => Contents::of_keys(&plain, self.keys(place)).await,
        }
    }

    /// Empties every server; whether each one still does its work and the proxy reaches each node.
    pub(crate) async fn clean(&mut self) -> bool {
        let servers = self.site.nodes().into_iter();
        for addr in servers.chain([self.plain.addr().into()]) {
            if order(addr, &cleaning()).await.is_err() {
                return false;
            }
        }
        let served = wait::eventually("every node", SETTLED_WITHIN, async || {
            self.looks += 1;
            let served = self.serves_every_node().await;
            wait::found(served, || "some node is not served".to_owned())
        });
        served.await.is_ok()
    }

    /// Writes a key of each node through the proxy and checks that it is there, in the first database, and nowhere
    /// else.
    async fn serves_every_node(&self) -> bool {
        let Ok(mut client) = self.client().await else {
            return false;
        };
        let look = self.looks.to_string();
        let nodes = self.site.nodes();
        for (key, addr) in self.apart.iter().zip(nodes) {
            let set: [&[u8]; 3] = [b"SET", key, look.as_bytes()];
            let written = client.call(&set, self.patience).await;
            if !matches!(written, Ok(Value::Simple(ok)) if ok == b"OK") {
                return false;
            }
            let Ok(mut node) = connect(addr).await else {
                return false;
            };
            let taken: [&[u8]; 2] = [b"GETDEL", key];
            let found = node.call(&taken, NODE_DEADLINE).await;
            if found != Ok(Value::Bulk(look.clone().into_bytes())) {
                return false;
            }
        }
        true
    }
}

/// The outcome for a client that expects a reply.
pub(crate) fn outcome(reply: Result<Value, client::Error>) -> Outcome {
    match reply {
        Ok(value) => Outcome::Reply(value),
        Err(client::Error::Closed { pending }) => Outcome::Closed(pending),
        Err(client::Error::Silent { pending, .. }) => Outcome::Silent(pending),
        Err(client::Error::Endless { pending }) => Outcome::Endless(pending),
        Err(client::Error::Connect { why, .. } | client::Error::Refused { why, .. }) => {
            Outcome::Garbled(why)
        }
        Err(client::Error::Malformed(why)) => Outcome::Garbled(why.to_string()),
    }
}

async fn connect(addr: Endpoint) -> Result<Client, Error> {
    Client::connect(addr, NODE_DEADLINE)
        .await
        .map_err(|why| Error::Unreachable { addr, why })
}

/// [`CLEAN`] as requests.
fn cleaning() -> Vec<Vec<Vec<u8>>> {
    let words = |words: &&[&str]| words.iter().map(|word| word.as_bytes().to_vec()).collect();
    CLEAN.iter().map(words).collect()
}

/// Carries requests out on a server; an error is its answer, or why it cannot be reached.
async fn order(addr: Endpoint, requests: &[Vec<Vec<u8>>]) -> Result<(), String> {
    let ordered = async {
        let mut client = Client::connect(addr, NODE_DEADLINE).await?;
        client.pipeline(requests, NODE_DEADLINE).await
    };
    let replies = ordered
        .await
        .map_err(|why: client::Error| why.to_string())?;
    match replies.iter().find(|reply| reply.is_error()) {
        Some(error) => Err(error.to_string()),
        None => Ok(()),
    }
}
