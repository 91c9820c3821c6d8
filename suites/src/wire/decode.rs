//! Bytes to frames: replies, and the requests that a proxy sends to its nodes.
//!
//! Bytes that have not arrived yet are `Ok(None)`; everything that RESP2 does not allow is [`Malformed`].

use super::Value;

/// Deeper nesting is taken for an attack; Redis' own replies nest a handful of levels.
const DEPTH_MAX: usize = 128;
/// Redis' limit of a bulk string.
const BULK_MAX: i64 = 512 * 1024 * 1024;
/// More elements than any reply of a test has.
const ELEMENTS_MAX: i64 = 16 * 1024 * 1024;

/// The bytes are not RESP2.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not RESP at byte {at}: expected {expected}, got {got}")]
pub struct Malformed {
    /// Offset of the first offending byte.
    pub at: usize,
    /// What RESP wants there.
    pub expected: &'static str,
    /// What is there.
    pub got: String,
}

/// The arguments of a request, its command name first.
pub type Arguments = Vec<Vec<u8>>;

/// The first reply in `bytes` with the number of bytes it takes, or `None` when it is not complete.
///
/// # Errors
/// [`Malformed`], as soon as no continuation could make it a reply.
pub fn reply(bytes: &[u8]) -> Result<Option<(Value, usize)>, Malformed> {
    let mut scan = Scan { bytes, at: 0 };
    Ok(scan.value(0)?.map(|value| (value, scan.at)))
}

/// The first request in `bytes`, an array of bulk strings, with the number of bytes it takes.
///
/// # Errors
/// [`Malformed`]; inline requests too, which no proxy has a reason to send.
pub fn request(bytes: &[u8]) -> Result<Option<(Arguments, usize)>, Malformed> {
    let mut scan = Scan { bytes, at: 0 };
    let Some(count) = scan.header(b'*', "an array of bulk strings", 1, ELEMENTS_MAX)? else {
        return Ok(None);
    };
    let mut arguments = Vec::new();
    for _ in 0..count {
        let Some(length) = scan.header(b'$', "a bulk string", 0, BULK_MAX)? else {
            return Ok(None);
        };
        match scan.body(length as usize)? {
            Some(body) => arguments.push(body.to_vec()),
            None => return Ok(None),
        }
    }
    Ok(Some((arguments, scan.at)))
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    fn value(&mut self, depth: usize) -> Result<Option<Value>, Malformed> {
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
            _ => Err(self.malformed(self.at, "one of + - : $ *")),
        }
    }

    fn bulk(&mut self) -> Result<Option<Value>, Malformed> {
        match self.number(-1, BULK_MAX)? {
            None => Ok(None),
            Some(-1) => Ok(Some(Value::NullBulk)),
            Some(length) => Ok(self
                .body(length as usize)?
                .map(|body| Value::Bulk(body.to_vec()))),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Option<Value>, Malformed> {
        let count = match self.number(-1, ELEMENTS_MAX)? {
            None => return Ok(None),
            Some(-1) => return Ok(Some(Value::NullArray)),
            Some(count) => count,
        };
        let mut elements = Vec::new();
        for _ in 0..count {
            match self.value(depth + 1)? {
                None => return Ok(None),
                Some(element) => elements.push(element),
            }
        }
        Ok(Some(Value::Array(elements)))
    }

    fn header(
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
    fn number(&mut self, least: i64, most: i64) -> Result<Option<i64>, Malformed> {
        let start = self.at;
        let Some(line) = self.line()? else {
            return Ok(None);
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

    /// What stands between the type byte and CR LF.
    fn line(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
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

    /// `length` bytes and the CR LF behind them.
    fn body(&mut self, length: usize) -> Result<Option<&'a [u8]>, Malformed> {
        let rest = &self.bytes[self.at..];
        let behind = &rest[length.min(rest.len())..];
        let wrong = behind
            .iter()
            .zip(b"\r\n")
            .any(|(byte, wanted)| byte != wanted);
        if wrong {
            return Err(self.malformed(self.at + length, "CR LF behind the bulk string"));
        }
        if behind.len() < 2 {
            return Ok(None);
        }
        self.at += length + 2;
        Ok(Some(&rest[..length]))
    }

    fn malformed(&self, at: usize, expected: &'static str) -> Malformed {
        let end = self.bytes.len().min(at + 16);
        Malformed {
            at,
            expected,
            got: format!("\"{}\"", self.bytes[at.min(end)..end].escape_ascii()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Malformed, Value, reply, request};
    use crate::wire::encode_request;

    fn encode(value: &Value) -> Vec<u8> {
        let line = |kind: &str, text: &[u8]| [kind.as_bytes(), text, b"\r\n"].concat();
        match value {
            Value::Simple(text) => line("+", text),
            Value::Error(text) => line("-", text),
            Value::Integer(number) => line(":", number.to_string().as_bytes()),
            Value::Bulk(body) => {
                [format!("${}\r\n", body.len()).as_bytes(), body, b"\r\n"].concat()
            }
            Value::NullBulk => b"$-1\r\n".to_vec(),
            Value::NullArray => b"*-1\r\n".to_vec(),
            Value::Array(elements) => {
                let mut bytes = line("*", elements.len().to_string().as_bytes());
                elements
                    .iter()
                    .for_each(|element| bytes.extend(encode(element)));
                bytes
            }
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let text = || {
            prop::collection::vec(
                any::<u8>().prop_filter("no line end", |byte| !b"\r\n".contains(byte)),
                0..12,
            )
        };
        let leaf = prop_oneof![
            text().prop_map(Value::Simple),
            text().prop_map(Value::Error),
            any::<i64>().prop_map(Value::Integer),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(Value::Bulk),
            Just(Value::NullBulk),
            Just(Value::NullArray),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop::collection::vec(inner, 0..6).prop_map(Value::Array)
        })
    }

    #[track_caller]
    fn check_malformed(bytes: &[u8], at: usize) {
        match reply(bytes) {
            Err(Malformed { at: found, .. }) => assert_eq!(found, at, "{}", bytes.escape_ascii()),
            other => panic!("{} was taken for {other:?}", bytes.escape_ascii()),
        }
    }

    #[test]
    fn what_is_not_resp_is_named_by_its_place() {
        check_malformed(b"OK\r\n", 0);
        check_malformed(b"+OK\n", 3);
        check_malformed(b"+O\rK\r\n", 2);
        check_malformed(b":1a\r\n", 0);
        check_malformed(b":\r\n", 0);
        check_malformed(b":--1\r\n", 0);
        check_malformed(b":+1\r\n", 0);
        check_malformed(b"$-2\r\n", 0);
        check_malformed(b"$3\r\nabcd\r\n", 7);
        check_malformed(b"$3\r\nabc\rX", 7);
        check_malformed(b"*-2\r\n", 0);
        check_malformed(b"*2\r\n:1\r\n?\r\n", 8);
        check_malformed(b":99999999999999999999\r\n", 0);
        check_malformed(&b"*1\r\n".repeat(200), 129 * 4);
    }

    #[test]
    fn a_request_is_an_array_of_bulk_strings_and_nothing_else() {
        assert_eq!(
            request(b"*1\r\n$4\r\nPING\r\n+"),
            Ok(Some((vec![b"PING".to_vec()], 14)))
        );
        for wrong in [
            &b"PING\r\n"[..],
            b"*0\r\n",
            b"*1\r\n:1\r\n",
            b"*1\r\n$-1\r\n",
        ] {
            assert!(request(wrong).is_err(), "{}", wrong.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(value in value(), behind in prop::collection::vec(any::<u8>(), 0..8)) {
            let bytes = encode(&value);
            let longer = [&bytes[..], &behind].concat();
            prop_assert_eq!(reply(&longer), Ok(Some((value, bytes.len()))));
        }

        #[test]
        fn a_part_of_a_reply_is_never_a_reply_and_never_malformed(value in value()) {
            let bytes = encode(&value);
            for length in 0..bytes.len() {
                prop_assert_eq!(reply(&bytes[..length]), Ok(None), "first {} of {}", length, bytes.escape_ascii());
            }
        }

        #[test]
        fn requests_survive_the_round_trip(arguments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..6)) {
            let bytes = encode_request(&arguments);
            for length in 0..bytes.len() {
                prop_assert_eq!(request(&bytes[..length]), Ok(None));
            }
            prop_assert_eq!(request(&bytes), Ok(Some((arguments, bytes.len()))));
        }
    }
}
