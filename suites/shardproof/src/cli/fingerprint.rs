//! `shardproof fingerprint`: how an unknown proxy places keys, found out from outside.

use clap::Args;
use shardproof::planner::TagRule;
use shardproof::planner::fingerprint::{Known, Query, is_table_size};
use shardproof::run;
use testbed::address::Address;
use testbed::endpoint::Endpoint;

use super::node::NodeFlag;
use super::{ADDRESS, Connect, Connector, Console, Exit, Usage, output};

/// Identify how a proxy places keys: policy, digest, hash tags, weights and node names
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The proxy
    #[arg(long, value_name = ADDRESS, value_parser = super::connect::address)]
    proxy: Address,
    /// A node, in the order of the proxy's configuration; SEEN is its address as the proxy sees it. Repeat per node
    #[arg(long = "node", value_name = "ADDR[=SEEN][*WEIGHT]", required = true)]
    nodes: Vec<NodeFlag>,
    /// Name that the proxy may hash for a node: server name, hash key or host name. Once per --node, in the same order
    #[arg(long = "node-name", value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    names: Vec<String>,
    /// Two characters that may enclose hash tags, in addition to {}; repeat for several
    #[arg(long = "tag", value_name = "PAIR", value_parser = tag)]
    tags: Vec<TagRule>,
    /// Possible size of a maglev table; repeat for several
    #[arg(long = "table-size", value_name = "PRIME", value_parser = table_size)]
    table_sizes: Vec<u32>,
    /// Possible minimum size of a ring; repeat for several
    #[arg(long = "ring-size", value_name = "POINTS", value_parser = clap::value_parser!(u32).range(1..=8_388_608))]
    ring_sizes: Vec<u32>,
    /// Write at most N keys
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(64..=1_000_000))]
    count: u32,
    /// Time to live of the keys in seconds. They are deleted at the end
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(10..))]
    ttl: u64,
    /// Seed that repeats a run. Every run prints its seed
    #[arg(long, value_name = "HEX", value_parser = super::seed)]
    seed: Option<u64>,
    #[command(flatten)]
    output: output::Json,
    #[command(flatten)]
    connect: Connect,
}

pub(super) async fn run(flags: Flags, console: &Console) -> anyhow::Result<Exit> {
    let connector = flags.connect.connector(console)?;
    let mut reached = Vec::new();
    for node in &flags.nodes {
        reached.push(node.endpoint(&connector).await?);
    }
    let question = question(&flags, &reached)?;
    let proxy = connector.proxy("--proxy", &flags.proxy).await?;
    (console.err)(&format!("seed {:x}", question.seed));
    let progress = console.progress(&flags.proxy.to_string());
    let say = |step: &str| progress.say(step);
    let report = run::fingerprint(proxy, reached, &question, flags.ttl, &say).await?;
    drop(progress);
    flags.output.output().write(&report, console)
}

fn question(flags: &Flags, reached: &[Endpoint]) -> Result<Query, Usage> {
    let count = flags.nodes.len();
    if count < 2 {
        let usage = "--node: one node holds every key, expected at least two";
        return Err(Usage(usage.to_owned()));
    }
    Connector::distinct(reached)?;
    aligned("--node-name", flags.names.len(), count)?;
    for (index, name) in flags.names.iter().enumerate() {
        if flags.names[..index].contains(name) {
            return Err(Usage(format!("--node-name {name}: given twice")));
        }
    }
    let seed = flags.seed.unwrap_or_else(super::fresh_seed);
    let names = flags.names.iter().cloned().map(Some);
    Ok(Query {
        nodes: flags
            .nodes
            .iter()
            .zip(names.chain(std::iter::repeat(None)))
            .map(|(node, name)| Known {
                seen: node.seen.clone(),
                reached: node.reached.to_string(),
                name,
            })
            .collect(),
        weights: weights(flags)?,
        tags: flags.tags.clone(),
        table_sizes: flags.table_sizes.clone(),
        ring_sizes: flags.ring_sizes.clone(),
        keys_max: flags.count as usize,
        prefix: format!("sp{seed:x}x"),
        seed,
    })
}

fn aligned(flag: &str, given: usize, nodes: usize) -> Result<(), Usage> {
    if given == 0 || given == nodes {
        return Ok(());
    }
    Err(Usage(format!(
        "{flag}: given {given} times, expected {nodes}, one per --node"
    )))
}

/// The weights if they are known: of all nodes or of none.
fn weights(flags: &Flags) -> Result<Option<Vec<u32>>, Usage> {
    let weights = flags.nodes.iter().filter_map(|node| node.weight);
    let weights: Vec<u32> = weights.collect();
    let nodes = flags.nodes.len();
    match weights.len() {
        0 => Ok(None),
        given if given == nodes => Ok(Some(weights)),
        given => Err(Usage(format!(
            "--node: {given} of {nodes} have a weight, expected all or none"
        ))),
    }
}

/// Letters and digits are in every key, where they would be tags by accident.
fn tag(text: &str) -> Result<TagRule, String> {
    match text.as_bytes() {
        [open, close] if !open.is_ascii_alphanumeric() && !close.is_ascii_alphanumeric() => {
            Ok(TagRule::Between(*open, *close))
        }
        _ => Err("expected two characters that are neither letters nor digits".to_owned()),
    }
}

fn table_size(text: &str) -> Result<u32, String> {
    let size = text.parse().map_err(|_| "expected a prime".to_owned())?;
    if is_table_size(size) {
        Ok(size)
    } else {
        Err("expected a prime up to 5000011".to_owned())
    }
}
