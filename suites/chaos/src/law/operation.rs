//! Operations: the requests of a history with the outcome of each, and transactions split into their requests.
//!
//! A request that a transaction queued takes its result from the reply of EXEC. Completions that clients could not
//! decide are decided by what the nodes saw, as in [`crate::history::settle`].

use std::collections::HashMap;

use testbed::wire::Value;

use super::command::Command;
use crate::history::{Completion, History, Record, may_be_split};

/// One command on the keys that it names.
#[derive(Debug, Clone)]
pub(super) struct Operation<'a> {
    /// Its place in the history.
    pub(super) record: usize,
    /// The place of the request whose reply holds its result: its own, or EXEC.
    pub(super) replied_by: usize,
    /// Its connection.
    pub(super) session: u32,
    /// Its command.
    pub(super) command: Command<'a>,
    /// The earliest time at which it can have taken effect.
    pub(super) sent: u64,
    /// When the client had its result.
    pub(super) received: Option<u64>,
    /// Whether it was executed.
    pub(super) completion: Completion,
    /// Its result, if it was executed.
    pub(super) reply: Option<&'a Value>,
    /// The latest time at which it took effect, if it was executed.
    pub(super) end: Option<u64>,
}

impl Operation<'_> {
    /// Whether it was executed.
    pub(super) fn ok(&self) -> bool {
        self.completion == Completion::Ok
    }

    /// Whether it may have been executed.
    pub(super) fn possible(&self) -> bool {
        self.completion != Completion::Failed
    }

    /// The latest time at which it took effect: never, if that is not known.
    pub(super) fn latest(&self) -> u64 {
        self.end.unwrap_or(u64::MAX)
    }

    /// Its places in the history: its own, and that of EXEC if it was queued.
    pub(super) fn records(&self) -> [usize; 2] {
        [self.record, self.replied_by]
    }
}

/// The operations of a history, in the order of its records.
pub(super) fn operations(history: &History) -> Vec<Operation<'_>> {
    let mut operations = Vec::with_capacity(history.records.len());
    let mut open: HashMap<u32, Vec<usize>> = HashMap::new();
    for (index, record) in history.records.iter().enumerate() {
        let operation = settled(index, record, history.header.tapped);
        let here = operations.len();
        match operation.command {
            Command::Multi if operation.possible() => drop(open.insert(record.session, Vec::new())),
            Command::Exec => {
                let queued = open.remove(&record.session).unwrap_or_default();
                execute(&mut operations, &queued, &operation);
            }
            Command::Discard => drop(open.remove(&record.session)),
            _ => {
                let transaction = open.get_mut(&record.session);
                if queued(record) || transaction.is_some() && record.reply.is_none() {
                    open.entry(record.session).or_default().push(here);
                    operations.push(unexecuted(operation));
                    continue;
                }
            }
        }
        operations.push(operation);
    }
    operations
}

/// A request as its own reply, or its node's answer, decides it.
fn settled(index: usize, record: &Record, tapped: bool) -> Operation<'_> {
    let command = Command::of(&record.request);
    let answer = record.executed().min_by_key(|answered| answered.at);
    let whole = record.seen.len() == 1 && !may_be_split(record);
    let (completion, reply) = match (record.completion, answer) {
        (Completion::Indefinite, Some(answer)) if whole => (Completion::Ok, Some(&answer.reply)),
        (Completion::Indefinite, None) if record.seen.is_empty() && tapped => {
            (Completion::Failed, None)
        }
        (Completion::Ok, _) => (Completion::Ok, record.reply.as_ref()),
        (completion, _) => (completion, None),
    };
    let by_client = record.completion == Completion::Ok;
    let received = record.received.filter(|_| by_client);
    let end = match completion {
        Completion::Ok => received.or(answer.map(|answer| answer.at)),
        Completion::Failed | Completion::Indefinite => None,
    };
    Operation {
        record: index,
        replied_by: index,
        session: record.session,
        command,
        sent: record.sent,
        received,
        completion,
        reply,
        end,
    }
}

/// Whether a transaction took the request, by the reply of the proxy or of the node.
fn queued(record: &Record) -> bool {
    let answers = record.executed().map(|answered| &answered.reply);
    let mut replies = record.reply.iter().chain(answers);
    replies.any(|reply| *reply == Value::Simple(b"QUEUED".to_vec()))
}

/// A request of a transaction is not executed before EXEC.
fn unexecuted(operation: Operation<'_>) -> Operation<'_> {
    Operation {
        completion: Completion::Failed,
        received: None,
        reply: None,
        end: None,
        ..operation
    }
}

/// Assigns the results in the reply of EXEC to the queued requests of a transaction.
fn execute<'a>(operations: &mut [Operation<'a>], queued: &[usize], exec: &Operation<'a>) {
    let (completion, results) = match (exec.completion, exec.reply) {
        (Completion::Ok, Some(Value::Array(results))) if results.len() == queued.len() => {
            (Completion::Ok, results.as_slice())
        }
        (Completion::Ok, Some(Value::NullArray | Value::Null)) => {
            (Completion::Failed, [].as_slice())
        }
        (Completion::Failed, _) => (Completion::Failed, [].as_slice()),
        _ => (Completion::Indefinite, [].as_slice()),
    };
    for (place, &queued) in queued.iter().enumerate() {
        let operation = &mut operations[queued];
        operation.replied_by = exec.record;
        operation.sent = exec.sent;
        operation.completion = completion;
        let Some(result) = results.get(place) else {
            continue;
        };
        if result.is_error() {
            operation.completion = Completion::Failed;
            continue;
        }
        operation.reply = Some(result);
        (operation.received, operation.end) = (exec.received, exec.end);
    }
}
