//! The truth for small histories: every order of the operations, against a register that is executed.

use testbed::wire::Value;

use crate::checker::SessionOrder;
use crate::history::{Completion, Record};

/// Whether some order of the executed requests, with or without each indefinite one, gives every reply.
///
/// Works on the records themselves, so that it shares no code with the checker.
pub(super) fn linearizable(records: &[Record], session_order: SessionOrder) -> bool {
    let executed = |record: &&Record| record.completion != Completion::Failed;
    let records: Vec<&Record> = records.iter().filter(executed).collect();
    let mut left = vec![true; records.len()];
    continues(&records, &mut left, None, session_order)
}

fn continues(
    records: &[&Record],
    left: &mut [bool],
    value: Option<&[u8]>,
    session_order: SessionOrder,
) -> bool {
    let ok = |index: usize| records[index].completion == Completion::Ok;
    if (0..records.len()).all(|index| !left[index] || !ok(index)) {
        return true;
    }
    for next in 0..records.len() {
        let waits = |other: usize| {
            left[other] && other != next && before(records[other], records[next], session_order)
        };
        if !left[next] || (0..records.len()).any(waits) {
            continue;
        }
        let (after, reply) = executed(&records[next].request, value);
        if ok(next) && records[next].reply != Some(reply) {
            continue;
        }
        left[next] = false;
        if continues(records, left, after, session_order) {
            return true;
        }
        left[next] = true;
    }
    false
}

fn before(one: &Record, other: &Record, session_order: SessionOrder) -> bool {
    if one.completion != Completion::Ok {
        return false;
    }
    let seen = one.seen.first().and_then(|seen| seen.answered.as_ref());
    let end = one.received.or(seen.map(|answered| answered.at));
    let earlier = end.is_some_and(|end| end < other.sent);
    let acknowledged = one.received.is_some() && session_order == SessionOrder::Kept;
    let same_session = one.session == other.session && one.sequence < other.sequence;
    earlier || acknowledged && same_session
}

/// The reply of a Redis with one key.
pub(super) fn executed<'a>(
    request: &'a [Vec<u8>],
    value: Option<&'a [u8]>,
) -> (Option<&'a [u8]>, Value) {
    let bulk = |value: Option<&[u8]>| match value {
        Some(value) => Value::Bulk(value.to_vec()),
        None => Value::NullBulk,
    };
    let ok = || Value::Simple(b"OK".to_vec());
    match (request[0].as_slice(), request.len(), value) {
        (b"GET", ..) => (value, bulk(value)),
        (b"SET", 4, Some(_)) => (value, Value::NullBulk),
        (b"SET", ..) => (Some(&request[2]), ok()),
        (b"SETNX", _, Some(_)) => (value, Value::Integer(0)),
        (b"SETNX", _, None) => (Some(&request[2]), Value::Integer(1)),
        (b"GETSET", ..) => (Some(&request[2]), bulk(value)),
        (b"DEL", ..) => (None, Value::Integer(i64::from(value.is_some()))),
        (other, ..) => panic!("no register command: {}", other.escape_ascii()),
    }
}
