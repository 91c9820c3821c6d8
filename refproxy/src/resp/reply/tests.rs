//! Laws of the scanner: however a reply is cut, it ends in the same place.

use proptest::prelude::*;

use super::{ReplyLimits, ReplyScan};
use crate::resp::Protocol;

/// The replies in `chunks`, as wire text, then the error, if any.
fn read_all(chunks: &[&[u8]]) -> Vec<String> {
    read_as(Protocol::Resp2, chunks)
}

fn read_as(protocol: Protocol, chunks: &[&[u8]]) -> Vec<String> {
    read_within(ReplyLimits::default(), protocol, chunks)
}

fn read_within(limits: ReplyLimits, protocol: Protocol, chunks: &[&[u8]]) -> Vec<String> {
    let mut scan = ReplyScan::within(limits, protocol);
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
fn a_reply_whose_start_is_dropped_ends_at_the_same_place() {
    for reply in [
        "$12\r\nabcdefghijkl\r\n",
        "*3\r\n$4\r\nabcd\r\n:1\r\n$5\r\nab\r\nc\r\n",
        "-ERR some text\r\n",
        "*2\r\n*1\r\n$2\r\nab\r\n+OK\r\n",
    ] {
        let wire = [reply, ":7\r\n"].concat().into_bytes();
        for chunk in 1..=wire.len() {
            let mut scan = ReplyScan::of_complete(Protocol::Resp2);
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
fn replies_end_at_their_length() {
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
fn replies_of_resp3_end_at_their_length() {
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
fn malformed_resp3_is_refused() {
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
    // RESP2 has none of these types.
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
fn garbage_is_distinguished_from_incomplete_replies() {
    for wrong in [
        "HTTP/1.1 200 OK\r\n",
        "%1\r\n",
        "$-2\r\n",
        "$a\r\n",
        "$1\r\nabc\r\n",
        ":x\r\n",
        "*-2\r\n",
        "*-5\r\n",
        "$-9223372036854775808\r\n",
        "$18446744073709551619\r\none\r\n",
        "*18446744073709551617\r\n:1\r\n",
        "$9223372036854775808\r\n",
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

/// A limit is of each part, at any depth and in either protocol; what it allows is read.
#[test]
fn what_announces_more_than_the_limits_is_refused_at_its_head() {
    let limits = ReplyLimits {
        string_bytes_max: 5,
        elements_max: 4,
    };
    #[track_caller]
    fn check_head(limits: ReplyLimits, head: &str, expected: &[&str]) {
        for before in ["", "*1\r\n", "*2\r\n$5\r\nabcde\r\n"] {
            let reply = format!("{before}{head}\r\n");
            let seen = read_within(limits, Protocol::Resp3, &[wire(&reply)]);
            assert_eq!(seen, expected, "`{}`", reply.escape_debug());
        }
    }
    for head in ["$6", "!6", "=6", "$2147483648", "$9223372036854775807"] {
        check_head(limits, head, &["string beyond the limit"]);
    }
    for head in [
        "*5",
        "~5",
        "%3",
        "|3",
        "*2147483647",
        "%9223372036854775807",
    ] {
        check_head(limits, head, &["elements beyond the limit"]);
    }
    for head in ["$5", "!5", "=5", "*4", "~4", "%2", "|2"] {
        check_head(limits, head, &[]);
    }
    let push = read_within(limits, Protocol::Resp3, &[wire(">5\r\n")]);
    assert_eq!(push, ["elements beyond the limit"]);
    let redis = ReplyLimits::default();
    check_head(redis, "$536870912", &[]);
    check_head(redis, "$536870913", &["string beyond the limit"]);
    check_head(redis, "*134217728", &[]);
    check_head(redis, "*134217729", &["elements beyond the limit"]);
}

fn wire(text: &str) -> &[u8] {
    text.as_bytes()
}

#[test]
fn depth_costs_no_stack() {
    for head in ["*1\r\n", "~1\r\n", "%1\r\n+k\r\n"] {
        let mut deep = head.repeat(200_000).into_bytes();
        deep.extend_from_slice(b"+end\r\n");
        let mut scan = ReplyScan::of_complete(Protocol::Resp3);
        assert_eq!(scan.scan(&deep), Ok(Ok(deep.len())));
    }
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
        (prop::collection::vec((inner.clone(), inner), 0..3), "[~%|]").prop_map(|(pairs, kind)| {
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
        prop_assert_eq!(read_as(Protocol::Resp3, &chunks), expected);
    }
}
