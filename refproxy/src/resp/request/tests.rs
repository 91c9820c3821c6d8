//! Laws of the request scanner: vectors by hand, every two-chunk split of them, and any chunking of any requests.

use proptest::prelude::*;

use super::{Frame, Limits, ProtocolError, RequestScan, Scanned};
use crate::resp::{Args, request};

const TINY: Limits = Limits {
    array_len_max: 4,
    bulk_bytes_max: 16,
    inline_bytes_max: 32,
    request_bytes_max: 48,
    unauthenticated: false,
};

/// All requests in `wire`, as text.
fn read_all(chunks: &[&[u8]], limits: &Limits) -> Vec<String> {
    let mut scan = RequestScan::default();
    let mut buf = Vec::new();
    let mut seen = Vec::new();
    for chunk in chunks {
        buf.extend_from_slice(chunk);
        loop {
            let len = match scan.scan(&buf, limits) {
                Ok(Scanned::Incomplete(_)) => break,
                Ok(Scanned::Nothing(len)) => {
                    seen.push("nothing".to_owned());
                    len
                }
                Ok(Scanned::Inline(len)) => {
                    seen.push(format!("inline {}", buf[..len].escape_ascii()));
                    len
                }
                Ok(Scanned::Request(frame)) => {
                    seen.push(spell(&buf, &frame));
                    frame.len
                }
                Err(error) => {
                    seen.push(error.to_string());
                    return seen;
                }
            };
            buf.drain(..len);
        }
    }
    seen
}

fn spell(buf: &[u8], frame: &Frame) -> String {
    let args: Vec<&[u8]> = Args::of(&buf[..frame.len]).collect();
    assert_eq!(args.len(), frame.argc);
    assert_eq!(args[0], &buf[frame.name.clone()]);
    if let Some(first) = args.get(1) {
        assert_eq!(*first, &buf[frame.first.clone()]);
    }
    let words: Vec<String> = args
        .iter()
        .map(|arg| arg.escape_ascii().to_string())
        .collect();
    words.join(" ")
}

/// Checks the whole and every way of cutting it in two.
#[track_caller]
fn check(wire: &[u8], expected: &[&str]) {
    for cut in 0..=wire.len() {
        assert_eq!(
            read_all(&[&wire[..cut], &wire[cut..]], &TINY),
            expected,
            "{} cut at {cut}",
            wire.escape_ascii()
        );
    }
}

#[test]
fn requests_end_at_their_length() {
    check(b"*1\r\n$4\r\nPING\r\n", &["PING"]);
    check(
        b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n",
        &["GET a", "PING"],
    );
    check(b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n", &["GET "]);
    check(b"*2\r\n$3\r\nGET\r\n$4\r\n\r\n*1\r\n", &["GET \\r\\n*1"]);
    check(b"*1\r\n$0\r\n\r\n", &[""]);
}

#[test]
fn empty_arrays_and_lines_ask_nothing() {
    check(
        b"*0\r\n*-1\r\n*-7\r\n*1\r\n$4\r\nPING\r\n",
        &["nothing", "nothing", "nothing", "PING"],
    );
    check(
        b"\r\n\nPING\r\n",
        &["inline \\r\\n", "inline \\n", "inline PING\\r\\n"],
    );
}

#[test]
fn a_malformed_request_has_the_error_of_redis() {
    check(b"*x\r\n", &["invalid multibulk length"]);
    check(b"*+1\r\n", &["invalid multibulk length"]);
    check(b"*5\r\n", &["invalid multibulk length"]);
    check(b"*99999999999999999999\r\n", &["invalid multibulk length"]);
    check(b"*1\r\n:1\r\n", &["expected '$', got ':'"]);
    check(b"*1\r\n$-1\r\n", &["invalid bulk length"]);
    check(b"*1\r\n$17\r\n", &["invalid bulk length"]);
    check(b"*1\r\n$a\r\n", &["invalid bulk length"]);
    check(
        b"*1\r\n$1\r\nabc\r\n",
        &["expected CRLF after a bulk string"],
    );
    check(
        b"*3\r\n$16\r\n0123456789abcdef\r\n$16\r\n0123456789abcdef\r\n$1\r\na\r\n",
        &["request of more than 48 bytes"],
    );
    check(
        b"GET 0123456789 0123456789 0123456789\r\n",
        &["too big inline request"],
    );
}

#[test]
fn a_length_line_without_end_is_refused() {
    let mut wire = b"*".to_vec();
    wire.extend(std::iter::repeat_n(b'1', 70_000));
    assert_eq!(read_all(&[&wire], &TINY), ["too big mbulk count string"]);
    let mut wire = b"*1\r\n$".to_vec();
    wire.extend(std::iter::repeat_n(b'1', 70_000));
    assert_eq!(read_all(&[&wire], &TINY), ["too big bulk count string"]);
}

#[test]
fn the_hint_never_asks_for_more_than_the_request() {
    let wire = b"*2\r\n$3\r\nGET\r\n$10\r\n0123456789\r\n";
    for cut in 0..wire.len() {
        match RequestScan::default().scan(&wire[..cut], &TINY) {
            Ok(Scanned::Incomplete(more)) => {
                assert!(
                    (1..=wire.len() - cut).contains(&more),
                    "{more} more at {cut}"
                );
            }
            other => panic!("{other:?} at {cut}"),
        }
    }
}

#[test]
fn an_error_quotes_the_byte() {
    assert_eq!(
        ProtocolError::NotBulk(b'x').to_string(),
        "expected '$', got 'x'"
    );
}

proptest! {
    #[test]
    fn any_chunking_of_any_requests_gives_the_same(
        requests in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..5), 1..6),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let limits = Limits::default();
        let mut wire = Vec::new();
        for args in &requests {
            wire.extend_from_slice(&request(args));
        }
        let expected: Vec<String> = requests
            .iter()
            .map(|args| args.iter().map(|arg| arg.escape_ascii().to_string()).collect::<Vec<_>>().join(" "))
            .collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len() + 1)).collect();
        cuts.extend([0, wire.len()]);
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|pair| &wire[pair[0]..pair[1]]).collect();
        prop_assert_eq!(read_all(&chunks, &limits), expected);
    }

    #[test]
    fn no_bytes_make_it_panic(wire in prop::collection::vec(
        prop::sample::select(b"*$0123-\r\nab\x00\"".to_vec()), 0..64)) {
        let cut = wire.len() / 2;
        let whole = read_all(&[&wire], &TINY);
        prop_assert_eq!(read_all(&[&wire[..cut], &wire[cut..]], &TINY), whole);
    }
}
