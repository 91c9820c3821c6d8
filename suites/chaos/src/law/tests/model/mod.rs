//! A tiny model of a correct proxy in front of three nodes: pipelines, faults, late execution, clients that leave,
//! expiry and stalls of the machine. Its runs must break no law, whatever the seed.
//!
//! First every request gets its times; then each node executes its parts in the order of their times.

mod execution;
mod node;
mod times;

use execution::Part;

use super::run::{Run, ok, queued};
use crate::history::{Completion, Library, Record};
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

    /// One or two faults of nodes, some of which empty the node, and a stall.
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

    /// Pipelines of one client until the end, on a new connection if it left the old one.
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
            proxy: u16::try_from(session % 2).unwrap(),
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
}

/// The node of a key, by its first letter.
fn node_of(key: &[u8]) -> u16 {
    u16::from(key[0] - b'a')
}
