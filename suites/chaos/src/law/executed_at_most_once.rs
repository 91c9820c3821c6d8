//! A write that a node may have executed is not sent again.

use std::collections::HashMap;

use super::command::Command;
use super::findings::Findings;
use super::keys::owner;
use super::{Law, Verdict, text};
use crate::history::{Record, Seen};
use crate::observed::Observed;

pub(super) struct ExecutedAtMostOnce;

impl Law for ExecutedAtMostOnce {
    fn id(&self) -> &'static str {
        "executed-at-most-once"
    }

    fn promise(&self) -> &'static str {
        "a write that a node may have executed is not sent to a node again"
    }

    fn source(&self) -> &'static str {
        "https://github.com/redis/redis-py/issues/261"
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let mut findings = Findings::default();
        for (index, record) in observed.history.records.iter().enumerate() {
            judge(observed, index, record, &mut findings);
        }
        findings.verdict(
            "writes were sent to their nodes once",
            "a write that a tap saw",
        )
    }
}

fn judge(observed: &Observed, index: usize, record: &Record, findings: &mut Findings) {
    let command = Command::of(&record.request);
    if command.reads() || matches!(command, Command::Other(_)) || record.seen.is_empty() {
        return;
    }
    findings.judge();
    let mut asked: HashMap<u16, usize> = HashMap::new();
    for seen in record.seen.iter().filter(|seen| may_be_executed(seen)) {
        *asked.entry(seen.node).or_default() += 1;
    }
    let keys = command.keys();
    let total: usize = asked.values().sum();
    let repeated = |(node, count): (&u16, &usize)| *count > parts(observed, &keys, *node);
    if asked.iter().any(repeated) || keys.len() == 1 && total > 1 {
        findings.broken(record.sent, [index], || {
            let (request, parts) = (text::request(record), keys.len().max(1));
            format!("{request} was sent to nodes {total} times, though it has {parts} parts")
        });
    }
}

/// A node that answered with an error has not executed it.
fn may_be_executed(seen: &Seen) -> bool {
    !(seen.answered.as_ref()).is_some_and(|answered| answered.reply.is_error())
}

/// The most requests into which a proxy may split a request for one node: one per key that may be on the node.
fn parts(observed: &Observed, keys: &[&[u8]], node: u16) -> usize {
    let there = |key: &&&[u8]| owner(observed, key).is_none_or(|owner| owner == node);
    keys.iter().filter(there).count().max(1)
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, bulk, check_broken, check_kept, error, int, ok};

    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        let repeated = run.ok(7, "SET a-key-1 value-a-key-1", ok());
        repeat(&mut run, repeated);
        run
    }

    fn repeat(run: &mut Run, place: usize) {
        let seen = run.record(place).seen[0].clone();
        run.record(place).seen.push(seen);
    }

    #[test]
    fn a_repeated_write_breaks_it() {
        let sentence = r#"SET "a-key-1" "value-a-key-1" (session 7, sent at 9.000 s) was sent to nodes 2 times, though it has 1 parts"#;
        check_broken(&ExecutedAtMostOnce, &double(), sentence);
    }

    #[test]
    fn a_write_repeated_after_no_answer_breaks_it() {
        let mut run = double();
        let last = run.observed.history.records.len() - 1;
        run.record(last).seen[0].answered = None;
        let sentence = r#"SET "a-key-1" "value-a-key-1" (session 7, sent at 9.000 s) was sent to nodes 2 times, though it has 1 parts"#;
        check_broken(&ExecutedAtMostOnce, &run, sentence);
    }

    #[test]
    fn reads_refusals_and_parts_may_be_sent_again() {
        let mut run = Run::healthy();
        let read = run.ok(7, "GET a-key-1", bulk("value-a-key-1"));
        repeat(&mut run, read);
        let split = run.ok(7, "DEL a-x a-y", int(0));
        repeat(&mut run, split);
        let refused = run.ok(7, "SET a-key-1 value-a-key-1", ok());
        repeat(&mut run, refused);
        let answered = run.record(refused).seen[0].answered.as_mut().unwrap();
        answered.reply = error("LOADING");
        check_kept(&ExecutedAtMostOnce, &run);
    }
}
