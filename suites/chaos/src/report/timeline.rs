//! The timeline of a run: requests, latencies, errors and rates by node in bins of time, with the faults that acted.

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use schemars::JsonSchema;
use serde::Serialize;

use crate::history::{Completion, Record};
use crate::observed::{Closer, Observed, Span};
use crate::run::Run;

/// Bins of one run.
const BINS: u64 = 50;
/// Shorter bins hold too few requests to be useful.
const BIN_MS_MIN: u64 = 20;
const MILLISECOND: u64 = 1_000_000;

/// What happened by time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Timeline {
    /// Length of the load, in milliseconds.
    pub load_ms: u64,
    /// Length of a bin, in milliseconds.
    pub bin_ms: u64,
    /// The bins, from the start of the load.
    pub bins: Vec<Bin>,
    /// When faults acted.
    pub windows: Vec<WindowReport>,
    /// When the machine stalled, in milliseconds: from and to.
    pub stalls_ms: Vec<(u64, u64)>,
    /// The proxy's resources.
    pub samples: Vec<ResourceSample>,
    /// Name of each node.
    pub nodes: Vec<String>,
}

/// What happened in one bin.
#[derive(Debug, Clone, PartialEq, Default, Serialize, JsonSchema)]
pub struct Bin {
    /// Its start, in milliseconds.
    pub at_ms: u64,
    /// Requests that were to be sent in it.
    pub requests: u64,
    /// How many of them were executed and answered.
    pub ok: u64,
    /// The others, by what the client saw: the first word of an error, `closed`, `no-reply` or `not-connected`.
    pub errors: BTreeMap<String, u64>,
    /// Latency of the answered ones, from when they were to be sent.
    pub latency: Latency,
    /// Requests that each node was asked in this bin; of its keys, where no tap recorded the nodes.
    pub by_node: Vec<u64>,
}

/// Percentiles, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Latency {
    /// Half of all requests take at most this long.
    pub p50_us: u64,
    /// 90 %.
    pub p90_us: u64,
    /// 99 %.
    pub p99_us: u64,
    /// 99.9 %.
    pub p999_us: u64,
    /// The slowest one.
    pub max_us: u64,
}

/// A fault that acted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WindowReport {
    /// The fault as the scenario writes it.
    pub fault: String,
    /// What it acted on: a node's letter, `proxy` or `clients`.
    pub on: String,
    /// Before it was applied, in milliseconds.
    pub from_ms: u64,
    /// After it was healed, in milliseconds.
    pub to_ms: u64,
}

/// The proxy's resources at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ResourceSample {
    /// When, in milliseconds.
    pub at_ms: u64,
    /// Resident memory, bytes.
    pub proxy_bytes: u64,
    /// Connections to all nodes together; none where no tap saw them.
    pub node_connections: Option<u64>,
}

impl Timeline {
    pub(super) fn new(run: &Run) -> Self {
        let observed = &run.observed;
        let load_ms = observed.load.to / MILLISECOND;
        let bin_ms = (load_ms / BINS).max(BIN_MS_MIN);
        let window = |window: &crate::observed::Window| WindowReport {
            fault: window.fault.clone(),
            on: window.on.to_string(),
            from_ms: window.span.from / MILLISECOND,
            to_ms: window.span.to / MILLISECOND,
        };
        let sample = |sample: &crate::observed::Sample| ResourceSample {
            at_ms: sample.at / MILLISECOND,
            proxy_bytes: sample.proxy_bytes,
            node_connections: sample.node_connections,
        };
        let stall = |span: &Span| (span.from / MILLISECOND, span.to / MILLISECOND);
        Self {
            load_ms,
            bin_ms,
            bins: bins(run, load_ms, bin_ms),
            windows: observed.windows.iter().map(window).collect(),
            stalls_ms: observed.stalls.iter().map(stall).collect(),
            samples: observed.samples.iter().map(sample).collect(),
            nodes: observed.node_names.clone(),
        }
    }
}

fn bins(run: &Run, load_ms: u64, bin_ms: u64) -> Vec<Bin> {
    let observed = &run.observed;
    let nodes = observed.node_names.len();
    let bin = |number| Bin {
        at_ms: number * bin_ms,
        by_node: vec![0; nodes],
        ..Bin::default()
    };
    let mut bins: Vec<Bin> = (0..=load_ms / bin_ms).map(bin).collect();
    let mut latencies = vec![histogram(); bins.len()];
    let last = bins.len() - 1;
    let place =
        |at: u64| usize::try_from(at / MILLISECOND / bin_ms).map_or(last, |it| it.min(last));
    for (record, intended) in observed.history.records.iter().zip(&run.intended) {
        let at = place(*intended);
        bins[at].requests += 1;
        match class(observed, record) {
            None => bins[at].ok += 1,
            Some(error) => *bins[at].errors.entry(error).or_default() += 1,
        }
        record_latency(&mut latencies[at], record, *intended);
        for (node, asked) in nodes_of(observed, record) {
            if let Some(count) = bins[place(asked)].by_node.get_mut(usize::from(node)) {
                *count += 1;
            }
        }
    }
    for (bin, latencies) in bins.iter_mut().zip(&latencies) {
        bin.latency = Latency::of(latencies);
    }
    bins
}

/// The nodes that were asked for a record, and when.
fn nodes_of(observed: &Observed, record: &Record) -> Vec<(u16, u64)> {
    match observed.history.header.tapped {
        true => record
            .seen
            .iter()
            .map(|seen| (seen.node, seen.asked))
            .collect(),
        false => {
            let key = record.request.get(1);
            let owner = key.and_then(|key| observed.owners.get(key));
            owner.map(|node| (*node, record.sent)).into_iter().collect()
        }
    }
}

/// The class of the error that the client saw; `None` if the request was answered.
fn class(observed: &Observed, record: &Record) -> Option<String> {
    if let Some(testbed::wire::Value::Error(line)) = &record.reply {
        let word = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        return Some(word.escape_ascii().to_string());
    }
    let session = observed.sessions.get(&record.session);
    let closed = session
        .and_then(|session| session.closed)
        .map(|closed| closed.by);
    match (&record.reply, record.completion, closed) {
        (Some(_), ..) => None,
        (None, Completion::Failed, _) => Some("not-connected".to_owned()),
        (None, _, Some(Closer::Proxy)) => Some("closed".to_owned()),
        (None, ..) => Some("no-reply".to_owned()),
    }
}

/// Latencies of all answered requests, in microseconds.
pub(super) fn latencies(run: &Run) -> Histogram<u64> {
    let mut latencies = histogram();
    for (record, intended) in run.observed.history.records.iter().zip(&run.intended) {
        record_latency(&mut latencies, record, *intended);
    }
    latencies
}

/// From when the request was to be sent: a client that waits for an answer hides no delay of the next request.
fn record_latency(latencies: &mut Histogram<u64>, record: &Record, intended: u64) {
    let answered = record.reply.as_ref().is_some_and(|reply| !reply.is_error());
    if let (true, Some(received)) = (answered, record.received) {
        latencies.saturating_record(received.saturating_sub(intended) / 1000);
    }
}

/// Up to an hour, in microseconds, to three digits.
fn histogram() -> Histogram<u64> {
    const BOUNDS: (u64, u64, u8) = (1, 3_600_000_000, 3);
    let (low, high, digits) = BOUNDS;
    Histogram::new_with_bounds(low, high, digits).unwrap_or_else(|_| unreachable!("{BOUNDS:?}"))
}

impl Latency {
    pub(super) fn of(latencies: &Histogram<u64>) -> Self {
        let at = |quantile| latencies.value_at_quantile(quantile);
        match latencies.len() {
            0 => Self::default(),
            _ => Self {
                p50_us: at(0.5),
                p90_us: at(0.9),
                p99_us: at(0.99),
                p999_us: at(0.999),
                max_us: latencies.max(),
            },
        }
    }
}
