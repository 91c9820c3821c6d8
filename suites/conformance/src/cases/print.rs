//! Words and patterns as case files write them, for cases that the suite writes.

use crate::cases::word::{Piece, Word};
use testbed::wire::Value;

/// A bulk that is longer is wanted by its length.
const BULK_MAX: usize = 64;

/// A word: bare if possible, else in quotes as a whole.
#[must_use]
pub fn word(word: &Word) -> String {
    let is_bare = |piece: &Piece| match piece {
        Piece::Bytes(bytes) => bytes
            .iter()
            .all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(byte)),
        _ => true,
    };
    let mut text = String::new();
    for (place, piece) in word.pieces.iter().enumerate() {
        let next = word.pieces.get(place + 1);
        match piece {
            Piece::Bytes(bytes) => text += &escaped(bytes),
            Piece::Key(variable) if begins_with_digit(next) => {
                text += &format!("${{{}}}", variable.to_string().trim_start_matches('$'));
            }
            Piece::Key(variable) => text += &variable.to_string(),
            Piece::Length(variable) => text += &format!("${{len {variable}}}"),
            Piece::Padded(variable, length) => text += &format!("${{pad {variable} {length}}}"),
            Piece::Run => text += "${run}",
            Piece::Repetition => text += "${n}",
        }
    }
    match word.times {
        1 if word.pieces.iter().all(is_bare) && !text.is_empty() => text,
        1 => format!("\"{text}\""),
        times => format!("\"{text}\"*{times}"),
    }
}

fn begins_with_digit(piece: Option<&Piece>) -> bool {
    match piece {
        Some(Piece::Bytes(bytes)) => bytes.first().is_some_and(u8::is_ascii_digit),
        _ => false,
    }
}

/// With the escapes of the grammar, which are fewer than Rust's.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string().replace("\\'", "'")
}

/// The pattern that matches only this reply, except for values that are too long to print.
#[must_use]
pub fn pattern(value: &Value) -> String {
    let all = |kind: char, count: usize, values: &mut dyn Iterator<Item = &Value>| {
        let inner: Vec<String> = values.map(pattern).collect();
        format!("{kind}{count} {}", inner.join(" "))
            .trim_end()
            .to_owned()
    };
    match value {
        Value::Bulk(bytes) if bytes.len() > BULK_MAX => format!("bulk-length {}", bytes.len()),
        Value::Bulk(bytes) => format!("\"{}\"", escaped(bytes)),
        Value::Array(elements) => all('*', elements.len(), &mut elements.iter()),
        Value::Set(elements) => all('~', elements.len(), &mut elements.iter()),
        Value::Map(entries) => {
            let mut flat = entries.iter().flat_map(|(key, value)| [key, value]);
            all('%', entries.len(), &mut flat)
        }
        Value::Error(_) | Value::BulkError(_) => "error".to_owned(),
        Value::Verbatim { .. } => "verbatim".to_owned(),
        Value::Attributed { .. } => "any".to_owned(),
        other => other.to_string(),
    }
}
