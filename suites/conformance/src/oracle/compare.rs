//! Comparison of a client's reply with that of one plain Redis.
//!
//! Never waits and never reads.

use super::entries::{self, Parted};
use super::one_order::{in_one_order, sorted};
use crate::cases::judge::Outcome;
use crate::verdict::Class;
use testbed::wire::Value;

/// The parts that must be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    /// Everything.
    Exact,
    /// Everything but the order in arrays, maps and sets.
    AnyOrder,
    /// Types, and lengths of arrays, maps and sets, for answers that differ between any two servers, as TIME.
    Shape,
    /// Only the type, because the content depends on the server.
    Kind,
    /// All elements of all pages of a scan, in any order.
    Scan,
    /// All elements of each entry about a command, as COMMAND INFO gives them.
    CommandInfo,
    /// The same for the entries that both list, as COMMAND gives them.
    CommandTable,
    /// The plain Redis is not asked, because it would not answer with a reply: only a refusal is right.
    Refusal,
}

impl Comparison {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Exact,
        Self::AnyOrder,
        Self::Shape,
        Self::Kind,
        Self::Scan,
        Self::CommandInfo,
        Self::CommandTable,
        Self::Refusal,
    ];

    /// The word in fixtures.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::AnyOrder => "any-order",
            Self::Shape => "shape",
            Self::Kind => "kind",
            Self::Scan => "scan",
            Self::CommandInfo => "command-info",
            Self::CommandTable => "command-table",
            Self::Refusal => "refusal",
        }
    }

    /// The comparison that has this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// Outcome class of a reply of the proxy, if a plain Redis answered `plain`.
#[must_use]
pub(crate) fn compare(comparison: Comparison, plain: &Outcome, seen: &Outcome) -> Class {
    match (seen, plain) {
        (Outcome::Reply(seen), Outcome::Reply(plain)) => replies(comparison, plain, seen),
        (Outcome::Closed(pending), Outcome::Closed(_)) if pending.is_empty() => Class::Correct,
        (Outcome::Closed(pending) | Outcome::Silent(pending), _) if !pending.is_empty() => {
            Class::Partial
        }
        (Outcome::Endless(_), _) => Class::Partial,
        (Outcome::Silent(_), Outcome::Silent(_)) => Class::Correct,
        (Outcome::Closed(_), _) => Class::Closed,
        (Outcome::Silent(_), _) => Class::Hung,
        (Outcome::Reply(reply), _) if reply.is_error() => Class::Refused,
        (Outcome::Reply(_) | Outcome::Bytes(_) | Outcome::Garbled(_), _) => Class::Wrong,
    }
}

/// Expected and actual reply, as text. Of long tables only the first difference.
#[must_use]
pub(crate) fn parted(comparison: Comparison, plain: &Outcome, seen: &Outcome) -> Parted {
    let part = match (comparison, plain, seen) {
        (Comparison::CommandInfo, Outcome::Reply(plain), Outcome::Reply(seen)) => {
            entries::info(plain, seen)
        }
        (Comparison::CommandTable, Outcome::Reply(plain), Outcome::Reply(seen)) => {
            entries::table(plain, seen)
        }
        _ => None,
    };
    let whole = || Parted {
        expected: plain.shown(),
        got: seen.shown(),
    };
    part.unwrap_or_else(whole)
}

/// Whether both are errors with the same code, whatever their text.
#[must_use]
pub(crate) fn errors_alike(plain: &Outcome, seen: &Outcome) -> bool {
    let code = |outcome: &Outcome| match outcome {
        Outcome::Reply(Value::Error(text)) => {
            text.split(|byte| *byte == b' ').next().map(<[u8]>::to_vec)
        }
        _ => None,
    };
    code(plain).is_some_and(|plain| code(seen) == Some(plain))
}

fn replies(comparison: Comparison, plain: &Value, seen: &Value) -> Class {
    let alike = match comparison {
        _ if plain.is_error() => plain == seen,
        Comparison::Exact => plain == seen,
        Comparison::AnyOrder | Comparison::Scan => sorted(plain) == sorted(seen),
        Comparison::Shape => shaped(plain, seen),
        Comparison::Kind => std::mem::discriminant(plain) == std::mem::discriminant(seen),
        Comparison::CommandInfo => entries::info(plain, seen).is_none(),
        Comparison::CommandTable => entries::table(plain, seen).is_none(),
        Comparison::Refusal => false,
    };
    match (plain, seen) {
        _ if alike => Class::Correct,
        (_, seen) if seen.is_error() => Class::Refused,
        (all, some) if is_part(all, some) => Class::Partial,
        _ => Class::Wrong,
    }
}

/// Whether `some` is a part of the answer: errors replace some elements, so the client knows that they are missing. An
/// element that is missing without an error does not count as reported.
fn is_part(all: &Value, some: &Value) -> bool {
    let reported = |one: &Value, other: &Value| one == other || other.is_error();
    match (all, some) {
        (Value::Array(all), Value::Array(some)) => {
            some.len() == all.len()
                && all
                    .iter()
                    .zip(some)
                    .all(|(one, other)| reported(one, other))
        }
        (Value::Map(all), Value::Map(some)) => {
            let kept = |(key, value): &(Value, Value)| {
                let mut entries = some.iter().filter(|entry| entry.0 == *key);
                entries.any(|entry| reported(value, &entry.1))
            };
            let errors = some.iter().any(|(_, value)| value.is_error());
            errors && some.len() == all.len() && all.iter().all(kept)
        }
        _ => false,
    }
}

fn shaped(one: &Value, other: &Value) -> bool {
    let all = |ones: &[Value], others: &[Value]| {
        ones.len() == others.len()
            && ones
                .iter()
                .zip(others)
                .all(|(one, other)| shaped(one, other))
    };
    match (one, other) {
        (Value::Array(ones), Value::Array(others)) | (Value::Push(ones), Value::Push(others)) => {
            all(ones, others)
        }
        (Value::Set(ones), Value::Set(others)) => {
            all(&in_one_order(ones.clone()), &in_one_order(others.clone()))
        }
        (Value::Map(ones), Value::Map(others)) => {
            let (ones, others) = (in_one_order(ones.clone()), in_one_order(others.clone()));
            let flat = |entries: Vec<(Value, Value)>| -> Vec<Value> {
                let both = entries.into_iter().flat_map(|(key, value)| [key, value]);
                both.collect()
            };
            all(&flat(ones), &flat(others))
        }
        (Value::Attributed { value: one, .. }, Value::Attributed { value: other, .. }) => {
            shaped(one, other)
        }
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison, compare};
    use crate::cases::judge::Outcome;
    use crate::verdict::Class;
    use testbed::wire;

    fn outcome(text: &str) -> Outcome {
        match text {
            "close" => Outcome::Closed(Vec::new()),
            "silence" => Outcome::Silent(Vec::new()),
            "half" => Outcome::Closed(b"$5\r\nab".to_vec()),
            text => {
                let reply = wire::reply(text.as_bytes(), wire::Protocol::Resp3)
                    .or_else(|_| wire::reply(text.as_bytes(), wire::Protocol::Resp2));
                Outcome::Reply(reply.unwrap().unwrap().0)
            }
        }
    }

    #[track_caller]
    fn check(comparison: Comparison, plain: &str, seen: &str, class: Class) {
        assert_eq!(compare(comparison, &outcome(plain), &outcome(seen)), class);
    }

    #[test]
    fn each_comparison_allows_its_differences_only() {
        use Comparison::{AnyOrder, Exact, Kind, Shape};
        let (one, other) = ("*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n");
        check(Exact, one, one, Class::Correct);
        check(Exact, one, other, Class::Wrong);
        check(AnyOrder, one, other, Class::Correct);
        check(AnyOrder, one, "*2\r\n:2\r\n:2\r\n", Class::Wrong);
        check(Shape, one, "*2\r\n:7\r\n:7\r\n", Class::Correct);
        check(Shape, one, "*2\r\n:7\r\n+7\r\n", Class::Wrong);
        check(Kind, one, "*1\r\n+7\r\n", Class::Correct);
        check(Kind, one, ":1\r\n", Class::Wrong);
        check(Exact, "$-1\r\n", "*-1\r\n", Class::Wrong);
    }

    #[test]
    fn maps_and_sets_have_no_order_of_their_own() {
        use Comparison::{AnyOrder, Exact, Kind, Shape};
        let one = "%2\r\n+a\r\n:1\r\n+b\r\n_\r\n";
        let other = "%2\r\n+b\r\n_\r\n+a\r\n:1\r\n";
        check(Exact, one, other, Class::Wrong);
        check(AnyOrder, one, other, Class::Correct);
        let swapped = "%2\r\n+a\r\n_\r\n+b\r\n:1\r\n";
        check(AnyOrder, one, swapped, Class::Wrong);
        check(AnyOrder, one, "*4\r\n+a\r\n:1\r\n+b\r\n_\r\n", Class::Wrong);
        check(Shape, one, other, Class::Correct);
        check(Shape, one, swapped, Class::Wrong);
        check(Shape, one, "%1\r\n+a\r\n:1\r\n", Class::Wrong);
        check(Kind, one, "%0\r\n", Class::Correct);
        check(
            Exact,
            one,
            "%2\r\n+a\r\n!1\r\nE\r\n+b\r\n_\r\n",
            Class::Partial,
        );
        check(
            AnyOrder,
            one,
            "%2\r\n+b\r\n-E\r\n+a\r\n:1\r\n",
            Class::Partial,
        );
        check(
            AnyOrder,
            one,
            "%2\r\n+c\r\n-E\r\n+a\r\n:1\r\n",
            Class::Wrong,
        );
        let (one, other) = ("~2\r\n:1\r\n+b\r\n", "~2\r\n+b\r\n:1\r\n");
        check(Exact, one, other, Class::Wrong);
        check(AnyOrder, one, other, Class::Correct);
        check(Shape, one, other, Class::Correct);
        check(Shape, one, "~2\r\n:1\r\n:2\r\n", Class::Wrong);
        check(
            AnyOrder,
            "*1\r\n~2\r\n:1\r\n:2\r\n",
            "*1\r\n~2\r\n:2\r\n:1\r\n",
            Class::Correct,
        );
    }

    #[test]
    fn errors_of_resp3_are_refusals() {
        use Comparison::{Exact, Kind};
        check(Exact, ":1\r\n", "!5\r\nERR a\r\n", Class::Refused);
        check(Exact, "close", "!5\r\nERR a\r\n", Class::Refused);
        check(Kind, "!5\r\nERR a\r\n", "!5\r\nERR b\r\n", Class::Refused);
    }

    #[test]
    fn unexpected_replies_have_their_class() {
        use Comparison::{Exact, Kind, Refusal};
        check(Exact, ":1\r\n", "-ERR no\r\n", Class::Refused);
        check(Kind, "-ERR a\r\n", "-ERR a\r\n", Class::Correct);
        check(Kind, "-ERR a\r\n", "-ERR b\r\n", Class::Refused);
        check(Exact, "-ERR a\r\n", ":1\r\n", Class::Wrong);
        check(Exact, ":1\r\n", "close", Class::Closed);
        check(Exact, "close", "close", Class::Correct);
        check(Exact, "close", ":1\r\n", Class::Wrong);
        check(Exact, ":1\r\n", "half", Class::Partial);
        check(Exact, ":1\r\n", "silence", Class::Hung);
        check(Exact, "*2\r\n:1\r\n:2\r\n", "*1\r\n:2\r\n", Class::Wrong);
        check(
            Exact,
            "*2\r\n:1\r\n:2\r\n",
            "*2\r\n:1\r\n-E\r\n",
            Class::Partial,
        );
        check(Refusal, ":1\r\n", ":1\r\n", Class::Wrong);
        check(Refusal, ":1\r\n", "-ERR no\r\n", Class::Refused);
    }
}
