//! Requests that a client sent together, and which of them a case has.

use std::collections::{BTreeMap, BTreeSet};

use chaos::history::{Completion, Record};
use chaos::observed::{Closer, Observed};

use super::{REQUESTS_MAX, Refusal};

/// How far around the violation the requests of a case reach, from the fewest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Those that were sent together with the ones that prove the violation.
    Evidence,
    /// All of the same connections before it, as far as they fit.
    Connections,
    /// All of the run before it, as far as they fit.
    Run,
}

impl Reach {
    /// All of them, from the fewest requests.
    pub const ALL: [Self; 3] = [Self::Evidence, Self::Connections, Self::Run];
}

/// When a fault acts that began or ended while requests waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// As long as they waited: they are certain to meet it.
    WhileWaiting,
    /// As it was. It may come too late for them, or end too early.
    InTime,
}

impl Act {
    /// Both.
    pub const ALL: [Self; 2] = [Self::WhileWaiting, Self::InTime];
}

/// Requests that a client sent together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) session: u32,
    /// Places in the history, in the order in which they were sent.
    pub(super) records: Vec<usize>,
    pub(super) sent: u64,
    /// When all were answered, or no reply was waited for any longer.
    pub(super) done: u64,
    /// Whether the proxy closed the connection before it had answered all of them.
    pub(super) cut_short: bool,
}

/// The requests of a case, in the order in which they were sent. `evidence` are the places of those that prove the
/// violation.
pub(super) fn chosen(
    observed: &Observed,
    evidence: &[usize],
    reach: Reach,
) -> Result<Vec<Batch>, Refusal> {
    let all = batches(observed);
    let proves = |batch: &Batch| batch.records.iter().any(|it| evidence.contains(it));
    let last = all.iter().rposition(proves).ok_or(Refusal::NoRequest)?;
    let sessions: BTreeSet<u32> = all
        .iter()
        .filter(|it| proves(it))
        .map(|it| it.session)
        .collect();
    let within = |batch: &Batch| match reach {
        Reach::Evidence => proves(batch),
        Reach::Connections => sessions.contains(&batch.session),
        Reach::Run => true,
    };
    let mut chosen: Vec<Batch> = all.into_iter().take(last + 1).filter(within).collect();
    let mut left: usize = chosen.iter().map(|batch| batch.records.len()).sum();
    let too_many = |left: usize| left > REQUESTS_MAX;
    let surplus = chosen.iter().take_while(|batch| {
        let goes = too_many(left);
        left -= batch.records.len();
        goes
    });
    let surplus = surplus.count();
    if chosen.drain(..surplus).any(|batch| proves(&batch)) {
        return Err(Refusal::TooMany);
    }
    Ok(chosen)
}

/// All requests that left their clients, in the order in which they were sent.
fn batches(observed: &Observed) -> Vec<Batch> {
    let mut batches: BTreeMap<(u64, u32), Vec<usize>> = BTreeMap::new();
    for (place, record) in observed.history.records.iter().enumerate() {
        if !never_sent(record) {
            let key = (record.sent, record.session);
            batches.entry(key).or_default().push(place);
        }
    }
    let batches = batches.into_iter();
    batches
        .map(|(key, places)| batch(observed, key, places))
        .collect()
}

/// Whether there was no connection to send it on.
fn never_sent(record: &Record) -> bool {
    record.completion == Completion::Failed && record.reply.is_none() && record.seen.is_empty()
}

fn batch(observed: &Observed, (sent, session): (u64, u32), mut records: Vec<usize>) -> Batch {
    let all = &observed.history.records;
    records.sort_unstable_by_key(|place| all[*place].sequence);
    let received = records.iter().map(|place| all[*place].received);
    let answered = received.clone().all(|at| at.is_some());
    let closed = observed.sessions.get(&session).and_then(|it| it.closed);
    let given_up = || closed.map_or(observed.load.to, |closed| closed.at);
    let done = match answered {
        true => received.flatten().max().unwrap_or(sent),
        false => given_up(),
    };
    Batch {
        session,
        records,
        sent,
        done: done.max(sent + 1),
        cut_short: !answered && closed.is_some_and(|closed| closed.by == Closer::Proxy),
    }
}
