//! Moves misplaced keys from one node to their right nodes, so that an interruption at any point loses nothing.
//!
//! The source watches the keys (WATCH) and dumps them (DUMP, with the expiry time). The right node restores them
//! (RESTORE, with the same absolute expiry time). Only then the source deletes them (MULTI, UNLINK, EXEC), which fails
//! if one was changed since WATCH. So a key is deleted only after its right node has confirmed it, and only if it is
//! unchanged since the dump.
//!
//! Values are moved whole, and those of a batch are kept in memory until they are moved. A dump beyond the argument limit of Redis
//! (512 MB) ends the migration with an error that names the node.
//!
//! Never sends REPLACE: a value on the right node was written through the switched proxy and is newer.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::connection::{Connection, Request};
use super::connections::Connections;
use super::dump::{self, Expiry, Placed, Taken};
use super::report::MoveOutcome;
use super::scan::Scan;
use super::sizes::{self, KeyBytesMax};
use super::{Conflict, Error, Fleet, OnConflict, Progress, RateLimit, other_copies, value};
use testbed::wire::Value;

/// Keys that are moved at once.
const BATCH: usize = 100;
/// Bytes that are moved at once, except a single key that is larger.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How often a key may change on its source while it is moved before it is left there.
const ATTEMPTS: usize = 5;
/// A misplaced key, with the place of its right node.
pub(super) type Misplaced = (Vec<u8>, usize);

/// Rules for keys that stay, and state that the movers of one migration share.
#[derive(Clone)]
pub(super) struct Rules {
    pub(super) stale: OnConflict,
    pub(super) conflict: Conflict,
    pub(super) key_bytes_max: KeyBytesMax,
    /// Keys with equal copies on several wrong nodes. The right node may have such a key from another mover, so its
    /// value does not count as written through the proxy.
    pub(super) shared: Arc<Mutex<HashSet<Vec<u8>>>>,
}

/// Moves keys from one node.
pub(super) struct Mover {
    fleet: Arc<Fleet>,
    on: usize,
    source: Connection,
    /// To the right nodes.
    targets: Connections,
    expiry: Expiry,
    rules: Rules,
    pace: Arc<RateLimit>,
    progress: Arc<Progress>,
    carried: MoveOutcome,
    /// Keys with a conflict that another node's copy decides.
    deferred: Vec<Misplaced>,
    /// Requests to delete that were our own, to a node that others delete from.
    deletes: u64,
}

impl Mover {
    pub(super) async fn open(
        fleet: &Arc<Fleet>,
        on: usize,
        rules: Rules,
        pace: &Arc<RateLimit>,
        progress: &Arc<Progress>,
    ) -> Result<Self, Error> {
        let mut source = fleet.connect(on).await?;
        let expiry = Expiry::of(&mut source).await?;
        Ok(Self {
            fleet: Arc::clone(fleet),
            on,
            source,
            targets: Connections::new(fleet),
            expiry,
            rules,
            deferred: Vec::new(),
            pace: Arc::clone(pace),
            progress: Arc::clone(progress),
            carried: MoveOutcome::default(),
            deletes: 0,
        })
    }

    /// Moves every misplaced key that `scan` finds.
    pub(super) async fn run(mut self, mut scan: Scan) -> Result<Self, Error> {
        while let Some(keys) = scan.next().await? {
            self.progress.add_looked_at(keys.len());
            let ours = keys.into_iter();
            let ours = ours.filter(|key| self.fleet.routing().takes(key));
            let placed = ours.map(|key| {
                let right = self.fleet.right(&key);
                (key, right)
            });
            let misplaced: Vec<Misplaced> = placed.filter(|(_, right)| *right != self.on).collect();
            let (misplaced, sizes) = self.small_enough(misplaced).await?;
            let most = self.pace.batch(BATCH);
            let mut rest = misplaced.as_slice();
            while !rest.is_empty() {
                let done = misplaced.len() - rest.len();
                let (batch, behind) = rest.split_at(batch_of(&sizes[done..], most));
                self.pace.take(batch.len()).await;
                let free = self.without_conflicts(batch).await?;
                if !free.is_empty() {
                    self.move_batch(&free).await?;
                }
                self.progress.add_moved(batch.len());
                rest = behind;
            }
        }
        Ok(self)
    }

    /// The keys that are not too large, with the bytes that they take on the source. The others stay.
    async fn small_enough(
        &mut self,
        misplaced: Vec<Misplaced>,
    ) -> Result<(Vec<Misplaced>, Vec<usize>), Error> {
        let keys: Vec<&[u8]> = misplaced.iter().map(|(key, _)| key.as_slice()).collect();
        let sizes = sizes::of(&mut self.source, &keys).await?;
        let (mut kept, mut bytes) = (Vec::new(), Vec::new());
        for (misplaced, size) in misplaced.into_iter().zip(sizes) {
            if self.rules.key_bytes_max.is_exceeded_by(size) {
                self.carried.large += 1;
                let what = match size {
                    Some(size) => format!("takes {size} bytes, and stays"),
                    None => "is of unknown size, and stays".to_owned(),
                };
                self.carried.example(&misplaced.0, &what);
            } else {
                kept.push(misplaced);
                bytes.push(usize::try_from(size.unwrap_or(0)).unwrap_or(usize::MAX));
            }
        }
        Ok((kept, bytes))
    }

    /// The keys that no other wrong node has with another value, and those whose copy here was chosen. The others stay.
    ///
    /// All movers find the same conflicts, because all of them leave the copies in place. A key that its right node has
    /// is not a conflict: that value wins.
    async fn without_conflicts(&mut self, batch: &[Misplaced]) -> Result<Vec<Misplaced>, Error> {
        let keys: Vec<(&[u8], usize)> = batch
            .iter()
            .map(|(key, right)| (key.as_slice(), *right))
            .collect();
        let (source, nodes) = (&mut self.source, &mut self.targets);
        let most = self.rules.key_bytes_max;
        let rivals = other_copies::find(&self.fleet, self.on, source, nodes, &keys, most).await?;
        let mut free = Vec::with_capacity(batch.len());
        for (misplaced, rivals) in batch.iter().zip(rivals) {
            if !rivals.same.is_empty() {
                let mut shared = self.rules.shared.lock().await;
                shared.insert(misplaced.0.clone());
            }
            let (key, right) = (misplaced.0.as_slice(), misplaced.1);
            if rivals.differ.is_empty()
                || self.rules.conflict == Conflict::Keep(self.on)
                || self.targets.to(right).await?.exist(&[key]).await? == [true]
            {
                free.push(misplaced.clone());
            } else if self.rules.conflict == Conflict::Skip {
                self.conflicts(key);
            } else {
                self.deferred.push(misplaced.clone());
            }
        }
        Ok(free)
    }

    fn conflicts(&mut self, key: &[u8]) {
        self.carried.conflicts += 1;
        let what = "is on several wrong nodes with different values, and stays on all";
        self.carried.example(key, what);
    }

    /// Removes the copies that lost to the chosen node's, when all movers are done. If its copy did not get to the
    /// right node, the others stay. Returns the outcome of all keys, with the number of our own requests to delete.
    pub(super) async fn settle(mut self) -> Result<(MoveOutcome, u64), Error> {
        for (key, right) in std::mem::take(&mut self.deferred) {
            let watched = self.source.ask(&[b"WATCH", &key]).await?;
            if watched != Value::Simple(b"OK".to_vec()) {
                return Err(self.source.unexpected("WATCH", &watched));
            }
            let there = self.targets.to(right).await?.exist(&[&key]).await? == [true];
            if !there {
                self.release(&[]).await?;
                self.conflicts(&key);
            } else if self.release(&[&key]).await? {
                self.carried.superseded += 1;
            } else {
                self.contested(&key);
            }
        }
        Ok((self.carried, self.deletes))
    }

    /// All keys of a batch together. Where the source refuses to delete because one was touched, each by itself.
    async fn move_batch(&mut self, batch: &[Misplaced]) -> Result<(), Error> {
        let keys: Vec<&[u8]> = batch.iter().map(|(key, _)| key.as_slice()).collect();
        let taken = dump::take(&mut self.source, self.expiry, &keys).await?;
        let mut placed = self.place(batch, &taken).await?;
        self.spare(batch, &mut placed).await?;
        let confirmed = keys.iter().zip(&placed);
        let confirmed: Vec<&[u8]> = confirmed
            .filter_map(|(key, placed)| placed.is_confirmed().then_some(*key))
            .collect();
        let released = self.release(&confirmed).await?;
        for ((key, taken), placed) in keys.iter().zip(&taken).zip(&placed) {
            if released || !placed.is_confirmed() {
                self.count(key, taken.as_ref(), placed);
            } else {
                self.move_touched(key, taken.as_ref(), placed).await?;
            }
        }
        Ok(())
    }

    /// Moves a confirmed key of a batch in which one was touched. It is not sent to its right node again, because it
    /// may have been deleted there since; a write of a client to the source after the copy cannot be moved, so both copies
    /// stay.
    async fn move_touched(
        &mut self,
        key: &[u8],
        before: Option<&Taken>,
        placed: &Placed,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let now = dump::take(&mut self.source, self.expiry, &[key]).await?;
            let Some(now) = now.into_iter().next().flatten() else {
                self.count(key, None, &Placed::Gone);
                self.release(&[]).await?;
                return Ok(());
            };
            let unchanged = before.is_some_and(|before| before.is(&now));
            if *placed == Placed::Restored && !unchanged {
                self.release(&[]).await?;
                break;
            }
            if self.release(&[key]).await? {
                self.count(key, before, placed);
                return Ok(());
            }
        }
        self.contested(key);
        Ok(())
    }

    fn contested(&mut self, key: &[u8]) {
        self.carried.contested += 1;
        let what = "was written on the node that it is leaving, by a client that was not switched";
        self.carried.example(key, what);
    }

    /// Restores the dumped keys on their right nodes.
    async fn place(
        &mut self,
        batch: &[Misplaced],
        taken: &[Option<Taken>],
    ) -> Result<Vec<Placed>, Error> {
        let mut placed = vec![Placed::Gone; batch.len()];
        for right in 0..self.fleet.placed() {
            let there = |at: &usize| batch[*at].1 == right && taken[*at].is_some();
            let there: Vec<usize> = (0..batch.len()).filter(there).collect();
            if there.is_empty() {
                continue;
            }
            let given = there
                .iter()
                .filter_map(|at| Some((batch[*at].0.as_slice(), taken[*at].as_ref()?)));
            let given: Vec<(&[u8], &Taken)> = given.collect();
            let answers = dump::restore(self.targets.to(right).await?, &given).await?;
            for (at, answer) in there.into_iter().zip(answers) {
                placed[at] = answer;
            }
        }
        Ok(placed)
    }

    /// Spares copies if the right node has another value, when that is asked for or when another mover may have moved
    /// that value.
    async fn spare(&mut self, batch: &[Misplaced], placed: &mut [Placed]) -> Result<(), Error> {
        for ((key, right), placed) in batch.iter().zip(placed) {
            let asked = self.rules.stale == OnConflict::Spared
                || self.rules.shared.lock().await.contains(key);
            if asked && *placed == Placed::Busy {
                let target = self.targets.to(*right).await?;
                let most = self.rules.key_bytes_max;
                let same = value::same(&mut self.source, target, &[key], most).await?;
                if same != [Some(true)] {
                    *placed = Placed::Spared;
                }
            }
        }
        Ok(())
    }

    /// Deletes the keys from the source, and ends its watch. `false` if one was touched, and none was deleted.
    async fn release(&mut self, confirmed: &[&[u8]]) -> Result<bool, Error> {
        if confirmed.is_empty() {
            self.source.ask(&[b"UNWATCH"]).await?;
            return Ok(true);
        }
        let unlink: Request<'_> = [&[&b"UNLINK"[..]], confirmed].concat();
        let requests = [vec![&b"MULTI"[..]], unlink, vec![b"EXEC"]];
        let answer = self.source.ask_all(&requests).await?.pop();
        match answer {
            Some(Value::Array(_)) => {
                self.deletes += u64::from(self.on < self.fleet.placed());
                Ok(true)
            }
            Some(Value::NullArray) => Ok(false),
            other => {
                let other = other.unwrap_or(Value::NullBulk);
                Err(self.source.unexpected("EXEC", &other))
            }
        }
    }

    fn count(&mut self, key: &[u8], taken: Option<&Taken>, placed: &Placed) {
        match placed {
            Placed::Restored => {
                self.carried.moved += 1;
                self.carried.bytes += taken.map_or(0, |taken| taken.dump.len() as u64);
            }
            Placed::Busy => self.carried.superseded += 1,
            Placed::Spared => self.carried.spared += 1,
            Placed::Gone => self.carried.gone += 1,
            Placed::Refused(why) => {
                self.carried.refused += 1;
                self.carried.example(key, why);
            }
        }
    }
}

/// How many of the keys with these sizes fit into a batch of at most `most` bytes.
fn batch_of(sizes: &[usize], most: usize) -> usize {
    let mut bytes = 0;
    let fit = sizes.iter().take(most).take_while(|size| {
        bytes += **size;
        bytes <= BATCH_BYTES
    });
    fit.count().max(1)
}

#[cfg(test)]
mod tests {
    use super::{BATCH_BYTES, batch_of};

    #[test]
    fn a_batch_ends_before_it_is_too_large() {
        let half = BATCH_BYTES / 2;
        assert_eq!(batch_of(&[10; 300], 100), 100);
        assert_eq!(batch_of(&[10; 30], 100), 30);
        assert_eq!(batch_of(&[half, half, 1], 100), 2);
        assert_eq!(batch_of(&[3 * half, 1], 100), 1);
        assert_eq!(batch_of(&[1, 3 * half], 100), 1);
    }
}
