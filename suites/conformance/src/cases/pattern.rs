//! Patterns of replies.

use crate::cases::word::{Scope, Word};
use testbed::wire::quoted;

/// The pattern of one reply.
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
    /// A bulk string of this length.
    BulkLength(usize),
    /// A bulk string that is a cursor of SCAN below 2^53, which a double can count.
    Cursor,
    /// The null bulk string.
    NullBulk,
    /// The null array.
    NullArray,
    /// An array, element by element.
    Array(Vec<Pattern>),
    /// Elements of an array that are repeated: `( "f${n}" any )*1000`. Only inside an array or a push.
    Repeated {
        /// The elements.
        elements: Vec<Pattern>,
        /// How often they come.
        times: usize,
    },
    /// An array whose elements come in any order.
    Unordered(Vec<Pattern>),
    /// `_`, the null of RESP3.
    Null,
    /// `#t` or `#f`
    Boolean(bool),
    /// `,1.5`, as it is written.
    Double(Word),
    /// Any double.
    AnyDouble,
    /// `(123`, as it is written.
    BigNumber(Word),
    /// `=txt "text"`
    Verbatim {
        /// The format of the text: three letters.
        format: String,
        /// The text.
        text: Word,
    },
    /// Any verbatim string.
    AnyVerbatim,
    /// A map, its entries in any order.
    Map(Vec<(Pattern, Pattern)>),
    /// Any map.
    AnyMap,
    /// A set, its elements in any order.
    Set(Vec<Pattern>),
    /// Any set.
    AnySet,
    /// A push, element by element.
    Push(Vec<Pattern>),
    /// An error reply.
    Error {
        /// Its first word.
        prefix: Option<String>,
        /// A part of it.
        containing: Option<Word>,
    },
    /// The bytes of the reply as they are.
    Raw(Word),
    /// The connection ends, without bytes before.
    Close,
    /// An error reply, or the end of the connection without bytes before: one alternative, not two.
    ErrorOrClose,
    /// The same, or the end of the connection within a reply.
    ErrorOrCut,
    /// One of several.
    Either(Vec<Pattern>),
}

impl Pattern {
    /// All words of this pattern.
    #[must_use]
    pub fn words(&self) -> Vec<&Word> {
        match self {
            Self::Simple(word)
            | Self::Integer(word)
            | Self::Bulk(word)
            | Self::Double(word)
            | Self::BigNumber(word)
            | Self::Verbatim { text: word, .. }
            | Self::Raw(word) => vec![word],
            Self::Array(inner)
            | Self::Unordered(inner)
            | Self::Set(inner)
            | Self::Push(inner)
            | Self::Repeated {
                elements: inner, ..
            }
            | Self::Either(inner) => inner.iter().flat_map(Self::words).collect(),
            Self::Map(entries) => entries
                .iter()
                .flat_map(|(key, value)| [key.words(), value.words()].concat())
                .collect(),
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
            | Self::Cursor
            | Self::NullBulk
            | Self::NullArray
            | Self::Null
            | Self::Boolean(_)
            | Self::AnyDouble
            | Self::AnyVerbatim
            | Self::AnyMap
            | Self::AnySet
            | Self::Close
            | Self::ErrorOrClose
            | Self::ErrorOrCut => Vec::new(),
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
            Self::Cursor => "cursor".to_owned(),
            Self::NullBulk => "nil".to_owned(),
            Self::NullArray => "nil-array".to_owned(),
            Self::Array(elements) => {
                format!("*{} {}", count(elements), all(elements, " "))
            }
            Self::Repeated { elements, times } => {
                format!("( {} )*{times}", all(elements, " "))
            }
            Self::Unordered(elements) => {
                format!("unordered *{} {}", elements.len(), all(elements, " "))
            }
            Self::Null => "_".to_owned(),
            Self::Boolean(true) => "#t".to_owned(),
            Self::Boolean(false) => "#f".to_owned(),
            Self::Double(word) => format!(",{}", text(word)),
            Self::AnyDouble => "double".to_owned(),
            Self::BigNumber(word) => format!("({}", text(word)),
            Self::Verbatim { format, text } => {
                format!("={format} {}", quoted(&text.bytes(scope)))
            }
            Self::AnyVerbatim => "verbatim".to_owned(),
            Self::Map(entries) => {
                let shown: Vec<String> = entries
                    .iter()
                    .map(|(key, value)| format!(" {} {}", key.shown(scope), value.shown(scope)))
                    .collect();
                format!("%{}{}", entries.len(), shown.concat())
            }
            Self::AnyMap => "map".to_owned(),
            Self::Set(elements) => format!("~{} {}", elements.len(), all(elements, " ")),
            Self::AnySet => "set".to_owned(),
            Self::Push(elements) => format!(">{} {}", count(elements), all(elements, " ")),
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
            Self::ErrorOrClose => "error-or-close".to_owned(),
            Self::ErrorOrCut => "error-or-cut".to_owned(),
            Self::Either(patterns) => all(patterns, " | "),
        }
    }
}

/// The number of elements that the patterns of an array match.
pub(crate) fn count(patterns: &[Pattern]) -> usize {
    let one = |pattern: &Pattern| match pattern {
        Pattern::Repeated { elements, times } => elements.len().saturating_mul(*times),
        _ => 1,
    };
    patterns.iter().map(one).sum()
}
