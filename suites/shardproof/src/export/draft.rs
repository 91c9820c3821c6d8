//! The requests of a case with their keys and values in its notation, and the order of requests, replies and faults.

use std::collections::BTreeMap;

use chaos::law;
use chaos::observed::{Key, Observed, Span, Subject, Window};
use conformance::{NODES, Piece, Scope, Variable, Word};
use testbed::fault::{Fault, Object};
use testbed::wire::Arguments;

use super::Refusal;
use super::batch::{Act, Batch, Reach, chosen};

/// Arguments that are longer are values; the others are numbers and options.
const OPTION_BYTES_MAX: usize = 8;
/// Values that are longer keep their length.
const SHORT_BYTES_MAX: usize = 64;
/// Commands that a key with a string value may have.
const OF_STRINGS: &[&[u8]] = &[
    b"GET", b"GETSET", b"SET", b"MGET", b"MSET", b"DEL", b"EXPIRE",
];
/// Commands that read a string.
const READ_STRINGS: &[&[u8]] = &[b"GET", b"GETSET", b"MGET"];
/// Commands without a key that a case has.
const KEYLESS: &[&[u8]] = &[b"DISCARD", b"ECHO", b"EXEC", b"MULTI", b"PING", b"UNWATCH"];

/// A case without the replies that it expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub(super) given: Vec<Given>,
    /// In the order in which they are sent.
    pub(super) requests: Vec<Request>,
    pub(super) events: Vec<Event>,
    pub(super) scope: Scope,
}

/// A key that has a value from the beginning, so that reading it shows whose value it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) node: u16,
    pub(super) key: Word,
    pub(super) value: Word,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// The number of its client, from 1.
    pub(super) client: u8,
    /// The name of its command, in capitals.
    pub(super) name: Vec<u8>,
    pub(super) words: Vec<(Role, Word)>,
    /// The keys that it depends on, with their nodes: of MULTI and EXEC those of the transaction.
    pub(super) keys: BTreeMap<Key, u16>,
    pub(super) reads: bool,
    /// Whether the proxy closed the connection instead of an answer.
    pub(super) closed: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    Key(Key),
    Value,
    Other,
}

/// What happens next. Requests are places in the list of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    Want(Vec<usize>),
    Heal {
        node: u16,
        fault: String,
    },
    Fault {
        node: u16,
        fault: String,
        /// Whether the node may lose keys by it.
        empties: bool,
    },
    Send(Vec<usize>),
}

impl Draft {
    /// The requests around a violation that the requests at `evidence` prove.
    ///
    /// # Errors
    /// Why they are no case.
    pub fn new(
        observed: &Observed,
        evidence: &[usize],
        (reach, act): (Reach, Act),
    ) -> Result<Self, Refusal> {
        let batches = chosen(observed, evidence, reach)?;
        let mut notation = Notation::new(observed);
        let mut requests = Vec::new();
        let mut events = Vec::new();
        for batch in &batches {
            let before = requests.len();
            requests.extend(notation.batch(batch)?);
            let places: Vec<usize> = (before..requests.len()).collect();
            if !places.is_empty() {
                events.push((batch.sent, Event::Send(places.clone())));
                events.push((batch.done, Event::Want(places)));
            }
        }
        events.extend(faults(observed, &batches, act)?);
        events.sort();
        let events = events.into_iter().map(|(_, event)| event).collect();
        Ok(Self {
            given: notation.given(&requests),
            events: again_in_force(events),
            scope: notation.scope(),
            requests,
        })
    }

    /// The requests for one plain Redis, each with the number of its client: first those that make keys exist, of
    /// client 0, then one per expected reply.
    #[must_use]
    pub fn requests(&self) -> Vec<(u8, Arguments)> {
        let set = |given: &Given| {
            let (key, value) = (given.key.bytes(&self.scope), given.value.bytes(&self.scope));
            (0, vec![b"SET".to_vec(), key, value])
        };
        let sent = |request: &Request| {
            let words = request.words.iter();
            let words = words.map(|(_, word)| word.bytes(&self.scope)).collect();
            (request.client, words)
        };
        let given = self.given.iter().map(set);
        given.chain(self.requests.iter().map(sent)).collect()
    }

    /// How many of [`Self::requests`] come before the first one whose reply is expected.
    #[must_use]
    pub fn prepared(&self) -> usize {
        self.given.len()
    }
}

/// When faults begin and end that acted between the first request and the last reply.
fn faults(observed: &Observed, batches: &[Batch], act: Act) -> Result<Vec<(u64, Event)>, Refusal> {
    let span = Span {
        from: batches.iter().map(|batch| batch.sent).min().unwrap_or(0),
        to: batches.iter().map(|batch| batch.done).max().unwrap_or(0),
    };
    let mut events = Vec::new();
    let windows = observed.windows.iter();
    for window in windows.filter(|window| window.in_force.overlaps(span)) {
        let (node, fault) = (fault_of_cases(window)?, window.fault.clone());
        let empties = window.empties;
        let ends = Event::Heal {
            node,
            fault: fault.clone(),
        };
        let begins = Event::Fault {
            node,
            fault,
            empties,
        };
        let acting = acting(window, batches, act);
        events.push((acting.from, begins));
        if acting.to < span.to {
            events.push((acting.to, ends));
        }
    }
    Ok(events)
}

/// When a fault acts. It may do so before it is known to be in force, and after it is known to be.
fn acting(window: &Window, batches: &[Batch], act: Act) -> Span {
    let Span { from, to } = window.span;
    if act == Act::InTime {
        return Span { from, to };
    }
    let waits = |at: u64| {
        let waiting = batches.iter();
        waiting.filter(move |batch| batch.sent <= at && at < batch.done)
    };
    Span {
        from: waits(from).map(|batch| batch.sent).min().unwrap_or(from),
        // After their replies.
        to: waits(to).map(|batch| batch.done + 1).max().unwrap_or(to),
    }
}

/// The node of a fault that cases have too.
fn fault_of_cases(window: &Window) -> Result<u16, Refusal> {
    let text = &window.fault;
    let none = || Refusal::NoFaultOfCases(text.clone());
    let fault: Fault = text.parse().map_err(|_| none())?;
    let is_of_cases = matches!(fault.row().acts_on, Object::Link | Object::Node);
    let Subject::Node(node) = window.on else {
        return Err(none());
    };
    let names_key = text.split_whitespace().any(|word| word == "key");
    match (is_of_cases, names_key) {
        (false, _) => Err(none()),
        (true, true) => Err(Refusal::NamesKey(text.clone())),
        (true, false) => placed(node),
    }
}

fn placed(node: u16) -> Result<u16, Refusal> {
    match usize::from(node) < NODES {
        true => Ok(node),
        false => Err(Refusal::NoSuchNode(node)),
    }
}

/// `heal` ends all faults of a node: those that last longer begin again.
fn again_in_force(events: Vec<Event>) -> Vec<Event> {
    let mut acting: Vec<Event> = Vec::new();
    let mut all = Vec::new();
    for event in events {
        all.push(event.clone());
        match &event {
            Event::Fault { .. } => acting.push(event),
            Event::Heal { node, fault } => {
                let of_node = |other: &&Event| other.is_fault(*node, None);
                let ends = acting.iter().position(|it| it.is_fault(*node, Some(fault)));
                ends.map(|ends| acting.remove(ends));
                all.extend(acting.iter().filter(of_node).cloned());
            }
            Event::Send(_) | Event::Want(_) => {}
        }
    }
    all
}

impl Event {
    /// Whether a fault of the node begins: this one, if one is given.
    pub(super) fn is_fault(&self, of: u16, this: Option<&str>) -> bool {
        match self {
            Self::Fault { node, fault, .. } => *node == of && this.is_none_or(|it| it == fault),
            _ => false,
        }
    }
}

/// Clients, keys and values by their names in the case.
struct Notation<'a> {
    observed: &'a Observed,
    clients: BTreeMap<u32, u8>,
    /// By node and by the part of the key that its node follows from.
    variables: BTreeMap<(u16, Key), Variable>,
    values: BTreeMap<Vec<u8>, Word>,
}

impl<'a> Notation<'a> {
    fn new(observed: &'a Observed) -> Self {
        Self {
            observed,
            clients: BTreeMap::new(),
            variables: BTreeMap::new(),
            values: BTreeMap::new(),
        }
    }

    /// The requests of a batch that a case has: all but those without a key whose reply depends on the node.
    fn batch(&mut self, batch: &Batch) -> Result<Vec<Request>, Refusal> {
        let mut requests = Vec::new();
        for place in &batch.records {
            let record = &self.observed.history.records[*place];
            let closed = batch.cut_short && record.received.is_none();
            let request = self.request(batch.session, &record.request, closed)?;
            let has_key = !request.keys.is_empty();
            if has_key || KEYLESS.contains(&request.name.as_slice()) {
                requests.push(request);
            }
        }
        let keys: BTreeMap<Key, u16> = requests.iter().flat_map(|it| it.keys.clone()).collect();
        if requests.iter().any(|request| request.name == b"MULTI") {
            let keyless = requests
                .iter_mut()
                .filter(|request| request.keys.is_empty());
            keyless.for_each(|request| request.keys.clone_from(&keys));
        }
        Ok(requests)
    }

    fn request(
        &mut self,
        session: u32,
        request: &Arguments,
        closed: bool,
    ) -> Result<Request, Refusal> {
        let next = u8::try_from(self.clients.len() + 1).map_err(|_| Refusal::TooMany)?;
        let client = *self.clients.entry(session).or_insert(next);
        let name = request.first().map(|name| name.to_ascii_uppercase());
        let mut words = Vec::new();
        let mut keys = BTreeMap::new();
        for (place, word) in request.iter().enumerate() {
            let (role, word) = match self.observed.owners.get(word) {
                Some(node) if place > 0 => {
                    keys.insert(word.clone(), *node);
                    (Role::Key(word.clone()), self.key(word, placed(*node)?))
                }
                _ if place > 0 && word.len() > OPTION_BYTES_MAX => (Role::Value, self.value(word)),
                _ => (Role::Other, plain(word)),
            };
            words.push((role, word));
        }
        Ok(Request {
            client,
            name: name.unwrap_or_default(),
            words,
            keys,
            reads: law::reads(request),
            closed,
        })
    }

    /// A key, with its hash tag if it has one.
    fn key(&mut self, key: &[u8], node: u16) -> Word {
        let (before, tag, after) = tagged(key).unwrap_or((&[], key, &[]));
        let number = self.variables.keys().filter(|(at, _)| *at == node).count() + 1;
        let variable = Variable {
            node: Some(node.into()),
            moved: None,
            number: u32::try_from(number).unwrap_or(u32::MAX),
        };
        let variable = *(self.variables.entry((node, tag.to_vec()))).or_insert(variable);
        let around = |bytes: &[u8]| (!bytes.is_empty()).then(|| Piece::Bytes(bytes.to_vec()));
        let pieces = [around(before), Some(Piece::Key(variable)), around(after)];
        Word {
            pieces: pieces.into_iter().flatten().collect(),
            times: 1,
        }
    }

    /// A value: short, unless its length may matter, and different from all others.
    fn value(&mut self, value: &[u8]) -> Word {
        let number = self.values.len() + 1;
        let named = || match value.len() {
            0..=SHORT_BYTES_MAX => plain(format!("v{number}").as_bytes()),
            length => {
                let part = format!("v{number}-");
                Word {
                    times: length / part.len(),
                    ..plain(part.as_bytes())
                }
            }
        };
        self.values
            .entry(value.to_vec())
            .or_insert_with(named)
            .clone()
    }

    /// The keys that exist from the beginning: those that are read first, and used as strings only.
    fn given(&mut self, requests: &[Request]) -> Vec<Given> {
        let mut first: BTreeMap<&Key, &Request> = BTreeMap::new();
        for request in requests {
            for key in request.keys.keys() {
                first.entry(key).or_insert(request);
            }
        }
        let is = |request: &Request, names: &[&[u8]]| names.contains(&request.name.as_slice());
        let has = |key: &Key, request: &&Request| request.keys.contains_key(key);
        let is_string = |key: &Key| {
            let mut users = requests.iter().filter(|it| has(key, it));
            users.all(|request| is(request, OF_STRINGS))
        };
        let read = first
            .into_iter()
            .filter(|(_, request)| is(request, READ_STRINGS));
        let read = read.filter(|(key, _)| is_string(key));
        let read: Vec<(Key, u16)> = read.map(|(key, it)| (key.clone(), it.keys[key])).collect();
        let given = |(number, (key, node)): (usize, (Key, u16))| Given {
            node,
            key: self.key(&key, node),
            value: plain(format!("given{number}").as_bytes()),
        };
        (1..).zip(read).map(given).collect()
    }

    /// Keys for the plain Redis, which has no nodes.
    fn scope(&self) -> Scope {
        let named = |variable: &Variable| (*variable, variable.to_string().into_bytes());
        Scope {
            keys: self.variables.values().map(named).collect(),
            ..Scope::default()
        }
    }
}

fn plain(bytes: &[u8]) -> Word {
    Word {
        pieces: vec![Piece::Bytes(bytes.to_vec())],
        times: 1,
    }
}

/// A key in three parts: up to a hash tag, the text of the tag, and the rest.
fn tagged(key: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let from = key.iter().position(|byte| *byte == b'{')? + 1;
    let to = from + key[from..].iter().position(|byte| *byte == b'}')?;
    (to > from).then(|| (&key[..from], &key[from..to], &key[to..]))
}
