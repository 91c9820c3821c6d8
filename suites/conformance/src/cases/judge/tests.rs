use super::{Outcome, judge};
use crate::Action;
use crate::cases::parse;
use crate::cases::word::Scope;
use crate::verdict::Class::{self, Closed, Correct, Hung, Partial, Refused, Wrong};
use testbed::fixtures::Source;
use testbed::wire;
use testbed::wire::Protocol::{self, Resp2, Resp3};

/// Wire bytes of a reply, or `close` or `silence`, optionally after bytes of an incomplete reply.
fn outcome(text: &str, protocol: Protocol) -> Outcome {
    for (ending, make) in [
        ("close", Outcome::Closed as fn(Vec<u8>) -> Outcome),
        ("silence", Outcome::Silent),
    ] {
        if let Some(before) = text.strip_suffix(ending) {
            return make(before.as_bytes().to_vec());
        }
    }
    match wire::reply(text.as_bytes(), protocol) {
        Ok(Some((value, length))) if length == text.len() => Outcome::Reply(value),
        Err(why) => Outcome::Garbled(why.to_string()),
        other => panic!("{text:?} is no reply: {other:?}"),
    }
}

#[track_caller]
fn check(pattern: &str, seen: &str, expected: Class) {
    check_in(Resp2, pattern, seen, expected);
}

#[track_caller]
fn check_in(protocol: Protocol, pattern: &str, seen: &str, expected: Class) {
    let text = format!("case 1\n# P.\nspec https://x/\nlevel must\nwant {pattern}\n");
    let source = Source {
        path: "x.case".to_owned(),
        id: "x".to_owned(),
        text,
    };
    let case = parse::case(&source).unwrap_or_else(|errors| panic!("{errors:?}"));
    let Action::Want { patterns, .. } = &case.steps[0].action else {
        panic!("no want")
    };
    let judged = judge(&patterns[0], &outcome(seen, protocol), &Scope::default());
    let class = judged.err().unwrap_or(Correct);
    assert_eq!(class, expected, "{pattern} x {}", seen.escape_debug());
}

#[test]
fn repeated_elements_fit_in_their_places() {
    let pattern = "*5 :0 ( \"v${n}\" any )*2";
    let fitting = "*5\r\n:0\r\n$2\r\nv1\r\n:7\r\n$2\r\nv2\r\n:7\r\n";
    check(pattern, fitting, Correct);
    check(pattern, &fitting.replace("v2", "v1"), Wrong);
    check(pattern, &fitting.replace("$2\r\nv2", "-ERR no"), Partial);
    check(
        pattern,
        &fitting.replace("*5", "*4").replace(":0\r\n", ""),
        Wrong,
    );
    check("*1 ( :1 )*1", "*0\r\n", Wrong);
    check("*0 ( :1 )*0", "*0\r\n", Correct);
}

#[test]
fn replies_fit_or_are_wrong() {
    for (pattern, fitting, wrong) in [
        ("+OK", "+OK\r\n", "+QUEUED\r\n"),
        ("+OK", "+OK\r\n", "$2\r\nOK\r\n"),
        (":3", ":3\r\n", ":2\r\n"),
        (":-1", ":-1\r\n", "$2\r\n-1\r\n"),
        ("\"a\"", "$1\r\na\r\n", "$1\r\nb\r\n"),
        ("\"\"", "$0\r\n\r\n", "$-1\r\n"),
        ("nil", "$-1\r\n", "*-1\r\n"),
        ("nil", "$-1\r\n", "$0\r\n\r\n"),
        ("nil-array", "*-1\r\n", "*0\r\n"),
        ("*0", "*0\r\n", "*-1\r\n"),
        ("int", ":5\r\n", "+5\r\n"),
        ("bulk", "$1\r\nx\r\n", "$-1\r\n"),
        ("array", "*0\r\n", "*-1\r\n"),
        ("bulk-length 2", "$2\r\nab\r\n", "$1\r\na\r\n"),
        ("cursor", "$1\r\n0\r\n", ":0\r\n"),
        (
            "cursor",
            "$16\r\n9007199254740991\r\n",
            "$16\r\n9007199254740992\r\n",
        ),
        ("cursor", "$1\r\n7\r\n", "$2\r\n+7\r\n"),
        ("cursor", "$1\r\n7\r\n", "$0\r\n\r\n"),
        ("*2 :1 :2", "*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n"),
        ("*1 *1 :1", "*1\r\n*1\r\n:1\r\n", "*1\r\n:1\r\n"),
        ("*1 any", "*1\r\n:1\r\n", "*0\r\n"),
        (
            "unordered *2 :1 int",
            "*2\r\n:2\r\n:1\r\n",
            "*2\r\n:2\r\n:2\r\n",
        ),
        ("nil | :1", ":1\r\n", ":2\r\n"),
        ("*1 ( nil | :1 )", "*1\r\n:1\r\n", "*1\r\n:2\r\n"),
    ] {
        check(pattern, fitting, Correct);
        check(pattern, wrong, Wrong);
    }
    check("any", "-ERR x\r\n", Correct);
}

#[test]
fn replies_of_resp3_fit_or_are_wrong() {
    for (pattern, fitting, wrong) in [
        ("_", "_\r\n", "#f\r\n"),
        ("_", "_\r\n", "*0\r\n"),
        ("#t", "#t\r\n", "#f\r\n"),
        ("#f", "#f\r\n", ":0\r\n"),
        (",1.5", ",1.5\r\n", "$3\r\n1.5\r\n"),
        (",1.5", ",1.5\r\n", ",1.50\r\n"),
        (",-inf", ",-inf\r\n", ",inf\r\n"),
        ("double", ",7\r\n", ":7\r\n"),
        ("(-12", "(-12\r\n", ":-12\r\n"),
        ("=txt \"a b\"", "=7\r\ntxt:a b\r\n", "=7\r\nmkd:a b\r\n"),
        ("=txt \"a b\"", "=7\r\ntxt:a b\r\n", "$3\r\na b\r\n"),
        ("verbatim", "=4\r\ntxt:\r\n", "$0\r\n\r\n"),
        ("map", "%0\r\n", "*0\r\n"),
        ("set", "~0\r\n", "*0\r\n"),
        ("array", "*0\r\n", "~0\r\n"),
        ("%1 +a :1", "%1\r\n+a\r\n:1\r\n", "*2\r\n+a\r\n:1\r\n"),
        (
            "%2 +a :1 +b :2",
            "%2\r\n+b\r\n:2\r\n+a\r\n:1\r\n",
            "%2\r\n+b\r\n:1\r\n+a\r\n:2\r\n",
        ),
        (
            "%2 any :1 +b any",
            "%2\r\n+b\r\n:1\r\n+a\r\n:1\r\n",
            "%1\r\n+b\r\n:1\r\n",
        ),
        (
            "%2 any :1 +b any",
            "%2\r\n+b\r\n:2\r\n+a\r\n:1\r\n",
            "%3\r\n+b\r\n:2\r\n+a\r\n:1\r\n+c\r\n:1\r\n",
        ),
        ("%0", "%0\r\n", "%1\r\n+b\r\n:1\r\n"),
        ("~2 :1 int", "~2\r\n:2\r\n:1\r\n", "~2\r\n:2\r\n:2\r\n"),
        ("~0", "~0\r\n", "~1\r\n:1\r\n"),
        (
            ">2 \"a\" :1",
            ">2\r\n$1\r\na\r\n:1\r\n",
            "*2\r\n$1\r\na\r\n:1\r\n",
        ),
        ("*1 ( _ | ,1 )", "*1\r\n_\r\n", "*1\r\n:1\r\n"),
        (":1", ":1\r\n", "|1\r\n+a\r\n+b\r\n:1\r\n"),
    ] {
        check_in(Resp3, pattern, fitting, Correct);
        check_in(Resp3, pattern, wrong, Wrong);
    }
}

#[test]
fn errors_of_resp3_are_errors() {
    check_in(Resp3, "error ERR", "!6\r\nERR no\r\n", Correct);
    check_in(Resp3, "+OK", "!6\r\nERR no\r\n", Refused);
    check_in(Resp3, "%1 +a :1", "%1\r\n+a\r\n!3\r\nERR\r\n", Partial);
    check_in(Resp3, "%1 +a :1", "%1\r\n+b\r\n-ERR\r\n", Wrong);
    check_in(Resp3, "~2 :1 :2", "~2\r\n-ERR\r\n:1\r\n", Partial);
    check_in(Resp3, "~2 :1 :2", "~2\r\n-ERR\r\n:7\r\n", Wrong);
}

#[test]
fn resp3_for_a_client_of_resp2_is_wrong() {
    check("_ | nil", "_\r\n", Wrong);
    check("map", "%0\r\n", Wrong);
    check_in(Resp3, "_ | nil", "$-1\r\n", Wrong);
}

#[test]
fn an_answer_where_a_refusal_was_promised_is_wrong() {
    check("error", "$-1\r\n", Wrong);
    check("error-or-close", "+OK\r\n", Wrong);
    check("close", "+OK\r\n", Wrong);
}

#[test]
fn errors_are_judged_by_their_first_word() {
    check("error", "-anything at all\r\n", Correct);
    check("error ERR", "-ERR\r\n", Correct);
    check("error ERR", "-ERROR x\r\n", Refused);
    check(
        "error ERR containing \"get\"",
        "-ERR for 'get'\r\n",
        Correct,
    );
    check(
        "error ERR containing \"get\"",
        "-ERR for 'set'\r\n",
        Refused,
    );
    check("error containing \"\"", "-x\r\n", Correct);
}

#[test]
fn unexpected_replies_have_their_class() {
    check("+OK", "-ERR no\r\n", Refused);
    check("close", "-ERR no\r\n", Refused);
    check("+OK", "close", Closed);
    check("+OK", "+Oclose", Partial);
    check("+OK", "silence", Hung);
    check("+OK", "$5\r\nabcsilence", Partial);
    check("close", "close", Correct);
    check("error-or-close", "close", Correct);
    check("error-or-close", "-ERR no\r\n", Correct);
    check(":1 | error-or-close", "close", Correct);
    check("error-or-close", "-ERRclose", Partial);
    check("error-or-cut", "$3\r\nabclose", Correct);
    check("error-or-cut", "close", Correct);
    check("error-or-cut", "-ERR no\r\n", Correct);
    check("error-or-cut", "$-1\r\n", Wrong);
    check("error-or-close", "*1\r\nclose", Partial);
    check("close", "silence", Hung);
    check("+OK", "!3\r\n", Wrong);
    check("any", "HTTP/1.1\r\n", Wrong);
}

#[test]
fn errors_among_the_values_are_a_partial_answer() {
    check("*2 :1 :2", "*2\r\n:1\r\n-ERR x\r\n", Partial);
    check("*2 :1 :2 | error", "*2\r\n:1\r\n-ERR x\r\n", Partial);
    check("*2 :1 :2", "*2\r\n:7\r\n-ERR x\r\n", Wrong);
    check("*2 :1 error", "*2\r\n:1\r\n-ERR x\r\n", Correct);
}

#[test]
fn raw_bytes_are_compared_as_they_are() {
    let raw = |seen: &str| Outcome::Bytes(seen.as_bytes().to_vec());
    let word = crate::Word::plain("+OK\r\n");
    let pattern = crate::Pattern::Raw(word);
    let judged = |seen| judge(&pattern, &raw(seen), &Scope::default());
    assert_eq!(judged("+OK\r\n"), Ok(()));
    assert_eq!(judged("+KO\r\n"), Err(Wrong));
    assert_eq!(judged("-OK\r\n"), Err(Refused));
}
