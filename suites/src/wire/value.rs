//! A RESP2 reply, and its text for people: the notation of `want` lines in case files.

use std::fmt;

/// One RESP2 reply.
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
}

impl Value {
    /// Whether this is an error reply.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(self, Self::Error(_))
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
            Self::Array(elements) => {
                write!(f, "*{}", elements.len())?;
                for element in elements.iter().take(SHOWN_ELEMENTS) {
                    write!(f, " {element}")?;
                }
                if elements.len() > SHOWN_ELEMENTS {
                    f.write_str(" ...")?;
                }
                Ok(())
            }
        }
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
