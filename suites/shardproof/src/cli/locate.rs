//! `shardproof locate`: where keys are, and where they were found.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use shardproof::fleet::locate::Locator;
use shardproof::keys::{Block, Given, Source};
use shardproof::planner::description::Described;
use shardproof::planner::locate::{Located, Location, Seen};
use shardproof::planner::{Placement, Policy};
use shardproof::report::terminal::{located, located_header};

use testbed::address::Address;
use testbed::endpoint::Endpoint;

use super::clusters::Hinting;
use super::keys::KeyFile;
use super::node::{NODE, NodeFlag};
use super::{ADDRESS, Connect, Connector, Console, Exit, Usage};

/// Show where keys are placed and why, and which nodes hold them
///
/// A DESCRIPTION is a configuration of Envoy (bootstrap), twemproxy, predixy or refproxy, or
/// POLICY[/SETTING=VALUE]...:NODE,NODE... as in maglev:10.0.0.1:6379,10.0.0.2:6379*2. A NODE is ADDR[=SEEN][*WEIGHT].
///
/// Asks nodes (--look, --node) and the proxy (--proxy) with EXISTS for each key, and the seeds of a Redis Cluster for its
/// slots. Otherwise it connects to nothing. Exit code 1 if a node holds a key that the proxy does not find.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The cluster
    #[arg(long, value_name = "DESCRIPTION")]
    cluster: String,
    /// Keys, or hexadecimal digits with --hex
    #[arg(
        value_name = "KEY",
        required_unless_present = "keys",
        conflicts_with = "keys"
    )]
    given: Vec<std::ffi::OsString>,
    /// File of keys, one per line, as bytes; - for stdin. An empty line is the empty key
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Keys are given as hexadecimal digits
    #[arg(long)]
    hex: bool,
    #[command(flatten)]
    hinting: Hinting,
    /// Ask every node for the keys, at the addresses of the description
    #[arg(long)]
    look: bool,
    /// Ask every node for the keys, this one at ADDR; repeat per node
    #[arg(long = "node", value_name = NODE)]
    nodes: Vec<NodeFlag>,
    /// Database to look in. Default: the database in the description, or 0
    #[arg(long = "db", value_name = "N")]
    database: Option<u32>,
    /// Ask this proxy for the keys
    #[arg(long, value_name = ADDRESS, value_parser = super::connect::address)]
    proxy: Option<Address>,
    /// Write one JSON object per line; - for stdout
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    connect: Connect,
}

pub(super) async fn run(flags: &Flags, console: &Console) -> anyhow::Result<Exit> {
    let connector = flags.connect.connector(console)?;
    let described = flags
        .hinting
        .read("--cluster", &flags.cluster, &connector)
        .await?;
    console.notes(&described.notes);
    let mut source = source(flags)?;
    let mut locator = Locator::default();
    let asks_nodes = flags.look || !flags.nodes.is_empty();
    if asks_nodes {
        let database = flags.database.or(described.database).unwrap_or(0);
        let nodes = reached(flags, &described, &connector).await?;
        let has_slots = described.cluster.policy == Policy::Slots;
        locator.at_nodes(&nodes, database, has_slots).await?;
    }
    if let Some(proxy) = &flags.proxy {
        let proxy = connector.proxy("--proxy", proxy).await?;
        locator.at_proxy(proxy).await?;
    }
    let mut out = match &flags.json {
        Some(file) => console.stream(file)?,
        None => console.stream("-".as_ref())?,
    };
    if flags.json.is_none() {
        let header = located_header(asks_nodes, flags.proxy.is_some());
        out.write_all(header.as_bytes())?;
    }
    let placement = Placement::new(&described.cluster)?;
    let mut broken = false;
    let mut block = Block::default();
    while source.fill(&mut block)? {
        let keys = Keys::of(&block)?;
        let (text, unreachable) = lines(
            (&described, &placement),
            &mut locator,
            &keys,
            flags.json.is_some(),
        )
        .await?;
        out.write_all(&text)?;
        broken |= unreachable;
    }
    out.flush()?;
    Ok(if broken { Exit::Broken } else { Exit::Expected })
}

/// The keys of the command line, or the file that it names.
fn source(flags: &Flags) -> anyhow::Result<Box<dyn Source>> {
    use std::os::unix::ffi::OsStrExt;
    let file = KeyFile {
        keys: flags.keys.clone(),
        hex: flags.hex,
    };
    if let Some(lines) = file.lines()? {
        return Ok(Box::new(lines));
    }
    let keys = flags.given.iter().map(|key| {
        let bytes = key.as_bytes();
        if !flags.hex {
            return Ok(bytes.to_vec());
        }
        shardproof::keys::from_hex(bytes).ok_or_else(|| {
            let key = key.display();
            Usage(format!(
                "--hex {key}: expected pairs of the digits 0-9 and a-f"
            ))
        })
    });
    Ok(Box::new(Given::new(keys.collect::<Result<_, Usage>>()?)))
}

/// Where each node of the cluster is asked.
async fn reached(
    flags: &Flags,
    described: &Described,
    connector: &Connector,
) -> anyhow::Result<Vec<(String, Endpoint)>> {
    let seen: Vec<&String> = described
        .cluster
        .nodes
        .iter()
        .map(|node| &node.address)
        .collect();
    let mut given: Vec<Option<&Address>> = vec![None; seen.len()];
    for node in &flags.nodes {
        let node = node.unweighted()?;
        let Some(place) = seen.iter().position(|seen| **seen == node.seen) else {
            let (reach, seen) = (&node.reached, &node.seen);
            let wrong = format!("--node {reach}: {seen} is not a node of the cluster");
            return Err(Usage(wrong).into());
        };
        given[place] = Some(&node.reached);
    }
    let mut reached = Vec::with_capacity(seen.len());
    for ((seen, given), reach) in seen.into_iter().zip(given).zip(&described.reach) {
        let endpoint = match given {
            Some(address) => connector.node("--node", address).await?,
            None => connector.described(seen, reach).await?,
        };
        reached.push((seen.clone(), endpoint));
    }
    Ok(reached)
}

/// The keys of a block, side by side.
struct Keys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Keys {
    fn of(block: &Block) -> anyhow::Result<Self> {
        let mut keys = Self {
            bytes: Vec::new(),
            ends: Vec::new(),
        };
        block.each(|key| {
            keys.bytes.extend_from_slice(key);
            keys.ends.push(keys.bytes.len());
        })?;
        Ok(keys)
    }

    fn each(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        let places = starts.zip(&self.ends);
        places.map(|(start, end)| &self.bytes[start..*end])
    }
}

/// The lines of some keys, and whether one of these is out of the proxy's reach.
async fn lines(
    (described, placement): (&Described, &Placement),
    locator: &mut Locator,
    keys: &Keys,
    json: bool,
) -> anyhow::Result<(Vec<u8>, bool)> {
    let cluster = &described.cluster;
    let addresses: Vec<&str> = cluster.nodes.iter().map(|node| &*node.address).collect();
    let keys: Vec<&[u8]> = keys.each().collect();
    let seen: Vec<Seen<'_>> = locator.seen(&keys, &addresses).await?;
    let mut text = Vec::new();
    for (key, seen) in keys.iter().zip(&seen) {
        let place = Located::new(described, placement, key);
        if json {
            serde_json::to_writer(&mut text, &Location::new(&place, seen))?;
            text.push(b'\n');
        } else {
            located(&mut text, &place, seen);
        }
    }
    Ok((text, seen.iter().any(Seen::is_unreachable)))
}
