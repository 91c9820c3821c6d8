//! A counter ends at the number of its increments, and each INCR has its own reply, greater than those before it.

use std::collections::HashMap;

use testbed::class::Class;
use testbed::wire::{Value, quoted};

use super::before::Before;
use super::command::Command;
use super::findings::Findings;
use super::keys::{bulk, by_key, found, is_nil, lasts};
use super::operation::{Operation, operations};
use super::{Law, Verdict, text};
use crate::observed::Observed;

pub(super) struct CountersExact;

impl Law for CountersExact {
    fn id(&self) -> &'static str {
        "counters-exact"
    }

    fn promise(&self) -> &'static str {
        "a counter ends at the number of its acknowledged increments, or that plus indefinite ones, and its replies are \
         unique and increasing"
    }

    fn source(&self) -> &'static str {
        "https://github.com/redis/jedis/issues/3187"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::Wrong]
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let operations = operations(&observed.history);
        let mut findings = Findings::default();
        for (key, uses) in by_key(&operations) {
            if counts(&uses) && lasts(observed, key) {
                let counter = Counter::new(key, uses);
                counter.replies(&mut findings);
                counter.order(&mut findings);
                counter.end(observed, &mut findings);
            }
        }
        findings.verdict(
            "replies and final values of counters were exact",
            "an INCR on a key that nothing else writes, on a node that kept its keys",
        )
    }
}

/// Whether a key is only incremented and read.
fn counts(uses: &[&Operation<'_>]) -> bool {
    let increment = |operation: &&Operation<'_>| matches!(operation.command, Command::Increment(_));
    uses.iter()
        .any(|operation| increment(operation) && operation.possible())
        && (uses.iter()).all(|operation| increment(operation) || operation.command.reads())
}

struct Counter<'a, 'o> {
    key: &'a [u8],
    uses: Vec<&'o Operation<'a>>,
    /// Increments that were executed.
    least: i64,
    /// Increments that may have been executed.
    most: i64,
    /// When each executed increment had ended: its reply and its record.
    replied: Before<(i64, usize)>,
}

impl<'a, 'o> Counter<'a, 'o> {
    fn new(key: &'a [u8], uses: Vec<&'o Operation<'a>>) -> Self {
        let increments = || uses.iter().filter(|operation| !operation.command.reads());
        let least = increments().filter(|operation| operation.ok()).count();
        let most = increments()
            .filter(|operation| operation.possible())
            .count();
        let ends = increments()
            .filter_map(|operation| Some((operation.end?, (number(operation)?, operation.record))));
        Self {
            key,
            least: i64::try_from(least).unwrap_or(i64::MAX),
            most: i64::try_from(most).unwrap_or(i64::MAX),
            replied: Before::new(ends),
            uses,
        }
    }

    /// Each reply to INCR is unique and within bounds.
    fn replies(&self, findings: &mut Findings) {
        let mut taken: HashMap<i64, usize> = HashMap::new();
        for operation in self
            .uses
            .iter()
            .filter(|operation| !operation.command.reads())
        {
            let Some(number) = number(operation) else {
                continue;
            };
            findings.judge();
            if !(1..=self.most).contains(&number) {
                findings.broken(operation.sent, [operation.record], || {
                    let most = self.most;
                    format!(
                        "{} was answered {number}, of {most} increments",
                        self.named(operation)
                    )
                });
            } else if let Some(other) = taken.insert(number, operation.record) {
                findings.broken(operation.sent, [operation.record, other], || {
                    format!(
                        "{} was answered {number}, as another INCR was",
                        self.named(operation)
                    )
                });
            }
        }
    }

    /// No reply is smaller than one that was received before the request, or before it on the same connection.
    fn order(&self, findings: &mut Findings) {
        let mut sessions: HashMap<u32, (i64, usize)> = HashMap::new();
        for operation in &self.uses {
            let Some(number) = number(operation) else {
                continue;
            };
            let in_session = sessions.get(&operation.session).copied();
            let earlier = in_session.max(self.replied.greatest(operation.sent));
            if let Some((earlier, record)) = earlier.filter(|(earlier, _)| number < *earlier) {
                findings.broken(operation.sent, [operation.record, record], || {
                    let named = self.named(operation);
                    format!("{named} was answered {number}, but {earlier} was there before")
                });
            }
            if operation.received.is_some() {
                sessions.insert(operation.session, (number, operation.record));
            }
        }
    }

    /// The final value is the number of increments.
    fn end(&self, observed: &Observed, findings: &mut Findings) {
        let value = match found(observed, self.key) {
            None => return,
            Some(None) => Some(0),
            Some(Some(value)) => integer(value),
        };
        findings.judge();
        if value.is_some_and(|value| (self.least..=self.most).contains(&value)) {
            return;
        }
        let increments = self
            .uses
            .iter()
            .filter(|operation| !operation.command.reads());
        findings.broken(observed.load.to, increments.map(|operation| operation.record), || {
            let value = value.map_or("no number".to_owned(), |value| value.to_string());
            let (key, least, most) = (quoted(self.key), self.least, self.most);
            format!("counter {key} ended at {value}, after {least} acknowledged of {most} increments")
        });
    }

    fn named(&self, operation: &Operation<'_>) -> String {
        let name = if operation.command.reads() {
            "GET"
        } else {
            "INCR"
        };
        format!(
            "{name} {} (sent at {})",
            quoted(self.key),
            text::time(operation.sent)
        )
    }
}

/// The count in the result of INCR or GET.
fn number(operation: &Operation<'_>) -> Option<i64> {
    match (&operation.command, operation.reply?) {
        (Command::Increment(_) | Command::Get(_), Value::Integer(number)) => Some(*number),
        (Command::Get(_), reply) if is_nil(reply) => Some(0),
        (Command::Get(_), reply) => integer(reply),
        _ => None,
    }
}

fn integer(reply: &Value) -> Option<i64> {
    std::str::from_utf8(bulk(reply)?).ok()?.parse().ok()
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, bulk, check_broken, check_kept, int};

    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        run.ok(7, "INCR a-twice", int(1));
        run.holds("a-twice", bulk("2"));
        run
    }

    #[test]
    fn an_increment_executed_twice_breaks_it() {
        let sentence = r#"counter "a-twice" ended at 2, after 1 acknowledged of 1 increments"#;
        check_broken(&CountersExact, &double(), sentence);
    }

    #[test]
    fn replies_are_unique_and_increase() {
        let mut run = Run::healthy();
        run.ok(7, "INCR a-same", int(1));
        run.ok(8, "INCR a-same", int(1));
        check_broken(
            &CountersExact,
            &run,
            r#"INCR "a-same" (sent at 9.001 s) was answered 1, as another INCR was"#,
        );
        let mut run = Run::healthy();
        run.ok(7, "INCR a-back", int(2));
        run.ok(8, "INCR a-back", int(1));
        let sentence = r#"INCR "a-back" (sent at 9.001 s) was answered 1, but 2 was there before"#;
        check_broken(&CountersExact, &run, sentence);
    }

    #[test]
    fn an_indefinite_increment_may_count() {
        for value in ["1", "2"] {
            let mut run = Run::healthy();
            run.ok(7, "INCR a-maybe", int(1));
            run.indefinite(7, "INCR a-maybe");
            run.holds("a-maybe", bulk(value));
            check_kept(&CountersExact, &run);
        }
    }
}
