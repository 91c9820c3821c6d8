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
