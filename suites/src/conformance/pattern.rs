//! Patterns: what a reply must look like.

use super::word::{Scope, Word};
use crate::wire::quoted;

/// What one reply must look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Any reply, errors too.
    Any,
    /// `+OK`
    Simple(Word),
    /// `:3`
    Integer(Word),
    /// Any integer.
    AnyInteger,
    /// `"text"`
    Bulk(Word),
    /// Any bulk string but the null one.
    AnyBulk,
    /// Any array but the null one.
    AnyArray,
    /// A bulk string of so many bytes.
    BulkLength(usize),
    /// The null bulk string.
    NullBulk,
    /// The null array.
    NullArray,
    /// An array, element by element.
    Array(Vec<Pattern>),
    /// An array whose elements come in any order.
    Unordered(Vec<Pattern>),
    /// An error reply.
    Error {
        /// Its first word.
        prefix: Option<String>,
        /// A part of it.
        containing: Option<Word>,
    },
    /// The bytes of the reply as they are.
    Raw(Word),
    /// The connection ends, with nothing before.
    Close,
    /// One of several.
    Either(Vec<Pattern>),
}

impl Pattern {
    /// All words of this pattern.
    #[must_use]
    pub fn words(&self) -> Vec<&Word> {
        match self {
            Self::Simple(word) | Self::Integer(word) | Self::Bulk(word) | Self::Raw(word) => {
                vec![word]
            }
            Self::Array(inner) | Self::Unordered(inner) | Self::Either(inner) => {
                inner.iter().flat_map(Self::words).collect()
            }
            Self::Error {
                containing: Some(word),
                ..
            } => vec![word],
            Self::Error { .. }
            | Self::Any
            | Self::AnyInteger
            | Self::AnyBulk
            | Self::AnyArray
            | Self::BulkLength(_)
            | Self::NullBulk
            | Self::NullArray
            | Self::Close => Vec::new(),
        }
    }

    /// This pattern as a case would write it, with its variables filled in.
    #[must_use]
    pub fn shown(&self, scope: &Scope) -> String {
        let text = |word: &Word| word.bytes(scope).escape_ascii().to_string();
        let all = |patterns: &[Self], between: &str| {
            let shown: Vec<String> = patterns
                .iter()
                .map(|pattern| pattern.shown(scope))
                .collect();
            shown.join(between)
        };
        match self {
            Self::Any => "any".to_owned(),
            Self::Simple(word) => format!("+{}", text(word)),
            Self::Integer(word) => format!(":{}", text(word)),
            Self::AnyInteger => "int".to_owned(),
            Self::Bulk(word) => quoted(&word.bytes(scope)),
            Self::AnyBulk => "bulk".to_owned(),
            Self::AnyArray => "array".to_owned(),
            Self::BulkLength(length) => format!("bulk-length {length}"),
            Self::NullBulk => "nil".to_owned(),
            Self::NullArray => "nil-array".to_owned(),
            Self::Array(elements) => {
                format!("*{} {}", elements.len(), all(elements, " "))
            }
            Self::Unordered(elements) => {
                format!("unordered *{} {}", elements.len(), all(elements, " "))
            }
            Self::Error { prefix, containing } => {
                let mut shown = "error".to_owned();
                if let Some(prefix) = prefix {
                    shown += &format!(" {prefix}");
                }
                if let Some(word) = containing {
                    shown += &format!(" containing {}", quoted(&word.bytes(scope)));
                }
                shown
            }
            Self::Raw(word) => format!("raw {}", quoted(&word.bytes(scope))),
            Self::Close => "close".to_owned(),
            Self::Either(patterns) => all(patterns, " | "),
        }
    }
}
