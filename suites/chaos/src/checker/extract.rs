//! From records to operations: the operations of each key, and requests that are not operations on registers.

use std::collections::HashMap;

use testbed::wire::Value;

use super::operation::{Act, Effect, Operation};
use super::request::{Ask, Register, Request, request};
use crate::history::{Completion, History, Record};

/// The operations on one key, in the order of the history.
pub(super) struct Key<'a> {
    pub(super) key: &'a [u8],
    pub(super) operations: Vec<Operation<&'a [u8]>>,
    /// The first record with a reply that its command cannot have.
    pub(super) misfit: Option<u32>,
    /// The first record that is not an operation on a register.
    pub(super) foreign: Option<u32>,
}

/// The operations of a history by key.
pub(super) struct Extracted<'a> {
    /// In the order in which they first occur.
    pub(super) keys: Vec<Key<'a>>,
    /// Sessions are numbered below this.
    pub(super) sessions: usize,
}

/// The operations of all records that may have been executed.
pub(super) fn extract(history: &History) -> Extracted<'_> {
    let mut extraction = Extraction::default();
    let mut others = Vec::new();
    for (index, record) in (0..).zip(&history.records) {
        if record.completion == Completion::Failed {
            continue;
        }
        match request(&record.request) {
            Request::Register(register) => extraction.add(index, record, register),
            other => others.push((index, record, other)),
        }
    }
    // All keys are known now.
    for (index, record, other) in others {
        extraction.foreign(index, record, other);
    }
    Extracted {
        keys: extraction.keys,
        sessions: extraction.sessions.len(),
    }
}

#[derive(Default)]
struct Extraction<'a> {
    keys: Vec<Key<'a>>,
    indices: HashMap<&'a [u8], usize>,
    sessions: HashMap<u32, u32>,
}

impl<'a> Extraction<'a> {
    fn add(&mut self, index: u32, record: &'a Record, register: Register<'a>) {
        let next = self.sessions.len() as u32;
        let session = *self.sessions.entry(record.session).or_insert(next);
        let count = register.len();
        for (at, (key, value)) in register.parts().enumerate() {
            let found = match record.completion {
                Completion::Indefinite => unanswered(register.ask, value),
                _ => acted(register.ask, value, record, (at, count)),
            };
            self.key(key).add(index, record, session, found);
        }
    }

    fn key(&mut self, key: &'a [u8]) -> &mut Key<'a> {
        let next = self.keys.len();
        let index = *self.indices.entry(key).or_insert(next);
        if index == next {
            self.keys.push(Key {
                key,
                operations: Vec::new(),
                misfit: None,
                foreign: None,
            });
        }
        &mut self.keys[index]
    }

    /// Notes other commands that may change a register. Which of their arguments are keys is unknown here.
    fn foreign(&mut self, index: u32, record: &'a Record, request: Request<'a>) {
        let Self { keys, indices, .. } = self;
        let mut note = |key: usize| {
            let foreign = &mut keys[key].foreign;
            *foreign = foreign.or(Some(index));
        };
        if request == Request::AllKeys {
            indices.values().copied().for_each(note);
        } else {
            let words = record.request.iter().skip(1);
            let known = words.filter_map(|word| indices.get(word.as_slice()));
            known.for_each(|key| note(*key));
        }
    }
}

impl<'a> Key<'a> {
    fn add(&mut self, index: u32, record: &Record, session: u32, found: Found<'a>) {
        let last = self.operations.last();
        let twice = last.is_some_and(|last| last.record == index);
        match found {
            Found::Act(act) if !twice => self.operations.push(Operation {
                record: index,
                session,
                sequence: record.sequence,
                sent: record.sent,
                end: record.end().unwrap_or(u64::MAX),
                act,
                effect: effect(record),
                place: place(record),
            }),
            Found::Act(_) | Found::Queued => self.foreign = self.foreign.or(Some(index)),
            Found::Nothing => (),
            Found::Misfit => self.misfit = self.misfit.or(Some(index)),
        }
    }
}

fn effect(record: &Record) -> Effect {
    match (record.completion, record.received) {
        (Completion::Ok, Some(_)) => Effect::Acknowledged,
        (Completion::Ok, None) => Effect::Unacknowledged,
        (Completion::Failed | Completion::Indefinite, _) => Effect::Possible,
    }
}

/// Where one node saw the request, if it was one request to one node.
fn place(record: &Record) -> Option<(u16, u64)> {
    match record.seen.as_slice() {
        [seen] => Some((seen.node, seen.order)),
        _ => None,
    }
}

/// What a request did to one key.
enum Found<'a> {
    Act(Act<&'a [u8]>),
    /// No effect that can be observed.
    Nothing,
    /// The request is part of a transaction.
    Queued,
    /// A reply that the command cannot have.
    Misfit,
}

/// What an indefinite request may have done to one key.
fn unanswered(ask: Ask, value: &[u8]) -> Found<'_> {
    match ask {
        Ask::Get | Ask::MGet => Found::Nothing,
        Ask::Set | Ask::MSet | Ask::GetSet => Found::Act(Act::Write(value)),
        Ask::SetNx | Ask::Setnx => Found::Act(Act::Create(value)),
        Ask::Del => Found::Act(Act::Clear),
    }
}

/// What an executed request did to key `at` of `count`.
fn acted<'a>(
    ask: Ask,
    value: &'a [u8],
    record: &'a Record,
    (at, count): (usize, usize),
) -> Found<'a> {
    let act = match &record.reply {
        Some(Value::Simple(text)) if text == b"QUEUED" => return Found::Queued,
        Some(Value::Array(values)) if ask == Ask::MGet && values.len() == count => {
            read(&values[at]).map(Act::Read)
        }
        Some(reply) => answered(ask, value, reply, count),
        None => None,
    };
    act.map_or(Found::Misfit, Found::Act)
}

/// What a request did to one of its `count` keys, by its one reply.
fn answered<'a>(ask: Ask, new: &'a [u8], reply: &'a Value, count: usize) -> Option<Act<&'a [u8]>> {
    let created = Act::Swap { old: None, new };
    match (ask, reply) {
        (Ask::Get, reply) => read(reply).map(Act::Read),
        (Ask::GetSet, reply) => read(reply).map(|old| Act::Swap { old, new }),
        (Ask::Set | Ask::MSet, Value::Simple(text)) if text == b"OK" => Some(Act::Write(new)),
        (Ask::SetNx, Value::Simple(text)) if text == b"OK" => Some(created),
        (Ask::SetNx, Value::NullBulk | Value::Null) => Some(Act::Exists),
        (Ask::Setnx, Value::Integer(1)) => Some(created),
        (Ask::Setnx, Value::Integer(0)) => Some(Act::Exists),
        (Ask::Del, Value::Integer(deleted)) => match usize::try_from(*deleted).ok()? {
            0 => Some(Act::Read(None)),
            all if all == count => Some(Act::Delete),
            // The reply does not say which of the keys existed.
            some => (some < count).then_some(Act::Clear),
        },
        _ => None,
    }
}

/// The value that a reply reports, absent or not; `None` if the reply is not a value.
fn read(reply: &Value) -> Option<Option<&[u8]>> {
    match reply {
        Value::NullBulk | Value::Null => Some(None),
        Value::Bulk(bytes) => Some(Some(bytes)),
        _ => None,
    }
}
