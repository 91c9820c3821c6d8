//! A long run of a correct proxy before three nodes, one of which has a fault now and then.
//!
//! Sessions send their batches in turn, some at a time; their requests take effect in an order drawn by chance. Batches
//! of transactions and of SCAN are executed in one go.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use shardproof_chaos::history::{Answered, Completion, Header, History, Library, Record, Seen};
use shardproof_chaos::observed::{
    Key, Observed, Promises, Sample, Session, Span, Subject, Wait, Window,
};
use shardproof_chaos::workload::{Generator, Plan, WORKLOADS};
use testbed::chance::Chance;
use testbed::wire::{Arguments, Value};

use super::node::{Node, ok};

const MS: u64 = 1_000_000;
const NODES: u16 = 3;
const CLIENTS: u16 = 6;
/// Batches that are under way at once.
const AT_ONCE: usize = 6;
/// From one request to the next.
const EVERY: u64 = MS * 5 / 6;
/// From one fault to the next, how long it lasts, and the node that has it.
const FAULT_EVERY: u64 = 900 * MS;
const FAULT_LASTS: u64 = 300 * MS;
const FAULTY: u16 = 1;
/// When an error is answered.
const TIMEOUT: u64 = 200 * MS;
/// Most requests of the workload with large values, which would fill the memory.
const LARGE_MAX: usize = 400;
/// Requests for each key, at any length of the run.
const PER_KEY: usize = 100;

struct Client {
    session: u32,
    generator: Box<dyn Generator>,
    workload: &'static str,
    sequence: u64,
    /// When its last batch is answered.
    free_at: u64,
    /// What SCAN goes through.
    pages: Vec<Key>,
}

struct Run {
    random: u64,
    now: u64,
    nodes: Vec<Node>,
    orders: Vec<u64>,
    records: Vec<Record>,
    large: usize,
}

/// A run of this many requests.
pub(crate) fn observed(requests: usize) -> Observed {
    let keys = u32::try_from(requests / PER_KEY / WORKLOADS.len())
        .unwrap_or(1)
        .max(1);
    let mut clients = Vec::new();
    let mut all_keys = BTreeSet::new();
    for workload in WORKLOADS {
        let plan = plan(workload.id(), keys);
        all_keys.extend(workload.keys(&plan));
        for number in 0..CLIENTS {
            clients.push(Client {
                session: clients.len() as u32,
                generator: workload.client(&plan, number),
                workload: workload.id(),
                sequence: 0,
                free_at: 0,
                pages: Vec::new(),
            });
        }
    }
    let mut run = Run {
        random: 1,
        now: 0,
        nodes: (0..NODES).map(|_| Node::default()).collect(),
        orders: vec![0; NODES.into()],
        records: Vec::with_capacity(requests),
        large: 0,
    };
    while run.records.len() < requests {
        run.round(&mut clients);
    }
    run.finish(&clients, all_keys)
}

fn plan(id: &str, keys: u32) -> Plan {
    Plan {
        prefix: format!("{id}-"),
        mark: format!("v-{id}-"),
        chance: Chance::seeded(1).named(id),
        keys,
        pipeline: 4,
        clients: CLIENTS,
        apart: BTreeMap::new(),
    }
}

impl Run {
    /// A number below `limit` (xorshift64*).
    fn below(&mut self, limit: usize) -> usize {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) % limit as u64) as usize
    }

    fn round(&mut self, clients: &mut [Client]) {
        let mut batches: Vec<(usize, u64, std::vec::IntoIter<Arguments>)> = Vec::new();
        while batches.len() < AT_ONCE {
            let at = self.below(clients.len());
            let client = &mut clients[at];
            let busy = client.free_at > self.now || batches.iter().any(|(other, ..)| *other == at);
            let large = client.workload == "large-values" && self.large > LARGE_MAX;
            if busy || large {
                self.now += MS / 100;
                continue;
            }
            let batch = client.generator.batch();
            self.large += batch.len() * usize::from(client.workload == "large-values");
            batches.push((at, self.now, batch.into_iter()));
        }
        let mut replies: HashMap<usize, Vec<Option<Value>>> = HashMap::new();
        while !batches.is_empty() {
            let place = self.below(batches.len());
            let (at, sent, batch) = &mut batches[place];
            let (at, sent) = (*at, *sent);
            let in_one_go = matches!(clients[at].workload, "transactions" | "scan-while-writing");
            let take = if in_one_go { usize::MAX } else { 1 };
            let requests: Vec<Arguments> = batch.take(take).collect();
            if requests.is_empty() {
                batches.swap_remove(place);
                continue;
            }
            let said = self.requests(&mut clients[at], sent, requests);
            replies
                .entry(at)
                .or_default()
                .extend(said.into_iter().map(Some));
        }
        for (at, replies) in replies {
            clients[at].generator.answered(&replies);
        }
    }

    /// Executes requests one after another, those of a transaction at its end.
    fn requests(&mut self, client: &mut Client, sent: u64, requests: Vec<Arguments>) -> Vec<Value> {
        let mut queued: Option<Vec<usize>> = None;
        let nodes: BTreeSet<u16> = requests.iter().flat_map(keys).map(node_of).collect();
        let is_transaction = requests.iter().any(|request| request[0] == b"MULTI");
        let first = self.records.len();
        for request in requests {
            self.now += EVERY;
            let needs: BTreeSet<u16> = match is_transaction {
                true => nodes.clone(),
                false => keys(&request).map(node_of).collect(),
            };
            let refused = needs.contains(&FAULTY) && self.now % FAULT_EVERY < FAULT_LASTS;
            let place = self.records.len();
            let (reply, seen, at) = match &request[0][..] {
                _ if refused => (refusal(), Vec::new(), sent.max(self.now) + TIMEOUT),
                b"MULTI" => {
                    queued = Some(Vec::new());
                    (ok(), Vec::new(), self.now)
                }
                b"EXEC" => self.exec(client, queued.take().unwrap_or_default(), &nodes),
                b"SCAN" => (self.scan(client, &request), Vec::new(), self.now),
                _ => match &mut queued {
                    Some(queued) => {
                        queued.push(place);
                        (Value::Simple(b"QUEUED".to_vec()), Vec::new(), self.now)
                    }
                    None => self.execute(client, &request),
                },
            };
            let completion = match reply.is_error() {
                true => Completion::Indefinite,
                false => Completion::Ok,
            };
            let received = (at + MS / 10).max(client.free_at);
            client.free_at = received;
            self.records.push(Record {
                session: client.session,
                sequence: client.sequence,
                client: Library::Raw,
                sent,
                received: Some(received),
                request,
                reply: Some(reply),
                completion,
                seen,
            });
            client.sequence += 1;
        }
        let records = self.records[first..].iter();
        records.filter_map(|record| record.reply.clone()).collect()
    }

    /// The reply, with what each node of the keys saw.
    fn execute(&mut self, client: &Client, request: &Arguments) -> (Value, Vec<Seen>, u64) {
        let mut parts: BTreeMap<u16, Vec<Key>> = BTreeMap::new();
        for key in keys(request) {
            parts.entry(node_of(key)).or_default().push(key.clone());
        }
        let mut replies: HashMap<Key, Value> = HashMap::new();
        let (mut whole, mut count, mut seen) = (ok(), 0, Vec::new());
        for (node, keys) in parts {
            let part = part(request, &keys);
            let reply = self.nodes[usize::from(node)].execute(&part);
            match &reply {
                Value::Array(values) if request[0] == b"MGET" => {
                    replies.extend(keys.into_iter().zip(values.clone()));
                }
                Value::Integer(number) => count += number,
                _ => {}
            }
            seen.push(self.seen(node, client, reply.clone()));
            whole = reply;
        }
        let reply = match &request[0][..] {
            b"MGET" => {
                let value = |key: &Key| replies.get(key).cloned().unwrap_or(Value::NullBulk);
                Value::Array(request[1..].iter().map(value).collect())
            }
            b"DEL" => Value::Integer(count),
            _ => whole,
        };
        (reply, seen, self.now)
    }

    fn exec(
        &mut self,
        client: &Client,
        queued: Vec<usize>,
        nodes: &BTreeSet<u16>,
    ) -> (Value, Vec<Seen>, u64) {
        let node = nodes.first().copied().unwrap_or(0);
        let mut results = Vec::new();
        for place in queued {
            let request = self.records[place].request.clone();
            results.push(self.nodes[usize::from(node)].execute(&request));
            let seen = self.seen(node, client, Value::Simple(b"QUEUED".to_vec()));
            self.records[place].seen.push(seen);
        }
        let reply = Value::Array(results);
        let seen = vec![self.seen(node, client, reply.clone())];
        (reply, seen, self.now)
    }

    /// Each session has connections of its own.
    fn seen(&mut self, node: u16, client: &Client, reply: Value) -> Seen {
        let order = &mut self.orders[usize::from(node)];
        *order += 1;
        Seen {
            node,
            connection: u64::from(client.session) * u64::from(NODES) + u64::from(node),
            order: *order,
            asked: self.now,
            answered: Some(Answered::new(self.now + 1, reply)),
        }
    }

    /// A page of the keys that were there at cursor 0.
    fn scan(&self, client: &mut Client, request: &Arguments) -> Value {
        const PAGE: usize = 20;
        let cursor: usize = String::from_utf8_lossy(&request[1]).parse().unwrap_or(0);
        if cursor == 0 {
            let prefix = request[3].strip_suffix(b"*").unwrap_or_default();
            let keys = self.nodes.iter().flat_map(Node::keys);
            client.pages = keys
                .filter(|key| key.starts_with(prefix))
                .cloned()
                .collect();
        }
        let page = client.pages.iter().skip(cursor).take(PAGE);
        let page = Value::Array(page.map(|key| Value::Bulk(key.clone())).collect());
        let next = match cursor + PAGE < client.pages.len() {
            true => cursor + PAGE,
            false => 0,
        };
        Value::Array(vec![Value::Bulk(next.to_string().into_bytes()), page])
    }

    fn finish(mut self, clients: &[Client], keys: BTreeSet<Key>) -> Observed {
        self.records
            .sort_by_key(|record| (record.sent, record.session, record.sequence));
        let end = self.now + 5000 * MS;
        let node_names: Vec<String> = (0..NODES)
            .map(|n| format!("127.0.0.1:{}", 7001 + n))
            .collect();
        let mut header = Header::new("bench", "bench", 1);
        header.tapped = true;
        header.nodes.clone_from(&node_names);
        let span = |from: u64, lasts: u64| Span {
            from,
            to: from + lasts,
        };
        let window = |number: u64| Window {
            fault: "down".to_owned(),
            on: Subject::Node(FAULTY),
            span: span(number * FAULT_EVERY, FAULT_LASTS),
            in_force: span(number * FAULT_EVERY, FAULT_LASTS),
            empties: false,
        };
        let session = |client: &Client| {
            let workload = client.workload.to_owned();
            let closed = None;
            let session = Session {
                workload,
                proxy: 0,
                closed,
            };
            (client.session, session)
        };
        let sample = |number: u64| Sample {
            at: number * 50 * MS,
            proxy_bytes: 500,
            node_connections: Some(6),
        };
        let owners: BTreeMap<Key, u16> =
            keys.iter().map(|key| (key.clone(), node_of(key))).collect();
        let mut contents: BTreeMap<Key, Vec<(u16, Value)>> = BTreeMap::new();
        for (number, node) in (0..).zip(std::mem::take(&mut self.nodes)) {
            for (key, value) in node.contents() {
                contents.entry(key).or_default().push((number, value));
            }
        }
        Observed {
            history: History {
                header,
                records: self.records,
            },
            sessions: clients.iter().map(session).collect(),
            windows: (0..=self.now / FAULT_EVERY).map(window).collect(),
            load: span(0, end),
            owners_after: owners.clone(),
            owners,
            contents,
            proxies: Vec::new(),
            predicted: BTreeMap::new(),
            samples: (0..end / (50 * MS)).map(sample).collect(),
            stalls: (1..end / (10_000 * MS))
                .map(|n| span(n * 10_000 * MS, MS))
                .collect(),
            waits: (0..end / (50 * MS))
                .map(|n| Wait {
                    span: span(n * 50 * MS, 50 * MS),
                    longest: MS,
                })
                .collect(),
            node_names,
            promises: Promises {
                deadline: 2000 * MS,
                recovery: 500 * MS,
                memory_bytes: Some(1000),
                node_connections: Some(10),
                idle_node_connections: Some(6),
            },
        }
    }
}

fn refusal() -> Value {
    Value::Error(format!("ERR no answer from 127.0.0.1:{}", 7001 + FAULTY).into_bytes())
}

/// The keys that a request names.
fn keys(request: &Arguments) -> impl Iterator<Item = &Key> {
    let (step, most) = match &request[0][..] {
        b"MGET" | b"DEL" => (1, usize::MAX),
        b"MSET" => (2, usize::MAX),
        b"MULTI" | b"EXEC" | b"SCAN" => (1, 0),
        _ => (1, 1),
    };
    request[1..].iter().step_by(step).take(most)
}

/// What the node of these keys is asked.
fn part(request: &Arguments, keys: &[Key]) -> Arguments {
    match &request[0][..] {
        b"MGET" | b"DEL" => [&request[..1], keys].concat(),
        b"MSET" => {
            let pairs = request[1..]
                .chunks(2)
                .filter(|pair| keys.contains(&pair[0]));
            request[..1]
                .iter()
                .chain(pairs.flatten())
                .cloned()
                .collect()
        }
        _ => request.clone(),
    }
}

/// By the part in braces, if there is one.
fn node_of(key: &Key) -> u16 {
    let from = key
        .iter()
        .position(|byte| *byte == b'{')
        .map_or(0, |at| at + 1);
    let to = key
        .iter()
        .position(|byte| *byte == b'}')
        .unwrap_or(key.len());
    let sum = key[from..to]
        .iter()
        .fold(7_u32, |sum, byte| sum.wrapping_mul(31) + u32::from(*byte));
    u16::try_from(sum % u32::from(NODES)).unwrap_or(0)
}
