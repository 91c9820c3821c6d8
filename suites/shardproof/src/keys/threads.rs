//! Every core on the keys of one source: threads share it, make something of their blocks each for itself, and add up at the
//! end.

use std::io::{self, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Block, Source};

/// Interval of progress reports, in keys.
const SAY: Duration = Duration::from_millis(200);

/// The result of one thread, which is added to those of the others.
pub trait Part: Send {
    /// Takes the keys of a block, and appends its output lines. Returns the number of keys.
    ///
    /// # Errors
    /// The block contains an invalid key.
    fn take(&mut self, block: &Block, lines: Option<&mut Vec<u8>>) -> Result<u64, super::Error>;

    /// Adds the result of another thread.
    fn add(&mut self, other: Self);
}

/// The keys cannot be taken, or the lines not be written.
#[derive(Debug)]
pub enum Error {
    /// The keys.
    Keys(super::Error),
    /// The lines.
    Write(io::Error),
}

/// Takes all keys of `source` on every core, with one `part` per thread. The lines of blocks are written to `lines` in the order
/// of blocks. `say` is called from time to time with the number of keys taken.
///
/// # Errors
/// A key or the source cannot be read, or a line cannot be written.
pub fn on_every_core<'a, P: Part>(
    source: &'a mut (dyn Source + 'a),
    lines: Option<&'a mut (dyn Write + Send + 'a)>,
    part: &(dyn Fn() -> P + Sync),
    say: &dyn Fn(u64),
) -> Result<P, Error> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let work = Work {
        source: Mutex::new(source),
        lines: lines.map(Turns::new),
        taken: AtomicU64::new(0),
        failed: AtomicBool::new(false),
    };
    let (done, results) = channel();
    thread::scope(|scope| {
        for _ in 0..threads {
            let (work, done) = (&work, done.clone());
            scope.spawn(move || work.run(part(), &done));
        }
        drop(done);
        let mut sum = part();
        let mut failed = None;
        loop {
            match results.recv_timeout(SAY) {
                Ok(Ok(part)) => sum.add(part),
                Ok(Err(why)) => failed = failed.or(Some(why)),
                Err(RecvTimeoutError::Timeout) => say(work.taken.load(Ordering::Relaxed)),
                Err(RecvTimeoutError::Disconnected) => return failed.map_or(Ok(sum), Err),
            }
        }
    })
}

/// State that the threads share.
struct Work<'a> {
    source: Mutex<&'a mut (dyn Source + 'a)>,
    lines: Option<Turns<'a>>,
    taken: AtomicU64,
    failed: AtomicBool,
}

impl Work<'_> {
    /// One thread, until there are no more keys or any thread failed.
    fn run<P: Part>(&self, part: P, done: &Sender<Result<P, Error>>) {
        let result = self.blocks(part);
        if result.is_err() {
            self.failed.store(true, Ordering::Relaxed);
            if let Some(turns) = &self.lines {
                turns.turned.notify_all();
            }
        }
        // The receiver waits for all threads.
        let _ = done.send(result);
    }

    fn blocks<P: Part>(&self, mut part: P) -> Result<P, Error> {
        let mut block = Block::default();
        let mut lines = Vec::new();
        while !self.failed.load(Ordering::Relaxed) && self.fill(&mut block)? {
            lines.clear();
            let wanted = self.lines.is_some().then_some(&mut lines);
            let keys = part.take(&block, wanted).map_err(Error::Keys)?;
            self.taken.fetch_add(keys, Ordering::Relaxed);
            if let Some(turns) = &self.lines {
                let written = turns.write(block.number, &lines, &self.failed);
                written.map_err(Error::Write)?;
            }
        }
        Ok(part)
    }

    fn fill(&self, block: &mut Block) -> Result<bool, Error> {
        lock(&self.source).fill(block).map_err(Error::Keys)
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
