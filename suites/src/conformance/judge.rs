//! The judge: a pattern and what a client saw, to "as promised" or the class of what it saw instead.
//!
//! Never waits and never reads: whoever calls has the outcome already.

use super::pattern::Pattern;
use super::word::Scope;
use crate::verdict::Class;
use crate::wire::{Value, quoted};

/// What a client saw where a reply was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A reply.
    Reply(Value),
    /// As many bytes as were asked for.
    Bytes(Vec<u8>),
    /// The connection ended, after these bytes of an unfinished reply.
    Closed(Vec<u8>),
    /// Nothing more came in time, after these bytes of an unfinished reply.
    Silent(Vec<u8>),
    /// Bytes that are no RESP.
    Garbled(String),
}

impl Outcome {
    /// The outcome in the notation of cases.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Reply(value) => value.to_string(),
            Self::Bytes(bytes) => format!("raw {}", quoted(bytes)),
            Self::Closed(pending) if pending.is_empty() => "close".to_owned(),
            Self::Closed(pending) => format!("close in mid-reply, after {}", quoted(pending)),
            Self::Silent(pending) if pending.is_empty() => "silence".to_owned(),
            Self::Silent(pending) => format!("silence in mid-reply, after {}", quoted(pending)),
            Self::Garbled(why) => why.clone(),
        }
    }
}

/// Whether `outcome` is what `pattern` promises.
///
/// # Errors
/// The class of what came instead; never [`Class::Correct`].
pub fn judge(pattern: &Pattern, outcome: &Outcome, scope: &Scope) -> Result<(), Class> {
    match outcome {
        Outcome::Reply(value) if fits(pattern, value, scope) => Ok(()),
        Outcome::Reply(value) => Err(class(pattern, value, scope)),
        Outcome::Bytes(bytes) => match pattern {
            Pattern::Raw(word) if word.bytes(scope) == *bytes => Ok(()),
            _ if bytes.starts_with(b"-") => Err(Class::Refused),
            _ => Err(Class::Wrong),
        },
        Outcome::Closed(pending) if !pending.is_empty() => Err(Class::Partial),
        Outcome::Closed(_) if allows_close(pattern) => Ok(()),
        Outcome::Closed(_) => Err(Class::Closed),
        Outcome::Silent(pending) if !pending.is_empty() => Err(Class::Partial),
        Outcome::Silent(_) => Err(Class::Hung),
        Outcome::Garbled(_) => Err(Class::Wrong),
    }
}

fn allows_close(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Close => true,
        Pattern::Either(patterns) => patterns.iter().any(allows_close),
        _ => false,
    }
}

fn fits(pattern: &Pattern, value: &Value, scope: &Scope) -> bool {
    let all = |patterns: &[Pattern], values: &[Value]| {
        patterns.len() == values.len()
            && patterns
                .iter()
                .zip(values)
                .all(|(pattern, value)| fits(pattern, value, scope))
    };
    match (pattern, value) {
        (Pattern::Any, _)
        | (Pattern::AnyInteger, Value::Integer(_))
        | (Pattern::AnyBulk, Value::Bulk(_))
        | (Pattern::AnyArray, Value::Array(_))
        | (Pattern::NullBulk, Value::NullBulk)
        | (Pattern::NullArray, Value::NullArray) => true,
        (Pattern::Simple(word), Value::Simple(text)) => word.bytes(scope) == *text,
        (Pattern::Integer(word), Value::Integer(number)) => {
            word.bytes(scope) == number.to_string().as_bytes()
        }
        (Pattern::Bulk(word), Value::Bulk(bytes)) => word.bytes(scope) == *bytes,
        (Pattern::BulkLength(length), Value::Bulk(bytes)) => *length == bytes.len(),
        (Pattern::Array(patterns), Value::Array(values)) => all(patterns, values),
        (Pattern::Unordered(patterns), Value::Array(values)) => {
            patterns.len() == values.len() && pairs_up(patterns, values, scope)
        }
        (Pattern::Error { prefix, containing }, Value::Error(text)) => {
            let first_word = text.split(|byte| *byte == b' ').next();
            prefix
                .as_ref()
                .is_none_or(|prefix| first_word == Some(prefix.as_bytes()))
                && containing
                    .as_ref()
                    .is_none_or(|word| contains(text, &word.bytes(scope)))
        }
        (Pattern::Either(patterns), value) => {
            patterns.iter().any(|pattern| fits(pattern, value, scope))
        }
        _ => false,
    }
}

/// Whether each pattern can have a value of its own.
fn pairs_up(patterns: &[Pattern], values: &[Value], scope: &Scope) -> bool {
    let Some((first, rest)) = patterns.split_first() else {
        return true;
    };
    values.iter().enumerate().any(|(at, value)| {
        let others = [&values[..at], &values[at + 1..]].concat();
        fits(first, value, scope) && pairs_up(rest, &others, scope)
    })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

/// The class of a reply that does not fit.
fn class(pattern: &Pattern, value: &Value, scope: &Scope) -> Class {
    match (pattern, value) {
        (_, Value::Error(_)) => Class::Refused,
        (Pattern::Either(patterns), value) => patterns
            .iter()
            .map(|pattern| class(pattern, value, scope))
            .find(|class| *class == Class::Partial)
            .unwrap_or(Class::Wrong),
        (Pattern::Array(patterns), Value::Array(values)) if patterns.len() == values.len() => {
            let only_errors = patterns
                .iter()
                .zip(values)
                .all(|(pattern, value)| fits(pattern, value, scope) || value.is_error());
            if only_errors {
                Class::Partial
            } else {
                Class::Wrong
            }
        }
        _ => Class::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::{Outcome, judge};
    use crate::conformance::parse;
    use crate::conformance::word::Scope;
    use crate::fixtures::Source;
    use crate::verdict::Class::{self, Closed, Correct, Hung, Partial, Refused, Wrong};
    use crate::{conformance::Action, wire};

    /// Wire bytes of a reply, or `close`, `silence`, either behind bytes of an unfinished reply.
    fn outcome(text: &str) -> Outcome {
        for (ending, make) in [
            ("close", Outcome::Closed as fn(Vec<u8>) -> Outcome),
            ("silence", Outcome::Silent),
        ] {
            if let Some(before) = text.strip_suffix(ending) {
                return make(before.as_bytes().to_vec());
            }
        }
        match wire::reply(text.as_bytes(), wire::Protocol::Resp2) {
            Ok(Some((value, length))) if length == text.len() => Outcome::Reply(value),
            Err(why) => Outcome::Garbled(why.to_string()),
            other => panic!("{text:?} is no reply: {other:?}"),
        }
    }

    #[track_caller]
    fn check(pattern: &str, seen: &str, expected: Class) {
        let text = format!("case 1\n# P.\nspec https://x/\nlevel must\nwant {pattern}\n");
        let source = Source {
            path: "x.case".to_owned(),
            id: "x".to_owned(),
            text,
        };
        let case = parse::case(&source).unwrap_or_else(|errors| panic!("{errors:?}"));
        let Action::Want { patterns, .. } = &case.steps[0].action else {
            panic!("no want")
        };
        let judged = judge(&patterns[0], &outcome(seen), &Scope::default());
        let class = judged.err().unwrap_or(Correct);
        assert_eq!(class, expected, "{pattern} x {}", seen.escape_debug());
    }

    #[test]
    fn replies_fit_or_are_wrong() {
        for (pattern, fitting, wrong) in [
            ("+OK", "+OK\r\n", "+QUEUED\r\n"),
            ("+OK", "+OK\r\n", "$2\r\nOK\r\n"),
            (":3", ":3\r\n", ":2\r\n"),
            (":-1", ":-1\r\n", "$2\r\n-1\r\n"),
            ("\"a\"", "$1\r\na\r\n", "$1\r\nb\r\n"),
            ("\"\"", "$0\r\n\r\n", "$-1\r\n"),
            ("nil", "$-1\r\n", "*-1\r\n"),
            ("nil", "$-1\r\n", "$0\r\n\r\n"),
            ("nil-array", "*-1\r\n", "*0\r\n"),
            ("*0", "*0\r\n", "*-1\r\n"),
            ("int", ":5\r\n", "+5\r\n"),
            ("bulk", "$1\r\nx\r\n", "$-1\r\n"),
            ("array", "*0\r\n", "*-1\r\n"),
            ("bulk-length 2", "$2\r\nab\r\n", "$1\r\na\r\n"),
            ("*2 :1 :2", "*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n"),
            ("*1 *1 :1", "*1\r\n*1\r\n:1\r\n", "*1\r\n:1\r\n"),
            ("*1 any", "*1\r\n:1\r\n", "*0\r\n"),
            (
                "unordered *2 :1 int",
                "*2\r\n:2\r\n:1\r\n",
                "*2\r\n:2\r\n:2\r\n",
            ),
            ("nil | :1", ":1\r\n", ":2\r\n"),
            ("*1 ( nil | :1 )", "*1\r\n:1\r\n", "*1\r\n:2\r\n"),
        ] {
            check(pattern, fitting, Correct);
            check(pattern, wrong, Wrong);
        }
        check("any", "-ERR x\r\n", Correct);
    }

    #[test]
    fn an_answer_where_a_refusal_was_promised_is_wrong() {
        check("error", "$-1\r\n", Wrong);
        check("error-or-close", "+OK\r\n", Wrong);
        check("close", "+OK\r\n", Wrong);
    }

    #[test]
    fn errors_are_judged_by_their_first_word() {
        check("error", "-anything at all\r\n", Correct);
        check("error ERR", "-ERR\r\n", Correct);
        check("error ERR", "-ERROR x\r\n", Refused);
        check(
            "error ERR containing \"get\"",
            "-ERR for 'get'\r\n",
            Correct,
        );
        check(
            "error ERR containing \"get\"",
            "-ERR for 'set'\r\n",
            Refused,
        );
        check("error containing \"\"", "-x\r\n", Correct);
    }

    #[test]
    fn what_comes_instead_has_its_class() {
        check("+OK", "-ERR no\r\n", Refused);
        check("close", "-ERR no\r\n", Refused);
        check("+OK", "close", Closed);
        check("+OK", "+Oclose", Partial);
        check("+OK", "silence", Hung);
        check("+OK", "$5\r\nabcsilence", Partial);
        check("close", "close", Correct);
        check("error-or-close", "close", Correct);
        check("error-or-close", "*1\r\nclose", Partial);
        check("close", "silence", Hung);
        check("+OK", "!3\r\n", Wrong);
        check("any", "HTTP/1.1\r\n", Wrong);
    }

    #[test]
    fn errors_among_the_values_are_a_partial_answer() {
        check("*2 :1 :2", "*2\r\n:1\r\n-ERR x\r\n", Partial);
        check("*2 :1 :2 | error", "*2\r\n:1\r\n-ERR x\r\n", Partial);
        check("*2 :1 :2", "*2\r\n:7\r\n-ERR x\r\n", Wrong);
        check("*2 :1 error", "*2\r\n:1\r\n-ERR x\r\n", Correct);
    }

    #[test]
    fn raw_bytes_are_compared_as_they_are() {
        let raw = |seen: &str| Outcome::Bytes(seen.as_bytes().to_vec());
        let word = crate::conformance::Word::plain("+OK\r\n");
        let pattern = crate::conformance::Pattern::Raw(word);
        let judged = |seen| judge(&pattern, &raw(seen), &Scope::default());
        assert_eq!(judged("+OK\r\n"), Ok(()));
        assert_eq!(judged("+KO\r\n"), Err(Wrong));
        assert_eq!(judged("-OK\r\n"), Err(Refused));
    }
}
