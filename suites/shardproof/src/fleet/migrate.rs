//! The migration: moves every misplaced key to its right node, from all nodes concurrently.
//!
//! The proxy must use the new placement already. Then, wherever the migration is interrupted, every key is on a node,
//! and another run continues. A value that was written through the switched proxy is never overwritten: the old value
//! is deleted, never merged. Expiry times are kept. Only misplaced keys are touched.
//!
//! Limits: until a key is moved, clients find nothing under it. An INCR begins at 0 and is the newer value. A DEL
//! deletes nothing, and the key exists again with its old value after the move, because its right node cannot remember
//! a key that it never had. An interruption between copy and delete has the same effect on a key that is deleted before
//! the next run. So migrate at once after the switch. Nodes count their commands, so deletes that clients sent during
//! the migration are counted and reported: if there were none, no deleted key exists again.
//!
//! A client that still writes with the old placement, through a draining or forgotten proxy, is noticed if it writes a
//! key that is being moved: the key is contested, and both copies stay. If several wrong nodes have different values of
//! a key, none is moved unless the operator chooses one. A copy that such a client makes on another wrong node after
//! the first one was moved is not noticed: the right node has the key, and its value wins.
//!
//! Copies from an earlier change of the cluster count as written through the proxy, because they look the same: in a
//! change from 4 nodes back to 3, old copies on the three nodes win over the values of the fourth. A migration after
//! every change leaves no such copies, a check before a change finds them, and `--spare-stale` keeps the differing
//! values.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::check::{CheckOptions, check};
use super::conflict::{Conflict, OnConflict};
use super::guard::{self, Proof};
use super::mover::{Mover, Rules};
use super::preflight::{Level, Point};
use super::report::{Check, MoveOutcome};
use super::scan::{Scan, Scanning, join};
use super::sizes::KeyBytesMax;
use super::{Error, Fleet, Progress, RateLimit, redis_cluster};
use testbed::wire::Value;

/// The commands that delete whole keys, as nodes count them.
const DELETES: [&str; 3] = ["cmdstat_del:", "cmdstat_unlink:", "cmdstat_getdel:"];

/// Which keys are moved, and how fast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moving {
    /// How it is proved that the proxy places keys as the description says.
    pub proof: Proof,
    /// Which keys are moved.
    pub scanning: Scanning,
    /// The databases; empty is the fleet's own one.
    pub databases: Vec<u32>,
    /// Keys per second over all nodes; `None` means no limit.
    pub rate: Option<u64>,
    /// Handling of copies of keys that the right node has with another value.
    pub stale: OnConflict,
    /// Handling of copies on several wrong nodes with different values.
    pub conflict: Conflict,
    /// The largest key that is moved.
    pub key_bytes_max: KeyBytesMax,
    /// Differences between the nodes that do not keep keys from being moved.
    pub ignored: Vec<Point>,
}

impl Moving {
    /// All keys, as fast as it goes.
    #[must_use]
    pub fn new(proof: Proof) -> Self {
        Self {
            proof,
            scanning: Scanning::default(),
            databases: Vec::new(),
            rate: None,
            stale: OnConflict::default(),
            conflict: Conflict::default(),
            key_bytes_max: KeyBytesMax::default(),
            ignored: Vec::new(),
        }
    }
}

/// Moves every misplaced key, if the proof holds and the preflight blocks nothing.
///
/// # Errors
/// The nodes are in a Redis Cluster, the proof does not hold, or keys would be refused or behave differently: nothing was
/// moved. Or a node failed: keys that were moved stay moved, and all others are unchanged.
pub async fn migrate(
    fleet: &Arc<Fleet>,
    moving: &Moving,
    progress: &Arc<Progress>,
) -> Result<MoveOutcome, Error> {
    let looking = CheckOptions {
        scanning: moving.scanning.clone(),
        databases: moving.databases.clone(),
        // The rate is for keys that are moved.
        rate: None,
        proxy: moving.proof.proxy(),
        key_bytes_max: moving.key_bytes_max,
        ignored: moving.ignored.clone(),
    };
    redis_cluster::check_none(fleet).await?;
    let look = check(fleet, &looking, progress, None).await?;
    let proof = match moving.proof.proxy() {
        Some(proxy) => Some(guard::prove(fleet, proxy, &moving.scanning.prefix, &look).await?),
        None => None,
    };
    not_blocked(&look)?;
    let pace = Arc::new(RateLimit::new(moving.rate));
    let before = deletes(fleet).await?;
    let (mut carried, mut own) = (MoveOutcome::default(), 0);
    carried.proof = proof;
    for database in fleet.databases_or_own(&moving.databases) {
        let fleet = Arc::new(fleet.in_database(database));
        let (part, deletes) = move_all(&fleet, moving, &pace, progress).await?;
        carried.add(part);
        own += deletes;
    }
    let all = before.zip(deletes(fleet).await?);
    carried.deletes = all.and_then(|(before, after)| after.checked_sub(before)?.checked_sub(own));
    Ok(carried)
}

fn not_blocked(look: &Check) -> Result<(), Error> {
    let blocks = look.findings.iter();
    let blocks = blocks.filter(|finding| finding.level == Level::Blocks);
    let blocks: Vec<String> = blocks
        .map(|finding| {
            format!(
                "{}: {}: {}",
                finding.point.name(),
                finding.node,
                finding.what
            )
        })
        .collect();
    if blocks.is_empty() {
        Ok(())
    } else {
        Err(Error::Blocked(blocks.join("; ")))
    }
}

/// Moves the keys of one database. Returns the number of requests to delete that were our own, too.
async fn move_all(
    fleet: &Arc<Fleet>,
    moving: &Moving,
    pace: &Arc<RateLimit>,
    progress: &Arc<Progress>,
) -> Result<(MoveOutcome, u64), Error> {
    // The rate limits moved keys, not inspected ones.
    let unlimited = Arc::new(RateLimit::new(None));
    let rules = Rules {
        stale: moving.stale,
        conflict: moving.conflict,
        key_bytes_max: moving.key_bytes_max,
        shared: Arc::default(),
    };
    let mut movers = JoinSet::new();
    for (on, member) in fleet.members().iter().enumerate() {
        let scan = Scan::open(member, &moving.scanning, Arc::clone(&unlimited)).await?;
        let mover = Mover::open(fleet, on, rules.clone(), pace, progress).await?;
        movers.spawn(mover.run(scan));
    }
    let mut carried = MoveOutcome::default();
    let mut own = 0;
    let mut done = Vec::new();
    join(&mut movers, |mover| done.push(mover)).await?;
    for mover in done {
        let (part, deletes) = mover.settle().await?;
        carried.add(part);
        own += deletes;
    }
    Ok((carried, own))
}

/// How many requests to delete the right nodes were sent since they were started; `None` if one does not tell.
async fn deletes(fleet: &Fleet) -> Result<Option<u64>, Error> {
    let mut sum = 0;
    for right in 0..fleet.placed() {
        let mut node = fleet.connect(right).await?;
        match node.ask(&[b"INFO", b"commandstats"]).await? {
            Value::Bulk(stats) => sum += deletes_of(&String::from_utf8_lossy(&stats)),
            _ => return Ok(None),
        }
    }
    Ok(Some(sum))
}

/// Calls of the commands that delete, by a node's statistics.
fn deletes_of(stats: &str) -> u64 {
    let calls = |line: &str| {
        let counters = DELETES.iter().find_map(|name| line.strip_prefix(name))?;
        let calls = counters.strip_prefix("calls=")?.split(',').next()?;
        calls.parse::<u64>().ok()
    };
    stats.lines().filter_map(calls).sum()
}

#[cfg(test)]
mod tests {
    use super::deletes_of;

    #[test]
    fn deletes_are_read_off_the_statistics() {
        let stats = "# Commandstats\r\ncmdstat_del:calls=12,usec=5,usec_per_call=0.4,rejected_calls=1,failed_calls=0\r\n\
                     cmdstat_get:calls=7,usec=1\r\ncmdstat_unlink:calls=3,usec=1\r\n";
        assert_eq!(deletes_of(stats), 15);
        assert_eq!(deletes_of("# Commandstats\r\n"), 0);
    }
}
