//! Counters: each worker counts for itself, whoever reads adds up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use crate::command::{COMMANDS, Row};

/// What one worker has counted. Only that worker writes.
#[derive(Debug)]
pub(crate) struct WorkerStats {
    /// By place in [`COMMANDS`].
    commands: Vec<AtomicU64>,
    unknown: AtomicU64,
}

impl WorkerStats {
    pub(crate) fn new() -> Self {
        Self {
            commands: COMMANDS.iter().map(|_| AtomicU64::new(0)).collect(),
            unknown: AtomicU64::new(0),
        }
    }

    /// A request of this row.
    #[inline]
    pub(crate) fn command(&self, row: &'static Row) {
        let place = (std::ptr::from_ref(row).addr() - COMMANDS.as_ptr().addr()) / size_of::<Row>();
        if let Some(counter) = self.commands.get(place) {
            count(counter);
        }
    }

    /// A request of no row.
    pub(crate) fn unknown(&self) {
        count(&self.unknown);
    }
}

/// There is one writer, so that no locked instruction is needed.
#[inline]
fn count(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// What all workers count together; nothing of it is touched by a request.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) started: Instant,
    pub(crate) port: u16,
    pub(crate) clients: AtomicUsize,
    pub(crate) clients_total: AtomicU64,
    /// Bytes of replies that wait for clients.
    pub(crate) output_bytes: Arc<AtomicUsize>,
}

/// One `name: value` line each, sorted within commands.
pub(crate) fn lines(workers: &[Arc<WorkerStats>], shared: &Shared) -> String {
    let sum = |counter: &dyn Fn(&WorkerStats) -> u64| {
        workers.iter().map(|worker| counter(worker)).sum::<u64>()
    };
    let mut text = format!(
        "uptime_seconds: {}\nworkers: {}\nclients: {}\nclients_total: {}\noutput_bytes: {}\ncommand_unknown: {}\n",
        shared.started.elapsed().as_secs(),
        workers.len(),
        shared.clients.load(Ordering::Relaxed),
        shared.clients_total.load(Ordering::Relaxed),
        shared.output_bytes.load(Ordering::Relaxed),
        sum(&|worker| worker.unknown.load(Ordering::Relaxed)),
    );
    for (place, row) in COMMANDS.iter().enumerate() {
        let count = sum(&|worker| worker.commands[place].load(Ordering::Relaxed));
        if count > 0 {
            text.push_str(&format!(
                "command_{}: {count}\n",
                row.name.to_ascii_lowercase()
            ));
        }
    }
    text
}
