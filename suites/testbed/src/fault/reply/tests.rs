//! What each toxic does to a reply, and which replies are selected.

use proptest::prelude::*;

use super::{Counts, Reply, ReplyDecision, Request, Selection, Then, head_length};
use crate::chance::Chance;
use crate::fault::{Fault, Law};

/// What a fault does to a reply to `GET k`: the bytes and what follows; `None` if it does not act on such a reply.
#[track_caller]
fn check(fault: &str, reply: &str, expected: Option<(&str, Then)>) {
    let Ok(Fault::Toxic(kind)) = fault.parse() else {
        panic!("{fault} is no toxic");
    };
    let Law::Replies(rule) = kind.law() else {
        panic!("{fault} is no toxic of replies");
    };
    let request = Request::new(&["GET", "k"]);
    let reply = Reply {
        bytes: reply.as_bytes(),
        request: Some(&request),
    };
    let expected = expected.map(|(bytes, then)| ReplyDecision::Send {
        bytes: bytes.as_bytes().to_vec(),
        then,
    });
    let decided = rule.fits(reply).then(|| rule.on_reply(reply));
    assert_eq!(decided, expected, "{fault}");
}

#[track_caller]
fn check_sent(fault: &str, reply: &str, sent: &str) {
    check(fault, reply, Some((sent, Then::Continue)));
}

const BULK: &str = "$3\r\nabc\r\n";

#[test]
fn replies_are_dropped_doubled_and_replaced() {
    check_sent("drop_reply", BULK, "");
    check_sent("duplicate_reply", ":1\r\n", ":1\r\n:1\r\n");
    check_sent("wrong_type", BULK, ":42\r\n");
    check_sent("wrong_type", ":1\r\n", "$5\r\nwrong\r\n");
    check_sent("wrong_type", "*1\r\n:1\r\n", ":42\r\n");
    check("wrong_type", "-ERR no\r\n", None);
    let push = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n+OK\r\n";
    check_sent("push_before_reply", "+OK\r\n", push);
}

#[test]
fn errors_are_those_of_redis() {
    check_sent("error_reply MOVED", BULK, "-MOVED 3999 127.0.0.1:1\r\n");
    check_sent(
        "error_reply LOADING",
        BULK,
        "-LOADING Redis is loading the dataset in memory\r\n",
    );
    let row = Fault::row_of("error_reply").unwrap();
    let crate::fault::Unit::Choice(codes) = row.parameters[0].unit else {
        panic!("{:?}", row.parameters);
    };
    for code in codes {
        let Ok(Fault::Toxic(kind)) = format!("error_reply {code}").parse() else {
            panic!("{code}");
        };
        let Law::Replies(rule) = kind.law() else {
            panic!("{code}");
        };
        let (bytes, request) = (BULK.as_bytes(), None);
        let ReplyDecision::Send { bytes, .. } = rule.on_reply(Reply { bytes, request }) else {
            panic!("{code}");
        };
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with(&format!("-{code} ")), "{text}");
        assert!(
            text.ends_with("\r\n") && text.matches('\n').count() == 1,
            "{text}"
        );
    }
}

#[test]
fn a_cut_reply_lacks_its_end() {
    let close = |sent| Some((sent, Then::Close));
    check("cut_reply", BULK, close("$"));
    check("cut_reply at 0B", BULK, close(""));
    check("cut_reply at 99B", BULK, close("$3\r"));
    check("cut_reply body", BULK, close("$3\r\na"));
    check("cut_reply body at 0B", BULK, close("$3\r\n"));
    check("cut_reply body at 99B", BULK, close("$3\r\nabc\r"));
    check("cut_reply body", "+OK\r\n", close("+O"));
    check("cut_reply body at 0B", "*1\r\n:1\r\n", close("*1\r\n"));
    let silence = Some(("$3\r\na", Then::Silence));
    check("cut_reply body then silence", BULK, silence);
}

#[test]
fn a_length_is_not_the_true_one() {
    check_sent("corrupt_length", BULK, "$4\r\nabc\r\n");
    check_sent("corrupt_length shorter", BULK, "$2\r\nabc\r\n");
    check_sent("corrupt_length shorter", "*0\r\n", "*1\r\n");
    check_sent("corrupt_length negative", BULK, "$-2\r\nabc\r\n");
    check_sent("corrupt_length letters", BULK, "$abc\r\nabc\r\n");
    let huge = "*9223372036854775807\r\n:1\r\n";
    check_sent("corrupt_length huge", "*1\r\n:1\r\n", huge);
    for reply in ["+OK\r\n", ":1\r\n", "$-1\r\n", "-ERR 3\r\n"] {
        check("corrupt_length", reply, None);
    }
}

#[test]
fn heads_end_behind_the_length() {
    let lengths = ["$3\r\nabc\r\n", "*12\r\n", "%1\r\n", "+OK\r\n", "$-1\r\n"]
        .map(|reply| head_length(reply.as_bytes()));
    assert_eq!(lengths, [4, 5, 4, 1, 1]);
}

fn selection(text: &str) -> Selection {
    let text = format!("drop_reply {text}");
    match text.parse::<Fault>() {
        Ok(Fault::Toxic(kind)) => match kind.law() {
            Law::Replies(rule) => rule.selection().clone(),
            Law::Bytes(_) => panic!("{text}"),
        },
        other => panic!("{text}: {other:?}"),
    }
}

#[track_caller]
fn check_fits(text: &str, request: &[&str], expected: bool) {
    let request = Request::new(request);
    let fits = selection(text).fits(Some(&request), Chance::seeded(0));
    assert_eq!(fits, expected, "{text}");
}

#[test]
fn replies_are_selected_by_their_request() {
    check_fits("", &["GET", "k"], true);
    check_fits("command get", &["GET", "k"], true);
    check_fits("command GET", &["SET", "GET"], false);
    check_fits("key k", &["MGET", "a", "k"], true);
    check_fits("key GET", &["GET", "k"], false);
    check_fits("key user:*", &["GET", "user:1"], true);
    check_fits("key user:*:x", &["GET", "user:1:y"], false);
    check_fits("key *a*b*", &["GET", "xaab"], true);
    check_fits("key *a*b*", &["GET", "xbba"], false);
    check_fits("key a*a", &["GET", "a"], false);
    check_fits("command GET key k", &["SET", "k"], false);
    let any = selection("").fits(None, Chance::seeded(0));
    let named = selection("command GET").fits(None, Chance::seeded(0));
    assert_eq!((any, named), (true, false));
}

/// The numbers of the replies that are picked out of twelve.
#[track_caller]
fn check_picked(text: &str, expected: &[u64]) {
    let selection = selection(text);
    let mut counts = Counts::default();
    let mut picked = Vec::new();
    for number in 1..=12 {
        counts.fitting += 1;
        if selection.picks(counts) {
            counts.picked += 1;
            picked.push(number);
        }
    }
    assert_eq!(picked, expected, "{text}");
}

#[test]
fn replies_are_selected_by_their_number() {
    check_picked("nth 3", &[3]);
    check_picked("every 5", &[5, 10]);
    check_picked("times 2", &[1, 2]);
    check_picked("every 3 times 2", &[3, 6]);
}

#[test]
fn a_percentage_is_drawn_for_each_reply_and_repeats() {
    let drawn = |text: &str| {
        let selection = selection(text);
        let fits = |number: &u64| selection.fits(None, Chance::seeded(7).of(*number));
        (0..1000_u64).filter(fits).count()
    };
    assert_eq!((drawn("percent 0%"), drawn("percent 100%")), (0, 1000));
    assert!((150..350).contains(&drawn("percent 25%")));
    assert_eq!(drawn("percent 25%"), drawn("percent 25%"));
}

proptest! {
    /// A key matches itself, with any part replaced by stars.
    #[test]
    fn stars_stand_for_anything(parts in prop::collection::vec("[ab]{0,3}", 1..5)) {
        let glob = parts.join("*");
        let key = parts.join("abba");
        if !glob.is_empty() {
            let request = Request::new(&["GET", &key]);
            let selection = Selection { key: glob, ..Selection::default() };
            prop_assert!(selection.fits(Some(&request), Chance::seeded(0)));
        }
    }
}
