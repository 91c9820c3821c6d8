//! The checker agrees with an independent one, the WGL checker of todc-utils, on histories too large for brute force.
//!
//! That one does not support session order, so sessions wait for their replies here, or session order is ignored.

use testbed::wire::Value;
use todc_utils::linearizability::WGLChecker;
use todc_utils::linearizability::history::{Action, History as Actions};
use todc_utils::specifications::Specification;

use super::agreement::{check, of};
use super::brute::executed;
use super::random::{Random, Shape, history};
use crate::checker::{SessionOrder, Verdict};
use crate::history::{Completion, Record};

/// A Redis with one key. An operation is a request with its reply, if there is one.
struct OneKey;

type Request = Vec<Vec<u8>>;

impl Specification for OneKey {
    type State = Option<Vec<u8>>;
    type Operation = (Request, Option<Value>);

    fn init() -> Self::State {
        None
    }

    fn apply((request, expected): &Self::Operation, state: &Self::State) -> (bool, Self::State) {
        let (after, reply) = executed(request, state.as_deref());
        match expected {
            Some(expected) if *expected != reply => (false, state.clone()),
            _ => (true, after.map(<[u8]>::to_vec)),
        }
    }
}

/// Each request is a process of its own. An indefinite one ends last, so no operation sees it.
fn is_linearizable(records: &[Record]) -> bool {
    let mut actions = Vec::new();
    for (process, record) in records.iter().enumerate() {
        let known = record.reply.clone();
        let reply = known.filter(|_| record.completion == Completion::Ok);
        let operation = (record.request.clone(), reply);
        let end = record.end().unwrap_or(u64::MAX);
        actions.push((record.sent, 0, process, Action::Call(operation.clone())));
        actions.push((end, 1, process, Action::Response(operation)));
    }
    // Calls before responses of the same time: requests that touch are concurrent.
    actions.sort_by_key(|(at, kind, ..)| (*at, *kind));
    let actions = actions.into_iter();
    let actions = actions.map(|(_, _, process, action)| (process, action));
    WGLChecker::<OneKey>::is_linearizable(Actions::from_actions(actions.collect()))
}

#[track_caller]
fn check_agreement(seed: u64, shapes: impl Fn(&mut Random) -> Shape, session_order: SessionOrder) {
    let mut random = Random::seeded(seed);
    let (mut right, mut wrong) = (0, 0);
    for _ in 0..500 {
        let shape = shapes(&mut random);
        let records = history(&mut random, shape);
        let expected = is_linearizable(&records);
        let found = check(&of(&records, false), session_order);
        let verdict = found.map_or(Verdict::Linearizable, |(_, verdict)| verdict);
        assert_eq!(
            verdict == Verdict::Linearizable,
            expected,
            "{verdict:?} {records:?}"
        );
        match expected {
            true => right += 1,
            false => wrong += 1,
        }
    }
    assert!(right.min(wrong) > 50, "right {right}, wrong {wrong}");
}

const COMMANDS: &[&[&str]] = &[
    &["GET", "SET", "GETSET"],
    &["GET", "SET", "GETSET", "SETNX", "SET NX", "DEL"],
];

fn shape(random: &mut Random, pipelined: bool) -> Shape {
    // Without session order, all pipelined requests overlap, and the other checker takes exponential time.
    let operations = match pipelined {
        true => 8 + random.below(5),
        false => 10 + random.below(40),
    };
    Shape {
        operations,
        sessions: 2 + random.below(5),
        span: 20 + random.below(40),
        pipelined,
        commands: COMMANDS[random.below(2) as usize],
        indefinite: 10 * random.below(2),
        wrong: operations * random.below(2),
        unique: true,
    }
}

#[test]
fn both_agree_where_sessions_wait_for_replies() {
    check_agreement(3, |random| shape(random, false), SessionOrder::Kept);
}

#[test]
fn both_agree_where_session_order_is_ignored() {
    check_agreement(4, |random| shape(random, true), SessionOrder::Ignored);
}
