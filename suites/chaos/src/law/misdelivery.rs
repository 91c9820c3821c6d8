//! Replies that belong to another request: found by values that were written to one key only, and by the node's
//! replies.

use std::collections::{HashMap, HashSet};

use testbed::wire::Value;

use super::command::Command;
use super::findings::Findings;
use super::keys::{bulk, is_nil};
use super::operation::{Operation, operations};
use super::{Verdict, text};
use crate::history::Record;
use crate::observed::Observed;

/// The connection whose request a misdelivered reply belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// That of the request that it answered.
    SameConnection,
    /// Another one, or none that is known.
    Elsewhere,
}

/// A reply that its request cannot have.
struct Misdelivery {
    /// The request that it answered.
    record: usize,
    /// A request that it belongs to and that was not answered rightly itself, if one is known: on the same connection
    /// rather than on another.
    belongs_to: Option<usize>,
    origin: Origin,
}

/// The verdict of a law that forbids misdeliveries of one origin.
pub(super) fn judge(observed: &Observed, forbidden: Origin) -> Verdict {
    let mut findings = Findings::default();
    let records = &observed.history.records;
    let (judged, misdeliveries) = misdeliveries(observed);
    findings.judge_all(judged);
    let wrong = misdeliveries.iter().filter(|it| it.origin == forbidden);
    for misdelivery in wrong {
        let sent = records[misdelivery.record].sent;
        let places = [misdelivery.record].into_iter();
        findings.broken(sent, places.chain(misdelivery.belongs_to), || {
            sentence(records, misdelivery)
        });
    }
    findings.verdict(
        "replies answered their own requests",
        "a reply whose value only one key was given, or that a tap saw",
    )
}

fn sentence(records: &[Record], misdelivery: &Misdelivery) -> String {
    let request = text::request(&records[misdelivery.record]);
    let other = misdelivery.belongs_to.map(|it| text::request(&records[it]));
    match (other, misdelivery.origin) {
        (None, _) => format!("{request} has a reply that it cannot have"),
        (Some(other), Origin::Elsewhere) => format!("{request} has the reply of {other}"),
        (Some(other), Origin::SameConnection) => {
            format!("{request} has the reply of {other}, on the same connection")
        }
    }
}

/// Every misdelivery, and how many replies could be judged.
fn misdeliveries(observed: &Observed) -> (usize, Vec<Misdelivery>) {
    let records = &observed.history.records;
    let operations = operations(&observed.history);
    let tokens = Tokens::new(&operations);
    let mut judged = 0;
    let mut wrong = HashMap::new();
    let mut unanswered = HashSet::new();
    for operation in &operations {
        let record = &records[operation.record];
        if record.reply.as_ref().is_none_or(Value::is_error) {
            unanswered.insert(operation.record);
        }
        match compare(operation, record, &tokens) {
            Compared::Unknown => {}
            Compared::Right => judged += 1,
            Compared::Wrong(reply) => {
                judged += 1;
                wrong.insert(operation.record, reply);
            }
        }
    }
    let owed = Owed::new(records, |place| {
        wrong.contains_key(&place) || unanswered.contains(&place)
    });
    let mut found: Vec<Misdelivery> = (wrong.into_iter())
        .map(|(record, reply)| owed.explain(record, records[record].session, reply, &tokens))
        .collect();
    found.sort_unstable_by_key(|misdelivery| misdelivery.record);
    (judged, found)
}

/// The request that a value answers.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// Only this key was ever given the value.
    Key(&'a [u8]),
    /// Several keys were given the value.
    Shared,
}

/// Values that clients wrote, and keys that hold nothing else.
struct Tokens<'a> {
    values: HashMap<&'a [u8], Token<'a>>,
    /// Keys that requests changed in ways that are not followed.
    untold: HashSet<&'a [u8]>,
}

impl<'a> Tokens<'a> {
    fn new(operations: &[Operation<'a>]) -> Self {
        let mut tokens = Self {
            values: HashMap::new(),
            untold: HashSet::new(),
        };
        for operation in operations {
            tokens.learn(&operation.command);
        }
        tokens
    }

    fn learn(&mut self, command: &Command<'a>) {
        match *command {
            Command::Change(_) | Command::Other(_) => self.untold.extend(command.keys()),
            Command::Append(key, values) => {
                values.iter().for_each(|value| self.wrote(key, value));
            }
            _ => command
                .writes()
                .into_iter()
                .for_each(|(key, value)| self.wrote(key, value)),
        }
    }

    fn wrote(&mut self, key: &'a [u8], value: &'a [u8]) {
        let token = self.values.entry(value).or_insert(Token::Key(key));
        if *token != Token::Key(key) {
            *token = Token::Shared;
        }
    }

    /// Whether a value can be read from a key: `None` if that is unknown.
    fn fits(&self, key: &[u8], value: &Value) -> Option<bool> {
        if self.untold.contains(key) {
            return None;
        }
        match self.values.get(bulk(value)?)? {
            Token::Key(only) => Some(*only == key),
            Token::Shared => None,
        }
    }

    /// The key that holds the value of a reply.
    fn key(&self, reply: &Value) -> Option<&'a [u8]> {
        match self.values.get(bulk(reply)?)? {
            Token::Key(key) => Some(key),
            Token::Shared => None,
        }
    }
}

enum Compared<'a> {
    /// No evidence for or against it.
    Unknown,
    Right,
    /// The value, or the whole reply, that belongs elsewhere.
    Wrong(&'a Value),
}

fn compare<'a>(operation: &Operation<'a>, record: &'a Record, tokens: &Tokens<'_>) -> Compared<'a> {
    if let Some(reply) = echoed(record) {
        return reply;
    }
    // A reply that no client has read was not delivered.
    let Some(reply) = operation.reply.filter(|_| operation.received.is_some()) else {
        return Compared::Unknown;
    };
    match (
        by_token(&operation.command, reply, tokens),
        by_node(operation, record),
    ) {
        (Compared::Unknown, by_node) => by_node,
        (by_token, _) => by_token,
    }
}

/// ECHO, and PING with an argument, return their argument.
fn echoed(record: &Record) -> Option<Compared<'_>> {
    let [name, message] = record.request.as_slice() else {
        return None;
    };
    let echoes = name.eq_ignore_ascii_case(b"ECHO") || name.eq_ignore_ascii_case(b"PING");
    match (echoes, record.reply.as_ref()?) {
        (false, _) => None,
        (true, Value::Bulk(text)) if text == message => Some(Compared::Right),
        (true, reply) if reply.is_error() => None,
        (true, reply) => Some(Compared::Wrong(reply)),
    }
}

fn by_token<'a>(command: &Command<'_>, reply: &'a Value, tokens: &Tokens<'_>) -> Compared<'a> {
    let pairs: Vec<(&[u8], &Value)> = match (command, reply) {
        (Command::Get(key), value) => vec![(key, value)],
        (Command::List(key), Value::Array(values)) => {
            values.iter().map(|value| (*key, value)).collect()
        }
        (Command::Mget(keys), Value::Array(values)) if keys.len() == values.len() => {
            keys.iter().map(Vec::as_slice).zip(values).collect()
        }
        _ => return Compared::Unknown,
    };
    let mut verdict = Compared::Unknown;
    for (key, value) in pairs {
        match tokens.fits(key, value) {
            Some(false) => return Compared::Wrong(value),
            Some(true) => verdict = Compared::Right,
            None => {}
        }
    }
    verdict
}

/// Compares a reply with the node's, if the proxy has no reason to change it.
fn by_node<'a>(operation: &Operation<'a>, record: &'a Record) -> Compared<'a> {
    let verbatim = matches!(
        operation.command,
        Command::Get(_) | Command::Increment(_) | Command::Append(..) | Command::List(_)
    );
    let ([seen], Some(reply), true) = (record.seen.as_slice(), operation.reply, verbatim) else {
        return Compared::Unknown;
    };
    let own = operation.record == operation.replied_by;
    match seen.answered.as_ref().filter(|_| own) {
        Some(node) if node.reply == *reply || is_nil(&node.reply) && is_nil(reply) => {
            Compared::Right
        }
        Some(node) if !node.reply.is_error() => Compared::Wrong(reply),
        _ => Compared::Unknown,
    }
}

/// A reply that would answer a request.
#[derive(PartialEq, Eq, Hash)]
enum Due<'a> {
    /// The value of a key.
    Value(&'a [u8]),
    /// Exactly this reply: the node's own, or the argument of ECHO.
    Reply(&'a Value),
    /// These bytes.
    Echo(&'a [u8]),
}

/// Requests without a right answer, by the replies that would answer them.
struct Owed<'a> {
    in_session: HashMap<(u32, Due<'a>), Vec<usize>>,
    anywhere: HashMap<Due<'a>, Vec<usize>>,
}

impl<'a> Owed<'a> {
    fn new(records: &'a [Record], owed: impl Fn(usize) -> bool) -> Self {
        let mut index = Self {
            in_session: HashMap::new(),
            anywhere: HashMap::new(),
        };
        for (place, record) in records.iter().enumerate().filter(|(place, _)| owed(*place)) {
            for (due, again) in due(record).into_iter().zip(due(record)) {
                let key = (record.session, due);
                index.in_session.entry(key).or_default().push(place);
                index.anywhere.entry(again).or_default().push(place);
            }
        }
        index
    }

    fn explain(
        &self,
        record: usize,
        session: u32,
        reply: &'a Value,
        tokens: &Tokens<'a>,
    ) -> Misdelivery {
        let dues = || {
            let key = tokens.key(reply).map(Due::Value);
            let echo = bulk(reply).map(Due::Echo);
            [key, echo, Some(Due::Reply(reply))].into_iter().flatten()
        };
        let here = dues().find_map(|due| nearest(self.in_session.get(&(session, due))?, record));
        let there = || dues().find_map(|due| nearest(self.anywhere.get(&due)?, record));
        Misdelivery {
            record,
            belongs_to: here.or_else(there),
            origin: match here {
                Some(_) => Origin::SameConnection,
                None => Origin::Elsewhere,
            },
        }
    }
}

/// The replies that would answer a request.
fn due(record: &Record) -> Vec<Due<'_>> {
    let command = Command::of(&record.request);
    let mut due: Vec<Due<'_>> = match command {
        Command::Get(key) | Command::List(key) => vec![Due::Value(key)],
        Command::Mget(keys) => keys.iter().map(|key| Due::Value(key)).collect(),
        Command::Keyless => record
            .request
            .iter()
            .skip(1)
            .map(|word| Due::Echo(word))
            .collect(),
        _ => Vec::new(),
    };
    due.extend(
        record
            .executed()
            .map(|answered| Due::Reply(&answered.reply)),
    );
    due
}

/// The place nearest to another. A request explains its own reply only if no other request does.
fn nearest(places: &[usize], to: usize) -> Option<usize> {
    let after = places.partition_point(|place| *place <= to);
    let before = places[..after].iter().rev().find(|place| **place != to);
    let around = [before, places.get(after)].into_iter().flatten().copied();
    around
        .min_by_key(|place| place.abs_diff(to))
        .or(places.first().copied())
}
