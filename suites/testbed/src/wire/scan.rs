//! Parts of both protocols: lines, numbers, and bodies of a given length.
//!
//! Bytes that have not arrived yet are `Ok(None)`; everything that the protocol does not allow is [`Malformed`].

use super::Protocol;

/// Redis' limit of a bulk string.
pub(super) const BULK_MAX: i64 = 512 * 1024 * 1024;
/// A sign, 19 digits, and as many leading zeros again.
pub(super) const NUMBER_BYTES_MAX: usize = 40;

/// The bytes are malformed in the connection's protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {protocol} at byte {at}: expected {expected}, got {got}")]
pub struct Malformed {
    /// The protocol of the connection.
    pub protocol: Protocol,
    /// Offset of the first offending byte.
    pub at: usize,
    /// What the protocol expects there.
    pub expected: &'static str,
    /// The text found.
    pub got: String,
}

/// A place in the bytes of a connection, to read on from.
pub(super) struct Scan<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) protocol: Protocol,
}

impl<'a> Scan<'a> {
    pub(super) fn header(
        &mut self,
        kind: u8,
        expected: &'static str,
        least: i64,
        most: i64,
    ) -> Result<Option<i64>, Malformed> {
        match self.bytes.get(self.at) {
            None => Ok(None),
            Some(byte) if *byte == kind => self.number(least, most),
            Some(_) => Err(self.malformed(self.at, expected)),
        }
    }

    /// The number after a type byte: an optional sign, then digits only, within the limits.
    pub(super) fn number(&mut self, least: i64, most: i64) -> Result<Option<i64>, Malformed> {
        let start = self.at;
        let Some(line) = self.line()? else {
            return match self.bytes.len() - start > NUMBER_BYTES_MAX + 1 {
                true => Err(self.malformed(start, "a decimal number within its limits")),
                false => Ok(None),
            };
        };
        let digits = line.strip_prefix(b"-").unwrap_or(line);
        let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        all_digits
            .then(|| std::str::from_utf8(line).ok()?.parse::<i64>().ok())
            .flatten()
            .filter(|number| (least..=most).contains(number))
            .map(Some)
            .ok_or_else(|| self.malformed(start, "a decimal number within its limits"))
    }

    /// The bytes between the type byte and CR LF.
    pub(super) fn line(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let rest = &self.bytes[self.at + 1..];
        let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
            return Ok(None);
        };
        match (rest[end], rest.get(end + 1)) {
            (b'\r', None) => Ok(None),
            (b'\r', Some(b'\n')) => {
                self.at += end + 3;
                Ok(Some(&rest[..end]))
            }
            _ => Err(self.malformed(self.at + 1 + end, "CR LF at the end of the line")),
        }
    }

    /// `length` bytes and the CR LF after them.
    pub(super) fn body(&mut self, length: usize) -> Result<Option<&'a [u8]>, Malformed> {
        let rest = &self.bytes[self.at..];
        let behind = &rest[length.min(rest.len())..];
        let wrong = behind
            .iter()
            .zip(b"\r\n")
            .any(|(byte, wanted)| byte != wanted);
        if wrong {
            return Err(self.malformed(self.at + length, "CR LF after the bulk string"));
        }
        if behind.len() < 2 {
            return Ok(None);
        }
        self.at += length + 2;
        Ok(Some(&rest[..length]))
    }

    pub(super) fn malformed(&self, at: usize, expected: &'static str) -> Malformed {
        let end = self.bytes.len().min(at + 16);
        Malformed {
            protocol: self.protocol,
            at,
            expected,
            got: format!("\"{}\"", self.bytes[at.min(end)..end].escape_ascii()),
        }
    }
}
