//! Where a node's reply ends: a scanner that can stop at any byte and go on later.
//!
//! Never recurses: the end of nested arrays is found by counting elements that are still to come.

use super::number::{Line, line, strict};

/// Longest line of a simple string, an error or a number that a node may send.
const LINE_MAX: usize = 1024 * 1024;

/// Why a node's bytes are no RESP2 reply. The connection cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed reply")]
pub struct ReplyError;

/// The scanner's place within the reply at the start of the buffer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplyScan {
    at: usize,
    /// Elements to come; 0 before the first byte.
    left: u64,
}

impl ReplyScan {
    /// Goes on with the reply that starts at the start of `buf`, which must begin as at the last call.
    /// `Ok(Ok(len))` is a complete reply; `Ok(Err(more))` needs at least `more` bytes.
    ///
    /// # Errors
    /// The bytes are no RESP2 reply, and never will be.
    #[inline]
    pub fn scan(&mut self, buf: &[u8]) -> Result<Result<usize, usize>, ReplyError> {
        if self.left == 0 {
            self.left = 1;
            self.at = 0;
        }
        while self.left > 0 {
            let Some(kind) = buf.get(self.at) else {
                return Ok(Err(1));
            };
            match kind {
                b'$' => match line(buf, self.at + 1, 32) {
                    Line::Number(-1, next) => self.at = next,
                    Line::Number(len, next) => {
                        let len = usize::try_from(len).map_err(|_| ReplyError)?;
                        let end = next.checked_add(len).ok_or(ReplyError)?;
                        match buf.get(end..end + 2) {
                            Some(b"\r\n") => self.at = end + 2,
                            Some(_) => return Err(ReplyError),
                            None => return Ok(Err(end + 2 - buf.len())),
                        }
                    }
                    Line::Incomplete => return Ok(Err(1)),
                    Line::Malformed | Line::TooLong => return Err(ReplyError),
                },
                b'*' => match line(buf, self.at + 1, 32) {
                    Line::Number(len, next) if (-1..=i64::from(u32::MAX)).contains(&len) => {
                        self.left += u64::try_from(len).unwrap_or(0);
                        self.at = next;
                    }
                    Line::Incomplete => return Ok(Err(1)),
                    _ => return Err(ReplyError),
                },
                b'+' | b'-' | b':' => match text_end(buf, self.at)? {
                    Some(end) => {
                        if *kind == b':' && strict(&buf[self.at + 1..end - 2]).is_none() {
                            return Err(ReplyError);
                        }
                        self.at = end;
                    }
                    None => return Ok(Err(1)),
                },
                _ => return Err(ReplyError),
            }
            self.left -= 1;
        }
        Ok(Ok(self.at))
    }
}

/// The place behind the line that starts at `at`, when it has ended.
#[inline]
fn text_end(buf: &[u8], at: usize) -> Result<Option<usize>, ReplyError> {
    let rest = &buf[at..];
    match memchr::memchr(b'\r', rest) {
        Some(end) => match rest.get(end + 1) {
            Some(b'\n') => Ok(Some(at + end + 2)),
            Some(_) => Err(ReplyError),
            None => Ok(None),
        },
        None if rest.len() > LINE_MAX => Err(ReplyError),
        None => Ok(None),
    }
}

/// The elements of a complete array reply, each with its framing; `None` when it is no array.
pub fn elements(reply: &[u8]) -> Option<(usize, impl Iterator<Item = &[u8]>)> {
    if reply.first() != Some(&b'*') {
        return None;
    }
    let Line::Number(len, start) = line(reply, 1, 32) else {
        return None;
    };
    let mut at = start;
    let walk = std::iter::from_fn(move || {
        let rest = reply.get(at..).filter(|rest| !rest.is_empty())?;
        let len = ReplyScan::default().scan(rest).ok()?.ok()?;
        at += len;
        rest.get(..len)
    });
    Some((usize::try_from(len).ok()?, walk))
}

/// The number of a complete integer reply; `None` when it is none.
#[must_use]
pub fn integer(reply: &[u8]) -> Option<i64> {
    strict(reply.strip_prefix(b":")?.strip_suffix(b"\r\n")?)
}

/// The bytes of a complete bulk reply; `None` when it is none, or null.
#[must_use]
pub fn bulk(reply: &[u8]) -> Option<&[u8]> {
    match line(reply, 1, 32) {
        Line::Number(0.., start) if reply.first() == Some(&b'$') => {
            reply.get(start..)?.strip_suffix(b"\r\n")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ReplyScan, bulk, elements, integer};

    /// The replies in `chunks`, as wire text, then what went wrong, if anything.
    fn read_all(chunks: &[&[u8]]) -> Vec<String> {
        let mut scan = ReplyScan::default();
        let mut buf = Vec::new();
        let mut seen = Vec::new();
        for chunk in chunks {
            buf.extend_from_slice(chunk);
            loop {
                match scan.scan(&buf) {
                    Ok(Ok(len)) => {
                        seen.push(buf[..len].escape_ascii().to_string());
                        buf.drain(..len);
                    }
                    Ok(Err(_)) => break,
                    Err(error) => {
                        seen.push(error.to_string());
                        return seen;
                    }
                }
            }
        }
        seen
    }

    #[track_caller]
    fn check(replies: &[&str]) {
        let wire: Vec<u8> = replies.concat().into_bytes();
        let expected: Vec<String> = replies
            .iter()
            .map(|reply| reply.as_bytes().escape_ascii().to_string())
            .collect();
        for cut in 0..=wire.len() {
            assert_eq!(
                read_all(&[&wire[..cut], &wire[cut..]]),
                expected,
                "{} cut at {cut}",
                wire.escape_ascii()
            );
        }
    }

    #[test]
    fn replies_end_where_they_say() {
        check(&[
            "+OK\r\n",
            "-ERR x\r\n",
            ":12\r\n",
            ":-1\r\n",
            "$-1\r\n",
            "$0\r\n\r\n",
        ]);
        check(&[
            "$3\r\na\r\n\r\n",
            "*-1\r\n",
            "*0\r\n",
            "*2\r\n$1\r\na\r\n:1\r\n",
            "+\r\n",
        ]);
        check(&["*2\r\n*1\r\n*0\r\n*2\r\n+a\r\n-b\r\n", "+next\r\n"]);
    }

    #[test]
    fn garbage_is_told_from_what_has_not_arrived() {
        for wrong in [
            "HTTP/1.1 200 OK\r\n",
            "%1\r\n",
            "$-2\r\n",
            "$a\r\n",
            "$1\r\nabc\r\n",
            ":x\r\n",
            "*-2\r\n",
            "+a\rb\r\n",
            ":\r\n",
        ] {
            assert_eq!(
                read_all(&[wire(wrong)]),
                ["malformed reply"],
                "`{}`",
                wire(wrong).escape_ascii()
            );
        }
        for early in [
            "",
            "+",
            "$",
            "$1",
            "$1\r\n",
            "$1\r\na\r",
            "*1\r\n",
            "*2\r\n+a\r\n",
        ] {
            assert_eq!(read_all(&[wire(early)]), Vec::<String>::new(), "`{early}`");
        }
    }

    fn wire(text: &str) -> &[u8] {
        text.as_bytes()
    }

    #[test]
    fn depth_costs_no_stack() {
        let mut deep = b"*1\r\n".repeat(200_000);
        deep.extend_from_slice(b"+end\r\n");
        assert_eq!(ReplyScan::default().scan(&deep), Ok(Ok(deep.len())));
    }

    #[test]
    fn elements_keep_their_framing() {
        let (len, walk) = elements(b"*3\r\n$1\r\na\r\n*1\r\n:1\r\n$-1\r\n").unwrap();
        let seen: Vec<String> = walk.map(|part| part.escape_ascii().to_string()).collect();
        assert_eq!(
            (len, seen),
            (
                3,
                vec![
                    "$1\\r\\na\\r\\n".into(),
                    "*1\\r\\n:1\\r\\n".into(),
                    "$-1\\r\\n".into()
                ]
            )
        );
        assert!(elements(b"+OK\r\n").is_none());
        assert_eq!(integer(b":42\r\n"), Some(42));
        assert_eq!(integer(b"$2\r\n42\r\n"), None);
        assert_eq!(bulk(b"$3\r\na\r\n\r\n"), Some(&b"a\r\n"[..]));
        assert_eq!(bulk(b"$-1\r\n"), None);
        assert_eq!(bulk(b":42\r\n"), None);
    }

    fn reply() -> impl Strategy<Value = Vec<u8>> {
        let leaf = prop_oneof![
            Just(b"$-1\r\n".to_vec()),
            Just(b"*-1\r\n".to_vec()),
            any::<i64>().prop_map(|number| format!(":{number}\r\n").into_bytes()),
            "[a-z ]{0,8}".prop_map(|text| format!("+{text}\r\n").into_bytes()),
            prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| {
                let mut out = Vec::new();
                crate::resp::put_bulk(&mut out, &bytes);
                out
            }),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop::collection::vec(inner, 0..4).prop_map(|parts| {
                let mut out = Vec::new();
                crate::resp::put_array(&mut out, parts.len());
                out.extend(parts.concat());
                out
            })
        })
    }

    proptest! {
        #[test]
        fn any_chunking_of_any_replies_gives_the_same(
            replies in prop::collection::vec(reply(), 1..5),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let wire = replies.concat();
            let expected: Vec<String> = replies.iter().map(|reply| reply.escape_ascii().to_string()).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
            cuts.extend([0, wire.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &wire[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read_all(&chunks), expected);
        }
    }
}
