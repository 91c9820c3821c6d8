//! Why there is no linearization: the operation that cannot be placed, and those around it.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;
use testbed::wire::quoted;

use super::judge::{Judge, Ruling};
use super::minimise::minimise;
use super::operation::{Effect, Operation};
use super::request::{Request, request};
use crate::history::{Completion, History, Record};

/// A violation, as small as it could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The violated condition.
    pub reason: Reason,
    /// The record of the request that cannot be placed among the others: the last of them to be answered.
    pub culprit: usize,
    /// The records of a small set of operations that no order explains, in the order in which they were sent.
    pub records: Vec<usize>,
    /// All of it, in a few lines.
    pub text: String,
}

/// What a violation consists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The command has no such reply.
    Reply,
    /// The value was never written to this key.
    NeverWritten,
    /// The value was only written by requests that were not executed.
    NotExecuted,
    /// Each order that explains the replies takes two requests of one session in the wrong order.
    SessionOrder,
    /// No order explains the replies, even if sessions may be reordered.
    Linearizability,
}

impl Reason {
    fn text(self) -> &'static str {
        match self {
            Self::Reply => "the command has no such reply",
            Self::NeverWritten => "the value was never written to this key",
            Self::NotExecuted => "the value was only written by a request that was not executed",
            Self::SessionOrder => {
                "the replies can only be explained if requests of one session took effect in another \
                 order than they were sent"
            }
            Self::Linearizability => "no order of these requests explains their replies",
        }
    }
}

/// Requests of an explanation that its text shows.
const SHOWN_LINES: usize = 30;

/// Explains a violation of one key.
pub(super) fn explain<'a>(
    (key, operations): (&[u8], &[Operation<&'a [u8]>]),
    history: &'a History,
    judge: &mut Judge,
) -> Explanation {
    let mut kept = minimise(operations, judge);
    kept.sort_by_key(|operation| (operation.sent, operation.session, operation.sequence));
    let reason = reason(key, &kept, history, judge);
    let answered = kept.iter().filter(|operation| operation.is_certain());
    let last = answered.max_by_key(|operation| {
        let Operation {
            end, act, sequence, ..
        } = *operation;
        (*end, act.is_read(), *sequence)
    });
    let culprit = last.or(kept.first()).map_or(0, |last| last.record as usize);
    let possible = |operation: &Operation<_>| operation.effect == Effect::Possible;
    let lines = kept.iter().map(|operation| {
        let record = &history.records[operation.record as usize];
        line(record, possible(operation))
    });
    Explanation {
        reason,
        culprit,
        text: text(key, reason, &history.records[culprit], lines),
        records: kept.iter().map(|kept| kept.record as usize).collect(),
    }
}

/// Explains a reply that its command cannot have.
pub(super) fn misfit(key: &[u8], index: u32, history: &History) -> Explanation {
    let culprit = index as usize;
    let record = &history.records[culprit];
    let lines = [line(record, false)].into_iter();
    Explanation {
        reason: Reason::Reply,
        culprit,
        records: vec![culprit],
        text: text(key, Reason::Reply, record, lines),
    }
}

fn reason(key: &[u8], kept: &[Operation<&[u8]>], history: &History, judge: &mut Judge) -> Reason {
    if let [Operation { act, .. }] = kept
        && let Some(Some(value)) = act.needs()
    {
        let failed = |record: &Record| record.completion == Completion::Failed;
        let writes = |record: &Record| match request(&record.request) {
            Request::Register(register) => register.parts().any(|part| part == (key, value)),
            _ => false,
        };
        let mut records = history.records.iter();
        return match records.any(|record| failed(record) && writes(record)) {
            true => Reason::NotExecuted,
            false => Reason::NeverWritten,
        };
    }
    match judge.rule_ignoring_sessions(kept) {
        Ruling::Linearizable(_) => Reason::SessionOrder,
        Ruling::Impossible | Ruling::Undecided => Reason::Linearizability,
    }
}

fn text(
    key: &[u8],
    reason: Reason,
    culprit: &Record,
    mut lines: impl Iterator<Item = String>,
) -> String {
    let mut text = format!(
        "key {}: request {} of session {} cannot be placed: {}\n",
        quoted(key),
        culprit.sequence,
        culprit.session,
        reason.text()
    );
    for line in lines.by_ref().take(SHOWN_LINES) {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  {line}");
    }
    let more = lines.count();
    if more > 0 {
        let _ = writeln!(text, "  and {more} more requests");
    }
    text
}

/// One request: its time, session, words, and reply.
fn line(record: &Record, possible: bool) -> String {
    let words: Vec<String> = record.request.iter().map(|word| shown(word)).collect();
    let reply = match (&record.reply, possible) {
        (Some(reply), false) => reply.to_string(),
        _ => "no reply yet".to_owned(),
    };
    let received = match (record.received, possible) {
        (Some(received), false) => millis(received),
        _ => "...".to_owned(),
    };
    format!(
        "{} to {received} ms, session {} request {}: {} -> {reply}",
        millis(record.sent),
        record.session,
        record.sequence,
        words.join(" "),
    )
}

fn shown(word: &[u8]) -> String {
    match !word.is_empty() && word.len() <= 64 && word.iter().all(u8::is_ascii_graphic) {
        true => String::from_utf8_lossy(word).into_owned(),
        false => quoted(word),
    }
}

fn millis(nanos: u64) -> String {
    format!("{}.{:06}", nanos / 1_000_000, nanos % 1_000_000)
}
