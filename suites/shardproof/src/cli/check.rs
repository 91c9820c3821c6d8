//! `shardproof check`: where the keys of live nodes are, and where they belong.

use std::path::PathBuf;

use clap::Args;
use shardproof::fleet::CheckOptions;

use super::fleet::{FleetFlags, Opened, Purpose, look};
use super::{Console, Exit, output};

/// Check live nodes: which keys the proxy can reach and which it cannot. Writes nothing to nodes
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    fleet: FleetFlags,
    #[command(flatten)]
    output: output::Json,
    /// Write one line per key and node: the node it is placed on, the node that holds it, and its state
    #[arg(long, value_name = "FILE")]
    keys_out: Option<PathBuf>,
}

pub(super) async fn run(flags: Flags, console: &Console) -> anyhow::Result<Exit> {
    let Opened { fleet, proxy } = flags.fleet.open(Purpose::Look, console).await?;
    let looking = CheckOptions {
        scanning: flags.fleet.scanning(),
        databases: flags.fleet.databases(&fleet).await?,
        rate: flags.fleet.rate,
        proxy,
        key_bytes_max: flags.fleet.key_bytes_max(),
        ignored: flags.fleet.ignored.clone(),
    };
    let check = look(&fleet, &looking, flags.keys_out.as_deref(), console).await?;
    flags.output.output().write(&check, console)
}
