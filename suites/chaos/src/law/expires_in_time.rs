//! A value with a time to live is not read after it, wherever its key is asked for.
//!
//! A value is judged if its write was answered, so that the time is known at which it is certainly over.

use std::collections::HashMap;

use testbed::wire::{Value, quoted};

use super::command::Command;
use super::findings::Findings;
use super::keys::{bulk, by_key};
use super::operation::{Operation, operations};
use super::{Law, Verdict, text};
use crate::history::Record;
use crate::observed::Observed;

pub(super) struct ExpiresInTime;

/// How much later than its time a value may be read: 100 ms. Clocks of nodes may be set.
const TOLERANCE: u64 = 100_000_000;

impl Law for ExpiresInTime {
    fn id(&self) -> &'static str {
        "expires-in-time"
    }

    fn promise(&self) -> &'static str {
        "a value that was written with a time to live is not read after it"
    }

    fn source(&self) -> &'static str {
        "https://redis.io/docs/latest/commands/expire/"
    }

    fn judge(&self, observed: &Observed) -> Verdict {
        let operations = operations(&observed.history);
        let mut findings = Findings::default();
        for (key, uses) in by_key(&operations) {
            judge(&observed.history.records, key, &uses, &mut findings);
        }
        findings.verdict(
            "reads came after a value had expired, and none found one",
            "a read of a key after a value of it had expired",
        )
    }
}

/// An expired value.
#[derive(Clone, Copy)]
struct Expired {
    /// When it is certainly over.
    at: u64,
    /// Its write, by its place in the history.
    write: usize,
}

fn judge(records: &[Record], key: &[u8], uses: &[&Operation<'_>], findings: &mut Findings) {
    let mut expired: HashMap<&[u8], Expired> = HashMap::new();
    for operation in uses.iter().filter(|operation| !operation.command.reads()) {
        match time_to_live(&records[operation.record]) {
            Some((value, ttl)) => {
                if let (true, Some(end)) = (operation.ok(), operation.end) {
                    let (at, write) = (end.saturating_add(ttl), operation.record);
                    expired.insert(value, Expired { at, write });
                }
            }
            // Another change may have given the key another time.
            None => return,
        }
    }
    let Some(first) = expired.values().map(|value| value.at).min() else {
        return;
    };
    for read in uses.iter().filter(|read| read.sent > first + TOLERANCE) {
        let Some(found) = found(read, key) else {
            continue;
        };
        findings.judge();
        let value = bulk(found).and_then(|value| Some((value, expired.get(value)?)));
        let Some((value, over)) = value.filter(|(_, over)| read.sent > over.at + TOLERANCE) else {
            continue;
        };
        findings.broken(read.sent, [over.write, read.record], || {
            let (key, value) = (quoted(key), quoted(value));
            let (at, over) = (text::time(read.sent), text::time(over.at));
            format!("{key} was read as {value} at {at}, though that value had expired at {over}")
        });
    }
}

/// The value that a request writes, and its time to live in nanoseconds.
fn time_to_live(record: &Record) -> Option<(&[u8], u64)> {
    let [name, _, value, unit, number] = record.request.as_slice() else {
        return None;
    };
    let nanoseconds: u64 = match unit.to_ascii_uppercase().as_slice() {
        b"EX" => 1_000_000_000,
        b"PX" => 1_000_000,
        _ => return None,
    };
    let number: u64 = std::str::from_utf8(number).ok()?.parse().ok()?;
    let set = name.eq_ignore_ascii_case(b"SET");
    set.then_some((value, number.saturating_mul(nanoseconds)))
}

/// What a read found under a key, if its reply shows that.
fn found<'a>(read: &Operation<'a>, key: &[u8]) -> Option<&'a Value> {
    match (&read.command, read.reply?) {
        (Command::Get(_), reply) => Some(reply),
        (Command::Mget(keys), Value::Array(values)) if values.len() == keys.len() => {
            values.get(keys.iter().position(|named| named == key)?)
        }
        _ => None,
    }
}

#[cfg(test)]
pub(in crate::law) mod tests {
    use super::*;
    use crate::law::tests::run::{Run, bulk, check_broken, check_kept, ok};

    /// A value that is read so long after its write, in milliseconds.
    fn read_after(request: &str, milliseconds: u64) -> Run {
        let mut run = Run::healthy();
        run.ok(7, request, ok());
        run.now += milliseconds;
        run.ok(8, "GET a-x", bulk("one"));
        run
    }

    pub(in crate::law) fn double() -> Run {
        read_after("SET a-x one PX 300", 500)
    }

    #[test]
    fn an_expired_value_that_is_read_breaks_it() {
        let sentence =
            r#""a-x" was read as "one" at 9.501 s, though that value had expired at 9.300 s"#;
        check_broken(&ExpiresInTime, &double(), sentence);
    }

    #[test]
    fn a_value_may_be_read_until_it_expires_or_gets_another_time() {
        check_kept(&ExpiresInTime, &read_after("SET a-x one PX 300", 390));
        check_kept(&ExpiresInTime, &read_after("SET a-x one EX 1", 1000));
        let mut run = double();
        run.ok(7, "SET a-x one", ok());
        check_kept(&ExpiresInTime, &run);
    }

    #[test]
    fn an_unanswered_write_may_come_later() {
        let mut run = Run::healthy();
        run.indefinite(7, "SET a-x one PX 300");
        run.now += 500;
        run.ok(8, "GET a-x", bulk("one"));
        check_kept(&ExpiresInTime, &run);
    }
}
