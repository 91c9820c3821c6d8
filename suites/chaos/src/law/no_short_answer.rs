//! A request on keys of several nodes, of which one did not answer, is not answered as if the keys were missing.

use testbed::class::Class;
use testbed::wire::Value;

use super::command::Command;
use super::findings::Findings;
use super::keys::{is_nil, owner};
use super::overlaps::Overlaps;
use super::windows::{Faults, life};
use super::{Law, Verdict, text};
use crate::history::{Record, Seen};
use crate::observed::{Observed, Subject};

pub(super) struct NoShortAnswer;

impl Law for NoShortAnswer {
    fn id(&self) -> &'static str {
        "no-short-answer"
    }

    fn promise(&self) -> &'static str {
        "a request on several keys, of which a node did not answer its own, has an error and no nil or smaller count"
    }

    fn source(&self) -> &'static str {
        "https://github.com/envoyproxy/envoy/issues/31038"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::Wrong]
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let mut findings = Findings::default();
        if observed.history.header.tapped {
            let overlaps = Overlaps::new(&observed.history);
            let faults = Faults::new(observed);
            for (index, record) in observed.history.records.iter().enumerate() {
                judge(observed, (&overlaps, &faults), index, record, &mut findings);
            }
        }
        findings.verdict(
            "requests on keys of a node with a fault were answered in full or with an error",
            "taps, and a request on several keys while the node of one had a fault",
        )
    }
}

fn judge(
    observed: &Observed,
    (overlaps, faults): (&Overlaps<'_>, &Faults<'_>),
    index: usize,
    record: &Record,
    findings: &mut Findings,
) {
    let command = Command::of(&record.request);
    let several = matches!(
        command,
        Command::Mget(_) | Command::Mset(_) | Command::Remove(_)
    );
    let keys = command.keys();
    let Some(reply) = record.reply.as_ref().filter(|_| several && keys.len() > 1) else {
        return;
    };
    let span = life(observed, record);
    let faulted = |node| {
        let mut acting = faults.acting(span);
        acting.any(|window| window.on == Subject::Node(node))
    };
    // Requests without a unique value are matched by key and time. Parts for one node may be confused where any of their
    // keys is that of another request at the same time.
    let matched = matches!(command, Command::Mget(_) | Command::Remove(_));
    let confused = |node| {
        let there = |key: &&&[u8]| owner(observed, key) == Some(node);
        matched
            && keys
                .iter()
                .filter(there)
                .any(|key| overlaps.any(key, index))
    };
    let mut judged = false;
    for (place, key) in keys.iter().enumerate() {
        let node = owner(observed, key).filter(|node| faulted(*node));
        let Some(node) = node.filter(|node| !confused(*node)) else {
            continue;
        };
        judged = true;
        if answered(record, node) || !claims(reply, place) {
            continue;
        }
        findings.broken(record.sent, [index], || {
            let request = text::request(record);
            format!(
                "{request} was answered {reply}, though node {node} did not answer for its keys"
            )
        });
        break;
    }
    if judged {
        findings.judge();
    }
}

/// Whether a node answered a part of a request.
fn answered(record: &Record, node: u16) -> bool {
    let answers = |seen: &Seen| {
        let answered = seen.answered.as_ref();
        answered.is_some_and(|answered| !answered.reply.is_error())
    };
    record
        .seen
        .iter()
        .any(|seen| seen.node == node && answers(seen))
}

/// Whether a reply claims something about the key in a place: that it is missing, or that all keys were processed.
fn claims(reply: &Value, place: usize) -> bool {
    match reply {
        Value::Array(values) => values.get(place).is_some_and(is_nil),
        Value::Integer(_) | Value::Simple(_) => true,
        _ => false,
    }
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, array, bulk, check_broken, check_kept, error, int, ok};

    /// A DEL of keys on nodes 0 and 1 while node 1 has a fault and does not answer.
    fn asked(request: &str, reply: Value) -> Run {
        let mut run = Run::healthy();
        run.now = 4500;
        let short = run.ok(7, request, reply);
        run.record(short).seen[1].answered = None;
        run
    }

    pub(in crate::law) fn double() -> Run {
        asked("DEL a-x b-x", int(1))
    }

    #[test]
    fn a_smaller_count_breaks_it() {
        let sentence = r#"DEL "a-x" "b-x" (session 7, sent at 4.500 s) was answered :1, though node 1 did not answer for its keys"#;
        check_broken(&NoShortAnswer, &double(), sentence);
    }

    #[test]
    fn nil_in_place_of_an_error_breaks_it() {
        let run = asked("MGET a-x b-x", array([bulk("one"), Value::NullBulk]));
        let sentence = r#"MGET "a-x" "b-x" (session 7, sent at 4.500 s) was answered *2 "one" nil, though node 1 did not answer for its keys"#;
        check_broken(&NoShortAnswer, &run, sentence);
    }

    #[test]
    fn ok_for_a_write_that_a_node_did_not_answer_breaks_it() {
        let mut run = asked("MSET a-x one b-x two", ok());
        let last = run.observed.history.records.len() - 1;
        run.record(last).seen.pop();
        let sentence = r#"MSET "a-x" "one" "b-x" "two" (session 7, sent at 4.500 s) was answered +OK, though node 1 did not answer for its keys"#;
        check_broken(&NoShortAnswer, &run, sentence);
    }

    #[test]
    fn a_part_that_may_be_that_of_another_request_is_not_judged() {
        let request = "MGET a-x b-x b-y";
        let nil = || Value::NullBulk;
        let mut run = asked(request, array([bulk("one"), nil(), nil()]));
        check_broken(
            &NoShortAnswer,
            &run,
            r#"MGET "a-x" "b-x" "b-y" (session 7, sent at 4.500 s) was answered *3 "one" nil nil, though node 1 did not answer for its keys"#,
        );
        run.now = 4500;
        run.ok(8, "MGET b-y b-z", array([nil(), nil()]));
        check_kept(&NoShortAnswer, &run);
    }

    #[test]
    fn an_error_in_the_place_of_the_key_is_right() {
        check_kept(
            &NoShortAnswer,
            &asked("MGET a-x b-x", array([bulk("one"), error("ERR no")])),
        );
        check_kept(&NoShortAnswer, &asked("DEL a-x b-x", error("ERR no")));
    }
}
