//! The table of conditions, and every condition on one run that meets it and one that does not.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{CONDITIONS, condition, missing};
use crate::history::Passage;
use crate::law::tests::run::{Run, bulk, error, ok};
use crate::observed::{Closed, Closer, Session, Subject};

#[test]
fn every_condition_is_one_file_and_one_row() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cover");
    let stem = |path: &Path| {
        path.file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .replace('_', "-")
    };
    let files = fs::read_dir(folder).unwrap();
    let mut stems: BTreeSet<String> = files.map(|file| stem(&file.unwrap().path())).collect();
    assert!(stems.remove("mod") && stems.remove("tests"));
    let rows = CONDITIONS.iter().map(|condition| condition.id().to_owned());
    assert_eq!(rows.collect::<Vec<_>>().len(), stems.len());
    let rows = CONDITIONS.iter().map(|condition| condition.id().to_owned());
    assert_eq!(rows.collect::<BTreeSet<_>>(), stems);
}

/// A request to each node. The middle node has a fault.
fn quiet() -> Run {
    let mut run = Run::new();
    run.ok(1, "SET a-x one", ok());
    run.ok(1, "SET b-x one", ok());
    run.ok(1, "SET c-x one", ok());
    run.now = 100;
    run.window(Subject::Node(1), 100);
    run
}

#[track_caller]
fn check(id: &str, run: &Run, counted: usize) {
    let condition = condition(id).unwrap();
    assert_eq!(condition.count(&run.observed), counted, "{id}");
    assert_eq!(missing(condition, counted, &run.observed), None);
    let lacks = missing(condition, counted + 1, &run.observed).unwrap();
    let expected = format!(
        "{id}: {counted} {}, at least {} expected",
        condition.counts(),
        counted + 1
    );
    assert_eq!(lacks, expected);
}

#[test]
fn requests_to_a_node_with_a_fault_are_counted() {
    let mut run = quiet();
    check("requests-in-fault", &run, 0);
    run.ok(1, "GET b-x", bulk("one"));
    run.ok(1, "GET a-x", bulk("one"));
    check("requests-in-fault", &run, 1);
    // While it was applied or healed, it is unknown whether it was in force.
    let window = &mut run.observed.windows[0];
    window.in_force.from = window.span.to;
    check("requests-in-fault", &run, 0);
}

#[test]
fn replies_after_the_client_gave_up_are_counted() {
    let mut run = quiet();
    let late = run.ok(1, "SET b-x two", ok());
    check("late-replies", &run, 0);
    let record = run.record(late);
    record.received = Some(record.sent);
    record.reply = Some(error("ERR timeout"));
    check("late-replies", &run, 1);
}

#[test]
fn replies_that_the_link_held_are_late_if_they_left_it_late() {
    let mut run = quiet();
    let held = run.ok(1, "SET b-x two", ok());
    let record = run.record(held);
    record.reply = Some(error("ERR timeout"));
    let error_at = record.received.unwrap();
    for (passage, counted) in [
        (Passage::AtOnce, 0),
        (Passage::Sent(error_at), 0),
        (Passage::Sent(error_at + 1), 1),
        (Passage::Lost, 0),
        (Passage::HungUp, 1),
    ] {
        let seen = &mut run.record(held).seen[0];
        seen.answered.as_mut().unwrap().passage = passage;
        check("late-replies", &run, counted);
    }
}

#[test]
fn keys_of_the_emptiest_node_are_counted() {
    check("keys-per-node", &quiet(), 1);
    let mut run = quiet();
    run.observed.owners.retain(|_, owner| *owner != 2);
    check("keys-per-node", &run, 0);
}

#[test]
fn keys_that_proxies_ask_different_nodes_for_are_counted() {
    let mut run = quiet();
    check("keys-on-several-nodes", &run, 0);
    run.two_proxies();
    check("keys-on-several-nodes", &run, 0);
    let second = &mut run.observed.proxies[1];
    second.owners.insert(b"a-x".to_vec(), 2);
    check("keys-on-several-nodes", &run, 1);
}

#[test]
fn connections_opened_after_the_fault_are_counted() {
    let mut run = quiet();
    check("reconnects", &run, 0);
    let [same, other] = ["GET b-x", "GET a-x"].map(|request| run.ok(1, request, bulk("one")));
    run.record(same).seen[0].connection = 77;
    run.record(other).seen[0].connection = 78;
    check("reconnects", &run, 1);
}

#[test]
fn errors_and_closed_connections_are_counted() {
    let mut run = quiet();
    check("errors-seen", &run, 0);
    run.refused(1, "SET b-x two");
    let closed = run.indefinite(2, "SET b-x two");
    run.record(closed).reply = None;
    let by = Closer::Proxy;
    run.observed.sessions.get_mut(&2).unwrap().closed = Some(Closed { at: 0, by });
    check("errors-seen", &run, 2);
}

#[test]
fn requests_of_the_slowest_workload_are_counted() {
    let mut run = quiet();
    check("completed-per-workload", &run, 3);
    let idle = Session {
        workload: "idle".to_owned(),
        proxy: 0,
        closed: None,
    };
    run.observed.sessions.insert(2, idle);
    check("completed-per-workload", &run, 0);
}
