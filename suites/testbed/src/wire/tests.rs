//! Laws of the codec: decoding inverts encoding, no prefix of a reply is a reply, and mistakes have a position.

use proptest::prelude::*;

use super::Protocol::{self, Resp2, Resp3};
use super::frame::Frame;
use super::{Malformed, Requests, Value, encode_request, reply, request};

fn encode(value: &Value) -> Vec<u8> {
    let line = |kind: &str, text: &[u8]| [kind.as_bytes(), text, b"\r\n"].concat();
    match value {
        Value::Simple(text) => line("+", text),
        Value::Error(text) => line("-", text),
        Value::Integer(number) => line(":", number.to_string().as_bytes()),
        Value::Bulk(body) => blob('$', body),
        Value::NullBulk => b"$-1\r\n".to_vec(),
        Value::NullArray => b"*-1\r\n".to_vec(),
        Value::Array(elements) => many('*', elements.len(), elements),
        Value::Null => b"_\r\n".to_vec(),
        Value::Boolean(true) => b"#t\r\n".to_vec(),
        Value::Boolean(false) => b"#f\r\n".to_vec(),
        Value::Double(text) => line(",", text),
        Value::BigNumber(text) => line("(", text),
        Value::BulkError(text) => blob('!', text),
        Value::Verbatim { format, text } => blob('=', &[&format[..], b":", text].concat()),
        Value::Map(entries) => many('%', entries.len(), flat(entries)),
        Value::Set(elements) => many('~', elements.len(), elements),
        Value::Push(elements) => many('>', elements.len(), elements),
        Value::Attributed { attributes, value } => {
            [many('|', attributes.len(), flat(attributes)), encode(value)].concat()
        }
    }
}

fn blob(kind: char, body: &[u8]) -> Vec<u8> {
    let head = format!("{kind}{}\r\n", body.len());
    [head.as_bytes(), body, b"\r\n"].concat()
}

fn flat(entries: &[(Value, Value)]) -> impl Iterator<Item = &Value> {
    entries.iter().flat_map(|(key, value)| [key, value])
}

fn many<'a>(kind: char, count: usize, values: impl IntoIterator<Item = &'a Value>) -> Vec<u8> {
    let mut bytes = format!("{kind}{count}\r\n").into_bytes();
    values
        .into_iter()
        .for_each(|value| bytes.extend(encode(value)));
    bytes
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40)
}

fn line_text() -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("no line end", |byte| !b"\r\n".contains(byte));
    prop::collection::vec(byte, 0..12)
}

/// Values of both protocols.
fn shared_leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        line_text().prop_map(Value::Simple),
        line_text().prop_map(Value::Error),
        any::<i64>().prop_map(Value::Integer),
        bytes().prop_map(Value::Bulk),
    ]
}

fn resp2() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => shared_leaf(),
        1 => Just(Value::NullBulk),
        1 => Just(Value::NullArray),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop::collection::vec(inner, 0..6).prop_map(Value::Array)
    })
}

/// Values of RESP3 only, without nested values.
fn resp3_leaf() -> impl Strategy<Value = Value> {
    let text = |pattern: &'static str| pattern.prop_map(String::into_bytes);
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        text("[+-]?[0-9]{1,9}(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?|-?inf|nan")
            .prop_map(Value::Double),
        text("[+-]?[0-9]{1,40}").prop_map(Value::BigNumber),
        bytes().prop_map(Value::BulkError),
        (any::<[u8; 3]>(), bytes()).prop_map(|(format, text)| Value::Verbatim { format, text }),
    ]
}

fn within_resp3() -> impl Strategy<Value = Value> {
    prop_oneof![shared_leaf(), resp3_leaf()].prop_recursive(4, 32, 6, |inner| {
        let many = || prop::collection::vec(inner.clone(), 0..6);
        let entries = || prop::collection::vec((inner.clone(), inner.clone()), 0..3);
        prop_oneof![
            many().prop_map(Value::Array),
            many().prop_map(Value::Set),
            entries().prop_map(Value::Map),
            (entries(), inner.clone()).prop_map(|(attributes, value)| Value::Attributed {
                attributes,
                value: Box::new(value),
            }),
        ]
    })
}

fn push() -> impl Strategy<Value = Value> {
    (bytes(), prop::collection::vec(within_resp3(), 0..4))
        .prop_map(|(kind, behind)| Value::Push([vec![Value::Bulk(kind)], behind].concat()))
}

/// A reply and its protocol.
fn value() -> impl Strategy<Value = (Value, Protocol)> {
    prop_oneof![
        4 => resp2().prop_map(|value| (value, Resp2)),
        4 => within_resp3().prop_map(|value| (value, Resp3)),
        1 => push().prop_map(|value| (value, Resp3)),
    ]
}

#[track_caller]
fn check_malformed(protocol: Protocol, bytes: &[u8], at: usize) {
    match reply(bytes, protocol) {
        Err(Malformed { at: found, .. }) => assert_eq!(found, at, "{}", bytes.escape_ascii()),
        other => panic!("{} was taken for {other:?}", bytes.escape_ascii()),
    }
}

#[test]
fn malformed_resp_is_named_by_its_place() {
    for protocol in [Resp2, Resp3] {
        check_malformed(protocol, b"OK\r\n", 0);
        check_malformed(protocol, b"+OK\n", 3);
        check_malformed(protocol, b"+O\rK\r\n", 2);
        check_malformed(protocol, b":1a\r\n", 0);
        check_malformed(protocol, b":\r\n", 0);
        check_malformed(protocol, b":--1\r\n", 0);
        check_malformed(protocol, b":+1\r\n", 0);
        check_malformed(protocol, b"$-2\r\n", 0);
        check_malformed(protocol, b"$3\r\nabcd\r\n", 7);
        check_malformed(protocol, b"$3\r\nabc\rX", 7);
        check_malformed(protocol, b"*-2\r\n", 0);
        check_malformed(protocol, b"*2\r\n:1\r\n?\r\n", 8);
        check_malformed(protocol, b":99999999999999999999\r\n", 0);
        check_malformed(protocol, &b"*1\r\n".repeat(200), 129 * 4);
    }
}

#[test]
fn a_reply_in_the_other_protocol_is_found_out() {
    for of_resp3 in [
        &b"_\r\n"[..],
        b"#t\r\n",
        b",1.5\r\n",
        b"(1\r\n",
        b"!1\r\na\r\n",
        b"=4\r\ntxt:\r\n",
        b"%0\r\n",
        b"~0\r\n",
        b">1\r\n+a\r\n",
        b"|0\r\n:1\r\n",
    ] {
        check_malformed(Resp2, of_resp3, 0);
        check_malformed(Resp2, &[b"*1\r\n", of_resp3].concat(), 4);
        // At the first byte already.
        check_malformed(Resp2, &of_resp3[..1], 0);
        assert!(matches!(reply(of_resp3, Resp3), Ok(Some(_))));
    }
    for of_resp2 in [&b"$-1\r\n"[..], b"*-1\r\n"] {
        check_malformed(Resp3, of_resp2, 0);
        check_malformed(Resp3, &[b"*1\r\n", of_resp2].concat(), 4);
    }
}

#[test]
fn malformed_resp3_is_named_by_its_place() {
    let check = |bytes: &[u8], at| check_malformed(Resp3, bytes, at);
    check(b"_x\r\n", 0);
    check(b"_\n", 1);
    check(b"#\r\n", 0);
    check(b"#true\r\n", 0);
    for wrong in [
        "", "+", ".5", "1.", "1.5.5", "1e", "1e1.5", "1,5", " 1", "0x1", "Inf", "+inf", "-nan",
        "infinity",
    ] {
        check(format!(",{wrong}\r\n").as_bytes(), 0);
    }
    for wrong in ["", "-", "1.5", "1e5", "--1"] {
        check(format!("({wrong}\r\n").as_bytes(), 0);
    }
    check(b"!-1\r\n", 0);
    check(b"!3\r\nabcd\r\n", 7);
    check(b"=3\r\ntxt\r\n", 0);
    check(b"=5\r\ntxt;", 7);
    check(b"=5\r\ntxt:abc", 9);
    check(b"%-1\r\n", 0);
    check(b"%1\r\n+a\r\n?\r\n", 8);
    check(b"~-1\r\n", 0);
    check(b"~2\r\n:1\r\n?\r\n", 8);
    check(b">0\r\n", 0);
    check(b">1\r\n:1\r\n", 4);
    check(b"*1\r\n>1\r\n+a\r\n", 4);
    check(b"|-1\r\n:1\r\n", 0);
    check(b"|1\r\n+a\r\n:1\r\n?\r\n", 12);
    check(&b"|0\r\n".repeat(200), 129 * 4);
    check(&b"~1\r\n".repeat(200), 129 * 4);
    // Streams tell their length at their end; no server sends them.
    for stream in ["$?", "*?", "%?", "~?"] {
        check(format!("{stream}\r\n").as_bytes(), 0);
    }
}

#[test]
fn values_are_shown_as_cases_write_them() {
    for (bytes, shown) in [
        ("%2\r\n+a\r\n:1\r\n$1\r\nb\r\n_\r\n", "%2 +a :1 \"b\" _"),
        ("~2\r\n#t\r\n#f\r\n", "~2 #t #f"),
        (">2\r\n+a\r\n,-inf\r\n", ">2 +a ,-inf"),
        ("(-12\r\n", "(-12"),
        ("=7\r\ntxt:a b\r\n", "=txt \"a b\""),
        ("!5\r\nERR a\r\n", "!\"ERR a\""),
        ("|1\r\n+a\r\n:1\r\n,1.5\r\n", "|1 +a :1 ,1.5"),
    ] {
        let (value, _) = reply(bytes.as_bytes(), Resp3).unwrap().unwrap();
        assert_eq!(value.to_string(), shown);
    }
    let many = [&b"~17\r\n"[..], &b":1\r\n".repeat(17)].concat();
    let (value, _) = reply(&many, Resp3).unwrap().unwrap();
    assert_eq!(value.to_string(), format!("~17{} ...", " :1".repeat(16)));
}

#[test]
fn a_request_is_an_array_of_bulk_strings_and_nothing_else() {
    assert_eq!(
        request(b"*1\r\n$4\r\nPING\r\n+"),
        Ok(Some((vec![b"PING".to_vec()], 14)))
    );
    for wrong in [
        &b"PING\r\n"[..],
        b"*0\r\n",
        b"*1\r\n:1\r\n",
        b"*1\r\n$-1\r\n",
    ] {
        assert!(request(wrong).is_err(), "{}", wrong.escape_ascii());
    }
}

proptest! {
    #[test]
    fn decoding_undoes_encoding((value, protocol) in value(), behind in prop::collection::vec(any::<u8>(), 0..8)) {
        let bytes = encode(&value);
        let longer = [&bytes[..], &behind].concat();
        prop_assert_eq!(reply(&longer, protocol), Ok(Some((value, bytes.len()))));
    }

    #[test]
    fn a_part_of_a_reply_is_never_a_reply_and_never_malformed((value, protocol) in value()) {
        let bytes = encode(&value);
        for length in 0..bytes.len() {
            prop_assert_eq!(reply(&bytes[..length], protocol), Ok(None), "first {} of {}", length, bytes.escape_ascii());
        }
    }

    #[test]
    fn requests_survive_the_round_trip(arguments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 1..6)) {
        let bytes = encode_request(&arguments);
        for length in 0..bytes.len() {
            prop_assert_eq!(request(&bytes[..length]), Ok(None));
        }
        prop_assert_eq!(request(&bytes), Ok(Some((arguments, bytes.len()))));
    }
}

proptest! {
    /// Reading on where it stopped finds the same end as reading from the beginning.
    #[test]
    fn a_frame_ends_where_the_reply_does((value, protocol) in value(), step in 1usize..9) {
        let bytes = encode(&value);
        let mut frame = Frame::default();
        for end in (0..bytes.len()).step_by(step) {
            prop_assert_eq!(frame.end(&bytes[..end], protocol), Ok(None));
        }
        let with_more = [&bytes[..], b"+more"].concat();
        prop_assert_eq!(frame.end(&with_more, protocol), Ok(Some(bytes.len())));
    }
}

#[test]
fn a_long_request_in_pieces_is_the_request() {
    let words: Vec<String> = (0..20_000).map(|word| word.to_string()).collect();
    let bytes = [encode_request(&words), encode_request(&["PING"])].concat();
    let whole = request(&bytes).unwrap().unwrap();
    let mut requests = Requests::default();
    let mut ends = (0..whole.1).step_by(4099);
    assert!(ends.all(|end| requests.first(&bytes[..end]) == Ok(None)));
    assert_eq!(requests.first(&bytes), Ok(Some(whole.clone())));
    let next = (vec![b"PING".to_vec()], bytes.len() - whole.1);
    assert_eq!(requests.first(&bytes[whole.1..]), Ok(Some(next)));
}

/// A reply that is malformed for the decoder is malformed for the frame, in one piece and byte by byte.
#[test]
fn a_frame_is_malformed_where_the_reply_is() {
    for (protocol, bytes) in [
        (Resp2, &b"OK"[..]),
        (Resp2, b"+OK\n"),
        (Resp2, b"*2\r\n:1\r\n?"),
        (Resp2, b"*1\r\n$3\r\nabcd"),
        (Resp2, b"*1\r\n_"),
        (Resp3, b"*-1\r\n"),
        (Resp3, b"*1\r\n>1\r\n+a\r\n"),
        (Resp3, b"=5\r\ntxt;"),
        (Resp2, b":111111111111111111111111111111111111111111111111"),
    ] {
        let shown = bytes.escape_ascii();
        let expected = reply(bytes, protocol).unwrap_err();
        assert_eq!(
            Frame::default().end(bytes, protocol),
            Err(expected),
            "{shown}"
        );
        let mut frame = Frame::default();
        let byte_by_byte =
            (1..=bytes.len()).find_map(|end| frame.end(&bytes[..end], protocol).err());
        assert!(byte_by_byte.is_some(), "{shown}");
    }
    let nested = b"*1\r\n".repeat(200);
    assert!(Frame::default().end(&nested, Resp2).is_err());
}
