//! The check: compares every key of every node with the placement, and with the answers of the proxy.
//!
//! Nodes are scanned concurrently. Only misplaced keys are kept in memory, once each, with some hundred bytes per key;
//! keys with conflicts and large keys twice. Keys on their right node are counted and dropped. A key that SCAN returns
//! twice, because its node shrinks its table during the scan, is counted twice. While clients write, the check reports each
//! key as it was when it was read. A key that another client moves between two nodes during the check may be missed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use testbed::endpoint::Endpoint;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::connection::Connection;
use super::connections::Connections;
use super::preflight::{Point, preflight};
use super::probe::{Evidence, Probe};
use super::report::{Check, ConflictKey, CopyState, KeyCopy, LargeKey, Probed};
use super::scan::{Scan, Scanning, join};
use super::sizes::{self, KeyBytesMax};
use super::{Error, Fleet, Progress, RateLimit, keyspace, other_copies, redis_cluster, value};

/// Keys of each kind that a report names.
const LISTED: usize = 100;

/// Scope and speed of the check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckOptions {
    /// Which keys.
    pub scanning: Scanning,
    /// The databases; empty is the fleet's own one.
    pub databases: Vec<u32>,
    /// Keys per second over all nodes; `None` means no limit.
    pub rate: Option<u64>,
    /// A proxy to ask for each key.
    pub proxy: Option<Endpoint>,
    /// The largest key that is compared, or would be moved.
    pub key_bytes_max: KeyBytesMax,
    /// Properties of nodes that are not compared.
    pub ignored: Vec<Point>,
}

/// Checks every key. `lines` gets each sighting.
///
/// # Errors
/// The node, or the proxy, that failed.
pub async fn check(
    fleet: &Arc<Fleet>,
    looking: &CheckOptions,
    progress: &Arc<Progress>,
    lines: Option<mpsc::Sender<Vec<KeyCopy>>>,
) -> Result<Check, Error> {
    redis_cluster::check_settled(fleet).await?;
    let own = fleet.database();
    let pace = Arc::new(RateLimit::new(looking.rate));
    let mut report = Check::new(fleet);
    report.databases = fleet.databases_or_own(&looking.databases);
    report.proxy = looking.proxy.map(|_| Probed::default());
    for database in report.databases.clone() {
        let fleet = Arc::new(fleet.in_database(database));
        // A proxy serves one database. It finds no keys of the others.
        let proxy = looking.proxy.filter(|_| database == own);
        let looking = CheckOptions {
            proxy,
            ..looking.clone()
        };
        let seen = look(
            &fleet,
            &looking,
            &pace,
            progress,
            lines.as_ref(),
            &mut report,
        )
        .await?;
        seen.finish(&fleet, &mut report);
    }
    report.findings = preflight(fleet, &looking.ignored, &report.matrix).await?;
    report.elsewhere = keyspace::others(fleet, &report.databases).await?;
    Ok(report)
}

/// Checks one database of all nodes.
async fn look(
    fleet: &Arc<Fleet>,
    looking: &CheckOptions,
    pace: &Arc<RateLimit>,
    progress: &Arc<Progress>,
    lines: Option<&mpsc::Sender<Vec<KeyCopy>>>,
    report: &mut Check,
) -> Result<Seen, Error> {
    let mut looks = JoinSet::new();
    for (on, member) in fleet.members().iter().enumerate() {
        let scan = Scan::open(member, &looking.scanning, Arc::clone(pace)).await?;
        let mut look = Look::open(fleet, on, looking.proxy).await?;
        look.key_bytes_max = looking.key_bytes_max;
        look.lines = lines.cloned();
        look.progress = Arc::clone(progress);
        looks.spawn(look.run(scan));
    }
    let mut seen = Seen::default();
    join(&mut looks, |part| seen.add(part, report)).await?;
    Ok(seen)
}

/// The look at one node.
struct Look {
    fleet: Arc<Fleet>,
    on: usize,
    own: Connection,
    /// To the right nodes.
    nodes: Connections,
    probe: Option<Probe>,
    key_bytes_max: KeyBytesMax,
    progress: Arc<Progress>,
    lines: Option<mpsc::Sender<Vec<KeyCopy>>>,
    part: Part,
}

/// The sightings on one node.
struct Part {
    counts: Check,
    seen: Seen,
    evidence: Evidence,
}

/// The keys that were seen where they are not placed.
#[derive(Default)]
struct Seen {
    unreachable: HashSet<Vec<u8>>,
    /// Those of them with different values, and the places of the nodes that have them.
    conflicts: BTreeMap<Vec<u8>, Vec<usize>>,
    /// Copies on wrong nodes that are too large: the key, the place of the node and the size.
    large: Vec<(Vec<u8>, usize, Option<u64>)>,
    /// Those that lie right too, and whether a copy has another value.
    duplicated: HashMap<Vec<u8>, bool>,
    evidence: Evidence,
}

impl Look {
    async fn open(fleet: &Arc<Fleet>, on: usize, proxy: Option<Endpoint>) -> Result<Self, Error> {
        Ok(Self {
            fleet: Arc::clone(fleet),
            on,
            own: fleet.connect(on).await?,
            nodes: Connections::new(fleet),
            probe: match proxy {
                Some(proxy) => Some(Probe::open(proxy).await?),
                None => None,
            },
            key_bytes_max: KeyBytesMax::default(),
            progress: Arc::default(),
            lines: None,
            part: Part {
                counts: Check::new(fleet),
                seen: Seen::default(),
                evidence: Evidence::default(),
            },
        })
    }

    async fn run(mut self, mut scan: Scan) -> Result<Part, Error> {
        while let Some(mut keys) = scan.next().await? {
            self.progress.add_looked_at(keys.len());
            let all = keys.len();
            keys.retain(|key| self.fleet.routing().takes(key));
            self.part.counts.routed_elsewhere += (all - keys.len()) as u64;
            let sightings = self.judge(keys).await?;
            if let Some(probe) = &mut self.probe {
                probe.ask(&self.fleet, &sightings, &mut self.nodes).await?;
            }
            for sighting in &sightings {
                self.part.count(sighting);
            }
            if let Some(lines) = &self.lines {
                // If the receiver is gone, no more lines are wanted; the check continues.
                let _ = lines.send(sightings).await;
            }
        }
        self.part.evidence = self.probe.map(Probe::done).unwrap_or_default();
        Ok(self.part)
    }

    async fn judge(&mut self, keys: Vec<Vec<u8>>) -> Result<Vec<KeyCopy>, Error> {
        let mut by_node: Vec<Vec<Vec<u8>>> = vec![Vec::new(); self.fleet.placed()];
        for key in keys {
            by_node[self.fleet.right(&key)].push(key);
        }
        let mut sightings = Vec::new();
        for (right, keys) in by_node.into_iter().enumerate() {
            let lies = if right == self.on {
                vec![Some(CopyState::Kept); keys.len()]
            } else {
                self.misplaced(right, &keys).await?
            };
            let (on, database) = (self.on, self.fleet.database());
            let seen = |(key, lies): (Vec<u8>, Option<CopyState>)| {
                lies.map(|lies| KeyCopy {
                    key,
                    right,
                    on,
                    lies,
                    database,
                })
            };
            sightings.extend(keys.into_iter().zip(lies).filter_map(seen));
        }
        Ok(sightings)
    }

    /// The states of keys that are placed on another node; `None` for keys that no longer exist.
    async fn misplaced(
        &mut self,
        right: usize,
        keys: &[Vec<u8>],
    ) -> Result<Vec<Option<CopyState>>, Error> {
        let keys: Vec<&[u8]> = keys.iter().map(Vec::as_slice).collect();
        let there = self.nodes.to(right).await?.exist(&keys).await?;
        // Asked after the right node, so that a key that was moved in between does not count as unreachable.
        let here = self.own.exist(&keys).await?;
        let sizes = sizes::of(&mut self.own, &keys).await?;
        let large = |at: usize| here[at] && self.key_bytes_max.is_exceeded_by(sizes[at]);
        let both = |at: &usize| there[*at] && here[*at] && !large(*at);
        let both: Vec<usize> = (0..keys.len()).filter(both).collect();
        let copies: Vec<&[u8]> = both.iter().map(|at| keys[*at]).collect();
        let (there_too, most) = (self.nodes.to(right).await?, self.key_bytes_max);
        let same = value::same(&mut self.own, there_too, &copies, most).await?;
        let mut lies: Vec<Option<CopyState>> = here
            .iter()
            .map(|here| here.then_some(CopyState::Unreachable))
            .collect();
        for (at, same) in both.into_iter().zip(same) {
            lies[at] = same.map(|same| {
                if same {
                    CopyState::Duplicated
                } else {
                    CopyState::OnConflict
                }
            });
        }
        for at in (0..keys.len()).filter(|at| large(*at)) {
            if there[at] {
                // It is not compared, so it may have another value.
                lies[at] = Some(CopyState::OnConflict);
            }
            let copy = (keys[at].to_vec(), self.on, sizes[at]);
            self.part.seen.large.push(copy);
        }
        let alone = |at: &usize| lies[*at] == Some(CopyState::Unreachable);
        let alone: Vec<usize> = (0..keys.len()).filter(alone).collect();
        let asked: Vec<(&[u8], usize)> = alone.iter().map(|at| (keys[*at], right)).collect();
        let (own, nodes) = (&mut self.own, &mut self.nodes);
        let rivals = other_copies::find(&self.fleet, self.on, own, nodes, &asked, most).await?;
        for (at, rivals) in alone.into_iter().zip(rivals) {
            if !rivals.differ.is_empty() {
                lies[at] = Some(CopyState::Conflict);
            }
        }
        Ok(lies)
    }
}

impl Part {
    fn count(&mut self, sighting: &KeyCopy) {
        self.counts.count(sighting);
        let stale = match sighting.lies {
            CopyState::Kept => return,
            CopyState::Unreachable => {
                self.seen.unreachable.insert(sighting.key.clone());
                return;
            }
            CopyState::Conflict => {
                let on = vec![sighting.on];
                self.seen.conflicts.insert(sighting.key.clone(), on);
                self.seen.unreachable.insert(sighting.key.clone());
                return;
            }
            CopyState::Duplicated => false,
            CopyState::OnConflict => true,
        };
        *self
            .seen
            .duplicated
            .entry(sighting.key.clone())
            .or_default() |= stale;
    }
}

impl Seen {
    fn add(&mut self, part: Part, report: &mut Check) {
        for (node, more) in report.nodes.iter_mut().zip(&part.counts.nodes) {
            node.lie += more.lie;
            node.kept += more.kept;
            node.unreachable += more.unreachable;
            node.duplicated += more.duplicated;
        }
        for (row, more) in report.matrix.iter_mut().zip(&part.counts.matrix) {
            row.iter_mut()
                .zip(more)
                .for_each(|(cell, more)| *cell += more);
        }
        report.routed_elsewhere += part.counts.routed_elsewhere;
        self.evidence.add(part.evidence);
        self.large.extend(part.seen.large);
        for (key, on) in part.seen.conflicts {
            self.conflicts.entry(key).or_default().extend(on);
        }
        self.unreachable.extend(part.seen.unreachable);
        for (key, stale) in part.seen.duplicated {
            *self.duplicated.entry(key).or_default() |= stale;
        }
    }

    /// The keys that the report names.
    fn list(&self, fleet: &Fleet, report: &mut Check) {
        let name = |place: usize| fleet.members()[place].seen.clone();
        let database = fleet.database();
        let conflicts = self.conflicts.iter().map(|(key, on)| {
            let mut on = on.clone();
            on.sort_unstable();
            ConflictKey {
                key: key.escape_ascii().to_string(),
                nodes: on.into_iter().map(name).collect(),
                database,
            }
        });
        report.conflicts += self.conflicts.len() as u64;
        let room = LISTED.saturating_sub(report.conflict_keys.len());
        report.conflict_keys.extend(conflicts.take(room));
        let large = self.large.iter().map(|(key, on, bytes)| LargeKey {
            key: key.escape_ascii().to_string(),
            node: name(*on),
            bytes: *bytes,
            database,
        });
        report.large += self.large.len() as u64;
        report.large_keys.extend(large);
        report
            .large_keys
            .sort_by(|one, other| (other.bytes, &one.key).cmp(&(one.bytes, &other.key)));
        report.large_keys.truncate(LISTED);
    }

    /// Computes the counts of keys, as opposed to copies.
    fn finish(mut self, fleet: &Fleet, report: &mut Check) {
        self.unreachable
            .retain(|key| !self.duplicated.contains_key(key));
        self.conflicts
            .retain(|key, _| self.unreachable.contains(key));
        let too_large: HashSet<&Vec<u8>> = self.large.iter().map(|(key, ..)| key).collect();
        let movable = self.unreachable.iter();
        let movable = movable.filter(|key| !self.conflicts.contains_key(*key));
        report.movable += movable.filter(|key| !too_large.contains(key)).count() as u64;
        self.list(fleet, report);
        let duplicated = &self.duplicated;
        let probed = self.evidence.settle(|key| duplicated.contains_key(key));
        if let Some(proxy) = &mut report.proxy {
            proxy.add(probed);
        }
        report.kept = report.nodes.iter().map(|node| node.kept).sum();
        report.unreachable += self.unreachable.len() as u64;
        report.keys = report.kept + report.unreachable;
        report.duplicated += self.duplicated.len() as u64;
        report.stale += self.duplicated.values().filter(|stale| **stale).count() as u64;
    }
}
