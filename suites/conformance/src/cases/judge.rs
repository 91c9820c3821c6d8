//! The judge: compares a pattern with the client's reply, and returns "as promised" or the outcome class.
//!
//! Never waits and never reads: the caller passes the reply.

use crate::cases::pattern::{Pattern, count};
use crate::cases::word::Scope;
use crate::verdict::Class;
use testbed::wire::{Value, quoted};

/// The outcome of a client that expects a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A reply.
    Reply(Value),
    /// As many bytes as were asked for.
    Bytes(Vec<u8>),
    /// The connection ended, after these bytes of an unfinished reply.
    Closed(Vec<u8>),
    /// No more bytes arrived in time, after these bytes of an unfinished reply.
    Silent(Vec<u8>),
    /// A reply beyond the size limit, with its first bytes.
    Endless(Vec<u8>),
    /// Bytes that are not RESP.
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

/// Whether `outcome` matches `pattern`.
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
        | (Pattern::Push(patterns), Value::Push(values)) => {
            in_order(patterns, values, scope, &fits)
        }
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

/// Whether each value fits the pattern in its place, where a repeated pattern takes several places.
fn in_order(
    patterns: &[Pattern],
    values: &[Value],
    scope: &Scope,
    one: &impl Fn(&Pattern, &Value, &Scope) -> bool,
) -> bool {
    let mut rest = values;
    count(patterns) == values.len()
        && patterns.iter().all(|pattern| match pattern {
            Pattern::Repeated { elements, times } => {
                let mut scope = scope.clone();
                (1..=*times).all(|repetition| {
                    scope.repetition = repetition;
                    let here;
                    (here, rest) = rest.split_at(count(elements));
                    in_order(elements, here, &scope, one)
                })
            }
            pattern => {
                let here;
                (here, rest) = rest.split_at(1);
                one(pattern, &here[0], scope)
            }
        })
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
    let or_error = |pattern: &Pattern, value: &Value, scope: &Scope| {
        value.is_error() || fits(pattern, value, scope)
    };
    let accepted = |pattern: &Pattern, value: &Value| or_error(pattern, value, scope);
    match (pattern, value) {
        (Pattern::Array(patterns), Value::Array(values)) => {
            in_order(patterns, values, scope, &or_error)
        }
        (Pattern::Set(patterns), Value::Set(values)) => pairs_up(patterns, values, &accepted),
        (Pattern::Map(patterns), Value::Map(entries)) => {
            pairs_up(patterns, entries, &entry(accepted))
        }
        _ => false,
    }
}

/// The digits of a number that a double can hold exactly, as can its neighbours.
fn is_cursor(digits: &[u8]) -> bool {
    const END: u64 = 1 << 53;
    let number = std::str::from_utf8(digits).ok();
    let number = number.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    number
        .and_then(|text| text.parse::<u64>().ok())
        .is_some_and(|cursor| cursor < END)
}

#[cfg(test)]
mod tests;
