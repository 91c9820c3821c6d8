//! Reads a complete reply, in either protocol.

use super::number::{Line, line, strict};
use super::{Protocol, ReplyScan};

/// A complete reply without the attributes before it.
fn bare(mut reply: &[u8]) -> &[u8] {
    while reply.first() == Some(&b'|') {
        let Line::Number(len, start) = line(reply, 1, 32) else {
            break;
        };
        let mut at = start;
        for _ in 0..2 * len {
            let rest = reply.get(at..).unwrap_or_default();
            match ReplyScan::of_complete(Protocol::Resp3).scan(rest) {
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

/// The text of a complete error reply; `None` when it is another reply.
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

/// The elements of a complete array, set or map of either protocol, each with its framing, a map's names and values in
/// turn; `None` when it is another reply.
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
        let scan = ReplyScan::of_complete(Protocol::Resp3).scan(rest);
        let len = scan.ok()?.ok()?;
        at += len;
        rest.get(..len)
    });
    Some((each * usize::try_from(len).ok()?, walk))
}

/// The number of a complete integer reply; `None` when it is another reply.
#[must_use]
pub fn integer(reply: &[u8]) -> Option<i64> {
    strict(bare(reply).strip_prefix(b":")?.strip_suffix(b"\r\n")?)
}

/// The bytes of a complete bulk reply; `None` when it is another reply, or null.
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

/// The bytes of a complete bulk reply or of a verbatim string, without its format; `None` when it is another reply, or
/// null.
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
    use super::{bare, bulk, elements, error_text, integer, is_error};

    #[test]
    fn attributes_are_skipped() {
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
}
