//! The types that RESP3 adds, as <https://redis.io/docs/latest/develop/reference/protocol-spec/> has them.

use super::Value;
use super::scan::{BULK_MAX, Malformed, Scan};

/// `txt` and the colon after it.
const FORMAT_BYTES: usize = 4;

impl Scan<'_> {
    /// The value at a type byte that RESP2 does not have.
    pub(super) fn resp3(&mut self, kind: u8, depth: usize) -> Result<Option<Value>, Malformed> {
        match kind {
            b'_' => self.scalar("nothing", |text| text.is_empty().then_some(Value::Null)),
            b'#' => self.scalar("t or f", boolean),
            b',' => self.scalar("a double", |text| {
                is_double(text).then(|| Value::Double(text.to_vec()))
            }),
            b'(' => self.scalar("a whole number", |text| {
                is_whole(unsigned(text)).then(|| Value::BigNumber(text.to_vec()))
            }),
            b'!' => Ok(self.blob(0)?.map(|text| Value::BulkError(text.to_vec()))),
            b'=' => self.verbatim(),
            b'%' => self.map(depth),
            b'~' => match self.count(0)? {
                None => Ok(None),
                Some(count) => Ok(self.elements(count, depth)?.map(Value::Set)),
            },
            b'>' if depth == 0 => self.push(depth),
            b'>' => Err(self.malformed(self.at, "no push within a reply")),
            b'|' => self.attributed(depth),
            _ => Err(self.malformed(self.at, "one of + - : $ * _ # , ( ! = % ~ > |")),
        }
    }

    /// The content of one line, if `read` accepts it.
    fn scalar(
        &mut self,
        expected: &'static str,
        read: impl Fn(&[u8]) -> Option<Value>,
    ) -> Result<Option<Value>, Malformed> {
        let start = self.at;
        match self.line()? {
            None => Ok(None),
            Some(text) => match read(text) {
                Some(value) => Ok(Some(value)),
                None => Err(self.malformed(start, expected)),
            },
        }
    }

    fn blob(&mut self, least: i64) -> Result<Option<&[u8]>, Malformed> {
        match self.number(least, BULK_MAX)? {
            None => Ok(None),
            Some(length) => self.body(length as usize),
        }
    }

    fn verbatim(&mut self) -> Result<Option<Value>, Malformed> {
        let Some(length) = self.number(FORMAT_BYTES as i64, BULK_MAX)? else {
            return Ok(None);
        };
        let colon = self.at + FORMAT_BYTES - 1;
        if self.bytes.get(colon).is_some_and(|byte| *byte != b':') {
            return Err(self.malformed(colon, "a colon after the format"));
        }
        Ok(self
            .body(length as usize)?
            .and_then(|body| body.split_first_chunk())
            .map(|(format, text)| Value::Verbatim {
                format: *format,
                text: text[1..].to_vec(),
            }))
    }

    fn map(&mut self, depth: usize) -> Result<Option<Value>, Malformed> {
        match self.count(0)? {
            None => Ok(None),
            Some(count) => Ok(self.entries(count, depth)?.map(Value::Map)),
        }
    }

    /// The first element of a push is its kind.
    fn push(&mut self, depth: usize) -> Result<Option<Value>, Malformed> {
        let Some(count) = self.count(1)? else {
            return Ok(None);
        };
        let is_text = |kind: &u8| matches!(kind, b'+' | b'$');
        if self.bytes.get(self.at).is_some_and(|kind| !is_text(kind)) {
            return Err(self.malformed(self.at, "a string, the kind of the push"));
        }
        Ok(self.elements(count, depth)?.map(Value::Push))
    }

    fn attributed(&mut self, depth: usize) -> Result<Option<Value>, Malformed> {
        let Some(count) = self.count(0)? else {
            return Ok(None);
        };
        let Some(attributes) = self.entries(count, depth)? else {
            return Ok(None);
        };
        Ok(self.value(depth + 1)?.map(|value| Value::Attributed {
            attributes,
            value: Box::new(value),
        }))
    }

    fn entries(
        &mut self,
        count: i64,
        depth: usize,
    ) -> Result<Option<Vec<(Value, Value)>>, Malformed> {
        let mut entries = Vec::new();
        for _ in 0..count {
            match self.elements(2, depth)?.map(<[Value; 2]>::try_from) {
                Some(Ok([key, value])) => entries.push((key, value)),
                _ => return Ok(None),
            }
        }
        Ok(Some(entries))
    }
}

fn boolean(text: &[u8]) -> Option<Value> {
    match text {
        b"t" => Some(Value::Boolean(true)),
        b"f" => Some(Value::Boolean(false)),
        _ => None,
    }
}

fn unsigned(text: &[u8]) -> &[u8] {
    match text {
        [b'+' | b'-', digits @ ..] => digits,
        digits => digits,
    }
}

fn is_whole(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// `[+-]digits[.digits][e[+-]digits]`, `inf`, `-inf` or `nan`.
fn is_double(text: &[u8]) -> bool {
    if matches!(text, b"inf" | b"-inf" | b"nan") {
        return true;
    }
    let (number, exponent) = parted(unsigned(text), |byte| matches!(byte, b'e' | b'E'));
    let (integral, fraction) = parted(number, |byte| *byte == b'.');
    is_whole(integral)
        && fraction.is_none_or(is_whole)
        && exponent.is_none_or(|exponent| is_whole(unsigned(exponent)))
}

/// The bytes before and, if it exists, after the first such byte.
fn parted(text: &[u8], at: fn(&u8) -> bool) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(at) {
        Some(place) => (&text[..place], Some(&text[place + 1..])),
        None => (text, None),
    }
}
