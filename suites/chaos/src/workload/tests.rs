//! Laws of the table of workloads, and of every workload in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::*;

fn plan() -> Plan {
    Plan {
        prefix: "sp-1-".to_owned(),
        mark: "v-1-".to_owned(),
        chance: Chance::seeded(1),
        keys: 6,
        pipeline: 5,
        clients: 2,
        apart: BTreeMap::new(),
    }
}

/// Batches of one client; `reply` answers every request.
fn batches(workload: &dyn Workload, client: u16, reply: &Value) -> Vec<Vec<Arguments>> {
    let mut generator = workload.client(&plan(), client);
    let mut batch = || {
        let batch = generator.batch();
        let replies = vec![Some(reply.clone()); batch.len()];
        generator.answered(&replies);
        batch
    };
    (0..50).map(|_| batch()).collect()
}

#[test]
fn a_workload_is_a_file_and_a_row() {
    let shared = ["mod", "draw", "tests"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/workload");
    let files = fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        path.file_stem()
            .unwrap()
            .to_string_lossy()
            .replace('_', "-")
    });
    let files: BTreeSet<String> = files.filter(|stem| !shared.contains(&&**stem)).collect();
    let rows: Vec<&str> = WORKLOADS.iter().map(|row| row.id()).collect();
    assert!(rows.is_sorted_by(|one, other| one < other));
    assert_eq!(files, rows.iter().map(|id| (*id).to_owned()).collect());
    assert!(
        rows.iter()
            .all(|id| workload(id).is_some_and(|row| row.id() == *id))
    );
}

#[test]
fn the_same_seed_sends_the_same_requests() {
    let ok = Value::Simple(b"OK".to_vec());
    for workload in WORKLOADS {
        for client in 0..2 {
            let (one, other) = (
                batches(*workload, client, &ok),
                batches(*workload, client, &ok),
            );
            assert_eq!(one, other, "{}", workload.id());
        }
    }
}

#[test]
fn values_are_unique_and_only_planned_keys_are_used() {
    let ok = Value::Simple(b"OK".to_vec());
    for workload in WORKLOADS {
        let keys: BTreeSet<Key> = workload.keys(&plan()).into_iter().collect();
        let clients = (0..2).flat_map(|client| batches(*workload, client, &ok));
        let mut values = BTreeSet::new();
        for request in clients.flatten().filter(|request| request[0] != b"SCAN") {
            for word in &request[1..] {
                if word.starts_with(b"v-1-") {
                    let first = values.insert(word.clone());
                    // A transaction writes one value under both of its keys.
                    assert!(
                        first || workload.id() == "transactions",
                        "{}",
                        workload.id()
                    );
                } else if word.windows(5).any(|part| part == b"sp-1-") {
                    assert!(keys.contains(word), "{}: {request:?}", workload.id());
                }
            }
        }
    }
}

#[test]
fn a_scan_continues_at_the_cursor_of_its_last_page() {
    let mut scanner = scan_while_writing::ScanWhileWriting.client(&plan(), 0);
    let written = scanner.batch().len();
    scanner.answered(&vec![Some(Value::Simple(b"OK".to_vec())); written]);
    assert_eq!(scanner.batch()[0][..2], [b"SCAN".to_vec(), b"0".to_vec()]);
    let page = Value::Array(vec![Value::Bulk(b"7".to_vec()), Value::Array(Vec::new())]);
    scanner.answered(&[Some(page)]);
    assert_eq!(scanner.batch()[0][1], b"7");
    scanner.answered(&[None]);
    assert_eq!(scanner.batch()[0][1], b"0");
}

#[test]
fn clients_that_are_apart_share_no_node() {
    let keys = register::Register.keys(&plan());
    let owners = keys.iter().cloned().zip([0, 1, 0, 1, 0, 1]);
    let plan = Plan {
        apart: owners.collect(),
        ..plan()
    };
    for client in 0..2 {
        let mut generator = register::Register.client(&plan, client);
        for request in (0..20).flat_map(|_| generator.batch()) {
            assert_eq!(plan.apart[&request[1]], client, "{request:?}");
        }
    }
}
