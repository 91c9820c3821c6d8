//! One client of the differential test: its state in a transaction, which steps the proxy may refuse, and how the two
//! replies to a step compare.

use std::collections::BTreeSet;

use super::draw::{Part, Step};
use crate::cases::judge::Outcome;
use crate::harness::Error;
use crate::oracle::{Comparison, Place, compare, errors_alike};
use crate::verdict::Class;
use testbed::client::{Client, NODE_DEADLINE};
use testbed::wire::Value;

/// A client's connections to both sides.
pub(super) struct ClientModel {
    pub(super) proxy: Client,
    pub(super) plain: Client,
    mode: Mode,
}

/// The request to the plain Redis for a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    /// The same.
    The(ReplyComparison),
    /// No request: the proxy has refused the step.
    Nothing,
    /// DISCARD: the proxy has refused a request of the transaction, so it must answer EXEC with an error.
    ToDiscard,
}

/// How the two replies to a step compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReplyComparison {
    As(Comparison),
    /// Element by element, as the queued requests compare.
    Each(Vec<Comparison>),
    Not,
}

impl ClientModel {
    pub(super) fn new(proxy: Client, plain: Client, place: Place) -> Self {
        Self {
            proxy,
            plain,
            mode: Mode::new(place),
        }
    }

    /// Has both sides answer in RESP3.
    pub(super) async fn speak_resp3(&mut self) -> Result<(), Error> {
        for side in [&mut self.proxy, &mut self.plain] {
            match side.call(&["HELLO", "3"], NODE_DEADLINE).await {
                Ok(Value::Map(_)) => {}
                Ok(other) => return Err(Error::Oracle(format!("HELLO 3: {other}"))),
                Err(why) => return Err(Error::Oracle(format!("HELLO 3: {why}"))),
            }
        }
        Ok(())
    }

    /// Whether the proxy may refuse a step: its keys, or those of the transaction, are on several nodes, or may not be
    /// on the node that the transaction is pinned to.
    pub(super) fn may_refuse(&self, step: &Step) -> bool {
        self.mode.may_refuse(step)
    }

    /// The request to the plain Redis, once the proxy has answered a step.
    pub(super) fn ask(&mut self, step: &Step, is_error: bool) -> Ask {
        self.mode.ask(step, is_error)
    }
}

/// Where a client is, as far as the proxy's replies tell.
#[derive(Debug)]
struct Mode {
    place: Place,
    /// Nodes of the keys that are watched.
    watched: BTreeSet<usize>,
    block: Option<Block>,
}

/// An open transaction.
#[derive(Debug, Default)]
struct Block {
    /// Comparison of the replies to queued requests.
    queued: Vec<Comparison>,
    /// Nodes of its keys, and of those that were watched before it.
    nodes: BTreeSet<usize>,
    /// A request without keys is queued: before any key it may have pinned the transaction to any node.
    keyless: bool,
    /// The proxy has refused a request in it that the plain Redis would have queued.
    refused: bool,
}

impl Block {
    /// Whether the proxy may have chosen a node that no key tells.
    fn is_pinned_anywhere(&self) -> bool {
        self.keyless && self.nodes.is_empty()
    }
}

impl Mode {
    fn new(place: Place) -> Self {
        Self {
            place,
            watched: BTreeSet::new(),
            block: None,
        }
    }

    fn may_refuse(&self, step: &Step) -> bool {
        let nodes = step.nodes(self.place);
        let others = match (&self.block, step.part) {
            (Some(block), _) => &block.nodes,
            (None, Part::Watch) => &self.watched,
            (None, _) => &BTreeSet::new(),
        };
        let pinned = self.block.as_ref().is_some_and(Block::is_pinned_anywhere);
        !step.whole || (!nodes.is_empty() && (pinned || nodes.union(others).count() > 1))
    }

    fn ask(&mut self, step: &Step, is_error: bool) -> Ask {
        let refused = is_error && self.may_refuse(step);
        let nodes = step.nodes(self.place);
        let exact = Ask::The(ReplyComparison::As(Comparison::Exact));
        let Some(block) = &mut self.block else {
            if refused {
                return Ask::Nothing;
            }
            match step.part {
                Part::Multi if !is_error => {
                    self.block = Some(Block {
                        nodes: self.watched.clone(),
                        ..Block::default()
                    });
                }
                Part::Watch if !is_error => self.watched.extend(nodes),
                Part::Unwatch => self.watched.clear(),
                _ => {}
            }
            return Ask::The(ReplyComparison::As(step.comparison));
        };
        match step.part {
            // MULTI and WATCH are not queued.
            Part::Multi | Part::Watch => exact,
            Part::Exec => {
                let block = self.block.take().unwrap_or_default();
                self.watched.clear();
                match block.refused {
                    true => Ask::ToDiscard,
                    false => Ask::The(ReplyComparison::Each(block.queued)),
                }
            }
            Part::Discard => {
                self.block = None;
                self.watched.clear();
                exact
            }
            Part::Call | Part::Unwatch if refused => {
                block.refused = true;
                Ask::Nothing
            }
            Part::Call | Part::Unwatch => {
                if !is_error {
                    block.queued.push(step.comparison);
                    block.keyless |= nodes.is_empty();
                    block.nodes.extend(nodes);
                }
                exact
            }
        }
    }
}

impl ReplyComparison {
    /// Whether the reply is that of one plain Redis.
    pub(super) fn fits(&self, expected: &Outcome, seen: &Outcome) -> bool {
        match (self, expected, seen) {
            (Self::Not, _, _) => true,
            _ if errors_alike(expected, seen) => true,
            (
                Self::Each(all),
                Outcome::Reply(Value::Array(said)),
                Outcome::Reply(Value::Array(seen)),
            ) => {
                let fits = |((how, said), seen): ((&Comparison, &Value), &Value)| {
                    let (said, seen) = (Outcome::Reply(said.clone()), Outcome::Reply(seen.clone()));
                    errors_alike(&said, &seen) || compare(*how, &said, &seen) == Class::Correct
                };
                said.len() == seen.len()
                    && all.len() == said.len()
                    && all.iter().zip(said).zip(seen).all(fits)
            }
            (Self::Each(_), _, _) => compare(Comparison::Exact, expected, seen) == Class::Correct,
            (Self::As(how), _, _) => compare(*how, expected, seen) == Class::Correct,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::draw::tests::{call, key, part};
    use super::{Ask, Mode, ReplyComparison};
    use crate::cases::judge::Outcome;
    use crate::differential::draw::{Part, Step};
    use crate::oracle::{Comparison, Place};
    use testbed::wire::{self, Value};

    const EXACT: Ask = Ask::The(ReplyComparison::As(Comparison::Exact));

    /// The requests to the plain Redis for each step; `true` if the proxy replies with an error.
    #[track_caller]
    fn check(place: Place, steps: &[(Step, bool)], expected: &[Ask]) {
        let mut mode = Mode::new(place);
        let asks: Vec<Ask> = steps
            .iter()
            .map(|(step, is_error)| mode.ask(step, *is_error))
            .collect();
        assert_eq!(asks, expected);
    }

    fn multi() -> Step {
        part(Part::Multi, &["MULTI"], &[])
    }

    fn exec() -> Step {
        part(Part::Exec, &["EXEC"], &[])
    }

    fn get(number: u32) -> Step {
        call(&["GET"], &[key(number)])
    }

    #[test]
    fn only_keys_on_several_nodes_may_be_refused() {
        let two = || call(&["SUNION"], &[key(1), key(2)]);
        check(
            Place::Apart,
            &[(two(), true), (get(1), true)],
            &[Ask::Nothing, EXACT],
        );
        check(Place::Together, &[(two(), true)], &[EXACT]);
        // Keys 1 and 4 are on one node, as the first and the fourth of three.
        let same = call(&["SUNION"], &[key(1), key(4)]);
        check(Place::Apart, &[(same, true)], &[EXACT]);
        let partly = Step {
            whole: false,
            ..get(1)
        };
        check(Place::Apart, &[(partly, true)], &[Ask::Nothing]);
    }

    /// A proxy may pin a transaction to the node that it asks for COMMAND, and refuse keys of all others.
    #[test]
    fn a_refusal_after_a_command_without_keys_is_no_difference() {
        let keyless = || call(&["COMMAND"], &[]);
        for place in [Place::Together, Place::Apart] {
            check(
                place,
                &[
                    (multi(), false),
                    (keyless(), false),
                    (get(1), true),
                    (exec(), true),
                ],
                &[EXACT, EXACT, Ask::Nothing, Ask::ToDiscard],
            );
            // Known keys have pinned it, before or after: the same node may not be refused.
            check(
                place,
                &[
                    (multi(), false),
                    (get(1), false),
                    (keyless(), false),
                    (get(4), true),
                ],
                &[EXACT, EXACT, EXACT, EXACT],
            );
            check(
                place,
                &[
                    (multi(), false),
                    (keyless(), false),
                    (get(1), false),
                    (get(4), true),
                ],
                &[EXACT, EXACT, EXACT, EXACT],
            );
            let watch = part(Part::Watch, &["WATCH"], &[key(1)]);
            check(
                place,
                &[
                    (watch, false),
                    (multi(), false),
                    (keyless(), false),
                    (get(1), true),
                ],
                &[EXACT, EXACT, EXACT, EXACT],
            );
            // A refused request pins nothing, and outside a transaction nothing is pinned.
            check(
                place,
                &[(multi(), false), (keyless(), true), (get(1), true)],
                &[EXACT, EXACT, EXACT],
            );
            check(
                place,
                &[(keyless(), false), (get(1), true)],
                &[EXACT, EXACT],
            );
        }
    }

    #[test]
    fn a_request_refused_in_a_transaction_ends_it() {
        let each = |count| Ask::The(ReplyComparison::Each(vec![Comparison::Exact; count]));
        check(
            Place::Apart,
            &[
                (multi(), false),
                (get(1), false),
                (get(2), true),
                (exec(), true),
                (get(2), true),
            ],
            &[EXACT, EXACT, Ask::Nothing, Ask::ToDiscard, EXACT],
        );
        check(
            Place::Apart,
            &[
                (multi(), false),
                (get(1), false),
                (get(4), false),
                (exec(), false),
            ],
            &[EXACT, EXACT, EXACT, each(2)],
        );
        // An error of EXEC without a reason is one that the plain Redis has to have too.
        check(
            Place::Apart,
            &[(multi(), false), (get(1), false), (exec(), true)],
            &[EXACT, EXACT, each(1)],
        );
        let watch = part(Part::Watch, &["WATCH"], &[key(1)]);
        check(
            Place::Apart,
            &[
                (watch, false),
                (multi(), false),
                (get(2), true),
                (exec(), true),
            ],
            &[EXACT, EXACT, Ask::Nothing, Ask::ToDiscard],
        );
    }

    fn outcome(text: &str) -> Outcome {
        match text {
            "close" => Outcome::Closed(Vec::new()),
            text => {
                let reply = wire::reply(text.as_bytes(), wire::Protocol::Resp2);
                Outcome::Reply(reply.unwrap().unwrap().0)
            }
        }
    }

    #[track_caller]
    fn check_fits(how: &ReplyComparison, expected: &str, seen: &str, fits: bool) {
        assert_eq!(
            how.fits(&outcome(expected), &outcome(seen)),
            fits,
            "{expected} {seen}"
        );
    }

    #[test]
    fn replies_are_compared_as_their_requests_want_it() {
        let exact = ReplyComparison::As(Comparison::Exact);
        check_fits(&exact, ":1\r\n", ":1\r\n", true);
        check_fits(&exact, ":1\r\n", ":2\r\n", false);
        check_fits(&exact, "$-1\r\n", "$1\r\na\r\n", false);
        check_fits(&exact, ":1\r\n", "close", false);
        check_fits(&exact, ":1\r\n", "-ERR no\r\n", false);
        check_fits(&exact, "-ERR one\r\n", "-ERR other\r\n", true);
        check_fits(&exact, "-WRONGTYPE x\r\n", "-ERR x\r\n", false);
        let each = ReplyComparison::Each(vec![Comparison::Exact, Comparison::AnyOrder]);
        let (one, turned) = (
            "*2\r\n:1\r\n*2\r\n:1\r\n:2\r\n",
            "*2\r\n:1\r\n*2\r\n:2\r\n:1\r\n",
        );
        check_fits(&each, one, turned, true);
        check_fits(&each, one, "*2\r\n:2\r\n*2\r\n:1\r\n:2\r\n", false);
        check_fits(&each, one, "*1\r\n:1\r\n", false);
        check_fits(&each, one, "*-1\r\n", false);
        check_fits(&each, "*-1\r\n", "*-1\r\n", true);
        assert_ne!(Value::Null, Value::NullBulk);
    }
}
