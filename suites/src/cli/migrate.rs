//! `shardproof migrate`: misplaced keys of live nodes to where the proxy asks for them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use shardproof::fleet::{self, Carried, Check, Fleet, Looking, Migration, Moving, Progress, Stale};
use shardproof::report;

use super::fleet::{FleetFlags, look, watched};
use super::{Console, Exit};

/// Move the keys that a change of the cluster left out of reach to where the proxy asks for them
///
/// Run it when the proxy has been switched. Without --apply it only says what it would do. With --proxy it makes sure first
/// that the proxy places keys as the description says. It can be interrupted at any point, and run again.
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    fleet: FleetFlags,
    /// Move the keys: without it nothing is written
    #[arg(long)]
    apply: bool,
    /// Leave copies alone whose key the right node has with another value: when keys were not moved after an earlier change,
    /// that may be the older one
    #[arg(long)]
    spare_stale: bool,
    /// Report for machines; - is stdout
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A line for each key on each node, as it is afterwards
    #[arg(long, value_name = "FILE")]
    keys_out: Option<PathBuf>,
}

pub(super) async fn run(flags: Flags, console: &Console) -> anyhow::Result<Exit> {
    let fleet = flags.fleet.open(console).await?;
    let looking = Looking {
        scanning: flags.fleet.scanning(),
        // The rate is for what is moved.
        rate: None,
        proxy: flags.fleet.proxy,
    };
    let (mut carried, mut took_ms) = (None, 0);
    if flags.apply {
        if looking.proxy.is_some() {
            refuse_another_placement(&look(&fleet, &looking, None, console).await?)?;
        }
        let started = Instant::now();
        carried = Some(apply(&flags, &fleet, console).await?);
        took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    }
    let check = look(&fleet, &looking, flags.keys_out.as_deref(), console).await?;
    let migration = Migration::new(carried, took_ms, check);
    if flags.json.as_deref() != Some("-".as_ref()) {
        (console.out)(&report::terminal::migration(&migration));
    }
    if let Some(file) = &flags.json {
        console.save(file, &report::json::migration(&migration)?)?;
    }
    Ok(if migration.check.as_expected() {
        Exit::Expected
    } else {
        Exit::Broken
    })
}

async fn apply(flags: &Flags, fleet: &Arc<Fleet>, console: &Console) -> anyhow::Result<Carried> {
    let moving = Moving {
        scanning: flags.fleet.scanning(),
        rate: flags.fleet.rate,
        stale: if flags.spare_stale {
            Stale::Spared
        } else {
            Stale::Removed
        },
    };
    let progress = Arc::<Progress>::default();
    let work = fleet::migrate(fleet, &moving, &progress);
    Ok(watched(console, "moving", || progress.moved(), work).await?)
}

/// Keys that are moved by another placement than the proxy's are lost to it.
fn refuse_another_placement(check: &Check) -> anyhow::Result<()> {
    match &check.proxy {
        Some(proxy) if proxy.differ > 0 => anyhow::bail!(
            "the proxy does not place keys as the description says, so nothing was moved: {} of {} keys, such as {}",
            proxy.differ,
            proxy.differ + proxy.agree,
            proxy.examples.first().map_or("", String::as_str),
        ),
        _ => Ok(()),
    }
}
