//! `shardproof migrate`: misplaced keys of live nodes to where the proxy asks for them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use shardproof::fleet::{
    self, CheckOptions, Conflict, Fleet, Migration, MoveOutcome, Moving, OnConflict, Progress,
    Proof,
};

use super::fleet::{FleetFlags, Opened, Purpose, look, watched};
use super::{Console, Exit, Usage, output};

/// Move keys that a cluster change made unreachable to the nodes where the proxy looks for them
///
/// Run it after the proxy uses the new cluster. Without --apply it writes nothing. With --apply it first verifies that the proxy
/// places keys as described, and moves nothing otherwise. Keys that it writes to verify this expire within a minute. A
/// migration can be interrupted at any point and run again.
#[derive(Debug, Args)]
pub(super) struct Flags {
    #[command(flatten)]
    fleet: FleetFlags,
    /// Move the keys. Needs --proxy or --unverified
    #[arg(long)]
    apply: bool,
    /// Move keys without asking the proxy where it looks for them. If the description is wrong, the proxy cannot reach the keys afterwards
    #[arg(long, requires = "apply", conflicts_with = "proxy")]
    unverified: bool,
    /// Keep misplaced copies whose value differs from that of the right node. Useful if keys were not moved after an earlier
    /// change, when the right node may have the older value
    #[arg(long)]
    spare_stale: bool,
    /// What to do with keys that several wrong nodes hold with different values: skip them (default), or move the copy of one
    /// node and remove the others (keep-node ADDR)
    #[arg(long, num_args = 1..=2, value_names = ["skip|keep-node", "ADDR"])]
    conflict: Vec<String>,
    #[command(flatten)]
    output: output::Json,
    /// Write one line per key and node after the migration
    #[arg(long, value_name = "FILE")]
    keys_out: Option<PathBuf>,
}

pub(super) async fn run(flags: Flags, console: &Console) -> anyhow::Result<Exit> {
    check(&flags)?;
    let Opened { fleet, proxy } = flags.fleet.open(Purpose::Move, console).await?;
    let proof = flags
        .apply
        .then_some(proxy.map_or(Proof::Unverified, Proof::Proxy));
    let looking = CheckOptions {
        scanning: flags.fleet.scanning(),
        databases: flags.fleet.databases(&fleet).await?,
        // The rate limits moved keys only.
        rate: None,
        proxy,
        key_bytes_max: flags.fleet.key_bytes_max(),
        ignored: flags.fleet.ignored.clone(),
    };
    conflict(&flags, &fleet)?;
    let (mut carried, mut took_ms) = (None, 0);
    if let Some(proof) = proof {
        let started = Instant::now();
        carried = Some(apply(&flags, proof, &fleet, &looking.databases, console).await?);
        took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    }
    let mut check = look(&fleet, &looking, flags.keys_out.as_deref(), console).await?;
    let proof = carried.as_ref().and_then(|carried| carried.proof.as_ref());
    if let (Some(proof), Some(proxy)) = (proof, &mut check.proxy) {
        // Evidence from the earlier writes counts too.
        proxy.written += proof.written;
        proxy.tagged_shown += proof.tagged_shown;
    }
    let migration = Migration::new(carried, took_ms, check);
    flags.output.output().write(&migration, console)
}

/// Which copy of a conflict is kept. A node is named as the proxy sees it, or by the address at which we reach it.
fn conflict(flags: &Flags, fleet: &Fleet) -> Result<Conflict, Usage> {
    let words: Vec<&str> = flags.conflict.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] | ["skip"] => Ok(Conflict::Skip),
        ["keep-node", addr] => {
            let members = fleet.members();
            let named =
                |member: &fleet::Member| member.seen == *addr || member.addr.to_string() == *addr;
            members
                .iter()
                .position(named)
                .map(Conflict::Keep)
                .ok_or_else(|| {
                    let known: Vec<&str> = members.iter().map(|member| &*member.seen).collect();
                    Usage(format!(
                        "--conflict keep-node {addr}: expected one of {}",
                        known.join(", ")
                    ))
                })
        }
        words => Err(Usage(format!(
            "--conflict {}: expected skip or keep-node ADDR",
            words.join(" ")
        ))),
    }
}

/// Keys are moved only with a proof that the description is right, or on purpose without one.
fn check(flags: &Flags) -> Result<(), Usage> {
    if !flags.apply || flags.unverified || flags.fleet.has_proxy() {
        return Ok(());
    }
    Err(Usage(
        "--apply needs --proxy HOST:PORT, to show that the proxy places keys as --to says. Without a proxy to ask, \
         --unverified moves them all the same; if --to is wrong, they are lost to the proxy"
            .to_owned(),
    ))
}

async fn apply(
    flags: &Flags,
    proof: Proof,
    fleet: &Arc<Fleet>,
    databases: &[u32],
    console: &Console,
) -> anyhow::Result<MoveOutcome> {
    let moving = Moving {
        proof,
        scanning: flags.fleet.scanning(),
        databases: databases.to_vec(),
        rate: flags.fleet.rate,
        stale: if flags.spare_stale {
            OnConflict::Spared
        } else {
            OnConflict::Removed
        },
        conflict: conflict(flags, fleet)?,
        key_bytes_max: flags.fleet.key_bytes_max(),
        ignored: flags.fleet.ignored.clone(),
    };
    let progress = Arc::<Progress>::default();
    let work = fleet::migrate(fleet, &moving, &progress);
    Ok(watched(console, "moving", || progress.moved(), work).await?)
}
