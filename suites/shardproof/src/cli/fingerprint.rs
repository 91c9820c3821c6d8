//! `shardproof fingerprint`: how an unknown proxy places keys, found out from outside.

use std::net::SocketAddr;

use clap::Args;
use shardproof::planner::TagRule;
use shardproof::planner::fingerprint::{Known, Question, is_table_size};
use shardproof::run;

use super::{Console, Exit, Usage, output};

/// Find out how a proxy places keys: policy, digest, hash tags, weights and what is hashed of its nodes
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The proxy
    #[arg(long, value_name = "HOST:PORT", value_parser = super::address)]
    proxy: SocketAddr,
    /// A node, in the proxy's order; after = its address as the proxy sees it, if that differs. Repeat for each
    #[arg(long = "node", value_name = "ADDR[=SEEN]", value_parser = node, required = true)]
    nodes: Vec<NodeFlag>,
    /// What the proxy may call a node: a server's name, hash key or host name. Once a --node, in the same order
    #[arg(long = "node-name", value_name = "NAME", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    names: Vec<String>,
    /// The weight of a node, where it is known. Once a --node, in the same order
    #[arg(long = "weight", value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    weights: Vec<u32>,
    /// Two characters that may stand around hash tags, besides {}; repeat for more
    #[arg(long = "tag", value_name = "PAIR", value_parser = tag)]
    tags: Vec<TagRule>,
    /// A size that a maglev table may have; repeat for more
    #[arg(long = "table-size", value_name = "PRIME", value_parser = table_size)]
    table_sizes: Vec<u32>,
    /// A minimum size that a ring may have; repeat for more
    #[arg(long = "ring-size", value_name = "POINTS", value_parser = clap::value_parser!(u32).range(1..=8_388_608))]
    ring_sizes: Vec<u32>,
    /// At most so many keys are written
    #[arg(long, value_name = "COUNT", default_value_t = 4096, value_parser = clap::value_parser!(u32).range(64..=1_000_000))]
    keys: u32,
    /// Time to live of the keys, in seconds; they are deleted when all is seen
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(10..))]
    ttl: u64,
    /// Repeats a run; printed by each
    #[arg(long, value_name = "HEX", value_parser = super::seed)]
    seed: Option<u64>,
    #[command(flatten)]
    output: output::Json,
}

/// `ADDR` or `ADDR=AS_THE_PROXY_SEES_IT`.
#[derive(Debug, Clone)]
struct NodeFlag {
    reached: SocketAddr,
    seen: String,
}

pub(super) async fn run(flags: Flags, console: &Console) -> anyhow::Result<Exit> {
    let question = question(&flags)?;
    (console.err)(&format!("seed {:x}", question.seed));
    let progress = console.progress(&flags.proxy.to_string());
    let say = |step: &str| progress.say(step);
    let reached = flags.nodes.iter().map(|node| node.reached).collect();
    let report = run::fingerprint(flags.proxy, reached, &question, flags.ttl, &say).await?;
    drop(progress);
    flags.output.output().write(&report, console)
}

fn question(flags: &Flags) -> Result<Question, Usage> {
    let count = flags.nodes.len();
    if count < 2 {
        let usage = "--node: one node holds every key, at least two are expected";
        return Err(Usage(usage.to_owned()));
    }
    for (index, node) in flags.nodes.iter().enumerate() {
        let earlier = &flags.nodes[..index];
        if earlier.iter().any(|other| other.reached == node.reached) {
            return Err(Usage(format!("--node {}: given twice", node.reached)));
        }
    }
    aligned("--node-name", flags.names.len(), count)?;
    for (index, name) in flags.names.iter().enumerate() {
        if flags.names[..index].contains(name) {
            return Err(Usage(format!("--node-name {name}: given twice")));
        }
    }
    aligned("--weight", flags.weights.len(), count)?;
    let seed = flags.seed.unwrap_or_else(super::fresh_seed);
    let names = flags.names.iter().cloned().map(Some);
    Ok(Question {
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
        weights: (!flags.weights.is_empty()).then(|| flags.weights.clone()),
        tags: flags.tags.clone(),
        table_sizes: flags.table_sizes.clone(),
        ring_sizes: flags.ring_sizes.clone(),
        keys_max: flags.keys as usize,
        prefix: format!("sp{seed:x}x"),
        seed,
    })
}

fn aligned(flag: &str, given: usize, nodes: usize) -> Result<(), Usage> {
    if given == 0 || given == nodes {
        return Ok(());
    }
    Err(Usage(format!(
        "{flag}: given {given} times, {nodes} are expected, one a --node"
    )))
}

fn node(text: &str) -> Result<NodeFlag, String> {
    let (reached, seen) = text.split_once('=').unwrap_or((text, text));
    if seen.is_empty() {
        return Err("expected an address behind =".to_owned());
    }
    Ok(NodeFlag {
        reached: super::address(reached)?,
        seen: seen.to_owned(),
    })
}

/// Letters and digits are in every key, and would be tags there by accident.
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
