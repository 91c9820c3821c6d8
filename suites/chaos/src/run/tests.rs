//! Requests are matched with what the taps saw, and ambiguous ones are not matched.

use std::time::Duration;

use testbed::link::{self, Event, What};
use testbed::wire::Value;

use super::inject::load_end;
use super::sightings::{Sightings, attach};
use crate::history::{Completion, Library, Passage, Record};
use crate::observed::{Span, Subject, Window};
use crate::scenario::{Change, Schedule, Step};

fn words(text: &str) -> Vec<Vec<u8>> {
    text.split(' ')
        .map(|word| word.as_bytes().to_vec())
        .collect()
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}

/// A record that was open from `sent` to `received`, in milliseconds.
fn record(sent: u64, received: u64, request: &str, reply: Option<Value>) -> Record {
    let answered = reply.as_ref().is_some_and(|reply| !reply.is_error());
    Record {
        session: 1,
        sequence: sent,
        client: Library::Raw,
        sent: sent * 1_000_000,
        received: reply.is_some().then_some(received * 1_000_000),
        request: words(request),
        reply,
        completion: match answered {
            true => Completion::Ok,
            false => Completion::Indefinite,
        },
        seen: Vec::new(),
    }
}

fn event(ms: u64, node: usize, what: What) -> Event {
    Event {
        at: Duration::from_millis(ms),
        node,
        connection: node as u64 + 1,
        what,
    }
}

fn asked(ms: u64, node: usize, request: &str) -> Event {
    event(ms, node, What::Asked(words(request)))
}

fn answered(ms: u64, node: usize, reply: Value) -> Event {
    event(ms, node, What::Answered(reply))
}

/// Expects for each record the nodes and times of its sightings, and whether an answer is known.
#[track_caller]
fn check(mut records: Vec<Record>, events: Vec<Event>, expected: &[&[(u16, u64, bool)]]) {
    let sightings = Sightings::new(events, Duration::ZERO);
    assert!(sightings.complete);
    attach(&mut records, &sightings, b"v-");
    let seen = records.iter().map(|record| {
        let entry = |seen: &crate::history::Seen| {
            (seen.node, seen.asked / 1_000_000, seen.answered.is_some())
        };
        record.seen.iter().map(entry).collect::<Vec<_>>()
    });
    assert_eq!(seen.collect::<Vec<_>>(), expected);
}

#[test]
fn a_unique_value_finds_its_requests_however_the_proxy_splits_them() {
    let ok = || Value::Simple(b"OK".to_vec());
    check(
        vec![
            record(1, 9, "MSET a v-1 b v-2", Some(ok())),
            record(1, 9, "SET a v-3", None),
        ],
        vec![
            asked(2, 0, "SET a v-1"),
            asked(3, 1, "MSET b v-2"),
            answered(4, 0, ok()),
            asked(5, 0, "SET a v-3"),
            answered(6, 1, ok()),
        ],
        &[&[(0, 2, true), (1, 3, true)], &[(0, 5, false)]],
    );
}

#[test]
fn a_read_is_matched_by_key_time_and_reply() {
    check(
        vec![
            record(1, 4, "GET a", Some(bulk("v-2"))),
            record(1, 9, "GET a", Some(bulk("v-1"))),
            record(6, 9, "GET a", Some(bulk("v-9"))),
        ],
        vec![
            asked(2, 0, "GET a"),
            answered(3, 0, bulk("v-1")),
            asked(3, 0, "GET a"),
            answered(4, 0, bulk("v-2")),
        ],
        &[&[(0, 3, true)], &[(0, 2, true)], &[]],
    );
}

#[test]
fn a_split_read_is_matched_key_by_key() {
    let both = Value::Array(vec![bulk("v-1"), Value::NullBulk]);
    let one = Value::Array(vec![bulk("v-1"), Value::NullBulk]);
    check(
        vec![record(1, 9, "MGET a b", Some(both))],
        vec![
            asked(2, 0, "GET a"),
            asked(3, 1, "GET b"),
            answered(4, 0, bulk("v-1")),
            answered(4, 1, Value::NullBulk),
        ],
        &[&[(0, 2, true), (1, 3, true)]],
    );
    check(
        vec![record(1, 9, "MGET a b", Some(one.clone()))],
        vec![asked(2, 0, "MGET a b"), answered(4, 0, one)],
        &[&[(0, 2, true)]],
    );
}

#[test]
fn a_part_goes_to_the_request_that_names_all_its_keys() {
    let nils = |count| Value::Array(vec![Value::NullBulk; count]);
    check(
        vec![
            record(1, 9, "MGET b c", Some(nils(2))),
            record(1, 9, "MGET a b", Some(nils(2))),
        ],
        vec![
            asked(2, 0, "MGET a b"),
            asked(3, 0, "MGET b c"),
            answered(4, 0, nils(2)),
            answered(5, 0, nils(2)),
        ],
        &[&[(0, 3, true)], &[(0, 2, true)]],
    );
    // A proxy may join the requests of several clients.
    check(
        vec![record(1, 9, "MGET a b", Some(nils(2)))],
        vec![asked(2, 0, "MGET a b c"), answered(4, 0, nils(3))],
        &[&[(0, 2, true)]],
    );
}

#[test]
fn an_unanswered_increment_claims_no_answer() {
    check(
        vec![
            record(1, 4, "INCR n", Some(Value::Integer(2))),
            record(1, 4, "INCR n", None),
            record(6, 9, "INCR n", None),
        ],
        vec![
            asked(2, 0, "INCR n"),
            answered(3, 0, Value::Integer(1)),
            asked(3, 0, "INCR n"),
            answered(4, 0, Value::Integer(2)),
        ],
        &[&[(0, 3, true)], &[(0, 2, false)], &[]],
    );
}

#[test]
fn exec_is_seen_where_its_transaction_was() {
    let queued = || Value::Simple(b"QUEUED".to_vec());
    let ok = || Value::Simple(b"OK".to_vec());
    let done = Value::Array(vec![ok()]);
    check(
        vec![
            record(1, 9, "MULTI", Some(ok())),
            record(1, 9, "SET a v-1", Some(queued())),
            record(1, 9, "EXEC", None),
        ],
        vec![
            asked(2, 0, "MULTI"),
            asked(2, 0, "SET a v-1"),
            asked(3, 0, "EXEC"),
            answered(4, 0, ok()),
            answered(4, 0, queued()),
            answered(4, 0, done),
        ],
        &[&[], &[(0, 2, true)], &[(0, 3, true)]],
    );
}

#[test]
fn replies_from_before_the_load_are_taken_for_no_other_request() {
    let events = vec![
        asked(1, 0, "GET a"),
        asked(12, 0, "SET a v-1"),
        answered(13, 0, bulk("old")),
        answered(14, 0, Value::Simple(b"OK".to_vec())),
    ];
    let sightings = Sightings::new(events, Duration::from_millis(10));
    let replies = sightings
        .all
        .iter()
        .map(|it| it.seen.answered.as_ref().map(|it| &it.reply));
    assert_eq!(
        replies.collect::<Vec<_>>(),
        [Some(&Value::Simple(b"OK".to_vec()))]
    );
}

#[test]
fn an_answer_that_the_link_held_has_left_when_the_tap_says_so() {
    let left = |reply, passage| What::Left { reply, passage };
    let ok = || Value::Simple(b"OK".to_vec());
    let events = vec![
        asked(1, 0, "GET a"),
        asked(12, 0, "SET a v-1"),
        asked(12, 0, "SET a v-2"),
        asked(12, 0, "SET a v-3"),
        answered(13, 0, bulk("old")),
        answered(13, 0, Value::Push(Vec::new())),
        answered(14, 0, ok()),
        answered(14, 0, ok()),
        answered(14, 0, ok()),
        event(15, 0, left(0, link::Passage::Sent)),
        event(16, 0, left(1, link::Passage::Sent)),
        event(16, 0, left(3, link::Passage::Lost)),
    ];
    let sightings = Sightings::new(events, Duration::from_millis(10));
    let answers = sightings.all.iter().map(|it| it.seen.answered.as_ref());
    assert_eq!(
        answers
            .map(|it| it.map(|it| it.passage))
            .collect::<Vec<_>>(),
        [
            Some(Passage::Sent(6_000_000)),
            Some(Passage::AtOnce),
            Some(Passage::Lost)
        ]
    );
}

#[test]
fn a_probe_hides_no_request_and_other_bytes_do() {
    let garbled = |bytes: &[u8]| {
        let why = testbed::wire::request(bytes).expect_err("no request");
        let events = vec![event(1, 0, What::GarbledRequest(why.to_string()))];
        !Sightings::new(events, Duration::ZERO).complete
    };
    assert!(!garbled(b"PING\r\n"));
    assert!(garbled(b"SET a v-1\r\n"));
}

#[test]
fn the_load_lasts_longer_where_a_fault_ended_late() {
    let end = |planned_ms, done_ms: &[u64]| {
        let at = Duration::from_millis(planned_ms);
        let change = Change::Rescale(4);
        let schedule = Schedule {
            steps: vec![Step { at, change }],
        };
        let window = |done_ms: &u64| Window {
            fault: "rescale 4".to_owned(),
            on: Subject::Proxy,
            span: Span {
                from: 0,
                to: done_ms * 1_000_000,
            },
            in_force: Span { from: 0, to: 0 },
            empties: false,
        };
        let windows: Vec<Window> = done_ms.iter().map(window).collect();
        load_end(Duration::from_millis(1600), &schedule, &windows) / 1_000_000
    };
    assert_eq!(end(800, &[700, 800]), 1600);
    assert_eq!(end(800, &[1500, 900]), 2300);
    assert_eq!(end(800, &[]), 1600);
}
