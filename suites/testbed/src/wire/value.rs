//! A reply, and its text for people: the notation of `want` lines in case files.

use std::fmt;

/// One reply.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// `+OK`
    Simple(Vec<u8>),
    /// `-ERR reason`
    Error(Vec<u8>),
    /// `:1`
    Integer(i64),
    /// `$3`
    Bulk(Vec<u8>),
    /// `$-1`
    NullBulk,
    /// `*2`
    Array(Vec<Value>),
    /// `*-1`
    NullArray,
    /// `_`, which RESP3 has in place of both other nulls.
    Null,
    /// `#t` or `#f`
    Boolean(bool),
    /// `,1.5`, as it was written: that a number is written otherwise is news.
    Double(Vec<u8>),
    /// `(123`, as it was written.
    BigNumber(Vec<u8>),
    /// `!12`, an error of any bytes.
    BulkError(Vec<u8>),
    /// `=8`, a verbatim string: a text with its format.
    Verbatim {
        /// `txt` or `mkd`.
        format: [u8; 3],
        /// The text after the format.
        text: Vec<u8>,
    },
    /// `%2`, entries as they came.
    Map(Vec<(Value, Value)>),
    /// `~2`, elements as they came.
    Set(Vec<Value>),
    /// `>2`, which answers no request.
    Push(Vec<Value>),
    /// `|1`, the attributes of a reply, and the reply.
    Attributed {
        /// The attributes, in their order.
        attributes: Vec<(Value, Value)>,
        /// The reply.
        value: Box<Value>,
    },
}

impl Value {
    /// Whether this is an error reply.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error(_) | Self::BulkError(_))
    }
}

/// Bulks beyond this are shown by their beginning and length.
const SHOWN_BYTES: usize = 64;
/// Arrays beyond this are shown by their beginning and length.
const SHOWN_ELEMENTS: usize = 16;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(text) => write!(f, "+{}", text.escape_ascii()),
            Self::Error(text) => write!(f, "-{}", text.escape_ascii()),
            Self::Integer(number) => write!(f, ":{number}"),
            Self::Bulk(bytes) => f.write_str(&quoted(bytes)),
            Self::NullBulk => f.write_str("nil"),
            Self::NullArray => f.write_str("nil-array"),
            Self::Array(elements) => series(f, '*', elements.len(), elements),
            Self::Null => f.write_str("_"),
            Self::Boolean(true) => f.write_str("#t"),
            Self::Boolean(false) => f.write_str("#f"),
            Self::Double(text) => write!(f, ",{}", text.escape_ascii()),
            Self::BigNumber(text) => write!(f, "({}", text.escape_ascii()),
            Self::BulkError(text) => write!(f, "!{}", quoted(text)),
            Self::Verbatim { format, text } => {
                write!(f, "={} {}", format.escape_ascii(), quoted(text))
            }
            Self::Map(entries) => series(f, '%', entries.len(), flat(entries)),
            Self::Set(elements) => series(f, '~', elements.len(), elements),
            Self::Push(elements) => series(f, '>', elements.len(), elements),
            Self::Attributed { attributes, value } => {
                series(f, '|', attributes.len(), flat(attributes))?;
                write!(f, " {value}")
            }
        }
    }
}

fn flat(entries: &[(Value, Value)]) -> impl Iterator<Item = &Value> {
    entries.iter().flat_map(|(key, value)| [key, value])
}

/// A type, its count, and the first elements.
fn series<'a>(
    f: &mut fmt::Formatter<'_>,
    kind: char,
    count: usize,
    values: impl IntoIterator<Item = &'a Value>,
) -> fmt::Result {
    write!(f, "{kind}{count}")?;
    let mut values = values.into_iter();
    for value in values.by_ref().take(SHOWN_ELEMENTS) {
        write!(f, " {value}")?;
    }
    match values.next() {
        Some(_) => f.write_str(" ..."),
        None => Ok(()),
    }
}

/// Bytes in double quotes, as case files write them; long ones cut, with their length.
#[must_use]
pub fn quoted(bytes: &[u8]) -> String {
    if bytes.len() <= SHOWN_BYTES {
        format!("\"{}\"", bytes.escape_ascii())
    } else {
        format!(
            "\"{}\"... ({} bytes)",
            bytes[..SHOWN_BYTES].escape_ascii(),
            bytes.len()
        )
    }
}
