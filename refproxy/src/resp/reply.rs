//! Where a node's reply ends, in either protocol: a scanner that can stop at any byte and go on later.
//!
//! Never recurses: the end of nested arrays is found by counting elements that are still to come.

use super::Protocol;
use super::number::{Line, line, strict};

/// Longest line of a simple string, an error or a number that a node may send.
const LINE_MAX: usize = 1024 * 1024;

/// Why a node's bytes are no reply of its protocol. The connection cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// Not as the protocol has it.
    #[error("malformed reply")]
    Malformed,
    /// RESP3's strings and aggregates whose length is told at their end, which no Redis sends.
    #[error("streamed reply")]
    Streamed,
}

use ReplyError::{Malformed, Streamed};

/// The scanner's place within the reply at the start of the buffer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplyScan {
    at: usize,
    /// Elements to come; 0 before the first byte.
    left: u64,
    /// Bytes to come of a string whose start was given up, its line end not included; the string is the element at `at`.
    body: Option<usize>,
    /// Whether the start of the reply was given up.
    is_cut: bool,
    protocol: Protocol,
}

/// Where an element ends, or how many bytes it lacks at least.
type End = Result<usize, usize>;

impl ReplyScan {
    /// For replies of this protocol.
    #[must_use]
    pub fn of(protocol: Protocol) -> Self {
        Self {
            protocol,
            ..Self::default()
        }
    }

    /// Goes on with the reply that starts at the start of `buf`, which must begin as at the last call.
    /// `Ok(Ok(len))` is a complete reply; `Ok(Err(more))` needs at least `more` bytes. A reply that begins with attributes
    /// ends behind what they are attributes of.
    ///
    /// # Errors
    /// The bytes are no reply of the protocol, and never will be.
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
                    Line::Number(len, next) => blob(buf, len, next)?,
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

    /// After a scan that found no end: how many bytes at the start of `buf` are not needed to go on. The caller removes them,
    /// and the next scan continues with what is left.
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

    /// The head of an aggregate: so many elements are to come for each one that it counts.
    #[inline]
    fn aggregate(&mut self, buf: &[u8], each: u64, least: i64) -> Result<End, ReplyError> {
        match line(buf, self.at + 1, 32) {
            Line::Number(len, next) if (least..=i64::from(u32::MAX)).contains(&len) => {
                self.left += each * u64::try_from(len).unwrap_or(0);
                Ok(Ok(next))
            }
            Line::Number(..) => Err(Malformed),
            other => Ok(Err(unfinished(&other, buf, self.at)?)),
        }
    }

    /// What RESP3 has and RESP2 has not.
    fn of_resp3(&mut self, kind: u8, buf: &[u8]) -> Result<End, ReplyError> {
        match kind {
            b'~' => self.aggregate(buf, 1, 0),
            b'%' => self.aggregate(buf, 2, 0),
            b'|' => {
                let end = self.aggregate(buf, 2, 0)?;
                // What the attributes belong to is still to come.
                self.left += u64::from(end.is_ok());
                Ok(end)
            }
            // Within a reply there is none.
            b'>' if self.at == 0 && !self.is_cut => self.aggregate(buf, 1, 0),
            b'!' | b'=' => match line(buf, self.at + 1, 32) {
                Line::Number(len, next) => {
                    let end = blob(buf, len, next)?;
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

/// A line of a length that is none yet: how many bytes it lacks at least.
fn unfinished(line: &Line, buf: &[u8], at: usize) -> Result<usize, ReplyError> {
    match line {
        Line::Incomplete => Ok(1),
        _ if buf.get(at + 1) == Some(&b'?') => Err(Streamed),
        _ => Err(Malformed),
    }
}

/// The place behind the line that starts at `at`, when it has ended.
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

/// A complete reply without the attributes before it.
fn bare(mut reply: &[u8]) -> &[u8] {
    while reply.first() == Some(&b'|') {
        let Line::Number(len, start) = line(reply, 1, 32) else {
            break;
        };
        let mut at = start;
        for _ in 0..2 * len {
            let rest = reply.get(at..).unwrap_or_default();
            match ReplyScan::of(Protocol::Resp3).scan(rest) {
                Ok(Ok(len)) => at += len,
                _ => return reply,
            }
        }
        reply = &reply[at..];
    }
    reply
}

/// Whether a complete reply is an error.
#[must_use]
pub fn is_error(reply: &[u8]) -> bool {
    matches!(bare(reply).first(), Some(b'-' | b'!'))
}

/// The text of a complete error reply; `None` when it is none.
#[must_use]
pub fn error_text(reply: &[u8]) -> Option<&[u8]> {
    let reply = bare(reply);
    let text = match (reply.first()?, line(reply, 1, 32)) {
        (b'-', _) => &reply[1..],
        (b'!', Line::Number(_, start)) => &reply[start..],
        _ => return None,
    };
    text.strip_suffix(b"\r\n")
}

/// The elements of a complete array, set or map of either protocol, each with its framing, a map's names and values in turn;
/// `None` when it is something else.
pub fn elements(reply: &[u8]) -> Option<(usize, impl Iterator<Item = &[u8]>)> {
    let reply = bare(reply);
    let each = match reply.first()? {
        b'*' | b'~' => 1,
        b'%' => 2,
        _ => return None,
    };
    let Line::Number(len, start) = line(reply, 1, 32) else {
        return None;
    };
    let mut at = start;
    let walk = std::iter::from_fn(move || {
        let rest = reply.get(at..).filter(|rest| !rest.is_empty())?;
        let scan = ReplyScan::of(Protocol::Resp3).scan(rest);
        let len = scan.ok()?.ok()?;
        at += len;
        rest.get(..len)
    });
    Some((each * usize::try_from(len).ok()?, walk))
}

/// The number of a complete integer reply; `None` when it is none.
#[must_use]
pub fn integer(reply: &[u8]) -> Option<i64> {
    strict(bare(reply).strip_prefix(b":")?.strip_suffix(b"\r\n")?)
}

/// The bytes of a complete bulk reply; `None` when it is none, or null.
#[must_use]
pub fn bulk(reply: &[u8]) -> Option<&[u8]> {
    let reply = bare(reply);
    match line(reply, 1, 32) {
        Line::Number(0.., start) if reply.first() == Some(&b'$') => {
            reply.get(start..)?.strip_suffix(b"\r\n")
        }
        _ => None,
    }
}

/// The bytes of a complete bulk reply or of a verbatim string, without its kind; `None` when it is none, or null.
#[must_use]
pub fn text(reply: &[u8]) -> Option<&[u8]> {
    let reply = bare(reply);
    match line(reply, 1, 32) {
        Line::Number(4.., start) if reply.first() == Some(&b'=') => {
            reply.get(start + 4..)?.strip_suffix(b"\r\n")
        }
        _ => bulk(reply),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{ReplyScan, bare, bulk, elements, error_text, integer, is_error};
    use crate::resp::Protocol;

    /// The replies in `chunks`, as wire text, then what went wrong, if anything.
    fn read_all(chunks: &[&[u8]]) -> Vec<String> {
        read_as(Protocol::Resp2, chunks)
    }

    fn read_as(protocol: Protocol, chunks: &[&[u8]]) -> Vec<String> {
        let mut scan = ReplyScan::of(protocol);
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
        for protocol in [Protocol::Resp2, Protocol::Resp3] {
            check_as(protocol, replies);
        }
    }

    #[track_caller]
    fn check_as(protocol: Protocol, replies: &[&str]) {
        let wire: Vec<u8> = replies.concat().into_bytes();
        let expected: Vec<String> = replies
            .iter()
            .map(|reply| reply.as_bytes().escape_ascii().to_string())
            .collect();
        for cut in 0..=wire.len() {
            assert_eq!(
                read_as(protocol, &[&wire[..cut], &wire[cut..]]),
                expected,
                "{} cut at {cut}",
                wire.escape_ascii()
            );
        }
    }

    #[test]
    fn a_reply_whose_start_is_given_up_ends_where_it_would_have() {
        for reply in [
            "$12\r\nabcdefghijkl\r\n",
            "*3\r\n$4\r\nabcd\r\n:1\r\n$5\r\nab\r\nc\r\n",
            "-ERR some text\r\n",
            "*2\r\n*1\r\n$2\r\nab\r\n+OK\r\n",
        ] {
            let wire = [reply, ":7\r\n"].concat().into_bytes();
            for chunk in 1..=wire.len() {
                let mut scan = ReplyScan::of(Protocol::Resp2);
                let (mut buf, mut gone, mut ends) = (Vec::new(), 0, Vec::new());
                for bytes in wire.chunks(chunk) {
                    buf.extend_from_slice(bytes);
                    while let Ok(len) = scan.scan(&buf).unwrap() {
                        buf.drain(..len);
                        gone += len;
                        ends.push(gone);
                    }
                    if !buf.is_empty() {
                        let len = scan.give_up(&buf);
                        buf.drain(..len);
                        gone += len;
                    }
                }
                assert_eq!(ends, [reply.len(), wire.len()], "{reply:?} by {chunk}");
            }
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
    fn replies_of_resp3_end_where_they_say() {
        check_as(
            Protocol::Resp3,
            &[
                "_\r\n",
                "#t\r\n",
                "#f\r\n",
                ",1.5\r\n",
                ",-1e-7\r\n",
                ",inf\r\n",
                ",-inf\r\n",
                ",nan\r\n",
                "(-3492890328409238509324850943850943825024385\r\n",
                "!8\r\nERR a\r\nb\r\n",
                "=6\r\ntxt:ab\r\n",
                "=4\r\nmkd:\r\n",
                "~0\r\n",
                "%0\r\n",
                ">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n",
            ],
        );
        check_as(
            Protocol::Resp3,
            &[
                "%2\r\n+a\r\n~2\r\n:1\r\n_\r\n$1\r\nb\r\n%1\r\n#t\r\n,0.1\r\n",
                "|1\r\n+ttl\r\n:90\r\n*2\r\n:1\r\n|1\r\n+x\r\n+y\r\n$1\r\na\r\n",
                "+next\r\n",
            ],
        );
    }

    #[test]
    fn what_is_not_of_resp3_is_refused() {
        for wrong in [
            "_x\r\n",
            "#x\r\n",
            "#\r\n",
            ",\r\n",
            ",abc\r\n",
            ",-\r\n",
            "(\r\n",
            "(1.5\r\n",
            "(-\r\n",
            "=3\r\ntxt\r\n",
            "=5\r\ntxt;a\r\n",
            "!-1\r\n",
            "=-1\r\n",
            "~-1\r\n",
            "%-1\r\n",
            ">-1\r\n",
            "|-1\r\n",
            "*1\r\n>1\r\n+a\r\n",
            "%4294967296\r\n",
            "&1\r\n",
        ] {
            let seen = read_as(Protocol::Resp3, &[wire(wrong)]);
            assert_eq!(seen, ["malformed reply"], "`{}`", wrong.escape_debug());
        }
        for streamed in [
            "$?\r\n",
            "*?\r\n",
            "~?\r\n",
            "%?\r\n",
            "=?\r\n",
            "*1\r\n*?\r\n",
        ] {
            let seen = read_as(Protocol::Resp3, &[wire(streamed)]);
            assert_eq!(seen, ["streamed reply"], "`{}`", streamed.escape_debug());
        }
        for early in [
            "_",
            "#t",
            "%1\r\n+a\r\n",
            "|1\r\n+a\r\n+b\r\n",
            "=9\r\ntxt:",
            "~?",
        ] {
            let seen = read_as(Protocol::Resp3, &[wire(early)]);
            assert_eq!(seen, Vec::<String>::new(), "`{}`", early.escape_debug());
        }
        // None of it is known to RESP2.
        for kind in [
            "_\r\n",
            "#t\r\n",
            ",1\r\n",
            "(1\r\n",
            "!1\r\na\r\n",
            "=4\r\ntxt:\r\n",
            "~0\r\n",
            "%0\r\n",
            ">0\r\n",
        ] {
            assert_eq!(read_all(&[wire(kind)]), ["malformed reply"]);
        }
    }

    #[test]
    fn attributes_are_told_from_what_they_belong_to() {
        let reply = b"|1\r\n+a\r\n%1\r\n+b\r\n+c\r\n|0\r\n:7\r\n";
        assert_eq!(bare(reply), b":7\r\n");
        assert_eq!(integer(reply), Some(7));
        assert_eq!(error_text(b"!3\r\nERR\r\n"), Some(&b"ERR"[..]));
        assert_eq!(error_text(b"-ERR a\r\n"), Some(&b"ERR a"[..]));
        assert_eq!(error_text(b"$1\r\na\r\n"), None);
        let (len, walk) = elements(b"%1\r\n+a\r\n~1\r\n_\r\n").unwrap();
        let walk: Vec<_> = walk.collect();
        assert_eq!((len, walk), (2, vec![&b"+a\r\n"[..], b"~1\r\n_\r\n"]));
        assert!(is_error(b"|1\r\n+a\r\n+b\r\n!3\r\nERR\r\n") && is_error(b"-x\r\n"));
        assert!(!is_error(reply) && !is_error(b"_\r\n"));
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
        for head in ["*1\r\n", "~1\r\n", "%1\r\n+k\r\n"] {
            let mut deep = head.repeat(200_000).into_bytes();
            deep.extend_from_slice(b"+end\r\n");
            let mut scan = ReplyScan::of(Protocol::Resp3);
            assert_eq!(scan.scan(&deep), Ok(Ok(deep.len())));
        }
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
            Just(b"_\r\n".to_vec()),
            any::<bool>().prop_map(|truth| if truth {
                b"#t\r\n".to_vec()
            } else {
                b"#f\r\n".to_vec()
            }),
            any::<f64>().prop_map(|number| format!(",{number}\r\n").to_lowercase().into_bytes()),
            "[0-9]{1,30}".prop_map(|digits| format!("({digits}\r\n").into_bytes()),
            "[a-z\r\n]{0,8}"
                .prop_map(|text| format!("={}\r\ntxt:{text}\r\n", text.len() + 4).into_bytes()),
            any::<i64>().prop_map(|number| format!(":{number}\r\n").into_bytes()),
            "[a-z ]{0,8}".prop_map(|text| format!("+{text}\r\n").into_bytes()),
            prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| {
                let mut out = Vec::new();
                crate::resp::put_bulk(&mut out, &bytes);
                out
            }),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            (prop::collection::vec((inner.clone(), inner), 0..3), "[~%|]").prop_map(
                |(pairs, kind)| {
                    // Elements, pairs, or attributes of a string.
                    let len = if kind == "~" {
                        2 * pairs.len()
                    } else {
                        pairs.len()
                    };
                    let mut out = format!("{kind}{len}\r\n").into_bytes();
                    for (one, other) in &pairs {
                        out.extend([one.as_slice(), other].concat());
                    }
                    if kind == "|" {
                        out.extend(b"+of this\r\n");
                    }
                    out
                },
            )
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
            prop_assert_eq!(read_as(Protocol::Resp3, &chunks), expected);
        }
    }
}
