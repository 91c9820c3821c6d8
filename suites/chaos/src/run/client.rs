//! One client of a workload: sends the requests of its generator at its pace until the load ends, and records
//! everything.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use testbed::endpoint::Endpoint;
use testbed::wire::{Arguments, Value};

use super::clock::Clock;
use super::connection::{Connection, Replies};
use crate::history::{Completion, Library, Record};
use crate::observed::{Closed, Closer, Session};
use crate::workload::Generator;

/// Between two attempts to connect, so that a proxy that restarts is not flooded.
const RECONNECT_AFTER: Duration = Duration::from_millis(20);

/// One client.
pub(super) struct Client {
    pub(super) proxy: Endpoint,
    /// Its place among the proxies.
    pub(super) proxy_index: u16,
    pub(super) library: Library,
    pub(super) workload: &'static str,
    pub(super) generator: Box<dyn Generator>,
    pub(super) clock: Clock,
    pub(super) pace: Ticks,
    /// No batch begins at this time or later. It may change while clients send.
    pub(super) ends: Arc<AtomicU64>,
    /// How long a reply is waited for.
    pub(super) within: Duration,
    /// The numbers of connections over all clients.
    pub(super) sessions: Arc<AtomicU32>,
}

/// When a client is to send its batches.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ticks {
    /// When the last one is answered.
    Closed,
    /// At fixed times, in nanoseconds: the first one, and from one to the next.
    Open { next: u64, every: u64 },
}

/// The records of a client.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Each request with the time at which it was to be sent.
    pub(super) records: Vec<(u64, Record)>,
    pub(super) sessions: BTreeMap<u32, Session>,
}

/// A connection with its place in the record.
struct Open {
    connection: Connection,
    session: u32,
    sequence: u64,
}

impl Client {
    /// Sends until the load ends; waits for the last replies.
    pub(super) async fn run(mut self) -> Log {
        let mut log = Log::default();
        let mut open: Option<Open> = None;
        while let Some(intended) = self.next_tick().await {
            let batch = self.generator.batch();
            let connected = match open.take() {
                Some(connected) => Some(connected),
                None => self.connect(&mut log).await,
            };
            let Some(connected) = connected else {
                self.refused(&mut log, batch, intended);
                tokio::time::sleep(RECONNECT_AFTER).await;
                continue;
            };
            open = self.exchange(&mut log, connected, batch, intended).await;
        }
        log
    }

    /// Waits for the time of the next batch, and returns it. `None` when the load is over.
    async fn next_tick(&mut self) -> Option<u64> {
        let intended = match &mut self.pace {
            Ticks::Closed => self.clock.now(),
            Ticks::Open { next, every } => {
                let intended = *next;
                *next += *every;
                intended
            }
        };
        let ends = self.ends.load(Ordering::Relaxed);
        if intended >= ends || self.clock.now() >= ends {
            return None;
        }
        self.clock.wait_until(intended).await;
        Some(intended)
    }

    async fn connect(&self, log: &mut Log) -> Option<Open> {
        let connection = Connection::open(self.proxy, self.library, self.within).await?;
        Some(Open {
            connection,
            session: self.begin_session(log),
            sequence: 0,
        })
    }

    fn begin_session(&self, log: &mut Log) -> u32 {
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        let session = Session {
            workload: self.workload.to_owned(),
            proxy: self.proxy_index,
            closed: None,
        };
        log.sessions.insert(number, session);
        number
    }

    /// Returns the connection if it is still open.
    async fn exchange(
        &mut self,
        log: &mut Log,
        mut open: Open,
        batch: Vec<Arguments>,
        intended: u64,
    ) -> Option<Open> {
        let sent = self.clock.now();
        let exchanging = open.connection.exchange(&batch, &self.clock, self.within);
        let Replies { replies, ended } = exchanging.await;
        let mut values: Vec<Option<Value>> =
            replies.iter().map(|(_, it)| Some(it.clone())).collect();
        values.resize(batch.len(), None);
        self.generator.answered(&values);
        let mut replies = replies.into_iter();
        for request in batch {
            let record = self.record(&mut open, sent, request, replies.next());
            log.records.push((intended.min(sent), record));
        }
        match ended {
            None => Some(open),
            Some(by) => {
                close(log, open.session, self.clock.now(), by);
                None
            }
        }
    }

    fn record(
        &self,
        open: &mut Open,
        sent: u64,
        request: Arguments,
        reply: Option<(u64, Value)>,
    ) -> Record {
        let sequence = open.sequence;
        open.sequence += 1;
        let completion = match &reply {
            Some((_, value)) if !value.is_error() => Completion::Ok,
            // Decided later, by what the nodes saw.
            _ => Completion::Indefinite,
        };
        let (received, reply) = reply.unzip();
        Record {
            session: open.session,
            sequence,
            client: self.library,
            sent,
            received,
            request,
            reply,
            completion,
            seen: Vec::new(),
        }
    }

    /// No connection: the batch was never sent.
    fn refused(&self, log: &mut Log, batch: Vec<Arguments>, intended: u64) {
        let session = self.begin_session(log);
        let now = self.clock.now();
        for (sequence, request) in (0..).zip(batch) {
            let record = Record {
                session,
                sequence,
                client: self.library,
                sent: now,
                received: None,
                request,
                reply: None,
                completion: Completion::Failed,
                seen: Vec::new(),
            };
            log.records.push((intended.min(now), record));
        }
        close(log, session, now, Closer::Proxy);
    }
}

fn close(log: &mut Log, session: u32, at: u64, by: Closer) {
    if let Some(session) = log.sessions.get_mut(&session) {
        session.closed = Some(Closed { at, by });
    }
}
