//! One run from the first look at the nodes to the last.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use testbed::chance::Chance;
use testbed::endpoint::Endpoint;
use testbed::link::{Event, TapPosition, What};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::client::{Client, Log, Ticks};
use super::clock::{Clock, nanoseconds};
use super::expire::keep_expiring;
use super::placed::{Owners, Placed, mark};
use super::sightings::Sightings;
use super::watch::Watched;
use super::{Error, NodesOf, Run, Subject, completion, inject, nodes, sightings};
use crate::history::{Completion, Header, History, Library, Record};
use crate::observed::{Key, Observed, ProxyView, Sample, Session, Span, Window};
use crate::scenario::{Load, Pace, Scenario, Schedule};
use crate::workload::Plan;

/// Runs a scenario on a proxy that serves. `say` is called with each step.
///
/// # Errors
/// Why the run failed. Errors of the proxy under test are not errors of the run.
pub async fn observe(
    scenario: &Scenario,
    subject: &mut Subject<'_>,
    seed: u64,
    say: &dyn Fn(&str),
) -> Result<Run, Error> {
    let chance = Chance::seeded(seed).named(&scenario.seeded_as);
    let served_within = Duration::from_nanos(subject.promises.recovery);
    let placed = Placed::draw(scenario, subject, chance, served_within).await?;
    let Placed {
        mut plans,
        keys,
        mut owners,
    } = placed;
    let mut views = views(subject, &owners);
    let owners = owners.swap_remove(0);
    for (load, plan) in scenario.loads.iter().zip(&mut plans) {
        if load.apart {
            plan.apart = owners.clone();
        }
    }
    let schedule = Schedule::new(scenario, chance);
    let mut loaded = load(scenario, subject, (&plans, &keys), &schedule, say).await?;
    let contents = nodes::contents(&subject.nodes, &keys).await?;
    for (view, proxy) in views.iter_mut().zip(subject.proxies()) {
        view.reads = nodes::reads(proxy, &keys).await;
    }
    let owners_after = nodes::owners(subject.proxy, &subject.nodes, &keys, served_within).await?;
    let idle = idle(subject, &loaded.clock, served_within).await;
    loaded.watched.samples.extend(idle);
    let events = subject.tap.as_ref();
    let events = events.map(|tap| tap.since(TapPosition::default()));
    let mut header = Header::new(&subject.name, &scenario.id, seed);
    header.nodes = subject.node_names.clone();
    let (history, intended, samples) = loaded.recorded(header, events, &mark(chance));
    let observed = Observed {
        history,
        sessions: loaded.sessions,
        windows: loaded.windows,
        load: loaded.span,
        owners_after: match owners_after.len() == keys.len() {
            true => owners_after,
            false => BTreeMap::new(),
        },
        owners,
        contents,
        proxies: views,
        predicted: BTreeMap::new(),
        samples,
        stalls: loaded.watched.stalls,
        waits: loaded.watched.waits,
        node_names: subject.node_names.clone(),
        promises: subject.promises,
    };
    Ok(Run { observed, intended })
}

/// What each of several proxies does, so far.
fn views(subject: &Subject<'_>, owners: &[Owners]) -> Vec<ProxyView> {
    if subject.further.is_empty() {
        return Vec::new();
    }
    let view = |(proxy, owners): (Endpoint, &Owners)| ProxyView {
        addr: proxy.to_string(),
        owners: owners.clone(),
        predicted: BTreeMap::new(),
        reads: BTreeMap::new(),
    };
    subject
        .proxies()
        .into_iter()
        .zip(owners)
        .map(view)
        .collect()
}

/// The observations while clients sent.
struct Loaded {
    clock: Clock,
    span: Span,
    records: Vec<(u64, Record)>,
    sessions: BTreeMap<u32, Session>,
    windows: Vec<Window>,
    watched: Watched,
}

async fn load(
    scenario: &Scenario,
    subject: &mut Subject<'_>,
    (plans, keys): (&[Plan], &[Key]),
    schedule: &Schedule,
    say: &dyn Fn(&str),
) -> Result<Loaded, Error> {
    let tap = subject.tap.clone().unwrap_or_default();
    let clock = Clock::start(&tap);
    let (stop, stopped) = watch::channel(false);
    let watching = super::watch::watch(clock.clone(), subject.means.pid(), stopped.clone());
    let watching = tokio::spawn(watching);
    let expiring = (subject.nodes_of == NodesOf::Others)
        .then(|| keep_expiring(subject.nodes.clone(), keys.to_vec(), stopped))
        .map(tokio::spawn);
    let ends = Arc::new(AtomicU64::new(u64::MAX));
    let mut clients = clients(scenario, subject, plans, (&clock, &ends));
    // Without its faults there is nothing to judge: the clients end with this.
    let windows = inject::carry_out(schedule, &mut subject.means, &clock, say).await?;
    let end = inject::load_end(scenario.duration, schedule, &windows);
    ends.store(end, Ordering::Relaxed);
    let mut log = Log::default();
    while let Some(ended) = clients.join_next().await {
        let Log { records, sessions } = ended?;
        log.records.extend(records);
        log.sessions.extend(sessions);
    }
    let span = Span {
        from: 0,
        to: clock.now(),
    };
    // The watch notices it at its next turn, and never ends before.
    let _ = stop.send(true);
    if let Some(expiring) = expiring {
        expiring.await?;
    }
    log.records
        .sort_by_key(|(_, record)| (record.sent, record.session, record.sequence));
    Ok(Loaded {
        clock,
        span,
        records: log.records,
        sessions: log.sessions,
        windows,
        watched: watching.await?,
    })
}

/// Loads that last as long as the scenario stop at `ends`.
fn clients(
    scenario: &Scenario,
    subject: &Subject<'_>,
    plans: &[Plan],
    (clock, ends): (&Clock, &Arc<AtomicU64>),
) -> JoinSet<Log> {
    let mut clients = JoinSet::new();
    let proxies = subject.proxies();
    let sessions = Arc::new(AtomicU32::new(0));
    for (load, plan) in scenario.loads.iter().zip(plans) {
        let ends = match load.lasts == scenario.duration {
            true => Arc::clone(ends),
            false => Arc::new(AtomicU64::new(nanoseconds(load.lasts))),
        };
        for number in 0..load.clients {
            // Two clients in turn, so that each proxy has clients of both libraries.
            let proxy = usize::from(number / 2) % proxies.len();
            let client = Client {
                proxy: proxies[proxy],
                proxy_index: u16::try_from(proxy).unwrap_or_default(),
                library: match number % 2 {
                    0 => Library::Raw,
                    _ => Library::Redis,
                },
                workload: load.workload.id(),
                generator: load.workload.client(plan, number),
                clock: clock.clone(),
                pace: ticks(load, number),
                ends: Arc::clone(&ends),
                within: Duration::from_nanos(subject.promises.deadline) + inject::MARGIN,
                sessions: Arc::clone(&sessions),
            };
            clients.spawn(client.run());
        }
    }
    clients
}

/// The clients of an open load take turns, so that requests come at even times.
fn ticks(load: &Load, number: u16) -> Ticks {
    match load.pace {
        Pace::Closed => Ticks::Closed,
        Pace::Rate(rate) => {
            let batch = 1_000_000_000 * u64::from(load.pipeline) / u64::from(rate.max(1));
            Ticks::Open {
                next: batch * u64::from(number),
                every: batch * u64::from(load.clients),
            }
        }
    }
}

impl Loaded {
    /// The history with what the taps saw, when each request was to be sent, and the samples with their connections.
    fn recorded(
        &self,
        mut header: Header,
        events: Option<Vec<Event>>,
        mark: &str,
    ) -> (History, Vec<u64>, Vec<Sample>) {
        let (intended, mut records): (Vec<u64>, Vec<Record>) = self.records.iter().cloned().unzip();
        let mut samples = self.watched.samples.clone();
        if let Some(events) = events {
            connections(&events, self.clock.zero(), &mut samples);
            let seen = Sightings::new(events, self.clock.zero());
            sightings::attach(&mut records, &seen, mark.as_bytes());
            header.tapped = seen.complete;
        }
        let undecided = |record: &&mut Record| record.completion == Completion::Indefinite;
        for record in records.iter_mut().filter(undecided) {
            completion::decide(record, header.tapped);
        }
        (History { header, records }, intended, samples)
    }
}

/// A sample of the proxy without clients, where the target promises something about it: as soon as the proxy keeps the
/// promise, or when it should have. The promise is about one proxy: none for several.
async fn idle(subject: &Subject<'_>, clock: &Clock, within: Duration) -> Option<Sample> {
    if !subject.further.is_empty() {
        return None;
    }
    let (tap, limit) = (
        subject.tap.as_ref()?,
        subject.promises.idle_node_connections?,
    );
    let few = |events: &[Event]| {
        let changes = events.iter().map(|event| change(&event.what));
        changes.sum::<i64>() <= i64::try_from(limit).unwrap_or(i64::MAX)
    };
    let _ = tap.wait(TapPosition::default(), within, few).await;
    super::watch::sample(clock, subject.means.pid())
}

/// How an event changes the number of open connections.
fn change(what: &What) -> i64 {
    match what {
        What::Opened => 1,
        What::Closed => -1,
        _ => 0,
    }
}

/// Fills in how many connections the proxy had to its nodes at the time of each sample.
fn connections(events: &[Event], zero: Duration, samples: &mut [Sample]) {
    let (mut open, mut events) = (0_i64, events.iter().peekable());
    for sample in samples {
        let until = zero + Duration::from_nanos(sample.at);
        while let Some(event) = events.next_if(|event| event.at <= until) {
            open += change(&event.what);
        }
        sample.node_connections = u64::try_from(open).ok();
    }
}
