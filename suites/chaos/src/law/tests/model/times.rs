//! When requests of the model are executed and answered, and which of them a fault hits.

use std::collections::HashMap;

use super::execution::Part;
use super::{END, MILLISECOND, Model, node_of};
use crate::history::Completion;
use crate::law::command::Command;
use crate::law::tests::run::error;
use crate::observed::{Span, Subject};

/// The outcome of a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Answered,
    Refused,
    Unanswered,
    Late,
}

impl Model {
    /// Draws the parts of each request of a pipeline, and the times at which they are executed and answered. Returns
    /// when the last one is answered.
    pub(super) fn reply(&mut self, first: usize, sent: u64) -> u64 {
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
}

/// The parts of a request: one per key if a proxy splits, one for the node of its key otherwise.
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
