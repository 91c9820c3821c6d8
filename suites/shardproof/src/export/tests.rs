//! Runs as cases: what the text expects, and which runs have none.

use std::collections::BTreeMap;

use chaos::history::{Completion, Header as RunHeader, History, Library, Record};
use chaos::law::{LAWS, Level};
use chaos::observed::{Closed, Closer, Observed, Promises, Session, Span, Subject, Window};
use testbed::wire::{Protocol, Value, reply};

use super::draft::Event;
use super::{Act, Draft, Header, Reach, Refusal};

/// A run without faults. Times are milliseconds.
fn run() -> Observed {
    let nodes = [
        ("key-a1", 0),
        ("key-a2", 0),
        ("key-b1", 1),
        ("key-d1", 3),
        ("{tag-a}:one", 0),
        ("{tag-a}:two", 0),
    ];
    let owners = nodes.map(|(key, node)| (key.as_bytes().to_vec(), node));
    Observed {
        history: History {
            header: RunHeader::new("some", "some", 7),
            records: Vec::new(),
        },
        sessions: BTreeMap::new(),
        windows: Vec::new(),
        load: span(0, 1000),
        owners: owners.into_iter().collect(),
        owners_after: BTreeMap::new(),
        contents: BTreeMap::new(),
        proxies: Vec::new(),
        predicted: BTreeMap::new(),
        samples: Vec::new(),
        stalls: Vec::new(),
        waits: Vec::new(),
        node_names: Vec::new(),
        promises: Promises {
            deadline: 0,
            recovery: 0,
            memory_bytes: None,
            node_connections: None,
            idle_node_connections: None,
        },
    }
}

fn span(from: u64, to: u64) -> Span {
    Span {
        from: from * 1_000_000,
        to: to * 1_000_000,
    }
}

/// Requests that a session sent together, answered together or never.
fn sent(run: &mut Observed, session: u32, (at, received): (u64, Option<u64>), requests: &[&str]) {
    for request in requests {
        let words = request.split(' ').map(|word| word.as_bytes().to_vec());
        let records = &mut run.history.records;
        let earlier = records.iter().filter(|record| record.session == session);
        records.push(Record {
            session,
            sequence: earlier.count() as u64,
            client: Library::Raw,
            sent: span(at, at).from,
            received: received.map(|at| span(at, at).from),
            request: words.collect(),
            reply: received.map(|_| Value::NullBulk),
            completion: Completion::Indefinite,
            seen: Vec::new(),
        });
    }
    run.sessions.entry(session).or_insert_with(|| Session {
        workload: "register".to_owned(),
        proxy: 0,
        closed: None,
    });
}

fn fault(run: &mut Observed, fault: &str, on: Subject, (from, to): (u64, u64)) {
    run.windows.push(Window {
        fault: fault.to_owned(),
        on,
        span: span(from, to),
        in_force: span(from, to),
        empties: fault == "kill",
    });
}

const HEADER: Header<'_> = Header {
    promise: "a promise is kept",
    spec: "https://example.org",
    optional: false,
    needs: &[],
    notes: &[],
};

/// The steps of the case around the last request, where one plain Redis gives these replies.
#[track_caller]
fn check(run: &Observed, reach: Reach, said: &str, expected: &str) {
    let evidence = [run.history.records.len() - 1];
    let draft = Draft::new(run, &evidence, (reach, Act::InTime)).expect("a case");
    let said: Vec<Value> = said.split_whitespace().map(value).collect();
    let sent = draft.requests().len() - draft.prepared();
    assert_eq!(sent, said.len(), "{draft:#?}");
    let (case, text) = draft.case(("x.case", "x"), &HEADER, &said).expect("a text");
    assert_eq!(case.promise, "A promise is kept.");
    let steps: Vec<&str> = text.lines().skip_while(|line| !is_step(line)).collect();
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(steps, expected, "{}", steps.join("\n"));
}

fn is_step(line: &str) -> bool {
    ["given", "send", "want", "fault", "heal"]
        .iter()
        .any(|verb| line.starts_with(verb))
}

/// A reply in RESP, with `;` for the ends of lines.
fn value(text: &str) -> Value {
    let bytes = text.replace(';', "\r\n").into_bytes();
    let read = reply(&bytes, Protocol::Resp2).expect("RESP");
    read.expect("a whole reply").0
}

#[track_caller]
fn check_refused(run: &Observed, expected: Refusal) {
    let evidence = [run.history.records.len() - 1];
    assert_eq!(
        Draft::new(run, &evidence, (Reach::Run, Act::InTime)),
        Err(expected)
    );
}

#[test]
fn keys_values_and_clients_have_the_names_of_cases() {
    let mut run = run();
    sent(
        &mut run,
        8,
        (1, Some(2)),
        &["SET key-b1 v1234567-0-1 EX 60", "INCR key-a2"],
    );
    sent(
        &mut run,
        5,
        (3, Some(4)),
        &["GET key-b1", "MGET key-a1 key-b1"],
    );
    check(
        &run,
        Reach::Run,
        "+OK; :1; $2;v1; *2;$6;given1;$2;v1;",
        "given  A $a2 = given1
         send   @1 SET $b1 v1 EX 60
         send   @1 INCR $a1
         want   @1 +OK
         want   @1 :1
         send   @2 GET $b1
         send   @2 MGET $a2 $b1
         want   @2 \"v1\"
         want   @2 *2 \"given1\" \"v1\"",
    );
}

#[test]
fn faults_are_where_they_were_and_what_they_may_prevent_is_expected_in_every_form() {
    let mut run = run();
    sent(
        &mut run,
        1,
        (1, Some(2)),
        &["SET key-a1 v1234567-0-1", "SET key-b1 v1234567-0-2"],
    );
    sent(&mut run, 1, (4, Some(6)), &["SET key-a1 v1234567-0-3"]);
    sent(&mut run, 1, (8, Some(9)), &["GET key-a1", "GET key-b1"]);
    fault(&mut run, "hold", Subject::Node(0), (3, 5));
    fault(&mut run, "latency 20ms", Subject::Node(0), (3, 7));
    // Neither acts on any of them.
    fault(&mut run, "down", Subject::Node(1), (0, 1));
    fault(&mut run, "down", Subject::Node(1), (9, 99));
    check(
        &run,
        Reach::Run,
        "+OK; +OK; +OK; $2;v3; $2;v2;",
        "send   @1 SET $a1 v1
         send   @1 SET $b1 v2
         want   @1 +OK
         want   @1 +OK
         fault  A hold
         fault  A latency 20ms
         send   @1 SET $a1 v3
         heal   A
         fault  A latency 20ms
         want   @1 +OK | error
         heal   A
         send   @1 GET $a1
         send   @1 GET $b1
         want   @1 \"v1\" | \"v3\" | nil | error
         want   @1 \"v2\"",
    );
}

#[test]
fn a_write_that_waits_when_a_fault_begins_may_be_prevented_too() {
    let mut run = run();
    sent(
        &mut run,
        1,
        (1, Some(4)),
        &[
            "SET key-a1 v1234567-0-1 NX",
            "INCR key-a2",
            "SET key-b1 v1234567-0-2",
        ],
    );
    fault(&mut run, "down", Subject::Node(0), (2, 3));
    check(
        &run,
        Reach::Run,
        "+OK; :1; +OK;",
        "send   @1 SET $a1 v1 NX
         send   @1 INCR $a2
         send   @1 SET $b1 v2
         fault  A down
         heal   A
         want   @1 +OK | nil | error
         want   @1 int | error
         want   @1 +OK",
    );
}

#[test]
fn a_node_that_may_lose_keys_makes_all_of_them_doubtful() {
    let mut run = run();
    sent(
        &mut run,
        1,
        (1, Some(2)),
        &["SET key-a1 v1234567-0-1", "SET key-b1 v1234567-0-2"],
    );
    sent(&mut run, 1, (5, Some(6)), &["MGET key-a1 key-b1"]);
    fault(&mut run, "kill", Subject::Node(0), (3, 4));
    check(
        &run,
        Reach::Run,
        "+OK; +OK; *2;$2;v1;$2;v2;",
        "send   @1 SET $a1 v1
         send   @1 SET $b1 v2
         want   @1 +OK
         want   @1 +OK
         fault  A kill
         heal   A
         send   @1 MGET $a1 $b1
         want   @1 *2 ( \"v1\" | nil ) ( \"v2\" | nil ) | error",
    );
}

#[test]
fn clients_that_wait_at_the_same_time_are_served_in_any_order() {
    let mut run = run();
    sent(
        &mut run,
        1,
        (1, Some(4)),
        &["SET key-a1 v1234567-0-1", "GET key-b1"],
    );
    sent(&mut run, 2, (2, Some(3)), &["GET key-a1", "GET key-b1"]);
    check(
        &run,
        Reach::Run,
        "+OK; $6;given1; $2;v1; $6;given1;",
        "given  B $b1 = given1
         send   @1 SET $a1 v1
         send   @1 GET $b1
         send   @2 GET $a1
         send   @2 GET $b1
         want   @2 \"v1\" | nil
         want   @2 \"given1\"
         want   @1 +OK
         want   @1 \"given1\"",
    );
}

#[test]
fn hash_tags_and_lengths_are_kept_and_requests_without_a_key_are_left_out() {
    let mut run = run();
    let long = format!("SET {{tag-a}}:one {}", "x".repeat(90));
    sent(
        &mut run,
        1,
        (1, Some(2)),
        &["MULTI", &long, "SET {tag-a}:two v1234567-0-1", "EXEC"],
    );
    sent(
        &mut run,
        1,
        (3, Some(4)),
        &["SCAN 0 MATCH key-* COUNT 20", "GET {tag-a}:one"],
    );
    check(
        &run,
        Reach::Run,
        &format!("+OK; +QUEUED; +QUEUED; *2;+OK;+OK; $90;{};", "x".repeat(90)),
        "send   @1 MULTI
         send   @1 SET {$a1}:one \"v1-\"*30
         send   @1 SET {$a1}:two v2
         send   @1 EXEC
         want   @1 +OK
         want   @1 +QUEUED
         want   @1 +QUEUED
         want   @1 *2 +OK +OK
         send   @1 GET {$a1}:one
         want   @1 bulk-length 90",
    );
}

#[test]
fn a_connection_that_the_proxy_closed_may_be_closed_again() {
    let mut run = run();
    sent(&mut run, 1, (1, None), &["GET key-a1"]);
    let closed = Closed {
        at: span(2, 2).from,
        by: Closer::Proxy,
    };
    run.sessions.get_mut(&1).unwrap().closed = Some(closed);
    check(
        &run,
        Reach::Run,
        "$6;given1;",
        "given  A $a1 = given1
         send   @1 GET $a1
         want   @1 \"given1\" | error-or-close",
    );
}

#[test]
fn requests_reach_from_the_evidence_to_the_whole_run() {
    let mut run = run();
    sent(&mut run, 1, (1, Some(2)), &["INCR key-a1"]);
    sent(&mut run, 2, (3, Some(4)), &["INCR key-a2"]);
    sent(&mut run, 1, (5, Some(6)), &["INCR key-b1"]);
    let last = "send   @1 INCR $b1\nwant   @1 :1";
    check(&run, Reach::Evidence, ":1;", last);
    let first = "send   @1 INCR $a1\nwant   @1 :1\n";
    check(
        &run,
        Reach::Connections,
        ":1; :1;",
        &format!("{first}{last}"),
    );
    let other = "send   @2 INCR $a2\nwant   @2 :1\n";
    check(
        &run,
        Reach::Run,
        ":1; :1; :1;",
        &format!("{first}{other}{last}"),
    );
}

#[test]
fn a_fault_may_act_as_long_as_requests_waited() {
    let mut run = run();
    for at in [1, 4, 7] {
        sent(&mut run, 1, (at, Some(at + 2)), &["INCR key-a1"]);
    }
    fault(&mut run, "hold", Subject::Node(0), (2, 5));
    let places = |act| {
        let draft = Draft::new(&run, &[2], (Reach::Run, act)).unwrap();
        let heals = |event: &Event| matches!(event, Event::Heal { .. });
        let begins = |event: &Event| event.is_fault(0, Some("hold"));
        let events = draft.events.iter();
        (
            events.clone().position(begins),
            events.clone().position(heals),
        )
    };
    assert_eq!(places(Act::WhileWaiting), (Some(0), Some(5)));
    assert_eq!(places(Act::InTime), (Some(1), Some(4)));
}

#[test]
fn only_the_last_requests_are_in_a_case() {
    let mut run = run();
    for at in 0..50 {
        sent(&mut run, 1, (2 * at, Some(2 * at + 1)), &["INCR key-a1"]);
    }
    let draft = Draft::new(&run, &[49], (Reach::Run, Act::InTime)).unwrap();
    assert_eq!(draft.requests().len(), super::REQUESTS_MAX);
    let draft = Draft::new(&run, &[0, 49], (Reach::Evidence, Act::InTime)).unwrap();
    assert_eq!(draft.requests().len(), 2);
    let refused = Draft::new(&run, &[0, 49], (Reach::Run, Act::InTime));
    assert_eq!(refused, Err(Refusal::TooMany));
}

#[test]
fn what_cases_cannot_have_is_refused() {
    let with = |text: &str, on| {
        let mut run = run();
        sent(&mut run, 1, (1, Some(3)), &["GET key-a1"]);
        fault(&mut run, text, on, (2, 9));
        run
    };
    let refused = |text: &str| Refusal::NoFaultOfCases(text.to_owned());
    check_refused(&with("proxy_pause", Subject::Proxy), refused("proxy_pause"));
    check_refused(
        &with("rescale to 4 nodes", Subject::Proxy),
        refused("rescale to 4 nodes"),
    );
    check_refused(
        &with("client_flood 9", Subject::Clients),
        refused("client_flood 9"),
    );
    let keyed = "drop_reply key *a1";
    check_refused(
        &with(keyed, Subject::Node(0)),
        Refusal::NamesKey(keyed.to_owned()),
    );
    check_refused(&with("down", Subject::Node(3)), Refusal::NoSuchNode(3));
    let mut run = run();
    sent(&mut run, 1, (1, Some(3)), &["GET key-d1"]);
    check_refused(&run, Refusal::NoSuchNode(3));
    run.history.records[0].completion = Completion::Failed;
    run.history.records[0].reply = None;
    check_refused(&run, Refusal::NoRequest);
}

#[test]
fn every_law_that_replies_show_is_a_promise_of_a_case() {
    let mut run = run();
    sent(&mut run, 1, (1, Some(2)), &["INCR key-a1"]);
    let draft = Draft::new(&run, &[0], (Reach::Run, Act::InTime)).unwrap();
    for law in LAWS.iter().filter(|law| !law.classes().is_empty()) {
        let notes = ["from a run".to_owned()];
        let header = Header {
            promise: law.promise(),
            spec: law.source(),
            optional: law.level() == Level::Should,
            needs: &["hash-tags".to_owned()],
            notes: &notes,
        };
        let case = draft.case(("x.case", "x"), &header, &[Value::Integer(1)]);
        let (case, text) = case.unwrap_or_else(|why| panic!("{}: {why}", law.id()));
        assert!(
            case.promise
                .eq_ignore_ascii_case(&format!("{}.", law.promise())),
            "{text}"
        );
        assert_eq!(case.needs, ["hash-tags"], "{text}");
    }
}
