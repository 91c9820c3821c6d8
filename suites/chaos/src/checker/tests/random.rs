//! Random histories: executed on a register in an order that is right, and then made wrong in places.

use testbed::chance::Draws;
use testbed::wire::Value;

use super::brute::executed;
use crate::history::{Answered, Completion, Library, Record, Seen};

/// Numbers of one seed.
#[derive(Debug, Clone)]
pub(super) struct Random(Draws);

impl Random {
    pub(super) fn seeded(seed: u64) -> Self {
        Self(Draws::seeded(seed))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0.number()
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(super) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

/// Parameters of random histories.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) operations: u64,
    pub(super) sessions: u64,
    /// Nanoseconds for all of it: fewer than operations make many of them touch.
    pub(super) span: u64,
    /// Whether a session waits for each reply.
    pub(super) pipelined: bool,
    pub(super) commands: &'static [&'static str],
    /// One in N operations is indefinite; 0 is no operation.
    pub(super) indefinite: u64,
    /// One in N replies is replaced; 0 is no reply.
    pub(super) wrong: u64,
    pub(super) unique: bool,
}

/// One history on one key: most are linearizable, until replies are replaced.
pub(super) fn history(random: &mut Random, shape: Shape) -> Vec<Record> {
    let mut records = requests(random, shape);
    let points = points(random, &records);
    execute(&mut records, points);
    for index in 0..records.len() {
        if shape.indefinite > 0 && random.one_in(shape.indefinite) {
            lose(random, &mut records[index]);
        }
        if shape.wrong > 0 && random.one_in(shape.wrong) {
            let other = random.below(records.len() as u64) as usize;
            falsify(random, &mut records, index, other);
        }
    }
    records
}

fn requests(random: &mut Random, shape: Shape) -> Vec<Record> {
    let mut records = Vec::new();
    let mut free = vec![(0, 0); shape.sessions as usize];
    let mut sequences = vec![0; shape.sessions as usize];
    for value in 0..shape.operations {
        let session = random.below(shape.sessions) as usize;
        let (sent_last, received_last) = free[session];
        let from: u64 = match shape.pipelined {
            true => sent_last,
            false => received_last + 1,
        };
        let sent = from + random.below(1 + shape.span / shape.operations);
        // Replies of one connection come in order.
        let received = sent.max(received_last) + random.below(shape.span);
        free[session] = (sent, received);
        let value = match shape.unique {
            true => value,
            false => random.below(3),
        };
        records.push(Record {
            session: session as u32,
            sequence: sequences[session],
            client: Library::Raw,
            sent,
            received: Some(received),
            request: request(random, shape, value),
            reply: None,
            completion: Completion::Ok,
            seen: Vec::new(),
        });
        sequences[session] += 1;
    }
    records
}

fn request(random: &mut Random, shape: Shape, value: u64) -> Vec<Vec<u8>> {
    let command = shape.commands[random.below(shape.commands.len() as u64) as usize];
    let value = format!("v{value}");
    let words: &[&str] = match command {
        "GET" | "DEL" => &[command, "k"],
        "SET NX" => &["SET", "k", &value, "NX"],
        _ => &[command, "k", &value],
    };
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// The time at which each takes effect: while it is pending, and not before the previous one of its session.
fn points(random: &mut Random, records: &[Record]) -> Vec<(u64, usize)> {
    let mut points = Vec::new();
    let mut sessions = std::collections::BTreeMap::new();
    for (index, record) in records.iter().enumerate() {
        let last = sessions.get(&record.session).copied().unwrap_or(0);
        let (from, to) = (
            record.sent.max(last),
            record.received.unwrap_or(record.sent),
        );
        let point = from + random.below(to.saturating_sub(from) + 1);
        sessions.insert(record.session, point);
        points.push((point, index));
    }
    points.sort_unstable();
    points
}

fn execute(records: &mut [Record], points: Vec<(u64, usize)>) {
    let mut value: Option<Vec<u8>> = None;
    for (order, (at, index)) in (0..).zip(points) {
        let request = records[index].request.clone();
        let (after, reply) = executed(&request, value.as_deref());
        records[index].seen.push(Seen {
            node: 0,
            connection: 1,
            order,
            asked: at,
            answered: Some(Answered::new(at, reply.clone())),
        });
        records[index].reply = Some(reply);
        let after = after.map(<[u8]>::to_vec);
        value = after;
    }
}

/// The client does not get the reply. The node may have executed it, or not, and the tap may have seen it.
fn lose(random: &mut Random, record: &mut Record) {
    record.received = None;
    let seen = record.seen.iter().all(|seen| seen.asked >= record.sent);
    match random.below(3) {
        // As evidence settles it.
        0 if seen => (),
        _ => {
            record.completion = Completion::Indefinite;
            record.reply = None;
            record.seen.clear();
        }
    }
}

/// Another reply, or another request in its place in the session.
fn falsify(random: &mut Random, records: &mut [Record], one: usize, other: usize) {
    let record = &records[one];
    if record.completion != Completion::Ok {
        return;
    }
    let value = format!("v{}", random.below(records.len() as u64 + 1));
    let reply = match record.request[0].as_slice() {
        b"GET" | b"GETSET" if random.one_in(3) => Value::NullBulk,
        b"GET" | b"GETSET" => Value::Bulk(value.into_bytes()),
        b"SETNX" | b"DEL" => Value::Integer(random.below(2) as i64),
        b"SET" if records[one].request.len() == 4 => match random.one_in(2) {
            true => Value::NullBulk,
            false => Value::Simple(b"OK".to_vec()),
        },
        _ => return swap(records, one, other),
    };
    records[one].reply = Some(reply);
}

/// Two requests are swapped with their replies, as by a proxy that reorders.
fn swap(records: &mut [Record], one: usize, other: usize) {
    let received = |index: usize| records[index].received.is_some();
    if !received(one) || !received(other) {
        return;
    }
    let request = records[one].request.clone();
    let reply = records[one].reply.clone();
    let seen = records[one].seen.clone();
    records[one].request = records[other].request.clone();
    records[one].reply = records[other].reply.clone();
    records[one].seen = records[other].seen.clone();
    records[other].request = request;
    records[other].reply = reply;
    records[other].seen = seen;
}
