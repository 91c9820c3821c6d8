//! What the taps saw of each request: matched by unique values, and by key, time and reply if a request has none.
//!
//! Pure. Ambiguous sightings never become evidence: such a request of an unanswered client has no answer in its record.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use testbed::link::{self, Event, What};
use testbed::wire::Value;

use super::clock::nanoseconds;
use super::sighting::Sighting;
use super::tokenless;
use crate::history::{Answered, Passage, Record, Seen};

/// Everything that the taps recorded since a time.
#[derive(Debug)]
pub(super) struct Sightings {
    /// In the order of their times.
    pub(super) all: Vec<Sighting>,
    /// Whether every request to a node is among them.
    pub(super) complete: bool,
}

impl Sightings {
    /// The requests among `events`, which begin with the first connection, since `zero`.
    pub(super) fn new(events: Vec<Event>, zero: Duration) -> Self {
        let mut reader = Reader {
            zero,
            ..Reader::default()
        };
        for event in events {
            reader.read(event);
        }
        Self {
            all: reader.all,
            complete: !reader.garbled,
        }
    }
}

#[derive(Default)]
struct Reader {
    zero: Duration,
    all: Vec<Sighting>,
    /// For each connection the requests that are to be answered; those from before `zero` have no place in `all`.
    due: HashMap<u64, VecDeque<Option<usize>>>,
    /// For each connection the requests that the node answered, in the order of its replies.
    answered: HashMap<u64, Vec<Option<usize>>>,
    /// Requests so far by node.
    asked: BTreeMap<usize, u64>,
    garbled: bool,
}

impl Reader {
    fn read(&mut self, event: Event) {
        let at = nanoseconds(event.at.saturating_sub(self.zero));
        let is_before = event.at < self.zero;
        let due = self.due.entry(event.connection).or_default();
        match event.what {
            What::Asked(_) if is_before => due.push_back(None),
            What::Asked(request) => {
                due.push_back(Some(self.all.len()));
                let order = self.asked.entry(event.node).or_default();
                let seen = Seen {
                    node: u16::try_from(event.node).unwrap_or(u16::MAX),
                    connection: event.connection,
                    order: *order,
                    asked: at,
                    answered: None,
                };
                *order += 1;
                self.all.push(Sighting { seen, request });
            }
            // The node answered anyway, and that was recorded before.
            What::Acted(_) => {}
            // A push answers no request.
            What::Answered(Value::Push(_)) | What::Opened | What::GarbledReply(_) => {}
            What::Answered(reply) => {
                let asked = due.pop_front().flatten();
                if let Some(asked) = asked {
                    self.all[asked].seen.answered = Some(Answered::new(at, reply));
                }
                let answered = self.answered.entry(event.connection).or_default();
                answered.push(asked);
            }
            What::Left { reply, passage } => self.left(event.connection, reply, passage, at),
            What::Scripted(_) => drop(due.pop_front()),
            What::GarbledRequest(why) => self.garbled |= !is_probe(&why),
            What::Closed => {
                self.due.remove(&event.connection);
                self.answered.remove(&event.connection);
            }
        }
    }

    /// How the reply of this number went on.
    fn left(&mut self, connection: u64, reply: u64, passage: link::Passage, at: u64) {
        let place = usize::try_from(reply).ok();
        let answered = self.answered.get(&connection);
        let asked = answered
            .zip(place)
            .and_then(|(all, place)| *all.get(place)?);
        let Some(asked) = asked else { return };
        if let Some(answered) = &mut self.all[asked].seen.answered {
            answered.passage = match passage {
                link::Passage::Sent => Passage::Sent(at),
                link::Passage::Lost => Passage::Lost,
                link::Passage::HungUp => Passage::HungUp,
            };
        }
    }
}

/// Whether a connection began with an inline PING: a health check of the proxy, and not a client's request.
fn is_probe(why: &str) -> bool {
    why.contains("at byte 0") && why.contains(r#"got "PING\r\n""#)
}

/// Adds to each record what the nodes saw of it. `mark` is the prefix of all unique values.
pub(super) fn attach(records: &mut [Record], sightings: &Sightings, mark: &[u8]) {
    let all = &sightings.all;
    let mut claimed = vec![false; all.len()];
    let by_value = by_value(records, mark);
    for (place, sighting) in all.iter().enumerate() {
        let values = sighting
            .request
            .iter()
            .filter(|word| word.starts_with(mark));
        let found = values.filter_map(|value| by_value.get(value)).next();
        let Some(candidates) = found else { continue };
        claimed[place] = true;
        let same = |index: &&usize| records[**index].request == sighting.request;
        let index = candidates.iter().find(same).unwrap_or(&candidates[0]);
        records[*index].seen.push(sighting.seen.clone());
    }
    tokenless::attach(records, all, &mut claimed);
    attach_exec(records, all);
}

/// The records with each unique value: one, or those of one transaction.
fn by_value(records: &[Record], mark: &[u8]) -> HashMap<Vec<u8>, Vec<usize>> {
    let mut by_value: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    for (index, record) in records.iter().enumerate() {
        for word in record.request.iter().filter(|word| word.starts_with(mark)) {
            by_value.entry(word.clone()).or_default().push(index);
        }
    }
    by_value
}

/// EXEC has no value of its own: it is the next EXEC on the connection of its transaction.
fn attach_exec(records: &mut [Record], all: &[Sighting]) {
    let mut inside: HashMap<u32, Option<Seen>> = HashMap::new();
    for record in records.iter_mut() {
        match &record.request[0][..] {
            b"MULTI" => drop(inside.insert(record.session, None)),
            b"EXEC" => {
                let last = inside.remove(&record.session).flatten();
                record
                    .seen
                    .extend(last.and_then(|last| next_exec(all, &last)));
            }
            _ => {
                if let Some(last) = inside.get_mut(&record.session) {
                    *last = record.seen.first().cloned();
                }
            }
        }
    }
}

/// The EXEC that follows a request on its connection to the node.
fn next_exec(all: &[Sighting], last: &Seen) -> Option<Seen> {
    let from = all.partition_point(|sighting| sighting.seen.asked < last.asked);
    let is =
        |sighting: &Sighting, word: &str| sighting.request[0].eq_ignore_ascii_case(word.as_bytes());
    let ends = all[from..].iter().find(|sighting| {
        let same = sighting.seen.connection == last.connection;
        let later = sighting.seen.order > last.order;
        same && later && (is(sighting, "EXEC") || is(sighting, "MULTI"))
    })?;
    is(ends, "EXEC").then(|| ends.seen.clone())
}
