//! A tiny model of a correct proxy before three nodes: pipelines, faults, late execution, clients that leave, expiry and
//! stalls of the machine. No law may be broken by what it does, whatever the seed.
//!
//! First every request gets its times; then each node executes its parts in the order of theirs.

use std::collections::{BTreeMap, HashMap};

use testbed::wire::Value;

use super::node::Node;
use super::run::{Run, array, bulk, error, ok, queued};
use crate::history::{Answered, Completion, Library, Record, Seen};
use crate::law::command::Command;
use crate::observed::{Closed, Closer, Observed, Session, Span, Subject};

const MILLISECOND: u64 = 1_000_000;
const NODES: u64 = 3;
const END: u64 = 10_000 * MILLISECOND;

/// A correct run of this seed, with some forty requests of each client.
pub(crate) fn run(seed: u64, clients: u32) -> Observed {
    let mut model = Model::new(seed);
    model.faults();
    for session in 0..clients {
        model.client(session);
    }
    model.execute()
}

struct Model {
    random: u64,
    run: Run,
    parts: Vec<Part>,
    sessions: u32,
    values: u64,
}

/// What one node is asked for one request.
struct Part {
    record: usize,
    /// Its place among the parts of the request.
    number: usize,
    node: u16,
    words: Vec<Vec<u8>>,
    at: u64,
    /// Whether the answer gets back to the proxy.
    answered: bool,
    /// The requests that EXEC executes.
    queued: Vec<usize>,
}

impl Part {
    fn seen(&self, order: u64, reply: Value) -> Seen {
        let answered = Answered {
            at: self.at + 1,
            reply,
        };
        Seen {
            node: self.node,
            connection: self.node.into(),
            order,
            asked: self.at,
            answered: self.answered.then_some(answered),
        }
    }
}

/// The answers to the parts of each request.
type Answers = BTreeMap<usize, BTreeMap<usize, Value>>;

/// What becomes of a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    Refused,
    Unanswered,
    Late,
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut run = Run::new();
        run.sample(100, 500, 6);
        run.sample(11_000, 500, 6);
        Self {
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            run,
            parts: Vec::new(),
            sessions: 1000,
            values: 0,
        }
    }

    /// A number below a bound, by xorshift.
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % bound
    }

    fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One fault of a node or two, some of which empty it, and a stall.
    fn faults(&mut self) {
        for _ in 0..=self.below(2) {
            self.run.now = 1000 + self.below(5000);
            let node = self.below(NODES) as u16;
            let length = 200 + self.below(1500);
            self.run.window(Subject::Node(node), length);
            let empties = self.happens(30);
            self.run.observed.windows.last_mut().unwrap().empties = empties;
        }
        if self.happens(50) {
            let from = self.below(END);
            let to = from + 2000 * MILLISECOND;
            self.run.observed.stalls.push(Span { from, to });
        }
    }

    /// Pipelines of one client until the end, on a new connection where it left the old one.
    fn client(&mut self, number: u32) {
        let mut session = number;
        let mut now = self.below(100 * MILLISECOND);
        while now < END {
            self.open(session);
            let first = self.run.observed.history.records.len();
            for _ in 0..=self.below(4) {
                self.requests(session, &mut now);
            }
            let replied = self.reply(first, now);
            if self.happens(5) {
                self.leave(session, first, now);
                self.sessions += 1;
                session = self.sessions;
            } else {
                now = replied;
            }
            now += self.below(1500 * MILLISECOND);
        }
    }

    fn open(&mut self, session: u32) {
        let open = Session {
            workload: "model".to_owned(),
            closed: None,
        };
        self.run.observed.sessions.entry(session).or_insert(open);
    }

    /// The client closes before it has read the replies of its last pipeline.
    fn leave(&mut self, session: u32, first: usize, at: u64) {
        let by = Closer::Client;
        self.run.observed.sessions.get_mut(&session).unwrap().closed = Some(Closed { at, by });
        for record in &mut self.run.observed.history.records[first..] {
            (record.received, record.reply) = (None, None);
            record.completion = Completion::Indefinite;
        }
    }

    fn requests(&mut self, session: u32, now: &mut u64) {
        let number = self.below(3);
        let key = |kind: &str, model: &mut Self| {
            let node = ["a", "b", "c"][model.below(NODES) as usize];
            format!("{node}-{kind}-{number}")
        };
        self.values += 1;
        let value = self.values;
        let one = |text: String| vec![text];
        let texts = match self.below(12) {
            0 | 1 => one(format!("SET {} v{value}", key("reg", self))),
            2 | 3 => one(format!("GET {}", key("reg", self))),
            4 => one(format!("INCR {}", key("count", self))),
            5 => one(format!("RPUSH {} v{value}", key("list", self))),
            6 => one(format!("LRANGE {} 0 -1", key("list", self))),
            7 => one(format!(
                "MGET {} {} {}",
                key("reg", self),
                key("gone", self),
                key("ttl", self)
            )),
            8 => {
                self.values += 1;
                one(format!(
                    "MSET {} v{value} {} v{}",
                    key("gone", self),
                    key("many", self),
                    value + 1
                ))
            }
            9 => one(format!("DEL {} {}", key("gone", self), key("gone", self))),
            10 => one(format!("SET {} v{value} EX 1", key("ttl", self))),
            _ => return self.several(session, now, number),
        };
        for text in texts {
            self.send(session, &text, now);
        }
    }

    /// A transaction, or a whole SCAN.
    fn several(&mut self, session: u32, now: &mut u64, number: u64) {
        let value = self.values;
        let node = ["a", "b", "c"][self.below(NODES) as usize];
        let [one, two] = ["one", "two"].map(|which| format!("{node}-tx-{which}-{number}"));
        let texts = match self.below(3) {
            0 => ["SCAN 0", "SCAN 1", "SCAN 2"].map(str::to_owned).to_vec(),
            1 => vec![
                "MULTI".to_owned(),
                format!("GET {one}"),
                format!("GET {two}"),
                "EXEC".to_owned(),
            ],
            _ => {
                let [one, two] = [one, two].map(|key| format!("SET {key} v{value}"));
                vec!["MULTI".to_owned(), one, two, "EXEC".to_owned()]
            }
        };
        let first = self.run.observed.history.records.len();
        for text in &texts {
            self.send(session, text, now);
        }
        let records = &mut self.run.observed.history.records;
        for record in &mut records[first..] {
            match Command::of(&record.request) {
                Command::Multi => record.reply = Some(ok()),
                Command::Get(_) | Command::Set(..) if texts[0] == "MULTI" => {
                    record.reply = Some(queued());
                }
                _ => {}
            }
        }
    }

    fn send(&mut self, session: u32, text: &str, now: &mut u64) {
        *now += self.below(MILLISECOND);
        let records = &mut self.run.observed.history.records;
        records.push(Record {
            session,
            sequence: records.len() as u64,
            client: Library::Raw,
            sent: *now,
            received: None,
            request: text
                .split(' ')
                .map(|word| word.as_bytes().to_vec())
                .collect(),
            reply: None,
            completion: Completion::Ok,
            seen: Vec::new(),
        });
    }

    /// Gives each request of a pipeline its parts, and the times at which they are executed and answered. Returns when
    /// the last one is answered.
    fn reply(&mut self, first: usize, sent: u64) -> u64 {
        let mut at: HashMap<u16, u64> = HashMap::new();
        let mut answered = sent;
        let mut transaction: Vec<usize> = Vec::new();
        for place in first..self.run.observed.history.records.len() {
            let record = &self.run.observed.history.records[place];
            let (sent, request) = (record.sent, record.request.clone());
            let parts = match (Command::of(&request), record.reply.is_some()) {
                (Command::Multi, _) => {
                    transaction.clear();
                    Vec::new()
                }
                (_, true) => {
                    transaction.push(place);
                    Vec::new()
                }
                (Command::Exec, _) => {
                    let first = &self.run.observed.history.records[transaction[0]];
                    vec![(node_of(&first.request[1]), request)]
                }
                (command, _) => split(&command, &request),
            };
            let mut executed = match Command::of(&self.run.observed.history.records[place].request)
            {
                Command::Exec => std::mem::take(&mut transaction),
                _ => Vec::new(),
            };
            let mut due = sent;
            let mut worst = None;
            for (number, (node, words)) in parts.into_iter().enumerate() {
                let earliest = at.get(&node).copied().unwrap_or(0).max(sent);
                let mut when = earliest + 1 + self.below(MILLISECOND);
                let fate = self.fate(node, earliest, when);
                if fate == Fate::Late {
                    when += self.below(END - when.min(END - 1));
                } else {
                    at.insert(node, when);
                }
                if fate != Fate::Answered {
                    worst = Some(node);
                    due = due.max(sent + 100 * MILLISECOND);
                }
                due = due.max(if fate == Fate::Late { 0 } else { when });
                if fate != Fate::Refused {
                    self.parts.push(Part {
                        record: place,
                        number,
                        node,
                        words,
                        at: when,
                        answered: fate != Fate::Unanswered,
                        queued: std::mem::take(&mut executed),
                    });
                }
            }
            due += self.below(MILLISECOND);
            answered = self.stalled(answered.max(due));
            let record = &mut self.run.observed.history.records[place];
            record.received = Some(answered);
            if let Some(node) = worst {
                let name = &self.run.observed.node_names[usize::from(node)];
                record.reply = Some(error(&format!("ERR no answer from {name}")));
                record.completion = Completion::Indefinite;
            }
        }
        answered
    }

    /// A machine that stalls delivers its replies after it.
    fn stalled(&self, at: u64) -> u64 {
        let in_stall = |stall: &&Span| (stall.from..stall.to).contains(&at);
        self.run
            .observed
            .stalls
            .iter()
            .find(in_stall)
            .map_or(at, |stall| stall.to + 1)
    }

    fn fate(&mut self, node: u16, asked: u64, at: u64) -> Fate {
        let span = Span {
            from: asked,
            to: at + 1,
        };
        let windows = self.run.observed.windows.iter();
        let mut acting =
            windows.filter(|window| window.on == Subject::Node(node) && window.span.overlaps(span));
        let Some(window) = acting.next() else {
            return Fate::Answered;
        };
        let empties = window.empties || acting.any(|window| window.empties);
        match self.below(4) {
            0 => Fate::Refused,
            1 => Fate::Unanswered,
            2 if !empties => Fate::Late,
            3 if !empties => Fate::Answered,
            _ => Fate::Refused,
        }
    }

    /// Executes all parts in the order of their times.
    fn execute(mut self) -> Observed {
        self.parts.sort_by_key(|part| part.at);
        let mut nodes: Vec<Node> = (0..NODES).map(|_| Node::default()).collect();
        let mut answers = Answers::new();
        let mut emptied = self.emptied().into_iter().peekable();
        let mut order = 0;
        let records = &mut self.run.observed.history.records;
        for part in &self.parts {
            while let Some((_, node)) = emptied.next_if(|(at, _)| *at < part.at) {
                nodes[usize::from(node)] = Node::default();
            }
            let node = &mut nodes[usize::from(part.node)];
            for place in &part.queued {
                order += 1;
                records[*place].seen.push(part.seen(order, queued()));
            }
            let results = part
                .queued
                .iter()
                .map(|place| node.execute(&records[*place].request));
            let reply = match part.words[0].as_slice() {
                b"EXEC" => array(results),
                _ => node.execute(&part.words),
            };
            order += 1;
            records[part.record]
                .seen
                .push(part.seen(order, reply.clone()));
            answers
                .entry(part.record)
                .or_default()
                .insert(part.number, reply);
        }
        for (_, node) in emptied {
            nodes[usize::from(node)] = Node::default();
        }
        self.finish(&nodes, answers)
    }

    /// When which nodes lose all keys: in the middle of the fault.
    fn emptied(&self) -> Vec<(u64, u16)> {
        let windows = self
            .run
            .observed
            .windows
            .iter()
            .filter(|window| window.empties);
        let middle = |span: Span| span.from + (span.to - span.from) / 2;
        let emptied = windows.filter_map(|window| match window.on {
            Subject::Node(node) => Some((middle(window.span), node)),
            _ => None,
        });
        let mut emptied: Vec<_> = emptied.collect();
        emptied.sort_unstable();
        emptied
    }

    fn finish(mut self, nodes: &[Node], mut answers: Answers) -> Observed {
        let observed = &mut self.run.observed;
        for (place, record) in observed.history.records.iter_mut().enumerate() {
            if record.completion == Completion::Ok && record.reply.is_none() {
                let parts = answers.remove(&place).unwrap_or_default();
                record.reply = Some(join(&record.request, parts.into_values().collect()));
            }
            if record.received.is_some_and(|received| received > END) {
                (record.received, record.reply) = (None, None);
                record.completion = Completion::Indefinite;
            }
            for key in Command::of(&record.request).keys() {
                if key.contains(&b'-') {
                    observed.owners.insert(key.to_vec(), node_of(key));
                }
            }
        }
        observed.owners_after.clone_from(&observed.owners);
        for (node, place) in nodes.iter().zip(0..) {
            for (key, value) in node.contents() {
                observed
                    .contents
                    .entry(key)
                    .or_default()
                    .push((place, value));
            }
        }
        let records = &mut observed.history.records;
        records.sort_by_key(|record| (record.sent, record.session, record.sequence));
        self.run.observed
    }
}

fn node_of(key: &[u8]) -> u16 {
    u16::from(key[0] - b'a')
}

/// The parts of a request: one for each key where a proxy splits, one for the node of its key otherwise.
fn split(command: &Command<'_>, request: &[Vec<u8>]) -> Vec<(u16, Vec<Vec<u8>>)> {
    let name = |name: &str, words: &[&[u8]]| {
        let words = [name.as_bytes()].into_iter().chain(words.iter().copied());
        words.map(<[u8]>::to_vec).collect()
    };
    match command {
        Command::Mget(keys) => keys
            .iter()
            .map(|key| (node_of(key), name("GET", &[key])))
            .collect(),
        Command::Remove(keys) => keys
            .iter()
            .map(|key| (node_of(key), name("DEL", &[key])))
            .collect(),
        Command::Mset(pairs) => {
            let set = |pair: &[Vec<u8>]| (node_of(&pair[0]), name("SET", &[&pair[0], &pair[1]]));
            pairs.chunks(2).map(set).collect()
        }
        Command::Scan(cursor, _) => vec![(u16::from(cursor[0] - b'0'), request.to_vec())],
        _ => vec![(node_of(&request[1]), request.to_vec())],
    }
}

/// The reply out of those of the parts.
fn join(request: &[Vec<u8>], mut parts: Vec<Value>) -> Value {
    let count = |parts: &[Value]| {
        let number = |part: &Value| match part {
            Value::Integer(number) => *number,
            _ => 0,
        };
        parts.iter().map(number).sum()
    };
    match request[0].as_slice() {
        b"DEL" => Value::Integer(count(&parts)),
        b"MGET" => array(parts),
        b"MSET" => ok(),
        b"SCAN" => {
            let next = ["1", "2", "0"][usize::from(request[1][0] - b'0')];
            array([bulk(next), parts.remove(0)])
        }
        _ => parts.remove(0),
    }
}
