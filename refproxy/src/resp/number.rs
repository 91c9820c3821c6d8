//! Decimal numbers and lines, as strict as Redis reads them.

/// The number that `digits` spells: an optional `-`, then digits without a leading zero. Source: Redis `string2ll`.
pub(crate) fn strict(digits: &[u8]) -> Option<i64> {
    let (negative, digits) = match digits {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, digits),
    };
    match digits {
        [] | [b'0', _, ..] => return None,
        [b'0'] => return (!negative).then_some(0),
        _ => {}
    }
    if digits.len() > 18 {
        return long(negative, digits);
    }
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    Some(if negative { -value } else { value })
}

/// The rare numbers that may not fit.
fn long(negative: bool, digits: &[u8]) -> Option<i64> {
    let mut value = 0_i64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?;
        value = if negative {
            value.checked_sub(i64::from(digit))?
        } else {
            value.checked_add(i64::from(digit))?
        };
    }
    Some(value)
}

/// The bytes in the place of a `<number>\r\n`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A number, and the position after its line.
    Number(i64, usize),
    /// The line has not ended yet.
    Incomplete,
    /// Not a number, or not ended by CR LF.
    Malformed,
    /// Longer than any number may be written.
    TooLong,
}

/// Reads the number line that starts at `at`. Lines of numbers are short: one byte at a time beats a search.
#[inline]
pub(crate) fn line(buf: &[u8], at: usize, length_max: usize) -> Line {
    let rest = &buf[at.min(buf.len())..];
    // The common case by hand: up to nine digits, no sign.
    let mut value = 0_i64;
    let mut seen = 0;
    for byte in rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 || seen == 9 {
            break;
        }
        value = value * 10 + i64::from(digit);
        seen += 1;
    }
    if seen > 0 && (rest[0] != b'0' || seen == 1) && rest[seen..].starts_with(b"\r\n") {
        return Line::Number(value, at + seen + 2);
    }
    unusual(rest, at, length_max)
}

#[cold]
fn unusual(rest: &[u8], at: usize, length_max: usize) -> Line {
    match memchr::memchr(b'\r', rest) {
        Some(end) if end > length_max => Line::TooLong,
        Some(end) => match (strict(&rest[..end]), rest.get(end + 1)) {
            (None, _) => Line::Malformed,
            (Some(_), None) => Line::Incomplete,
            (Some(value), Some(b'\n')) => Line::Number(value, at + end + 2),
            (Some(_), Some(_)) => Line::Malformed,
        },
        None if rest.len() > length_max => Line::TooLong,
        None => Line::Incomplete,
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, line, strict};

    #[track_caller]
    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(strict(text.as_bytes()), expected, "number `{text}`");
    }

    #[test]
    fn numbers_are_read_as_redis_reads_them() {
        check("0", Some(0));
        check("7", Some(7));
        check("-1", Some(-1));
        check("9223372036854775807", Some(i64::MAX));
        check("-9223372036854775808", Some(i64::MIN));
        for wrong in [
            "",
            "-",
            "+1",
            "01",
            "-0",
            "00",
            " 1",
            "1 ",
            "1a",
            "9223372036854775808",
            "0x1",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_line_ends_with_cr_lf_only() {
        assert_eq!(line(b"12\r\nx", 0, 64), Line::Number(12, 4));
        assert_eq!(line(b"$-1\r\n", 1, 64), Line::Number(-1, 5));
        assert_eq!(
            line(b"1234567890123\r\n", 0, 64),
            Line::Number(1_234_567_890_123, 15)
        );
        for part in ["", "1", "12\r", "-"] {
            assert_eq!(line(part.as_bytes(), 0, 64), Line::Incomplete, "`{part}`");
        }
        for wrong in ["\r\n", "1\rx", "a\r\n", "01\r\n", "1 \r\n"] {
            assert_eq!(line(wrong.as_bytes(), 0, 64), Line::Malformed, "`{wrong}`");
        }
        assert_eq!(line(&[b'1'; 70], 0, 64), Line::TooLong);
    }
}
