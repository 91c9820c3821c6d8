//! Where the first reply of a growing buffer ends, without looking at any byte twice.
//!
//! A reply that arrives in many pieces would else be decoded from its beginning for each of them.

use super::Protocol;
use super::decode::{DEPTH_MAX, ELEMENTS_MAX};
use super::scan::{Malformed, NUMBER_BYTES_MAX, Scan};

/// How far a reply has been read.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// Where the next value begins.
    at: usize,
    /// Up to where its line has no end.
    searched: usize,
    /// For each aggregate that is open, the number of values that it still lacks.
    open: Vec<u64>,
    /// Values that were read.
    values: usize,
}

impl Frame {
    /// Values that were read, in all aggregates.
    pub(super) fn values(&self) -> usize {
        self.values
    }

    /// The length of the reply at the start of `bytes`, once it is complete. `bytes` grows at its end only.
    ///
    /// # Errors
    /// [`Malformed`], as soon as no continuation could make it a reply.
    pub(super) fn end(
        &mut self,
        bytes: &[u8],
        protocol: Protocol,
    ) -> Result<Option<usize>, Malformed> {
        loop {
            let mut scan = Scan {
                bytes,
                at: self.at,
                protocol,
            };
            let Some(kind) = bytes.get(self.at) else {
                return Ok(None);
            };
            if self.open.len() > DEPTH_MAX {
                return Err(scan.malformed(self.at, "at most 128 nested arrays"));
            }
            let may_wait = is_type(*kind, protocol) && !is_overlong(*kind, &bytes[self.at..]);
            if !self.has_line(bytes) && may_wait {
                return Ok(None);
            }
            let lacking = match aggregate(*kind, protocol, self.open.is_empty()) {
                Some((least, per_count)) => scan
                    .number(least, ELEMENTS_MAX)?
                    // A null has no elements.
                    .map(|count| u64::try_from(count).unwrap_or(0) * per_count),
                // The value itself is decoded when the reply is complete.
                None => scan.value(self.open.len())?.map(|_| 0),
            };
            let Some(lacking) = lacking else {
                return Ok(None);
            };
            // The reply follows its attributes.
            let behind = u64::from(*kind == b'|' && protocol == Protocol::Resp3);
            self.at = scan.at;
            self.searched = self.at;
            self.values += 1;
            self.open.push(lacking + behind);
            while self.open.last() == Some(&0) {
                self.open.pop();
                match self.open.last_mut() {
                    Some(outer) => *outer -= 1,
                    None => return Ok(Some(self.at)),
                }
            }
        }
    }

    /// Whether the line at `at` is complete, or cannot be completed.
    fn has_line(&mut self, bytes: &[u8]) -> bool {
        let from = self.searched.max(self.at);
        match memchr::memchr2(b'\r', b'\n', &bytes[from..]) {
            Some(found) if bytes[from + found] == b'\r' && from + found + 1 == bytes.len() => {
                self.searched = from + found;
                false
            }
            Some(_) => true,
            None => {
                self.searched = bytes.len();
                false
            }
        }
    }
}

/// The least count of an aggregate and the values per count; `None` if the type is not an aggregate.
fn aggregate(kind: u8, protocol: Protocol, is_outermost: bool) -> Option<(i64, u64)> {
    match (kind, protocol) {
        (b'*', Protocol::Resp2) => Some((-1, 1)),
        (b'*' | b'~', Protocol::Resp3) => Some((0, 1)),
        (b'%' | b'|', Protocol::Resp3) => Some((0, 2)),
        (b'>', Protocol::Resp3) if is_outermost => Some((1, 1)),
        _ => None,
    }
}

/// Whether a value of the protocol may begin with this byte; any other needs no line to be malformed.
fn is_type(kind: u8, protocol: Protocol) -> bool {
    match protocol {
        Protocol::Resp2 => b"+-:$*".contains(&kind),
        Protocol::Resp3 => b"+-:$*_#,(!=%~>|".contains(&kind),
    }
}

/// Whether the line of a number is longer than any number: it needs no end to be malformed.
fn is_overlong(kind: u8, line: &[u8]) -> bool {
    matches!(
        kind,
        b':' | b'$' | b'*' | b'%' | b'~' | b'>' | b'|' | b'=' | b'!'
    ) && line.len() > NUMBER_BYTES_MAX + 1
}
