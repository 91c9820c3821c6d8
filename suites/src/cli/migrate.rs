//! `shardproof migrate`: misplaced keys of live nodes to where the proxy asks for them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use shardproof::fleet::{
    self, Carried, Fleet, Looking, Migration, Moving, Progress, Proof, Stale,
};
use shardproof::report;

use super::fleet::{FleetFlags, look, watched};
use super::{Console, Exit, Usage};

/// Move the keys that a change of the cluster left out of reach to where the proxy asks for them
///
/// Run it when the proxy has been switched. Without --apply nothing is written. --apply asks the proxy first whether it places
/// keys as the description says, and moves nothing without proof; keys of the suite that are written for that expire within
/// a minute. A migration can be interrupted at any point, and run again.
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    fleet: FleetFlags,
    /// Move the keys. Needs --proxy, or --unverified
    #[arg(long)]
    apply: bool,
    /// Move keys without asking the proxy where it looks for them. If the description is wrong, the keys are lost to it
    #[arg(long, requires = "apply", conflicts_with = "proxy")]
    unverified: bool,
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
    let proof = proof(&flags)?;
    let fleet = flags.fleet.open(console).await?;
    let looking = Looking {
        scanning: flags.fleet.scanning(),
        databases: flags.fleet.databases(&fleet).await?,
        // The rate is for what is moved.
        rate: None,
        proxy: flags.fleet.proxy,
    };
    let (mut carried, mut took_ms) = (None, 0);
    if let Some(proof) = proof {
        let started = Instant::now();
        carried = Some(apply(&flags, proof, &fleet, &looking.databases, console).await?);
        took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    }
    let mut check = look(&fleet, &looking, flags.keys_out.as_deref(), console).await?;
    let proof = carried.as_ref().and_then(|carried| carried.proof.as_ref());
    if let (Some(proof), Some(proxy)) = (proof, &mut check.proxy) {
        // What was written before shows the same now.
        proxy.written += proof.written;
        proxy.tagged_shown += proof.tagged_shown;
    }
    let migration = Migration::new(carried, took_ms, check);
    if flags.json.as_deref() != Some("-".as_ref()) {
        (console.out)(&report::terminal::migration(&migration));
    }
    if let Some(file) = &flags.json {
        console.save(file, &report::json::migration(&migration)?)?;
    }
    Ok(migration.check.standing().into())
}

/// What shows that the description is right, where keys are to be moved.
fn proof(flags: &Flags) -> Result<Option<Proof>, Usage> {
    match (flags.apply, flags.fleet.proxy) {
        (false, _) => Ok(None),
        (true, Some(proxy)) => Ok(Some(Proof::Proxy(proxy))),
        (true, None) if flags.unverified => Ok(Some(Proof::Unverified)),
        (true, None) => Err(Usage(
            "--apply needs --proxy HOST:PORT, to show that the proxy places keys as --to says. Without a proxy to ask, \
             --unverified moves them all the same; if --to is wrong, they are lost to the proxy"
                .to_owned(),
        )),
    }
}

async fn apply(
    flags: &Flags,
    proof: Proof,
    fleet: &Arc<Fleet>,
    databases: &[u32],
    console: &Console,
) -> anyhow::Result<Carried> {
    let moving = Moving {
        proof,
        scanning: flags.fleet.scanning(),
        databases: databases.to_vec(),
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
