//! Executes the parts of the model's requests, and puts their replies together.

use std::collections::BTreeMap;

use testbed::wire::Value;

use super::node::Node;
use super::{END, Model, NODES, node_of};
use crate::history::{Answered, Completion, Seen};
use crate::law::command::Command;
use crate::law::tests::run::{array, bulk, ok, queued};
use crate::observed::{Observed, Span, Subject};

/// The part of a request for one node.
pub(super) struct Part {
    pub(super) record: usize,
    /// Its place among the parts of the request.
    pub(super) number: usize,
    pub(super) node: u16,
    pub(super) words: Vec<Vec<u8>>,
    pub(super) at: u64,
    /// Whether the answer gets back to the proxy.
    pub(super) answered: bool,
    /// The requests that EXEC executes.
    pub(super) queued: Vec<usize>,
}

impl Part {
    fn seen(&self, order: u64, reply: Value) -> Seen {
        let answered = Answered::new(self.at + 1, reply);
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

impl Model {
    /// Executes all parts in the order of their times.
    pub(super) fn execute(mut self) -> Observed {
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
                .map(|place| node.execute(&records[*place].request, part.at));
            let reply = match part.words[0].as_slice() {
                b"EXEC" => array(results),
                _ => node.execute(&part.words, part.at),
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
        self.run.two_proxies();
        self.run.observed
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
