//! The checker agrees with brute force on random histories, right and wrong, in both orders.

use super::brute;
use super::random::{Random, Shape, history};
use crate::checker::{Explanation, Method, Options, SessionOrder, Verdict, registers};
use crate::history::{Completion, Header, History, Record};

const EVERY: &[&str] = &["GET", "GET", "SET", "GETSET", "SETNX", "SET NX", "DEL"];
const COMMANDS: &[&[&str]] = &[
    &["GET", "SET"],
    &["GET", "GET", "SET", "GETSET"],
    &["GET", "SET", "SETNX"],
    &["GET", "SET", "DEL"],
    EVERY,
];

/// A shape of up to seven operations.
fn shape(random: &mut Random) -> Shape {
    Shape {
        operations: 1 + random.below(7),
        sessions: 1 + random.below(4),
        span: 1 + random.below(40),
        pipelined: !random.one_in(4),
        commands: COMMANDS[random.below(COMMANDS.len() as u64) as usize],
        indefinite: random.below(5),
        wrong: random.below(8),
        unique: !random.one_in(6),
    }
}

pub(super) fn of(records: &[Record], with_seen: bool) -> History {
    let mut records = records.to_vec();
    for record in &mut records {
        if !with_seen && record.received.is_some() {
            record.seen.clear();
        }
    }
    let mut header = Header::new("t", "s", 1);
    header.nodes = vec!["n".to_owned()];
    History { header, records }
}

/// Verdicts by the method that decided them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    witness: usize,
    clusters: usize,
    search: usize,
    violations: usize,
    reordered: usize,
}

fn agree(count: u64, seed: u64) -> Counts {
    let mut random = Random::seeded(seed);
    let mut counts = Counts::default();
    for at in 0..count {
        let shape = shape(&mut random);
        let records = history(&mut random, shape);
        let with_seen = random.one_in(3);
        for session_order in [SessionOrder::Kept, SessionOrder::Ignored] {
            let expected = brute::linearizable(&records, session_order);
            let checked = check(&of(&records, with_seen), session_order);
            let (method, found) = match &checked {
                None => (None, true),
                Some((method, verdict)) => (*method, *verdict == Verdict::Linearizable),
            };
            assert_eq!(
                found,
                expected,
                "{at} {session_order:?} {checked:?} {}",
                text(&records)
            );
            if let Some((_, Verdict::Violation(explanation))) = &checked {
                check_explanation(explanation, &records, session_order);
                counts.violations += 1;
                counts.reordered += usize::from(
                    session_order == SessionOrder::Kept
                        && brute::linearizable(&records, SessionOrder::Ignored),
                );
            }
            match method {
                Some(Method::Witness) => counts.witness += 1,
                Some(Method::Clusters) => counts.clusters += 1,
                Some(Method::Search) => counts.search += 1,
                None => (),
            }
        }
    }
    counts
}

pub(super) fn check(
    history: &History,
    session_order: SessionOrder,
) -> Option<(Option<Method>, Verdict)> {
    let options = Options {
        session_order,
        ..Options::default()
    };
    let mut checked = registers(history, options);
    let checked = checked.pop()?;
    Some((checked.method, checked.verdict))
}

/// The part that explains a violation is one by itself, as far as it was answered when the culprit was.
#[track_caller]
fn check_explanation(explanation: &Explanation, records: &[Record], session_order: SessionOrder) {
    let end = records[explanation.culprit].end();
    let part: Vec<Record> = explanation
        .records
        .iter()
        .map(|index| {
            let mut record = records[*index].clone();
            if record.end() > end {
                record.completion = Completion::Indefinite;
            }
            record
        })
        .collect();
    assert!(
        !brute::linearizable(&part, session_order),
        "{explanation:?} of {}",
        text(records)
    );
}

fn text(records: &[Record]) -> String {
    let mut text = Vec::new();
    crate::history::write(&mut text, &of(records, true)).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn the_checker_agrees_with_every_order_of_small_histories() {
    let counts = agree(20_000, 1);
    // Each method is used, and some histories are forbidden by session order only.
    assert!(
        counts
            .witness
            .min(counts.clusters)
            .min(counts.search)
            .min(counts.reordered)
            > 100,
        "{counts:?}"
    );
}

/// `cargo test --release -p shardproof-chaos million -- --ignored --nocapture`
#[test]
#[ignore = "takes a minute, even optimised"]
fn the_checker_agrees_on_a_million_histories() {
    println!("{:?}", agree(1_000_000, 2));
}
