//! Bytes to frames: replies, and the requests that a proxy sends to its nodes.

use super::frame::Frame;
use super::scan::{BULK_MAX, Malformed, Scan};
use super::{Protocol, Value};

/// A longer request that is not complete is worth remembering how far it was read.
const LONG_BYTES: usize = 16 * 1024;
/// Deeper nesting is treated as an attack; replies of Redis have a few levels.
pub(super) const DEPTH_MAX: usize = 128;
/// More elements than any reply of a test has.
pub(super) const ELEMENTS_MAX: i64 = 16 * 1024 * 1024;

/// The arguments of a request, its command name first.
pub type Arguments = Vec<Vec<u8>>;

/// The same, borrowed.
pub(super) type Words<'a> = Vec<&'a [u8]>;

/// The first reply in `bytes` with the number of bytes it takes, or `None` when it is not complete.
///
/// Bytes that `protocol` does not allow are malformed, so a reply in the wrong protocol is detected: RESP3's types on a
/// RESP2 connection, and the nulls of RESP2 on a RESP3 connection. Attributes are read as a part of the reply after
/// them. Strings and aggregates that give their length at their end, which no server sends, are malformed.
///
/// # Errors
/// [`Malformed`], as soon as no continuation could make it a reply.
pub fn reply(bytes: &[u8], protocol: Protocol) -> Result<Option<(Value, usize)>, Malformed> {
    let mut scan = Scan {
        bytes,
        at: 0,
        protocol,
    };
    Ok(scan.value(0)?.map(|value| (value, scan.at)))
}

/// The first request in `bytes`, an array of bulk strings, with the number of bytes it takes.
///
/// # Errors
/// [`Malformed`], also for inline requests, which no proxy has a reason to send.
pub fn request(bytes: &[u8]) -> Result<Option<(Arguments, usize)>, Malformed> {
    let owned = |words: Words<'_>| words.into_iter().map(<[u8]>::to_vec).collect();
    Ok(words(bytes)?.map(|(words, length)| (owned(words), length)))
}

/// The requests of a connection whose bytes arrive in pieces.
#[derive(Debug, Default)]
pub struct Requests {
    /// How far the next request has been read.
    frame: Frame,
}

impl Requests {
    /// As [`request`]. After `None`, call it again with the same bytes and more after them: a long request is read on from where
    /// it stopped.
    ///
    /// # Errors
    /// As [`request`]; in a long request possibly only when it is complete.
    pub fn first(&mut self, bytes: &[u8]) -> Result<Option<(Arguments, usize)>, Malformed> {
        if bytes.len() > LONG_BYTES && matches!(self.frame.end(bytes, Protocol::Resp2), Ok(None)) {
            return Ok(None);
        }
        self.frame = Frame::default();
        request(bytes)
    }
}

/// As [`request`], borrowing the words.
pub(super) fn words(bytes: &[u8]) -> Result<Option<(Words<'_>, usize)>, Malformed> {
    let mut scan = Scan {
        bytes,
        at: 0,
        protocol: Protocol::Resp2,
    };
    let Some(count) = scan.header(b'*', "an array of bulk strings", 1, ELEMENTS_MAX)? else {
        return Ok(None);
    };
    let mut words = Vec::new();
    for _ in 0..count {
        let Some(length) = scan.header(b'$', "a bulk string", 0, BULK_MAX)? else {
            return Ok(None);
        };
        match scan.body(length as usize)? {
            Some(body) => words.push(body),
            None => return Ok(None),
        }
    }
    Ok(Some((words, scan.at)))
}

impl Scan<'_> {
    pub(super) fn value(&mut self, depth: usize) -> Result<Option<Value>, Malformed> {
        let Some(kind) = self.bytes.get(self.at) else {
            return Ok(None);
        };
        if depth > DEPTH_MAX {
            return Err(self.malformed(self.at, "at most 128 nested arrays"));
        }
        match kind {
            b'+' => Ok(self.line()?.map(|text| Value::Simple(text.to_vec()))),
            b'-' => Ok(self.line()?.map(|text| Value::Error(text.to_vec()))),
            b':' => Ok(self.number(i64::MIN, i64::MAX)?.map(Value::Integer)),
            b'$' => self.bulk(),
            b'*' => self.array(depth),
            _ if self.protocol == Protocol::Resp3 => self.resp3(*kind, depth),
            _ => Err(self.malformed(self.at, "one of + - : $ *")),
        }
    }

    fn bulk(&mut self) -> Result<Option<Value>, Malformed> {
        match self.number(self.least_length(), BULK_MAX)? {
            None => Ok(None),
            Some(-1) => Ok(Some(Value::NullBulk)),
            Some(length) => Ok(self
                .body(length as usize)?
                .map(|body| Value::Bulk(body.to_vec()))),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Option<Value>, Malformed> {
        match self.number(self.least_length(), ELEMENTS_MAX)? {
            None => Ok(None),
            Some(-1) => Ok(Some(Value::NullArray)),
            Some(count) => Ok(self.elements(count, depth)?.map(Value::Array)),
        }
    }

    /// RESP2 has nulls of length -1, RESP3 has a type for them.
    fn least_length(&self) -> i64 {
        match self.protocol {
            Protocol::Resp2 => -1,
            Protocol::Resp3 => 0,
        }
    }

    /// The number of elements, or of pairs of them.
    pub(super) fn count(&mut self, least: i64) -> Result<Option<i64>, Malformed> {
        self.number(least, ELEMENTS_MAX)
    }

    /// Decodes `count` values inside a value of this depth.
    pub(super) fn elements(
        &mut self,
        count: i64,
        depth: usize,
    ) -> Result<Option<Vec<Value>>, Malformed> {
        let mut elements = Vec::new();
        for _ in 0..count {
            match self.value(depth + 1)? {
                None => return Ok(None),
                Some(element) => elements.push(element),
            }
        }
        Ok(Some(elements))
    }
}
