//! The table of laws, and every law on a double that breaks only it.

mod model;
pub(crate) mod run;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use run::{Run, check_kept};

use super::*;

/// Files of the folder that are not laws.
const SHARED: &[&str] = &[
    "before",
    "command",
    "findings",
    "interleaved",
    "keys",
    "last",
    "misdelivery",
    "mod",
    "on_proxies",
    "operation",
    "overlaps",
    "tests",
    "text",
    "verdict",
    "windows",
];

/// Each law with a run that breaks it, and the other laws that such a run cannot but break.
fn doubles() -> Vec<(&'static str, Run, &'static [&'static str])> {
    vec![
        (
            "answers-within-deadline",
            answers_within_deadline::tests::double(),
            &[],
        ),
        ("appends-intact", appends_intact::tests::double(), &[]),
        (
            "connections-bounded",
            connections_bounded::tests::double(),
            &[],
        ),
        ("counters-exact", counters_exact::tests::double(), &[]),
        ("error-names-node", error_names_node::tests::double(), &[]),
        (
            "executed-at-most-once",
            executed_at_most_once::tests::double(),
            &[],
        ),
        ("expires-in-time", expires_in_time::tests::double(), &[]),
        ("isolation", isolation::tests::double(), &[]),
        (
            "ledger-as-predicted",
            ledger_as_predicted::tests::double(),
            &[],
        ),
        ("memory-bounded", memory_bounded::tests::double(), &[]),
        ("no-cross-talk", no_cross_talk::tests::double(), &[]),
        ("no-false-nil", no_false_nil::tests::double(), &[]),
        ("no-short-answer", no_short_answer::tests::double(), &[]),
        (
            "placement-unchanged",
            placement_unchanged::tests::double(),
            &[],
        ),
        (
            "proxies-agree",
            proxies_agree::tests::double(),
            // A key with two nodes is on both in the end.
            &["ledger-as-predicted"],
        ),
        ("recovers-within", recovers_within::tests::double(), &[]),
        (
            "registers-linearizable",
            registers_linearizable::tests::double(),
            &[],
        ),
        ("replies-in-order", replies_in_order::tests::double(), &[]),
        ("scan-complete", scan_complete::tests::double(), &[]),
        (
            "transactions-atomic",
            transactions_atomic::tests::double(),
            &[],
        ),
    ]
}

#[test]
fn every_law_is_one_file_and_one_row() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/law");
    let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let files = fs::read_dir(folder).unwrap();
    let stems: BTreeSet<String> = files.map(|file| stem(&file.unwrap().path())).collect();
    let laws = stems.iter().filter(|stem| !SHARED.contains(&stem.as_str()));
    let laws: BTreeSet<String> = laws.map(|stem| stem.replace('_', "-")).collect();
    let rows: Vec<String> = LAWS.iter().map(|law| law.id().to_owned()).collect();
    assert_eq!(rows.iter().cloned().collect::<BTreeSet<_>>(), laws);
    assert_eq!(rows.len(), laws.len(), "a law has two rows: {rows:?}");
}

#[test]
fn a_healthy_run_keeps_every_law() {
    for law in LAWS {
        check_kept(*law, &Run::healthy());
    }
}

#[test]
fn every_law_has_a_double_that_breaks_only_it() {
    let doubles = doubles();
    let broken_by: BTreeSet<&str> = doubles.iter().map(|(id, ..)| *id).collect();
    assert_eq!(broken_by, LAWS.iter().map(|law| law.id()).collect());
    for (id, run, implied) in doubles {
        for law in LAWS {
            let verdict = law.judge(&run.observed);
            let broken = matches!(verdict, Verdict::Broken(_));
            let expected = law.id() == id || implied.contains(&law.id());
            assert_eq!(
                broken,
                expected,
                "{} on the double of {id}: {verdict:?}",
                law.id()
            );
        }
    }
}

/// Runs of the model.
const SEEDS: u64 = 1000;

#[test]
fn no_correct_run_breaks_a_law() {
    let mut kept = BTreeSet::new();
    for seed in 0..SEEDS {
        let observed = model::run(seed, 4);
        for law in LAWS {
            match law.judge(&observed) {
                Verdict::Broken(violation) => panic!("seed {seed}: {}: {violation:?}", law.id()),
                Verdict::Kept { .. } => drop(kept.insert(law.id())),
                Verdict::Unknown { .. } | Verdict::NotPromised { .. } => {}
            }
        }
    }
    assert_eq!(kept, LAWS.iter().map(|law| law.id()).collect());
}
