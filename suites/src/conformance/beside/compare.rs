//! How two answers compare: what a client saw, beside the answer of one plain Redis.
//!
//! Never waits and never reads.

use crate::conformance::judge::Outcome;
use crate::verdict::Class;
use crate::wire::Value;

/// What has to be equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    /// Everything.
    Exact,
    /// Everything but the order in arrays.
    AnyOrder,
    /// Types and lengths of arrays, for answers that two servers never give alike, as TIME.
    Shape,
    /// The type of the answer: what is in it is about the server.
    Kind,
    /// All elements of all pages of a scan, in any order.
    Scan,
    /// The plain Redis is not asked, because its answer is no reply: only a refusal is right.
    Refusal,
}

impl Comparison {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Exact,
        Self::AnyOrder,
        Self::Shape,
        Self::Kind,
        Self::Scan,
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
            Self::Refusal => "refusal",
        }
    }

    /// The comparison that has this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// The class of what a client of a proxy saw, where a plain Redis said `plain`.
#[must_use]
pub(in crate::conformance) fn compare(
    comparison: Comparison,
    plain: &Outcome,
    seen: &Outcome,
) -> Class {
    match (seen, plain) {
        (Outcome::Reply(seen), Outcome::Reply(plain)) => replies(comparison, plain, seen),
        (Outcome::Closed(pending), Outcome::Closed(_)) if pending.is_empty() => Class::Correct,
        (Outcome::Closed(pending) | Outcome::Silent(pending), _) if !pending.is_empty() => {
            Class::Partial
        }
        (Outcome::Silent(_), Outcome::Silent(_)) => Class::Correct,
        (Outcome::Closed(_), _) => Class::Closed,
        (Outcome::Silent(_), _) => Class::Hung,
        (Outcome::Reply(Value::Error(_)), _) => Class::Refused,
        (Outcome::Reply(_) | Outcome::Bytes(_) | Outcome::Garbled(_), _) => Class::Wrong,
    }
}

/// Whether both are errors with the same code, whatever they say behind it.
#[must_use]
pub(in crate::conformance) fn errors_alike(plain: &Outcome, seen: &Outcome) -> bool {
    let code = |outcome: &Outcome| match outcome {
        Outcome::Reply(Value::Error(text)) => {
            text.split(|byte| *byte == b' ').next().map(<[u8]>::to_vec)
        }
        _ => None,
    };
    code(plain).is_some_and(|plain| code(seen) == Some(plain))
}

fn replies(comparison: Comparison, plain: &Value, seen: &Value) -> Class {
    let alike = match (comparison, plain) {
        (Comparison::Exact, _) | (_, Value::Error(_)) => plain == seen,
        (Comparison::AnyOrder | Comparison::Scan, _) => sorted(plain) == sorted(seen),
        (Comparison::Shape, _) => shaped(plain, seen),
        (Comparison::Kind, _) => std::mem::discriminant(plain) == std::mem::discriminant(seen),
        (Comparison::Refusal, _) => false,
    };
    match (plain, seen) {
        _ if alike => Class::Correct,
        (_, Value::Error(_)) => Class::Refused,
        (Value::Array(all), Value::Array(some)) if is_part(all, some) => Class::Partial,
        _ => Class::Wrong,
    }
}

/// A part of the answer: errors stand in the place of some elements, so that the client is told. What is missing
/// without a word is not told.
fn is_part(all: &[Value], some: &[Value]) -> bool {
    let told = |(one, other): (&Value, &Value)| one == other || other.is_error();
    some.len() == all.len() && all.iter().zip(some).all(told)
}

/// The same with the elements of all arrays in one order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(sorted).collect();
            elements.sort_by_cached_key(|element| format!("{element:?}"));
            Value::Array(elements)
        }
        other => other.clone(),
    }
}

fn shaped(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(ones), Value::Array(others)) => {
            ones.len() == others.len()
                && ones
                    .iter()
                    .zip(others)
                    .all(|(one, other)| shaped(one, other))
        }
        _ => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{Comparison, compare};
    use crate::conformance::judge::Outcome;
    use crate::verdict::Class;
    use crate::wire;

    fn outcome(text: &str) -> Outcome {
        match text {
            "close" => Outcome::Closed(Vec::new()),
            "silence" => Outcome::Silent(Vec::new()),
            "half" => Outcome::Closed(b"$5\r\nab".to_vec()),
            text => {
                let reply = wire::reply(text.as_bytes(), wire::Protocol::Resp2);
                Outcome::Reply(reply.unwrap().unwrap().0)
            }
        }
    }

    #[track_caller]
    fn check(comparison: Comparison, plain: &str, seen: &str, class: Class) {
        assert_eq!(compare(comparison, &outcome(plain), &outcome(seen)), class);
    }

    #[test]
    fn each_comparison_knows_what_may_differ() {
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
    fn what_comes_instead_has_its_class() {
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
