//! The judge: compares a pattern with the client's reply, and gives "as promised" or the outcome class.
//!
//! Never waits and never reads: the caller has the reply already.

use crate::cases::pattern::Pattern;
use crate::cases::word::Scope;
use crate::verdict::Class;
use testbed::wire::{Value, quoted};

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
    /// A reply beyond the size limit, with its first bytes.
    Endless(Vec<u8>),
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
            Self::Endless(pending) => format!("no end of a reply, after {}", quoted(pending)),
            Self::Garbled(why) => why.clone(),
        }
    }
}

/// The place of the first alternative that `outcome` fits.
pub(crate) fn first_fitting(
    alternatives: &[Pattern],
    outcome: &Outcome,
    scope: &Scope,
) -> Option<usize> {
    alternatives
        .iter()
        .position(|alternative| judge(alternative, outcome, scope).is_ok())
}

/// Whether `outcome` is what `pattern` promises.
///
/// # Errors
/// Outcome class of an unexpected reply; never [`Class::Correct`].
pub fn judge(pattern: &Pattern, outcome: &Outcome, scope: &Scope) -> Result<(), Class> {
    match outcome {
        Outcome::Reply(value) if fits(pattern, value, scope) => Ok(()),
        Outcome::Reply(value) => Err(class(pattern, value, scope)),
        Outcome::Bytes(bytes) => match pattern {
            Pattern::Raw(word) if word.bytes(scope) == *bytes => Ok(()),
            _ if bytes.starts_with(b"-") || bytes.starts_with(b"!") => Err(Class::Refused),
            _ => Err(Class::Wrong),
        },
        Outcome::Closed(pending) if !pending.is_empty() && *pattern != Pattern::ErrorOrCut => {
            Err(Class::Partial)
        }
        Outcome::Closed(_) if allows_close(pattern) => Ok(()),
        Outcome::Closed(_) => Err(Class::Closed),
        Outcome::Silent(pending) if !pending.is_empty() => Err(Class::Partial),
        Outcome::Silent(_) => Err(Class::Hung),
        Outcome::Endless(_) => Err(Class::Partial),
        Outcome::Garbled(_) => Err(Class::Wrong),
    }
}

fn allows_close(pattern: &Pattern) -> bool {
    match pattern {
        Pattern::Close | Pattern::ErrorOrClose | Pattern::ErrorOrCut => true,
        Pattern::Either(patterns) => patterns.iter().any(allows_close),
        _ => false,
    }
}

fn fits(pattern: &Pattern, value: &Value, scope: &Scope) -> bool {
    let one = |pattern: &Pattern, value: &Value| fits(pattern, value, scope);
    let all = |patterns: &[Pattern], values: &[Value]| {
        patterns.len() == values.len()
            && patterns
                .iter()
                .zip(values)
                .all(|(pattern, value)| one(pattern, value))
    };
    match (pattern, value) {
        (Pattern::Any, _)
        | (Pattern::AnyInteger, Value::Integer(_))
        | (Pattern::AnyBulk, Value::Bulk(_))
        | (Pattern::AnyArray, Value::Array(_))
        | (Pattern::NullBulk, Value::NullBulk)
        | (Pattern::NullArray, Value::NullArray)
        | (Pattern::Null, Value::Null)
        | (Pattern::AnyDouble, Value::Double(_))
        | (Pattern::AnyVerbatim, Value::Verbatim { .. })
        | (Pattern::AnyMap, Value::Map(_))
        | (Pattern::AnySet, Value::Set(_)) => true,
        (Pattern::Simple(word), Value::Simple(text))
        | (Pattern::Bulk(word), Value::Bulk(text))
        | (Pattern::Double(word), Value::Double(text))
        | (Pattern::BigNumber(word), Value::BigNumber(text)) => word.bytes(scope) == *text,
        (Pattern::Integer(word), Value::Integer(number)) => {
            word.bytes(scope) == number.to_string().as_bytes()
        }
        (Pattern::Boolean(expected), Value::Boolean(seen)) => expected == seen,
        (Pattern::BulkLength(length), Value::Bulk(bytes)) => *length == bytes.len(),
        (Pattern::Cursor, Value::Bulk(bytes)) => is_cursor(bytes),
        (Pattern::Verbatim { format, text: word }, Value::Verbatim { format: seen, text }) => {
            format.as_bytes() == seen && word.bytes(scope) == *text
        }
        (Pattern::Array(patterns), Value::Array(values))
        | (Pattern::Push(patterns), Value::Push(values)) => all(patterns, values),
        (Pattern::Unordered(patterns), Value::Array(values))
        | (Pattern::Set(patterns), Value::Set(values)) => pairs_up(patterns, values, &one),
        (Pattern::Map(patterns), Value::Map(entries)) => pairs_up(patterns, entries, &entry(one)),
        (Pattern::Error { prefix, containing }, Value::Error(text) | Value::BulkError(text)) => {
            let first_word = text.split(|byte| *byte == b' ').next();
            prefix
                .as_ref()
                .is_none_or(|prefix| first_word == Some(prefix.as_bytes()))
                && containing
                    .as_ref()
                    .is_none_or(|word| contains(text, &word.bytes(scope)))
        }
        (Pattern::ErrorOrClose | Pattern::ErrorOrCut, value) => value.is_error(),
        (Pattern::Either(patterns), value) => patterns.iter().any(|pattern| one(pattern, value)),
        _ => false,
    }
}

/// Whether key and value of an entry fit.
fn entry(
    one: impl Fn(&Pattern, &Value) -> bool,
) -> impl Fn(&(Pattern, Pattern), &(Value, Value)) -> bool {
    move |pattern, entry| one(&pattern.0, &entry.0) && one(&pattern.1, &entry.1)
}

/// Whether patterns and values match one to one.
fn pairs_up<P, V: Clone>(patterns: &[P], values: &[V], one: &impl Fn(&P, &V) -> bool) -> bool {
    let Some((first, rest)) = patterns.split_first() else {
        return values.is_empty();
    };
    patterns.len() == values.len()
        && values.iter().enumerate().any(|(at, value)| {
            let others = [&values[..at], &values[at + 1..]].concat();
            one(first, value) && pairs_up(rest, &others, one)
        })
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    part.is_empty() || text.windows(part.len()).any(|window| window == part)
}

/// The class of a reply that does not fit.
fn class(pattern: &Pattern, value: &Value, scope: &Scope) -> Class {
    match (pattern, value) {
        (_, value) if value.is_error() => Class::Refused,
        (Pattern::Either(patterns), value) => patterns
            .iter()
            .map(|pattern| class(pattern, value, scope))
            .find(|class| *class == Class::Partial)
            .unwrap_or(Class::Wrong),
        (pattern, value) if is_part(pattern, value, scope) => Class::Partial,
        _ => Class::Wrong,
    }
}

/// Whether every element that does not match is an error.
fn is_part(pattern: &Pattern, value: &Value, scope: &Scope) -> bool {
    let told = |pattern: &Pattern, value: &Value| value.is_error() || fits(pattern, value, scope);
    match (pattern, value) {
        (Pattern::Array(patterns), Value::Array(values)) => {
            patterns.len() == values.len()
                && patterns
                    .iter()
                    .zip(values)
                    .all(|(pattern, value)| told(pattern, value))
        }
        (Pattern::Set(patterns), Value::Set(values)) => pairs_up(patterns, values, &told),
        (Pattern::Map(patterns), Value::Map(entries)) => pairs_up(patterns, entries, &entry(told)),
        _ => false,
    }
}

/// Digits of a number that a double can hold exactly, next to its neighbours.
fn is_cursor(digits: &[u8]) -> bool {
    const END: u64 = 1 << 53;
    let number = std::str::from_utf8(digits).ok();
    let number = number.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    number
        .and_then(|text| text.parse::<u64>().ok())
        .is_some_and(|cursor| cursor < END)
}

#[cfg(test)]
mod tests {
    use super::{Outcome, judge};
    use crate::Action;
    use crate::cases::parse;
    use crate::cases::word::Scope;
    use crate::verdict::Class::{self, Closed, Correct, Hung, Partial, Refused, Wrong};
    use testbed::fixtures::Source;
    use testbed::wire;
    use testbed::wire::Protocol::{self, Resp2, Resp3};

    /// Wire bytes of a reply, or `close` or `silence`, optionally after bytes of an incomplete reply.
    fn outcome(text: &str, protocol: Protocol) -> Outcome {
        for (ending, make) in [
            ("close", Outcome::Closed as fn(Vec<u8>) -> Outcome),
            ("silence", Outcome::Silent),
        ] {
            if let Some(before) = text.strip_suffix(ending) {
                return make(before.as_bytes().to_vec());
            }
        }
        match wire::reply(text.as_bytes(), protocol) {
            Ok(Some((value, length))) if length == text.len() => Outcome::Reply(value),
            Err(why) => Outcome::Garbled(why.to_string()),
            other => panic!("{text:?} is no reply: {other:?}"),
        }
    }

    #[track_caller]
    fn check(pattern: &str, seen: &str, expected: Class) {
        check_in(Resp2, pattern, seen, expected);
    }

    #[track_caller]
    fn check_in(protocol: Protocol, pattern: &str, seen: &str, expected: Class) {
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
        let judged = judge(&patterns[0], &outcome(seen, protocol), &Scope::default());
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
            ("cursor", "$1\r\n0\r\n", ":0\r\n"),
            (
                "cursor",
                "$16\r\n9007199254740991\r\n",
                "$16\r\n9007199254740992\r\n",
            ),
            ("cursor", "$1\r\n7\r\n", "$2\r\n+7\r\n"),
            ("cursor", "$1\r\n7\r\n", "$0\r\n\r\n"),
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
    fn replies_of_resp3_fit_or_are_wrong() {
        for (pattern, fitting, wrong) in [
            ("_", "_\r\n", "#f\r\n"),
            ("_", "_\r\n", "*0\r\n"),
            ("#t", "#t\r\n", "#f\r\n"),
            ("#f", "#f\r\n", ":0\r\n"),
            (",1.5", ",1.5\r\n", "$3\r\n1.5\r\n"),
            (",1.5", ",1.5\r\n", ",1.50\r\n"),
            (",-inf", ",-inf\r\n", ",inf\r\n"),
            ("double", ",7\r\n", ":7\r\n"),
            ("(-12", "(-12\r\n", ":-12\r\n"),
            ("=txt \"a b\"", "=7\r\ntxt:a b\r\n", "=7\r\nmkd:a b\r\n"),
            ("=txt \"a b\"", "=7\r\ntxt:a b\r\n", "$3\r\na b\r\n"),
            ("verbatim", "=4\r\ntxt:\r\n", "$0\r\n\r\n"),
            ("map", "%0\r\n", "*0\r\n"),
            ("set", "~0\r\n", "*0\r\n"),
            ("array", "*0\r\n", "~0\r\n"),
            ("%1 +a :1", "%1\r\n+a\r\n:1\r\n", "*2\r\n+a\r\n:1\r\n"),
            (
                "%2 +a :1 +b :2",
                "%2\r\n+b\r\n:2\r\n+a\r\n:1\r\n",
                "%2\r\n+b\r\n:1\r\n+a\r\n:2\r\n",
            ),
            (
                "%2 any :1 +b any",
                "%2\r\n+b\r\n:1\r\n+a\r\n:1\r\n",
                "%1\r\n+b\r\n:1\r\n",
            ),
            (
                "%2 any :1 +b any",
                "%2\r\n+b\r\n:2\r\n+a\r\n:1\r\n",
                "%3\r\n+b\r\n:2\r\n+a\r\n:1\r\n+c\r\n:1\r\n",
            ),
            ("%0", "%0\r\n", "%1\r\n+b\r\n:1\r\n"),
            ("~2 :1 int", "~2\r\n:2\r\n:1\r\n", "~2\r\n:2\r\n:2\r\n"),
            ("~0", "~0\r\n", "~1\r\n:1\r\n"),
            (
                ">2 \"a\" :1",
                ">2\r\n$1\r\na\r\n:1\r\n",
                "*2\r\n$1\r\na\r\n:1\r\n",
            ),
            ("*1 ( _ | ,1 )", "*1\r\n_\r\n", "*1\r\n:1\r\n"),
            (":1", ":1\r\n", "|1\r\n+a\r\n+b\r\n:1\r\n"),
        ] {
            check_in(Resp3, pattern, fitting, Correct);
            check_in(Resp3, pattern, wrong, Wrong);
        }
    }

    #[test]
    fn errors_of_resp3_are_errors() {
        check_in(Resp3, "error ERR", "!6\r\nERR no\r\n", Correct);
        check_in(Resp3, "+OK", "!6\r\nERR no\r\n", Refused);
        check_in(Resp3, "%1 +a :1", "%1\r\n+a\r\n!3\r\nERR\r\n", Partial);
        check_in(Resp3, "%1 +a :1", "%1\r\n+b\r\n-ERR\r\n", Wrong);
        check_in(Resp3, "~2 :1 :2", "~2\r\n-ERR\r\n:1\r\n", Partial);
        check_in(Resp3, "~2 :1 :2", "~2\r\n-ERR\r\n:7\r\n", Wrong);
    }

    #[test]
    fn resp3_for_a_client_of_resp2_is_wrong() {
        check("_ | nil", "_\r\n", Wrong);
        check("map", "%0\r\n", Wrong);
        check_in(Resp3, "_ | nil", "$-1\r\n", Wrong);
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
        check("error-or-close", "-ERR no\r\n", Correct);
        check(":1 | error-or-close", "close", Correct);
        check("error-or-close", "-ERRclose", Partial);
        check("error-or-cut", "$3\r\nabclose", Correct);
        check("error-or-cut", "close", Correct);
        check("error-or-cut", "-ERR no\r\n", Correct);
        check("error-or-cut", "$-1\r\n", Wrong);
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
        let word = crate::Word::plain("+OK\r\n");
        let pattern = crate::Pattern::Raw(word);
        let judged = |seen| judge(&pattern, &raw(seen), &Scope::default());
        assert_eq!(judged("+OK\r\n"), Ok(()));
        assert_eq!(judged("+KO\r\n"), Err(Wrong));
        assert_eq!(judged("-OK\r\n"), Err(Refused));
    }
}
