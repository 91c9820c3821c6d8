//! Bytes as text: UTF-8 as it is, every other byte as `\xNN`, a backslash as `\\`. Nothing is lost.

use std::fmt::Write as _;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text of some bytes, as histories write keys and values.
#[must_use]
pub fn escaped(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '\\' => text.push_str("\\\\"),
                char => text.push(char),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

/// The bytes of a text; the wrong escape if there is one.
pub(super) fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let (byte, length) = escape_at(escape)
            .ok_or_else(|| format!("wrong escape in {text:?}, expected \\\\ or \\xNN"))?;
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// The byte that an escape without its backslash is for, and the length of the escape.
fn escape_at(escape: &str) -> Option<(u8, usize)> {
    if escape.starts_with('\\') {
        return Some((b'\\', 1));
    }
    let digits = escape.strip_prefix('x')?.get(..2)?;
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let byte = u8::from_str_radix(digits, 16).ok()?;
    plain.then_some((byte, 3))
}

/// A list of byte strings as a JSON array of texts.
pub(super) mod list {
    use super::{Deserialize, Deserializer, Error, Serializer, escaped, unescaped};

    pub(in crate::history) fn serialize<S: Serializer>(
        list: &[Vec<u8>],
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.collect_seq(list.iter().map(|bytes| escaped(bytes)))
    }

    pub(in crate::history) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<Vec<u8>>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        let bytes = texts.iter().map(|text| unescaped(text));
        bytes.collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

pub(super) fn serialize<S: Serializer>(bytes: &[u8], out: S) -> Result<S::Ok, S::Error> {
    escaped(bytes).serialize(out)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    unescaped(&String::deserialize(from)?).map_err(D::Error::custom)
}
