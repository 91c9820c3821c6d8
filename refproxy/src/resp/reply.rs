//! Where a node's reply ends, in either protocol: a scanner that can stop at any byte and continue later.
//!
//! Never recurses: the end of nested arrays is found by counting missing elements.

use super::Protocol;
use super::number::{Line, line, strict};

/// Longest line of a simple string, an error or a number that a node may send.
const LINE_MAX: usize = 1024 * 1024;

/// Why a node's bytes are not a reply of its protocol. The connection cannot be used any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// A violation of the protocol.
    #[error("malformed reply")]
    Malformed,
    /// RESP3's streamed strings and aggregates, which no Redis sends.
    #[error("streamed reply")]
    Streamed,
    /// A string announces more bytes than [`ReplyLimits`] allow.
    #[error("string beyond the limit")]
    StringTooLong,
    /// An aggregate announces more elements than [`ReplyLimits`] allow.
    #[error("elements beyond the limit")]
    TooManyElements,
}

use ReplyError::{Malformed, Streamed, StringTooLong, TooManyElements};

/// What a part of a reply may announce. All inclusive. The sum of the parts has no limit here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyLimits {
    /// Bytes of one string.
    pub string_bytes_max: u64,
    /// Elements of one array, set, map or push; each name and each value of a map is one.
    pub elements_max: u64,
}

impl ReplyLimits {
    /// For bytes that were within limits before.
    const NONE: Self = Self {
        string_bytes_max: u64::MAX,
        elements_max: u64::MAX,
    };
}

impl Default for ReplyLimits {
    /// Redis' `proto-max-bulk-len`, and as many elements as fit into it.
    fn default() -> Self {
        let string_bytes_max = 512 * 1024 * 1024;
        Self {
            string_bytes_max,
            // The shortest one is `:1\r\n`.
            elements_max: string_bytes_max / 4,
        }
    }
}

/// The scanner's place within the reply at the start of the buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyScan {
    at: usize,
    /// Elements to come; 0 before the first byte.
    left: u64,
    /// Missing bytes of a string whose start was dropped, without its line end; the string is the element at `at`.
    body: Option<usize>,
    /// Whether the start of the reply was dropped.
    is_cut: bool,
    protocol: Protocol,
    limits: ReplyLimits,
}

/// Where an element ends, or how many bytes it lacks at least.
type End = Result<usize, usize>;

impl ReplyScan {
    /// For replies of a node in this protocol.
    #[must_use]
    pub fn within(limits: ReplyLimits, protocol: Protocol) -> Self {
        Self {
            at: 0,
            left: 0,
            body: None,
            is_cut: false,
            protocol,
            limits,
        }
    }

    /// For complete replies, whatever their size.
    pub(crate) fn of_complete(protocol: Protocol) -> Self {
        Self::within(ReplyLimits::NONE, protocol)
    }

    /// Goes on with the reply that starts at the start of `buf`, which must begin as at the last call.
    /// `Ok(Ok(len))` is a complete reply; `Ok(Err(more))` needs at least `more` bytes. A reply that begins with attributes
    /// ends behind what they are attributes of.
    ///
    /// # Errors
    /// The bytes are not a reply of the protocol, and cannot become one.
    #[inline]
    pub fn scan(&mut self, buf: &[u8]) -> Result<Result<usize, usize>, ReplyError> {
        if self.left == 0 {
            self.left = 1;
            self.at = 0;
            self.is_cut = false;
        }
        if let Some(body) = self.body {
            let body = i64::try_from(body).map_err(|_| Malformed)?;
            match blob(buf, body, 0)? {
                Ok(end) => self.at = end,
                Err(more) => return Ok(Err(more)),
            }
            self.body = None;
            self.left -= 1;
        }
        while self.left > 0 {
            let Some(kind) = buf.get(self.at) else {
                return Ok(Err(1));
            };
            let end = match kind {
                b'$' => match line(buf, self.at + 1, 32) {
                    Line::Number(-1, next) => Ok(next),
                    Line::Number(len, next) => self.string(buf, len, next)?,
                    other => Err(unfinished(&other, buf, self.at)?),
                },
                b'*' => self.aggregate(buf, 1, -1)?,
                b'+' | b'-' | b':' => match text_end(buf, self.at)? {
                    Some(end) => {
                        if *kind == b':' && strict(&buf[self.at + 1..end - 2]).is_none() {
                            return Err(Malformed);
                        }
                        Ok(end)
                    }
                    None => Err(1),
                },
                _ if self.protocol == Protocol::Resp3 => self.of_resp3(*kind, buf)?,
                _ => return Err(Malformed),
            };
            match end {
                Ok(end) => self.at = end,
                Err(more) => return Ok(Err(more)),
            }
            self.left -= 1;
        }
        Ok(Ok(self.at))
    }

    /// After a scan that found no end: how many bytes at the start of `buf` are not needed any more. The caller removes
    /// them, and the next scan continues with the rest.
    pub fn give_up(&mut self, buf: &[u8]) -> usize {
        if let Some(body) = &mut self.body {
            let taken = buf.len().min(*body);
            *body -= taken;
            return taken;
        }
        self.is_cut = true;
        let start = std::mem::take(&mut self.at);
        if matches!(buf.get(start), Some(b'$' | b'!'))
            && let Line::Number(len, next) = line(buf, start + 1, 32)
            && let Ok(len) = usize::try_from(len)
        {
            let taken = len.min(buf.len() - next);
            self.body = Some(len - taken);
            return next + taken;
        }
        start
    }

    /// A string with its line end, whose `len` bytes begin at `start`.
    #[inline]
    fn string(&self, buf: &[u8], len: i64, start: usize) -> Result<End, ReplyError> {
        match u64::try_from(len) {
            Ok(len) if len > self.limits.string_bytes_max => Err(StringTooLong),
            _ => blob(buf, len, start),
        }
    }

    /// The head of an aggregate: number of elements per counted one.
    #[inline]
    fn aggregate(&mut self, buf: &[u8], each: u64, least: i64) -> Result<End, ReplyError> {
        match line(buf, self.at + 1, 32) {
            Line::Number(len, _) if len < least => Err(Malformed),
            Line::Number(len, next) => {
                let elements = u64::try_from(len).unwrap_or(0).saturating_mul(each);
                if elements > self.limits.elements_max {
                    return Err(TooManyElements);
                }
                self.left = self.left.checked_add(elements).ok_or(TooManyElements)?;
                Ok(Ok(next))
            }
            other => Ok(Err(unfinished(&other, buf, self.at)?)),
        }
    }

    /// Types that only RESP3 has.
    fn of_resp3(&mut self, kind: u8, buf: &[u8]) -> Result<End, ReplyError> {
        match kind {
            b'~' => self.aggregate(buf, 1, 0),
            b'%' => self.aggregate(buf, 2, 0),
            b'|' => {
                let end = self.aggregate(buf, 2, 0)?;
                // The value of the attributes is still missing.
                self.left += u64::from(end.is_ok());
                Ok(end)
            }
            // Within a reply there is no push.
            b'>' if self.at == 0 && !self.is_cut => self.aggregate(buf, 1, 0),
            b'!' | b'=' => match line(buf, self.at + 1, 32) {
                Line::Number(len, next) => {
                    let end = self.string(buf, len, next)?;
                    if kind == b'=' && end.is_ok() && (len < 4 || buf[next + 3] != b':') {
                        return Err(Malformed);
                    }
                    Ok(end)
                }
                other => Ok(Err(unfinished(&other, buf, self.at)?)),
            },
            b'_' | b'#' | b',' | b'(' => {
                let Some(end) = text_end(buf, self.at)? else {
                    return Ok(Err(1));
                };
                match is_scalar(kind, &buf[self.at + 1..end - 2]) {
                    true => Ok(Ok(end)),
                    false => Err(Malformed),
                }
            }
            _ => Err(Malformed),
        }
    }
}

/// Whether `text` is a null, a boolean, a double, or a number of any size.
fn is_scalar(kind: u8, text: &[u8]) -> bool {
    match kind {
        b'_' => text.is_empty(),
        b'#' => matches!(text, b"t" | b"f"),
        b',' => match text {
            b"inf" | b"-inf" | b"nan" | b"-nan" => true,
            _ => {
                let known =
                    |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                text.iter().any(u8::is_ascii_digit) && text.iter().all(known)
            }
        },
        _ => {
            let digits = text.strip_prefix(b"-").or(text.strip_prefix(b"+"));
            let digits = digits.unwrap_or(text);
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
        }
    }
}

/// The end of `len` bytes with their line end, from `start` on.
#[inline]
fn blob(buf: &[u8], len: i64, start: usize) -> Result<End, ReplyError> {
    let len = usize::try_from(len).map_err(|_| Malformed)?;
    let end = start.checked_add(len).ok_or(Malformed)?;
    match buf.get(end..).and_then(|rest| rest.get(..2)) {
        Some(b"\r\n") => Ok(Ok(end + 2)),
        Some(_) => Err(Malformed),
        None => Ok(Err(end.saturating_add(2) - buf.len())),
    }
}

/// A line of an incomplete length: how many bytes are missing at least.
fn unfinished(line: &Line, buf: &[u8], at: usize) -> Result<usize, ReplyError> {
    match line {
        Line::Incomplete => Ok(1),
        _ if buf.get(at + 1) == Some(&b'?') => Err(Streamed),
        _ => Err(Malformed),
    }
}

/// The position after the line that starts at `at`, if it is complete.
#[inline]
fn text_end(buf: &[u8], at: usize) -> Result<Option<usize>, ReplyError> {
    let rest = &buf[at..];
    match memchr::memchr(b'\r', rest) {
        Some(end) => match rest.get(end + 1) {
            Some(b'\n') => Ok(Some(at + end + 2)),
            Some(_) => Err(Malformed),
            None => Ok(None),
        },
        None if rest.len() > LINE_MAX => Err(Malformed),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests;
