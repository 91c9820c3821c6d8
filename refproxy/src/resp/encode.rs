//! Frames that the proxy writes itself.

use std::io::Write as _;

/// The protocol of a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// The protocol with which every connection begins.
    #[default]
    Resp2,
    /// With maps, sets, booleans, doubles and one null.
    Resp3,
}

/// Appends `+text`. The text is the proxy's own and has no line end.
pub fn put_simple(out: &mut Vec<u8>, text: &str) {
    out.push(b'+');
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Appends `-text`. Bytes that could end the line become spaces, as in Redis.
pub fn put_error(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'-');
    out.extend(text.iter().map(|byte| match byte {
        b'\r' | b'\n' => b' ',
        other => *other,
    }));
    out.extend_from_slice(b"\r\n");
}

/// Appends `:value`.
pub fn put_integer(out: &mut Vec<u8>, value: i64) {
    put_line(out, b':', value);
}

/// Appends the head of an array of `len` elements.
pub fn put_array(out: &mut Vec<u8>, len: usize) {
    put_line(out, b'*', i64::try_from(len).unwrap_or(i64::MAX));
}

/// Appends a bulk string.
pub fn put_bulk(out: &mut Vec<u8>, bytes: &[u8]) {
    put_line(out, b'$', i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// Appends a null: in RESP2 that of a bulk string.
pub fn put_null(out: &mut Vec<u8>, protocol: Protocol) {
    out.extend_from_slice(match protocol {
        Protocol::Resp2 => b"$-1\r\n",
        Protocol::Resp3 => b"_\r\n",
    });
}

/// Appends the head of a map of `pairs` names with values; in RESP2 an array of twice as many.
pub fn put_map(out: &mut Vec<u8>, protocol: Protocol, pairs: usize) {
    match protocol {
        Protocol::Resp2 => put_array(out, 2 * pairs),
        Protocol::Resp3 => put_line(out, b'%', i64::try_from(pairs).unwrap_or(i64::MAX)),
    }
}

/// Appends the head of a set of `len` elements; in RESP2 an array.
pub fn put_set(out: &mut Vec<u8>, protocol: Protocol, len: usize) {
    match protocol {
        Protocol::Resp2 => put_array(out, len),
        Protocol::Resp3 => put_line(out, b'~', i64::try_from(len).unwrap_or(i64::MAX)),
    }
}

/// Appends a text for people; in RESP2 a bulk string.
pub fn put_verbatim(out: &mut Vec<u8>, protocol: Protocol, text: &[u8]) {
    match protocol {
        Protocol::Resp2 => put_bulk(out, text),
        Protocol::Resp3 => {
            put_line(out, b'=', i64::try_from(text.len() + 4).unwrap_or(i64::MAX));
            out.extend_from_slice(b"txt:");
            out.extend_from_slice(text);
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn put_line(out: &mut Vec<u8>, kind: u8, value: i64) {
    out.push(kind);
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{value}\r\n");
}

/// The request with these arguments, name first.
#[must_use]
pub fn request<A: AsRef<[u8]>>(args: &[A]) -> Vec<u8> {
    let bytes: usize = args.iter().map(|arg| arg.as_ref().len() + 16).sum();
    let mut out = Vec::with_capacity(bytes + 16);
    put_array(&mut out, args.len());
    for arg in args {
        put_bulk(&mut out, arg.as_ref());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Protocol::{Resp2, Resp3};
    use super::{
        put_array, put_bulk, put_error, put_integer, put_map, put_null, put_set, put_simple,
        put_verbatim, request,
    };

    #[track_caller]
    fn check(put: impl Fn(&mut Vec<u8>), expected: &str) {
        let mut out = Vec::new();
        put(&mut out);
        assert_eq!(out.escape_ascii().to_string(), expected);
    }

    #[test]
    fn each_kind_is_written_as_redis_writes_it() {
        check(|out| put_simple(out, "OK"), "+OK\\r\\n");
        check(|out| put_integer(out, -7), ":-7\\r\\n");
        check(|out| put_array(out, 2), "*2\\r\\n");
        check(|out| put_bulk(out, b"a\r\nb"), "$4\\r\\na\\r\\nb\\r\\n");
        check(|out| put_null(out, Resp2), "$-1\\r\\n");
        check(|out| put_null(out, Resp3), "_\\r\\n");
        check(|out| put_map(out, Resp2, 2), "*4\\r\\n");
        check(|out| put_map(out, Resp3, 2), "%2\\r\\n");
        check(|out| put_set(out, Resp2, 2), "*2\\r\\n");
        check(|out| put_set(out, Resp3, 2), "~2\\r\\n");
        check(|out| put_verbatim(out, Resp2, b"a"), "$1\\r\\na\\r\\n");
        check(|out| put_verbatim(out, Resp3, b"a"), "=5\\r\\ntxt:a\\r\\n");
    }

    #[test]
    fn an_error_stays_on_its_line() {
        check(
            |out| put_error(out, b"ERR a\r\n+OK\r\n"),
            "-ERR a  +OK  \\r\\n",
        );
    }

    #[test]
    fn a_request_is_an_array_of_bulks() {
        assert_eq!(
            request(&["GET", "k"]).escape_ascii().to_string(),
            "*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\nk\\r\\n"
        );
    }
}
