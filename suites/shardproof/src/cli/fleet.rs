//! Options of commands on live nodes: the nodes, the description, and the progress.

use std::ffi::OsString;
use std::future::Future;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use shardproof::fleet::{
    self, CheckOptions, Fleet, KeyBytesMax, KeyCopy, Point, Progress, Scanning,
};
use shardproof::planner::description::{Described, Description, Seeds};
use testbed::address::Address;
use testbed::endpoint::Endpoint;
use tokio::sync::mpsc;

use super::clusters::Hinting;
use super::node::{NODE, NodeFlag};
use super::{ADDRESS, Connect};
use super::{Console, Usage};

/// Live nodes, and the placement that they are compared with.
#[derive(Debug, Args)]
pub(super) struct FleetFlags {
    /// Cluster as the proxy has it now: its configuration file (Envoy, twemproxy, predixy, refproxy) or POLICY:NODE,NODE...
    #[arg(long, value_name = "DESCRIPTION")]
    to: String,
    #[command(flatten)]
    hinting: Hinting,
    /// Address of a node from here, where it differs from the address that the proxy sees; repeat per node
    #[arg(long = "node", value_name = NODE)]
    nodes: Vec<NodeFlag>,
    /// Node that has left the cluster and may still hold keys; repeat per node
    #[arg(long = "from-node", value_name = ADDRESS, value_parser = super::connect::address)]
    leaving: Vec<Address>,
    /// Database to inspect on every node, or all that hold keys. Default: the database in the description, or 0
    #[arg(long = "db", value_name = "N|all")]
    database: Option<Database>,
    /// Only keys with this prefix
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    prefix: OsString,
    /// Maximum number of keys per second over all nodes. Default: no limit
    #[arg(long, value_name = "KEYS", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) rate: Option<u64>,
    /// Skip a comparison of the nodes: functions, modules, dumps, versions, settings, users; repeat for several
    #[arg(long = "ignore", value_name = "POINT")]
    pub(super) ignored: Vec<Point>,
    /// Largest key to compare or move, in bytes of memory. A node serves no other client while it dumps a key. Default: 33554432
    #[arg(long, value_name = "BYTES", conflicts_with = "allow_large")]
    max_key_bytes: Option<u64>,
    /// Compare and move keys of any size
    #[arg(long)]
    allow_large: bool,
    /// Proxy to ask for sample keys
    #[arg(long, value_name = ADDRESS, value_parser = super::connect::address)]
    proxy: Option<Address>,
    #[command(flatten)]
    connect: Connect,
}

/// What a fleet is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To look where keys are.
    Look,
    /// To move keys, or to count those that would be moved.
    Move,
}

/// A fleet whose nodes all answer, and the proxy in front of it.
pub(super) struct Opened {
    pub(super) fleet: Arc<Fleet>,
    pub(super) proxy: Option<Endpoint>,
}

impl FleetFlags {
    /// Whether there is a proxy to ask.
    pub(super) fn has_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// Opens the fleet. Every node of it answers.
    pub(super) async fn open(&self, purpose: Purpose, console: &Console) -> anyhow::Result<Opened> {
        let connector = self.connect.connector(console)?;
        let Described {
            cluster,
            reach,
            database,
            routing,
            notes,
            ..
        } = match purpose {
            Purpose::Look => self.hinting.read("--to", &self.to, &connector).await?,
            Purpose::Move => self.movable()?,
        };
        console.notes(&notes);
        let mut given: Vec<Option<&Address>> = vec![None; reach.len()];
        let seen: Vec<&str> = cluster
            .nodes
            .iter()
            .map(|node| node.address.as_str())
            .collect();
        for node in &self.nodes {
            let NodeFlag {
                reached: addr,
                seen: name,
                ..
            } = node.unweighted()?;
            if addr.to_string() == *name {
                let usage = format!("--node {addr}: has no effect without =SEEN");
                return Err(Usage(usage).into());
            }
            let Some(place) = seen.iter().position(|seen| seen == name) else {
                let known = seen.join(", ");
                let usage = format!("--node {addr}={name}: the description has {known}");
                return Err(Usage(usage).into());
            };
            no_database("--node", addr)?;
            given[place] = Some(addr);
        }
        if let Some(both) = self
            .leaving
            .iter()
            .find(|addr| seen.contains(&addr.site.to_string().as_str()))
        {
            let usage = format!("--from-node {both}: the description has it, so it has not left");
            return Err(Usage(usage).into());
        }
        let mut nodes = Vec::with_capacity(reach.len());
        for ((given, reach), seen) in given.into_iter().zip(&reach).zip(&seen) {
            nodes.push(match given {
                Some(address) => connector.node("--node", address).await?,
                None => connector.described(seen, reach).await?,
            });
        }
        let mut leaving = Vec::with_capacity(self.leaving.len());
        for address in &self.leaving {
            no_database("--from-node", address)?;
            let endpoint = connector.node("--from-node", address).await?;
            leaving.push((address.site.to_string(), endpoint));
        }
        let fleet = Fleet::open(&cluster, &nodes, &leaving).await?;
        let database = match self.database {
            Some(Database::One(number)) => number,
            _ => database.unwrap_or(0),
        };
        let proxy = match &self.proxy {
            Some(proxy) => Some(connector.proxy("--proxy", proxy).await?),
            None => None,
        };
        let fleet = Arc::new(fleet.routed(routing).in_database(database));
        Ok(Opened { fleet, proxy })
    }

    /// A cluster whose keys may be moved.
    fn movable(&self) -> anyhow::Result<Described> {
        match self.hinting.description("--to", &self.to)? {
            Description::Cluster(described) => Ok(described),
            Description::RedisCluster(Seeds { place, setting, .. }) => bail!(
                "{place}: {setting}: a Redis Cluster moves keys itself, slot by slot; expected redis-cli --cluster reshard, \
                 and `check` to look where keys are"
            ),
        }
    }

    /// The databases to inspect, that of the proxy first. Empty is the fleet's own one.
    pub(super) async fn databases(&self, fleet: &Fleet) -> anyhow::Result<Vec<u32>> {
        if self.database != Some(Database::All) {
            return Ok(Vec::new());
        }
        let own = fleet.database();
        let held = fleet::databases(fleet).await?.into_iter();
        let others = held.filter(|database| *database != own);
        Ok(std::iter::once(own).chain(others).collect())
    }

    pub(super) fn key_bytes_max(&self) -> KeyBytesMax {
        match self.max_key_bytes {
            _ if self.allow_large => KeyBytesMax::ANY,
            Some(bytes) => KeyBytesMax(bytes),
            None => KeyBytesMax::default(),
        }
    }

    pub(super) fn scanning(&self) -> Scanning {
        Scanning {
            prefix: self.prefix.as_bytes().to_vec(),
            ..Scanning::default()
        }
    }
}

/// All nodes are inspected in the same database.
fn no_database(flag: &str, address: &Address) -> Result<(), Usage> {
    match address.database {
        None => Ok(()),
        Some(_) => Err(Usage(format!(
            "{flag} {address}: expected no database in the address, --db N selects it on every node"
        ))),
    }
}

/// Which databases are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Database {
    One(u32),
    All,
}

impl FromStr for Database {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(number) => Ok(Self::One(number)),
            Err(_) if text == "all" => Ok(Self::All),
            Err(_) => Err("expected the number of a database, or all"),
        }
    }
}

/// Inspects all keys, and writes one line per key to `keys_out`.
pub(super) async fn look(
    fleet: &Arc<Fleet>,
    looking: &CheckOptions,
    keys_out: Option<&Path>,
    console: &Console,
) -> anyhow::Result<fleet::Check> {
    let progress = Arc::<Progress>::default();
    let (lines, writer) = match keys_out {
        None => (None, None),
        Some(file) => {
            let (lines, sightings) = mpsc::channel(16);
            let (file, fleet) = (file.to_owned(), Arc::clone(fleet));
            let write = move || write_keys(&file, &fleet, sightings);
            (Some(lines), Some(tokio::task::spawn_blocking(write)))
        }
    };
    let work = fleet::check(fleet, looking, &progress, lines);
    let report = watched(console, "looking", || progress.looked_at(), work).await?;
    if let Some(writer) = writer {
        writer.await??;
    }
    Ok(report)
}

fn write_keys(
    file: &PathBuf,
    fleet: &Fleet,
    mut sightings: mpsc::Receiver<Vec<KeyCopy>>,
) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", file.display());
    let mut out = std::io::BufWriter::new(std::fs::File::create(file).with_context(failed)?);
    fleet::write_head(&mut out).with_context(failed)?;
    while let Some(batch) = sightings.blocking_recv() {
        for sighting in &batch {
            fleet::write_line(&mut out, fleet.members(), sighting).with_context(failed)?;
        }
    }
    std::io::Write::flush(&mut out).with_context(failed)
}

/// Runs `work`, and shows how many keys are `done` until it ends.
pub(super) async fn watched<T>(
    console: &Console,
    title: &str,
    done: impl Fn() -> u64,
    work: impl Future<Output = T>,
) -> T {
    let shown = console.progress(title);
    let every = if console.terminal { 200 } else { 5000 };
    let mut ticks = tokio::time::interval(Duration::from_millis(every));
    ticks.tick().await;
    let started = Instant::now();
    let mut work = pin!(work);
    loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            _ = ticks.tick() => {
                let keys = done();
                let rate = keys as f64 / started.elapsed().as_secs_f64();
                shown.say(&format!("{keys} keys, {rate:.0} per second"));
            }
        }
    }
}
