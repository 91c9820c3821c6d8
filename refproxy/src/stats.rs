//! Counters: each worker counts separately, and readers add them up.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use tokio::sync::mpsc::WeakUnboundedSender;

use crate::client::Closed;
use crate::command::{COMMANDS, Row, find};
use crate::descriptors::Share;
use crate::orders::Order;
use crate::upstream::Quota;

/// The counters of one worker. Only that worker writes.
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
        if let Some(counter) = self.counter(row) {
            count(counter);
        }
    }

    /// The request of this row that was counted last comes again.
    pub(crate) fn take_back(&self, row: &'static Row) {
        if let Some(counter) = self.counter(row) {
            counter.store(
                counter.load(Ordering::Relaxed).saturating_sub(1),
                Ordering::Relaxed,
            );
        }
    }

    #[inline]
    fn counter(&self, row: &'static Row) -> Option<&AtomicU64> {
        let counter = self.commands.get(place(row));
        counter.or_else(|| self.counter_of_subcommand(row))
    }

    /// Subcommands count as their command.
    #[cold]
    fn counter_of_subcommand(&self, row: &'static Row) -> Option<&AtomicU64> {
        let (command, _) = row.name.split_once('|')?;
        self.commands.get(place(find(command.as_bytes())?))
    }

    /// A request of no row.
    pub(crate) fn unknown(&self) {
        count(&self.unknown);
    }
}

/// The place in [`COMMANDS`]; beyond the counters when the row is not there.
#[inline]
fn place(row: &'static Row) -> usize {
    let bytes = std::ptr::from_ref(row)
        .addr()
        .wrapping_sub(COMMANDS.as_ptr().addr());
    bytes / size_of::<Row>()
}

/// There is one writer, so no locked instruction is needed.
#[inline]
fn count(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

/// Counters of all workers together; no request writes to them.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) started: Instant,
    pub(crate) port: u16,
    /// As in Redis: 40 hexadecimal digits that differ after each start.
    pub(crate) run_id: Arc<str>,
    /// The order channels of the workers; set once all have been started.
    pub(crate) workers: OnceLock<Vec<WeakUnboundedSender<Order>>>,
    pub(crate) clients: Arc<AtomicUsize>,
    /// The maximum of `clients`: the limit, as far as there are file descriptors.
    pub(crate) clients_max: AtomicUsize,
    pub(crate) clients_total: AtomicU64,
    /// Clients that the proxy closed, by [`Closed`].
    pub(crate) closed: [AtomicU64; Closed::ALL.len()],
    /// Sessions and node connections that ended in a panic.
    pub(crate) panics: Arc<AtomicU64>,
    /// Connections to nodes for one client each.
    pub(crate) dedicated: Arc<Quota>,
    /// Bytes that clients occupy: unread replies, incomplete requests, transactions.
    pub(crate) output_bytes: Arc<AtomicUsize>,
}

impl Shared {
    /// Counters of a proxy that listens on this port and may have this many connections.
    pub(crate) fn new(port: u16, share: Share) -> Self {
        Self {
            started: Instant::now(),
            port,
            run_id: run_id().into(),
            workers: OnceLock::new(),
            clients: Arc::default(),
            clients_max: AtomicUsize::new(share.clients_max),
            clients_total: AtomicU64::new(0),
            closed: Default::default(),
            panics: Arc::default(),
            dedicated: Arc::new(Quota::new(share.dedicated_max)),
            output_bytes: Arc::default(),
        }
    }
}

/// The seeds of hash maps are the standard library's source of chance.
fn run_id() -> String {
    let parts = [(); 3].map(|()| RandomState::new().hash_one(Instant::now()));
    let digits = parts.map(|part| format!("{part:016x}")).concat();
    digits[..40].to_owned()
}

/// All counters, sorted by name, in the words of Envoy's redis_proxy with the prefix `egress_redis`, so that tools for
/// one can read the other; names of our own if Envoy has none.
pub(crate) fn counters(workers: &[Arc<WorkerStats>], shared: &Shared) -> Vec<(String, u64)> {
    let sum = |counter: &dyn Fn(&WorkerStats) -> u64| {
        workers.iter().map(|worker| counter(worker)).sum::<u64>()
    };
    let named = |name: &str, count: u64| (name.to_owned(), count);
    let mut counters = vec![
        named("refproxy.output_bytes", wide(&shared.output_bytes)),
        named("refproxy.workers", workers.len() as u64),
        named("refproxy.clients_max", wide(&shared.clients_max)),
        named(
            "refproxy.dedicated_connections",
            shared.dedicated.count() as u64,
        ),
        named(
            "refproxy.dedicated_connections_max",
            shared.dedicated.max() as u64,
        ),
        named("refproxy.panics", shared.panics.load(Ordering::Relaxed)),
        named("server.uptime", shared.started.elapsed().as_secs()),
        named(
            "redis.egress_redis.downstream_cx_active",
            wide(&shared.clients),
        ),
        named(
            "redis.egress_redis.downstream_cx_total",
            shared.clients_total.load(Ordering::Relaxed),
        ),
        named(
            "redis.egress_redis.splitter.unsupported_command",
            sum(&|worker| worker.unknown.load(Ordering::Relaxed)),
        ),
    ];
    counters.extend(Closed::ALL.map(|why| {
        let count = shared.closed[why as usize].load(Ordering::Relaxed);
        (format!("refproxy.clients_closed.{}", why.name()), count)
    }));
    counters.extend(COMMANDS.iter().enumerate().map(|(place, row)| {
        let name = row.name.to_ascii_lowercase();
        let count = sum(&|worker| worker.commands[place].load(Ordering::Relaxed));
        (format!("redis.egress_redis.command.{name}.total"), count)
    }));
    counters.sort();
    counters
}

fn wide(count: &AtomicUsize) -> u64 {
    count.load(Ordering::Relaxed) as u64
}
