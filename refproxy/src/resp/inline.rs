//! Inline requests: a line of words, with Redis' rules for quotes.

use super::ProtocolError;

/// The words of `line` (with or without its line end); empty for an empty line.
///
/// `"..."` has the escapes `\n \r \t \b \a \xHH` and `\` before any other byte; `'...'` has only `\'`. A closing quote
/// must be followed by white space or the end. Before a word and after a quote, white space is as in C's `isspace`; but
/// a vertical tab or a form feed does not end a word, it belongs to it. Source: Redis 7.0 `sdssplitargs`.
///
/// # Errors
/// [`ProtocolError::Quotes`] when a quote is not closed properly; [`ProtocolError::InlineNul`] when there is a NUL,
/// which Redis treats as the end of the received bytes, so that it never answers.
pub fn split_inline(line: &[u8]) -> Result<Vec<Vec<u8>>, ProtocolError> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let mut rest = line.strip_suffix(b"\r").unwrap_or(line);
    if memchr::memchr(0, rest).is_some() {
        return Err(ProtocolError::InlineNul);
    }
    let mut words = Vec::new();
    loop {
        while let [first, tail @ ..] = rest
            && is_space(*first)
        {
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(words);
        }
        let (word, tail) = word(rest)?;
        words.push(word);
        rest = tail;
    }
}

/// C's `isspace`.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// The word at the start of `rest`, and the rest after it.
fn word(mut rest: &[u8]) -> Result<(Vec<u8>, &[u8]), ProtocolError> {
    let mut word = Vec::new();
    loop {
        match rest {
            [] => return Ok((word, rest)),
            [b'"', tail @ ..] => return double_quoted(word, tail),
            [b'\'', tail @ ..] => return single_quoted(word, tail),
            [b' ' | b'\t' | b'\n' | b'\r', tail @ ..] => return Ok((word, tail)),
            [byte, tail @ ..] => {
                word.push(*byte);
                rest = tail;
            }
        }
    }
}

fn double_quoted(mut word: Vec<u8>, mut rest: &[u8]) -> Result<(Vec<u8>, &[u8]), ProtocolError> {
    loop {
        rest = match rest {
            [] => return Err(ProtocolError::Quotes),
            [b'\\', b'x', high, low, tail @ ..]
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                word.push(hex(*high) << 4 | hex(*low));
                tail
            }
            [b'\\', byte, tail @ ..] => {
                word.push(match byte {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                tail
            }
            [b'"', tail @ ..] => return closed(word, tail),
            [byte, tail @ ..] => {
                word.push(*byte);
                tail
            }
        }
    }
}

fn single_quoted(mut word: Vec<u8>, mut rest: &[u8]) -> Result<(Vec<u8>, &[u8]), ProtocolError> {
    loop {
        rest = match rest {
            [] => return Err(ProtocolError::Quotes),
            [b'\\', b'\'', tail @ ..] => {
                word.push(b'\'');
                tail
            }
            [b'\'', tail @ ..] => return closed(word, tail),
            [byte, tail @ ..] => {
                word.push(*byte);
                tail
            }
        }
    }
}

fn closed(word: Vec<u8>, rest: &[u8]) -> Result<(Vec<u8>, &[u8]), ProtocolError> {
    match rest.first() {
        Some(byte) if !is_space(*byte) => Err(ProtocolError::Quotes),
        _ => Ok((word, rest)),
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::split_inline;

    #[track_caller]
    fn check(line: &[u8], expected: Option<&[&[u8]]>) {
        let words = split_inline(line).ok();
        let expected = expected.map(|words| words.iter().map(|word| word.to_vec()).collect());
        assert_eq!(words, expected, "words of {}", line.escape_ascii());
    }

    #[test]
    fn words_are_parted_by_space() {
        check(b"", Some(&[]));
        check(b" \t\r\n", Some(&[]));
        check(b"GET a\r\n", Some(&[b"GET", b"a"]));
        check(b"  SET  a\tb \n", Some(&[b"SET", b"a", b"b"]));
    }

    #[test]
    fn a_vertical_tab_or_form_feed_ends_no_word() {
        check(b"SET k v\x0b\r\n", Some(&[b"SET", b"k", b"v\x0b"]));
        check(b"\x0bSET \x0c\x0bk\x0cv\r\n", Some(&[b"SET", b"k\x0cv"]));
        check(b"\"a\"\x0b'b'\x0c\r\n", Some(&[b"a", b"b"]));
        check(b"\x0b\x0c\r\n", Some(&[]));
        check(b"a\x85\xa0b", Some(&[b"a\x85\xa0b"]));
    }

    #[test]
    fn a_nul_is_an_error_wherever_it_is() {
        for line in [&b"\0"[..], b"GET a\0b", b"GET k\0", b"\"a\0b\""] {
            check(line, None);
        }
        check(b"\"a\\x00b\"", Some(&[b"a\0b"]));
    }

    #[test]
    fn quotes_hold_words_together() {
        check(b"a \"b c\" d", Some(&[b"a", b"b c", b"d"]));
        check(b"\"\\x41\\n\\q\\\"\"", Some(&[b"A\nq\""]));
        check(b"'a\\'b\\n'", Some(&[b"a'b\\n"]));
        check(b"\"\" ''", Some(&[b"", b""]));
        check(b"a\"b c\"", Some(&[b"ab c"]));
    }

    #[test]
    fn a_quote_that_is_not_closed_is_an_error() {
        check(b"\"a", None);
        check(b"'a", None);
        check(b"\"a\"b", None);
        check(b"'a'b", None);
        check(b"\"a\\\"", None);
    }
}
