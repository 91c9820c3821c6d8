//! Where a client's request ends: a scanner that can stop at any byte and continue later.
//!
//! Keeps only the length of a request, its number of arguments, and the positions of the first two.

use std::ops::Range;

use super::number::{Line, line};

/// Longest line that may hold a length (Redis: `PROTO_INLINE_MAX_SIZE`).
const LENGTH_LINE_MAX: usize = 64 * 1024;

/// How large requests may be. All inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Arguments of one request.
    pub array_len_max: u64,
    /// Bytes of one argument.
    pub bulk_bytes_max: u64,
    /// Bytes of one inline request.
    pub inline_bytes_max: usize,
    /// Bytes of one request, framing included.
    pub request_bytes_max: u64,
    /// Whether the first two are for a client that has not authenticated.
    pub unauthenticated: bool,
}

impl Limits {
    /// The limits of Redis for a client that has not authenticated, but not above these.
    #[must_use]
    pub fn for_unauthenticated(&self) -> Self {
        Self {
            array_len_max: self.array_len_max.min(10),
            bulk_bytes_max: self.bulk_bytes_max.min(16 * 1024),
            unauthenticated: true,
            ..*self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            array_len_max: 1024 * 1024,
            bulk_bytes_max: 512 * 1024 * 1024,
            inline_bytes_max: 64 * 1024,
            request_bytes_max: 1024 * 1024 * 1024,
            unauthenticated: false,
        }
    }
}

/// Why a client's bytes are not a request, in Redis' words. The connection cannot be used any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtocolError {
    /// The number of arguments is invalid, or above the limit.
    #[error("invalid multibulk length")]
    ArrayLength,
    /// The number of arguments that an unauthenticated client may not send.
    #[error("unauthenticated multibulk length")]
    UnauthenticatedArray,
    /// An argument is too long for a client that has not authenticated.
    #[error("unauthenticated bulk length")]
    UnauthenticatedBulk,
    /// The line of the number of arguments does not end.
    #[error("too big mbulk count string")]
    ArrayLine,
    /// The line of an argument's length does not end.
    #[error("too big bulk count string")]
    BulkLine,
    /// An argument is not a bulk string.
    #[error("expected '$', got '{}'", char::from(*.0))]
    NotBulk(u8),
    /// An argument's length is invalid, negative, or above the limit.
    #[error("invalid bulk length")]
    BulkLength,
    /// An argument is longer or shorter than it said.
    #[error("expected CRLF after a bulk string")]
    BulkEnd,
    /// An inline request does not end.
    #[error("too big inline request")]
    InlineTooLong,
    /// An inline request opens a quote that it does not close.
    #[error("unbalanced quotes in request")]
    Quotes,
    /// An inline request holds a NUL.
    #[error("NUL in an inline request")]
    InlineNul,
    /// Each argument fits, but not all of them.
    #[error("request of more than {0} bytes")]
    RequestTooLong(u64),
}

/// A complete request at the start of the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Its bytes, framing included.
    pub len: usize,
    /// Its arguments, name included; at least 1.
    pub argc: usize,
    /// Where its name is.
    pub name: Range<usize>,
    /// Where the argument after the name is; empty without one.
    pub first: Range<usize>,
}

impl Frame {
    /// Its name, in its bytes.
    #[must_use]
    #[inline]
    pub fn name<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.name.clone()]
    }

    /// The argument after the name, in its bytes.
    #[must_use]
    #[inline]
    pub fn argument<'a>(&self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        match self.argc {
            ..2 => None,
            _ => bytes.get(self.first.clone()),
        }
    }
}

/// Content at the start of the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// An incomplete request: at least this number of further bytes is needed.
    Incomplete(usize),
    /// A request in array form.
    Request(Frame),
    /// An inline request of this length, including the line end.
    Inline(usize),
    /// Bytes without a reply (`*0`, `*-1`): this number is skipped.
    Nothing(usize),
}

/// The scanner's place within the request at the start of the buffer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestScan {
    at: usize,
    argc: usize,
    seen: usize,
    name: Range<usize>,
    first: Range<usize>,
}

impl RequestScan {
    /// Continues with the request at the start of `buf`, which must begin as in the last call. After anything but
    /// [`Scanned::Incomplete`] the scanner is ready for the next request.
    ///
    /// # Errors
    /// The bytes are not a request, and cannot become one.
    #[inline]
    pub fn scan(&mut self, buf: &[u8], limits: &Limits) -> Result<Scanned, ProtocolError> {
        if self.argc == 0 {
            match buf.first() {
                None => return Ok(Scanned::Incomplete(1)),
                Some(b'*') => {}
                Some(_) => return self.inline(buf, limits),
            }
            match line(buf, 1, LENGTH_LINE_MAX) {
                Line::Incomplete => return Ok(Scanned::Incomplete(1)),
                Line::TooLong => return Err(ProtocolError::ArrayLine),
                Line::Malformed => return Err(ProtocolError::ArrayLength),
                Line::Number(count, next) if count <= 0 => {
                    *self = Self::default();
                    return Ok(Scanned::Nothing(next));
                }
                Line::Number(count, next) => {
                    let count = count.unsigned_abs();
                    if count > limits.array_len_max {
                        return Err(match limits.unauthenticated {
                            true => ProtocolError::UnauthenticatedArray,
                            false => ProtocolError::ArrayLength,
                        });
                    }
                    self.argc = usize::try_from(count).map_err(|_| ProtocolError::ArrayLength)?;
                    self.at = next;
                }
            }
        }
        self.arguments(buf, limits)
    }

    #[inline]
    fn arguments(&mut self, buf: &[u8], limits: &Limits) -> Result<Scanned, ProtocolError> {
        while self.seen < self.argc {
            match buf.get(self.at) {
                None => return Ok(Scanned::Incomplete(self.at + 1 - buf.len())),
                Some(b'$') => {}
                Some(other) => return Err(ProtocolError::NotBulk(*other)),
            }
            let (len, start) = match line(buf, self.at + 1, LENGTH_LINE_MAX) {
                Line::Incomplete => return Ok(Scanned::Incomplete(1)),
                Line::TooLong => return Err(ProtocolError::BulkLine),
                Line::Malformed => return Err(ProtocolError::BulkLength),
                Line::Number(len, start) => (bulk_len(len, limits)?, start),
            };
            let end = start + len;
            if end as u64 + 2 > limits.request_bytes_max {
                return Err(ProtocolError::RequestTooLong(limits.request_bytes_max));
            }
            match buf.get(end..end + 2) {
                Some(b"\r\n") => {}
                Some(_) => return Err(ProtocolError::BulkEnd),
                None => return Ok(Scanned::Incomplete(end + 2 - buf.len())),
            }
            match self.seen {
                0 => self.name = start..end,
                1 => self.first = start..end,
                _ => {}
            }
            self.seen += 1;
            self.at = end + 2;
        }
        let done = std::mem::take(self);
        Ok(Scanned::Request(Frame {
            len: done.at,
            argc: done.argc,
            name: done.name,
            first: done.first,
        }))
    }

    #[cold]
    fn inline(&mut self, buf: &[u8], limits: &Limits) -> Result<Scanned, ProtocolError> {
        match memchr::memchr(b'\n', &buf[self.at.min(buf.len())..]) {
            Some(found) => {
                let end = self.at + found + 1;
                *self = Self::default();
                if end > limits.inline_bytes_max {
                    return Err(ProtocolError::InlineTooLong);
                }
                Ok(Scanned::Inline(end))
            }
            None if buf.len() > limits.inline_bytes_max => Err(ProtocolError::InlineTooLong),
            None => {
                self.at = buf.len();
                Ok(Scanned::Incomplete(1))
            }
        }
    }
}

fn bulk_len(len: i64, limits: &Limits) -> Result<usize, ProtocolError> {
    let len = u64::try_from(len).map_err(|_| ProtocolError::BulkLength)?;
    if len > limits.bulk_bytes_max {
        return Err(match limits.unauthenticated {
            true => ProtocolError::UnauthenticatedBulk,
            false => ProtocolError::BulkLength,
        });
    }
    usize::try_from(len).map_err(|_| ProtocolError::BulkLength)
}

#[cfg(test)]
mod tests;
