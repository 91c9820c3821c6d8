//! `shardproof plan`: which keys a change of the cluster would move, before anything is touched.

use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use shardproof::keys::Source;
use shardproof::planner::description::{self, Described};
use shardproof::planner::plan::{Change, Counts, Detail, Report};
use shardproof::run;

use super::clusters::Hinting;
use super::keys::Keys;
use super::{Connector, Console, Exit, Usage, output};

/// Compute which keys a cluster change moves, without touching anything
///
/// A DESCRIPTION is a configuration of Envoy (bootstrap), twemproxy, predixy or refproxy, or
/// POLICY[/SETTING=VALUE]...:NODE,NODE... as in maglev:10.0.0.1:6379,10.0.0.2:6379*2. A NODE is ADDR[=SEEN][*WEIGHT]. The
/// seeds of a Redis Cluster are asked for its slots.
///
/// `plan --check` is `check`: it checks whether live nodes hold the keys that are placed on them.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Cluster before the change
    #[arg(long, value_name = "DESCRIPTION", required_unless_present = "policy")]
    from: Option<String>,
    /// Cluster after the change
    #[arg(long, value_name = "DESCRIPTION", required_unless_present_any = ["add_nodes", "remove_nodes"])]
    to: Option<String>,
    /// Placement policy before, with settings as in a description, instead of --from; needs --node
    #[arg(
        long,
        value_name = "POLICY",
        conflicts_with = "from",
        requires = "nodes"
    )]
    policy: Option<String>,
    /// Node before; repeat per node
    #[arg(long = "node", value_name = "NODE", requires = "policy")]
    nodes: Vec<String>,
    /// Node to add, instead of --to; repeat for several
    #[arg(long = "add-node", value_name = "NODE", conflicts_with = "to")]
    add_nodes: Vec<String>,
    /// Node to remove, by its address as the proxy sees it, instead of --to; repeat for several
    #[arg(long = "remove-node", value_name = "ADDR", conflicts_with = "to")]
    remove_nodes: Vec<String>,
    #[command(flatten)]
    hinting: Hinting,
    #[command(flatten)]
    keys: Keys,
    /// Write one line per key that moves: key, node before, node after, separated by tabs; - for stdout
    #[arg(long, value_name = "FILE")]
    moved: Option<PathBuf>,
    #[command(flatten)]
    output: output::Page,
}

pub(super) async fn run(flags: &Flags, console: &Console) -> anyhow::Result<Exit> {
    let change = change(flags, console).await?;
    let (mut source, called) = flags.keys.source(console).await?;
    let counts = count(flags, console, &change.change, &mut *source)?;
    let output = flags.output.output().with_file(flags.moved.as_deref());
    let detail = match output.is_any() {
        false => Detail::Table,
        true => Detail::Curves,
    };
    let descriptions = [&*change.from, &*change.to, &*called];
    let report = Report::new(&change.change, counts, descriptions, detail);
    output.write(&report, console)
}

/// The step that fails when a disk is full.
const UNWRITTEN: &str = "cannot write the moved keys";

/// A change, and the names of its clusters.
struct Asked {
    change: Change,
    from: String,
    to: String,
}

/// The change that the flags ask for.
async fn change(flags: &Flags, console: &Console) -> anyhow::Result<Asked> {
    let connector = flags.keys.connector(console)?;
    let (from, before) = before(flags, &connector).await?;
    console.notes(&before.notes);
    let (to, after) = match &flags.to {
        Some(to) => {
            let after = flags.hinting.read("--to", to, &connector).await?;
            if after.notes != before.notes {
                console.notes(&after.notes);
            }
            (to.clone(), after)
        }
        None => changed(flags, &before)?,
    };
    let change = Change::new(before, after).map_err(|why| Usage(why.to_string()))?;
    console.notes(change.new_addresses().as_slice());
    Ok(Asked { change, from, to })
}

async fn before(flags: &Flags, connector: &Connector) -> anyhow::Result<(String, Described)> {
    let (flag, text) = match (&flags.from, &flags.policy) {
        (Some(from), _) => ("--from", from.clone()),
        (None, Some(policy)) => ("--policy", format!("{policy}:{}", flags.nodes.join(","))),
        (None, None) => return Err(Usage("expected --from or --policy".to_owned()).into()),
    };
    let described = flags.hinting.read(flag, &text, connector).await?;
    Ok((text, described))
}

/// The cluster before with nodes added and removed.
fn changed(flags: &Flags, before: &Described) -> anyhow::Result<(String, Described)> {
    if before.has_given_slots() {
        let why = "--add-node and --remove-node: the description gives each node its slots, and those of the nodes after the \
                   change are unknown; expected --to with the slots after it, as a description with policy: slots";
        return Err(Usage(why.to_owned()).into());
    }
    let hints = flags.hinting.hints();
    let added = flags.add_nodes.iter().map(|node| {
        description::node(node, &hints).map_err(|why| Usage(format!("--add-node {why}")))
    });
    let added = added.collect::<Result<Vec<_>, Usage>>()?;
    let after = before
        .changed(added, &flags.remove_nodes)
        .map_err(|why| Usage(format!("--remove-node {why}")))?;
    let words = flags.add_nodes.iter().map(|node| format!("+ {node}"));
    let gone = flags.remove_nodes.iter().map(|node| format!("- {node}"));
    let words: Vec<String> = words.chain(gone).collect();
    Ok((words.join(" "), after))
}

/// Counts, with a file of moved keys and progress if wanted.
fn count(
    flags: &Flags,
    console: &Console,
    change: &Change,
    source: &mut dyn Source,
) -> anyhow::Result<Counts> {
    let mut file = match &flags.moved {
        None => None,
        Some(file) => Some(console.stream(file)?),
    };
    if let Some(file) = &mut file {
        writeln!(file, "# key\tnode before\tnode after").context(UNWRITTEN)?;
    }
    let progress = console.progress("plan");
    let started = Instant::now();
    let say = |keys: u64| {
        // Outside a terminal each step would be a line of its own.
        if console.terminal {
            let rate = keys as f64 / started.elapsed().as_secs_f64() / 1e6;
            progress.say(&format!("{keys} keys, {rate:.1} million per second"));
        }
    };
    let moved = file.as_mut().map(|file| file as &mut (dyn Write + Send));
    let counts = run::count(change, source, moved, &say)?;
    if let Some(mut file) = file {
        file.flush().context(UNWRITTEN)?;
    }
    Ok(counts)
}
