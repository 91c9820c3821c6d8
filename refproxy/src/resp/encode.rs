//! Frames that the proxy writes itself.

use std::io::Write as _;

/// Appends `+text`. The text is the proxy's own and has no line end.
pub fn put_simple(out: &mut Vec<u8>, text: &str) {
    out.push(b'+');
    out.extend_from_slice(text.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Appends `-text`, in which whatever could end the line becomes a space, as Redis does it.
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

/// Appends RESP2's null.
pub fn put_null_bulk(out: &mut Vec<u8>) {
    out.extend_from_slice(b"$-1\r\n");
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
    use super::{put_array, put_bulk, put_error, put_integer, put_null_bulk, put_simple, request};

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
        check(put_null_bulk, "$-1\\r\\n");
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
