//! A key that was acknowledged is never read as missing.

use testbed::class::Class;
use testbed::wire::{Value, quoted};

use super::before::Before;
use super::command::Command;
use super::findings::Findings;
use super::keys::{by_key, emptied, is_nil, lasts, owner};
use super::operation::{Operation, operations};
use super::{Law, Verdict, text};
use crate::observed::Observed;

pub(super) struct NoFalseNil;

impl Law for NoFalseNil {
    fn id(&self) -> &'static str {
        "no-false-nil"
    }

    fn promise(&self) -> &'static str {
        "a key that was acknowledged, and neither deleted nor expired nor lost by its node, is not read as missing"
    }

    fn source(&self) -> &'static str {
        "https://github.com/twitter/twemproxy/issues/368"
    }

    fn classes(&self) -> &'static [Class] {
        &[Class::Wrong]
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let operations = operations(&observed.history);
        let mut findings = Findings::default();
        for (key, uses) in by_key(&operations) {
            judge(observed, key, &uses, &mut findings);
        }
        findings.verdict(
            "reads of acknowledged keys found them",
            "a read of a key that was acknowledged before",
        )
    }
}

fn judge(observed: &Observed, key: &[u8], uses: &[&Operation<'_>], findings: &mut Findings) {
    let acknowledged = uses.iter().filter(|operation| writes(operation));
    let written = Before::new(
        acknowledged.filter_map(|write| Some((write.end?, (write.sent, write.record)))),
    );
    let removals = uses.iter().filter(|operation| may_remove(operation));
    let removed = Before::new(removals.map(|removal| (removal.sent, removed_until(removal))));
    let lasts = lasts(observed, key);
    for read in uses {
        let (Some(missing), Some(received)) = (missing(read, key), read.received) else {
            continue;
        };
        let Some((sent, write)) = written.greatest(read.sent) else {
            continue;
        };
        if removed
            .greatest(received)
            .is_some_and(|latest| latest >= sent)
            || !(lasts || kept(observed, key, sent, received))
        {
            continue;
        }
        findings.judge();
        if missing {
            findings.broken(read.sent, read.records().into_iter().chain([write]), || {
                let (key, read, sent) = (quoted(key), text::time(read.sent), text::time(sent));
                format!("{key} was read as missing at {read}, though a write sent at {sent} was acknowledged")
            });
        }
    }
}

/// Whether an acknowledged request left something under its keys.
fn writes(operation: &Operation<'_>) -> bool {
    let writes = matches!(
        operation.command,
        Command::Set(..) | Command::Mset(_) | Command::Increment(_) | Command::Append(..)
    );
    writes && operation.ok()
}

/// Whether a request may remove a key, at once or by expiry.
fn may_remove(operation: &Operation<'_>) -> bool {
    let removes = matches!(
        operation.command,
        Command::Remove(_) | Command::Change(_) | Command::Other(_)
    );
    removes && operation.possible()
}

/// The latest time at which a request removes a key. Expiry has no end.
fn removed_until(operation: &Operation<'_>) -> u64 {
    match operation.command {
        Command::Remove(_) => operation.latest(),
        _ => u64::MAX,
    }
}

/// Whether a read found no value under a key, if its reply shows that.
fn missing(read: &Operation<'_>, key: &[u8]) -> Option<bool> {
    let reply = read.reply?;
    match (&read.command, reply) {
        (Command::Get(_), reply) => Some(is_nil(reply)),
        (Command::List(_), Value::Array(elements)) => Some(elements.is_empty()),
        (Command::Mget(keys), Value::Array(values)) if values.len() == keys.len() => {
            let place = keys.iter().position(|named| named == key)?;
            Some(is_nil(&values[place]))
        }
        _ => None,
    }
}

/// Whether the node of a key certainly kept the writes after `sent` until `received`.
fn kept(observed: &Observed, key: &[u8], sent: u64, received: u64) -> bool {
    let kept_by =
        |node| emptied(observed, node).all(|span| span.from >= received || span.to <= sent);
    owner(observed, key).is_some_and(kept_by)
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, array, check_broken, check_kept, int, ok};
    use crate::observed::Subject;

    const NIL: Value = Value::NullBulk;

    /// A key that is not only a register, a counter or a list.
    pub(in crate::law) fn double() -> Run {
        let mut run = Run::healthy();
        run.ok(7, "SET a-mixed 1", ok());
        run.ok(7, "INCR a-mixed", int(2));
        run.ok(7, "GET a-mixed", NIL);
        run
    }

    #[test]
    fn an_acknowledged_key_read_as_missing_breaks_it() {
        let sentence = r#""a-mixed" was read as missing at 9.002 s, though a write sent at 9.001 s was acknowledged"#;
        check_broken(&NoFalseNil, &double(), sentence);
    }

    #[test]
    fn an_element_of_mget_is_a_read() {
        let mut run = Run::healthy();
        run.ok(7, "MGET c-x a-during", array([NIL, NIL]));
        let sentence = r#""a-during" was read as missing at 9.000 s, though a write sent at 4.000 s was acknowledged"#;
        check_broken(&NoFalseNil, &run, sentence);
    }

    #[test]
    fn deletion_expiry_and_unacknowledged_writes_are_excused() {
        for requests in [
            &["DEL a-during"][..],
            &["EXPIRE a-during 1"],
            &["SET a-during x EX 1"],
        ] {
            let mut run = Run::healthy();
            for request in requests {
                run.ok(7, request, int(1));
            }
            run.ok(7, "GET a-during", NIL);
            check_kept(&NoFalseNil, &run);
        }
        let mut run = Run::healthy();
        run.indefinite(7, "DEL a-during");
        run.ok(8, "SET a-during two", ok());
        run.ok(8, "GET a-during", NIL);
        run.indefinite(7, "SET a-new one");
        run.ok(8, "GET a-new", NIL);
        check_kept(&NoFalseNil, &run);
    }

    #[test]
    fn a_write_after_a_finished_deletion_counts() {
        let mut run = Run::healthy();
        run.ok(7, "DEL a-during", int(1));
        run.ok(8, "SET a-during two", ok());
        run.ok(8, "GET a-during", NIL);
        let sentence = r#""a-during" was read as missing at 9.002 s, though a write sent at 9.001 s was acknowledged"#;
        check_broken(&NoFalseNil, &run, sentence);
    }

    #[test]
    fn a_node_that_was_emptied_is_excused_until_the_next_write() {
        let mut run = Run::healthy();
        run.window(Subject::Node(0), 100);
        run.observed.windows[1].empties = true;
        run.now += 200;
        run.ok(7, "GET a-during", NIL);
        check_kept(&NoFalseNil, &run);
        run.ok(7, "SET a-during two", ok());
        run.ok(7, "GET a-during", NIL);
        let sentence = r#""a-during" was read as missing at 9.202 s, though a write sent at 9.201 s was acknowledged"#;
        check_broken(&NoFalseNil, &run, sentence);
    }
}
