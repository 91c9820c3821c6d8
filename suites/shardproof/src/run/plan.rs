//! Plans over any number of keys: threads share a source, count each for itself, and add up at the end.

use std::io::{self, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::keys::{self, Block, Source};
use crate::planner::plan::{Change, Counts, Move};
use testbed::text::push_escaped;

/// How often it is told how far the count is.
const SAY: Duration = Duration::from_millis(200);

/// The keys cannot be counted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// They cannot be had.
    #[error(transparent)]
    Keys(#[from] keys::Error),
    /// The list of moved keys cannot be written.
    #[error("the moved keys cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// Counts all keys of `source` on every core. Keys that move are written to `moved` in their order, a line each: the key,
/// its node before and its node after, separated by tabs. `say` hears from time to time how many keys were counted.
///
/// # Errors
/// A key or the source cannot be read, or a line cannot be written.
pub fn count<'a>(
    change: &'a Change,
    source: &'a mut (dyn Source + 'a),
    moved: Option<&'a mut (dyn Write + Send + 'a)>,
    say: &dyn Fn(u64),
) -> Result<Counts, Error> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let work = Work {
        change,
        source: Mutex::new(source),
        moved: moved.map(Turns::new),
        counted: AtomicU64::new(0),
        failed: AtomicBool::new(false),
    };
    let (done, results) = channel();
    thread::scope(|scope| {
        for _ in 0..threads {
            let (work, done) = (&work, done.clone());
            scope.spawn(move || work.run(&done));
        }
        drop(done);
        let mut sum = change.counts();
        let mut failed = None;
        loop {
            match results.recv_timeout(SAY) {
                Ok(Ok(counts)) => sum.add(counts),
                Ok(Err(why)) => failed = failed.or(Some(why)),
                Err(RecvTimeoutError::Timeout) => say(work.counted.load(Ordering::Relaxed)),
                Err(RecvTimeoutError::Disconnected) => return failed.map_or(Ok(sum), Err),
            }
        }
    })
}

/// What the threads share.
struct Work<'a> {
    change: &'a Change,
    source: Mutex<&'a mut (dyn Source + 'a)>,
    moved: Option<Turns<'a>>,
    counted: AtomicU64,
    failed: AtomicBool,
}

impl Work<'_> {
    /// One thread, until there are no more keys or any thread failed.
    fn run(&self, done: &Sender<Result<Counts, Error>>) {
        let counts = self.blocks();
        if counts.is_err() {
            self.failed.store(true, Ordering::Relaxed);
            if let Some(turns) = &self.moved {
                turns.turned.notify_all();
            }
        }
        // The receiver waits for all threads.
        let _ = done.send(counts);
    }

    fn blocks(&self) -> Result<Counts, Error> {
        let mut counts = self.change.counts();
        let mut block = Block::default();
        let mut lines = Vec::new();
        while !self.failed.load(Ordering::Relaxed) && lock(&self.source).fill(&mut block)? {
            lines.clear();
            let keys = match &self.moved {
                None => block.each(|key| {
                    self.change.count(&mut counts, key);
                })?,
                Some(_) => block.each(|key| {
                    if let Some(moves) = self.change.count(&mut counts, key) {
                        self.line(&mut lines, key, moves);
                    }
                })?,
            };
            self.counted.fetch_add(keys, Ordering::Relaxed);
            if let Some(turns) = &self.moved {
                turns.write(block.number, &lines, &self.failed)?;
            }
        }
        Ok(counts)
    }

    fn line(&self, lines: &mut Vec<u8>, key: &[u8], moves: Move) {
        let addresses = self.change.addresses();
        push_escaped(lines, key);
        for node in [moves.from, moves.to] {
            lines.push(b'\t');
            lines.extend_from_slice(addresses[node].as_bytes());
        }
        lines.push(b'\n');
    }
}

/// A file that threads write to in the order of their blocks.
struct Turns<'a> {
    file: Mutex<(u64, &'a mut (dyn Write + Send + 'a))>,
    turned: Condvar,
}

impl<'a> Turns<'a> {
    fn new(file: &'a mut (dyn Write + Send + 'a)) -> Self {
        Self {
            file: Mutex::new((0, file)),
            turned: Condvar::new(),
        }
    }

    /// Writes the lines of a block when all blocks before it are written. Waiting keeps fast threads from piling up lines.
    fn write(&self, block: u64, lines: &[u8], failed: &AtomicBool) -> io::Result<()> {
        let mut file = lock(&self.file);
        while file.0 != block {
            if failed.load(Ordering::Relaxed) {
                return Ok(());
            }
            let waited = self.turned.wait_timeout(file, SAY);
            file = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        file.1.write_all(lines)?;
        file.0 += 1;
        self.turned.notify_all();
        Ok(())
    }
}

/// A thread that panicked takes the others with it at the end of the scope.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
