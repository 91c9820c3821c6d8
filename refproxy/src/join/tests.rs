//! How the parts' replies are joined.

use std::rc::Rc;

use bytes::Bytes;
use proptest::prelude::*;

use super::{Asked, Joining, Pages, Progress};
use crate::command::{Join, find};
use crate::cursor::Cursors;
use crate::resp::{Args, put_array, put_bulk, request};
use crate::split::Split;
use placement::NodeId;

#[track_caller]
fn check(how: Join, part_of_key: &[u16], replies: &[&str], expected: &str) {
    check_asked(how, part_of_key, Asked::default(), replies, expected);
}

/// `n0`, `n1`, ...
fn names(count: usize) -> Vec<Rc<str>> {
    (0..count).map(|node| format!("n{node}").into()).collect()
}

#[track_caller]
fn check_asked(how: Join, part_of_key: &[u16], asked: Asked, replies: &[&str], expected: &str) {
    let joining = Joining::new(how, names(replies.len()), part_of_key.to_vec());
    check_joining(joining.asked(asked), replies, expected);
}

#[track_caller]
fn check_joining(mut joining: Joining, replies: &[&str], expected: &str) {
    // The last part answers first: order of arrival does not count.
    for (part, reply) in replies.iter().enumerate().rev() {
        let last = joining.take(
            u16::try_from(part).unwrap(),
            Bytes::copy_from_slice(reply.as_bytes()),
        );
        let expected = match part {
            0 => Progress::Done,
            _ => Progress::Waits,
        };
        assert_eq!(last, expected);
    }
    assert_eq!(
        joining.reply().escape_ascii().to_string(),
        expected.as_bytes().escape_ascii().to_string(),
        "{replies:?}"
    );
}

#[test]
fn counts_add_up() {
    check(Join::Sum, &[], &[":1\r\n", ":2\r\n"], ":3\r\n");
}

#[test]
fn all_must_be_ok() {
    check(Join::AllOk, &[], &["+OK\r\n", "+OK\r\n"], "+OK\r\n");
}

#[test]
fn values_are_in_the_order_of_the_keys() {
    check(
        Join::InKeyOrder,
        &[1, 0, 1],
        &["*1\r\n$1\r\nb\r\n", "*2\r\n$-1\r\n$1\r\nc\r\n"],
        "*3\r\n$-1\r\n$1\r\nb\r\n$1\r\nc\r\n",
    );
}

#[test]
fn lists_follow_each_other() {
    check(
        Join::Concat,
        &[],
        &["*1\r\n$1\r\na\r\n", "*0\r\n", "*1\r\n$1\r\nb\r\n"],
        "*2\r\n$1\r\na\r\n$1\r\nb\r\n",
    );
}

#[test]
fn the_error_of_a_part_names_the_nodes_that_executed_it() {
    check(
        Join::Sum,
        &[],
        &[":1\r\n", "-OOM x\r\n", "-ERR y\r\n"],
        "-OOM x; failed on n1, n2, done on n0\r\n",
    );
    check(
        Join::AllOk,
        &[],
        &["+OK\r\n", "-ERR node n1: timeout\r\n"],
        "-ERR node n1: timeout; failed on n1, done on n0\r\n",
    );
}

#[test]
fn the_error_of_all_parts_is_the_reply() {
    check(
        Join::AllOk,
        &[],
        &["-ERR syntax error\r\n"; 2],
        "-ERR syntax error\r\n",
    );
    check(
        Join::InKeyOrder,
        &[1, 0],
        &["-ERR x\r\n", "-ERR y\r\n"],
        "-ERR x\r\n",
    );
}

#[test]
fn the_error_of_a_part_replaces_its_own_values() {
    check(
        Join::InKeyOrder,
        &[0, 1, 0, 2, 1],
        &[
            "*2\r\n$1\r\na\r\n$-1\r\n",
            "-ERR node n1: timeout\r\n",
            "*1\r\n$1\r\nc\r\n",
        ],
        "*5\r\n$1\r\na\r\n-ERR node n1: timeout\r\n$-1\r\n$1\r\nc\r\n-ERR node n1: timeout\r\n",
    );
}

#[test]
fn equal_replies_are_returned_once() {
    check(Join::Same, &[], &["$2\r\nab\r\n"; 3], "$2\r\nab\r\n");
}

#[test]
fn a_script_exists_where_all_have_it() {
    check(
        Join::Least,
        &[],
        &["*3\r\n:1\r\n:0\r\n:1\r\n", "*3\r\n:1\r\n:1\r\n:0\r\n"],
        "*3\r\n:1\r\n:0\r\n:0\r\n",
    );
}

#[test]
fn any_value_is_better_than_none() {
    let (none, one) = ("$-1\r\n", "$1\r\na\r\n");
    check(Join::Any, &[], &[none, one, none], one);
    check(Join::Any, &[], &[none, none], none);
}

#[test]
fn each_part_has_its_turn_at_any() {
    let mut seen = std::collections::BTreeMap::<Vec<u8>, usize>::new();
    for lot in 0..3000 {
        let mut joining = Joining::new(Join::Any, names(3), Vec::new()).asked(Asked {
            lot,
            ..Asked::default()
        });
        for part in 0..3_u16 {
            joining.take(part, Bytes::from(format!("$1\r\n{part}\r\n")));
        }
        *seen.entry(joining.reply()).or_default() += 1;
    }
    assert_eq!(seen.len(), 3);
    assert!(seen.values().all(|count| *count > 500), "{seen:?}");
}

#[test]
fn the_node_that_runs_a_script_is_reported() {
    let (idle, busy) = ("*2\r\n$1\r\nr\r\n$-1\r\n", "*2\r\n$1\r\nr\r\n*1\r\n:1\r\n");
    check(Join::Busy, &[], &[idle, busy, idle], busy);
    check(Join::Busy, &[], &[idle, idle], idle);
}

#[test]
fn a_value_on_one_node_is_found() {
    let (none, other) = ("-NOSCRIPT no\r\n", "-ERR node n1: timeout\r\n");
    check(
        Join::Found,
        &[],
        &[none, "$1\r\na\r\n", none],
        "$1\r\na\r\n",
    );
    check(Join::Found, &[], &["$1\r\na\r\n", other], "$1\r\na\r\n");
    check(Join::Found, &[], &[none, other], none);
    check(Join::Found, &[], &[other, none], other);
}

#[test]
fn settings_that_differ_are_a_number_or_a_note() {
    check(
        Join::Settings,
        &[],
        &[
            "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\nx\r\n",
            "*4\r\n$1\r\nb\r\n$1\r\n3\r\n$1\r\na\r\n$1\r\n1\r\n",
        ],
        "*4\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$38\r\nnodes differ: n0 says 'x'; n1 says '3'\r\n",
    );
    check(
        Join::Settings,
        &[],
        &["*0\r\n", "*2\r\n$1\r\na\r\n$1\r\n1\r\n"],
        "*2\r\n$1\r\na\r\n$1\r\n1\r\n",
    );
    check(
        Join::Settings,
        &[],
        &["*0\r\n", "*2\r\n$1\r\na\r\n$1\r\nx\r\n"],
        "*2\r\n$1\r\na\r\n$46\r\nnodes differ: n0 does not know it; n1 says 'x'\r\n",
    );
    check(
        Join::Settings,
        &[],
        &[
            "*2\r\n$1\r\na\r\n$2\r\n10\r\n",
            "*2\r\n$1\r\na\r\n$1\r\n9\r\n",
        ],
        "*2\r\n$1\r\na\r\n$1\r\n9\r\n",
    );
    check(
        Join::Settings,
        &[],
        &["*4\r\n$11\r\nrequirepass\r\n$1\r\ns\r\n$9\r\ndatabases\r\n$2\r\n16\r\n"],
        "*2\r\n$9\r\ndatabases\r\n$1\r\n1\r\n",
    );
}

#[test]
fn the_latest_entries_come_first_and_no_more_than_asked() {
    let entry = |id: u8, time: u8| format!("*4\r\n:{id}\r\n:{time}\r\n:1\r\n*0\r\n");
    let a = &format!("*2\r\n{}{}", entry(9, 50), entry(8, 20));
    let b = &format!("*2\r\n{}{}", entry(4, 50), entry(3, 30));
    let asked = |words: &[&str]| Asked::by(&request(words), 0);
    let latest = entry(18, 50) + &entry(9, 50);
    let all = &format!("*4\r\n{latest}{}{}", entry(7, 30), entry(16, 20));
    check_asked(Join::Latest, &[], asked(&["SLOWLOG", "GET"]), &[a, b], all);
    check_asked(
        Join::Latest,
        &[],
        asked(&["SLOWLOG", "GET", "-1"]),
        &[a, b],
        all,
    );
    let two = &format!("*2\r\n{latest}");
    check_asked(
        Join::Latest,
        &[],
        asked(&["SLOWLOG", "GET", "2"]),
        &[a, b],
        two,
    );
}

/// Two nodes, asked from `first` on for about three keys. A part that has not come is empty.
#[track_caller]
fn check_pages(first: u16, parts: &[&str], expected: &str) {
    let cursors = Cursors::new(["a:1", "b:2"].into_iter());
    let pages = Pages::of(
        &request(&["SCAN", "0", "COUNT", "3"]),
        cursors,
        NodeId(first),
    );
    let count = 2 - usize::from(first);
    let joining = Joining::new(Join::Page, names(count), Vec::new());
    let mut joining = joining.asked(Asked::pages(pages));
    for (part, reply) in (0..).zip(parts) {
        let progress = joining.take(part, Bytes::copy_from_slice(reply.as_bytes()));
        let is_last = usize::from(part) + 1 == count;
        assert!(!is_last || progress == Progress::Done, "{parts:?}");
    }
    assert_eq!(String::from_utf8(joining.reply()).unwrap(), expected);
}

#[test]
fn a_page_leads_on_to_the_next_node() {
    let cursors = Cursors::new(["a:1", "b:2"].into_iter());
    let keys = "*2\r\n$1\r\na\r\n$1\r\nb\r\n";
    let page = |own: &str| format!("*2\r\n${}\r\n{own}\r\n{keys}", own.len());
    let on = |node, own| page(&cursors.after(NodeId(node), own).unwrap().to_string());
    check_pages(0, &[&page("5")], &on(0, 5));
    check_pages(0, &[&page("0")], &on(0, 0));
    check_pages(1, &[&page("0")], &page("0"));
    let too_large = "18446744073709551615";
    check_pages(
        1,
        &[&page(too_large)],
        &format!(
            "-ERR node n0: its cursor {too_large} is too large to tell it from those of other nodes\r\n"
        ),
    );
    let both = "*2\r\n$1\r\n0\r\n*4\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\na\r\n$1\r\nb\r\n";
    check_pages(0, &[&page("0"), &page("0")], both);
    // The keys of the first node are not lost, and the next call returns the error of the second.
    check_pages(0, &[&page("0"), "-ERR node n1: timeout\r\n"], &on(0, 0));
    check_pages(
        0,
        &["-ERR node n0: timeout\r\n"],
        "-ERR node n0: timeout\r\n",
    );
    let misfit = "-ERR the nodes' replies do not fit together\r\n";
    check_pages(0, &["*1\r\n$1\r\n0\r\n"], misfit);
    check_pages(0, &["*2\r\n$1\r\nx\r\n*0\r\n"], misfit);
}

#[test]
fn the_next_node_is_asked_at_the_end_of_one_that_has_few_keys() {
    let check = |count: &str, reply: &str, expected| {
        let cursors = Cursors::new(["a:1", "b:2"].into_iter());
        let request = request(&["SCAN", "0", "COUNT", count]);
        let pages = Pages::of(&request, cursors, NodeId(0));
        let joining = Joining::new(Join::Page, names(2), Vec::new());
        let mut joining = joining.asked(Asked::pages(pages));
        let progress = joining.take(0, Bytes::copy_from_slice(reply.as_bytes()));
        assert_eq!(progress, expected, "{count} {reply:?}");
    };
    let (end, more) = (
        "*2\r\n$1\r\n0\r\n*1\r\n$1\r\na\r\n",
        "*2\r\n$1\r\n7\r\n*0\r\n",
    );
    check("2", end, Progress::GoesOn(1));
    check("1", end, Progress::Done);
    check("2", more, Progress::Done);
    check("2", "-ERR node n0: timeout\r\n", Progress::Done);
}

#[test]
fn modules_are_those_that_every_node_has() {
    let module = |name: &str, version: u8| {
        format!(
            "*4\r\n$4\r\nname\r\n${}\r\n{name}\r\n$3\r\nver\r\n:{version}\r\n",
            name.len()
        )
    };
    let (a, b) = (module("a", 2), module("b", 1));
    let both = format!("*2\r\n{a}{b}");
    check(Join::Modules, &[], &[&both, &both], &both);
    check(Join::Modules, &[], &[&both, "*0\r\n"], "*0\r\n");
    let older = format!("*1\r\n{}", module("a", 1));
    check(Join::Modules, &[], &[&both, &older], &older);
    check(
        Join::Modules,
        &[],
        &["*1\r\n:1\r\n"],
        "-ERR the nodes' replies do not fit together\r\n",
    );
}

#[test]
fn replies_that_do_not_fit_are_never_a_wrong_answer() {
    let misfit = "-ERR the nodes' replies do not fit together\r\n";
    check(Join::Sum, &[], &[":1\r\n", "+OK\r\n"], misfit);
    check(Join::AllOk, &[], &["+OK\r\n", ":1\r\n"], misfit);
    check(Join::Concat, &[], &["*0\r\n", ":1\r\n"], misfit);
    check(
        Join::InKeyOrder,
        &[0, 1],
        &["*2\r\n:1\r\n:2\r\n", "*1\r\n:3\r\n"],
        misfit,
    );
    check(
        Join::InKeyOrder,
        &[0, 1],
        &["*2\r\n:1\r\n:2\r\n", "*0\r\n"],
        misfit,
    );
    check(Join::Same, &[], &["+a\r\n", "+b\r\n"], misfit);
    check(
        Join::Least,
        &[],
        &["*1\r\n:1\r\n", "*2\r\n:1\r\n:1\r\n"],
        misfit,
    );
    check(
        Join::Least,
        &[],
        &["*1\r\n:1\r\n", "*1\r\n$1\r\n1\r\n"],
        misfit,
    );
    check(Join::Busy, &[], &["+a\r\n"], misfit);
    check(Join::Settings, &[], &["*1\r\n$1\r\na\r\n"], misfit);
    check(Join::Latest, &[], &["*1\r\n*1\r\n:1\r\n"], misfit);
}

#[test]
fn parts_before_the_last_are_silent_unless_they_fail() {
    let check = |replies: &[&str], expected| {
        check_joining(Joining::last(replies.len()), replies, expected);
    };
    check(&["+OK\r\n", "+QUEUED\r\n"], "+QUEUED\r\n");
    check(&["-ERR a\r\n", "-ERR b\r\n"], "-ERR a\r\n");
    check(&["+OK\r\n", "-OOM b\r\n"], "-OOM b\r\n");
}

#[test]
fn own_replies_are_inserted_at_their_places() {
    check_exec(2, &[], "*2\r\n:1\r\n:2\r\n", "*2\r\n:1\r\n:2\r\n");
    check_exec(1, &[0], "*1\r\n:7\r\n", "*2\r\n$1\r\n0\r\n:7\r\n");
    check_exec(
        2,
        &[1, 2, 4],
        "*2\r\n*1\r\n:7\r\n-ERR x\r\n",
        "*5\r\n*1\r\n:7\r\n$1\r\n1\r\n$1\r\n2\r\n-ERR x\r\n$1\r\n4\r\n",
    );
    check_exec(1, &[0, 1], "*-1\r\n", "*-1\r\n");
    check_exec(1, &[0], "-EXECABORT x\r\n", "-EXECABORT x\r\n");
}

/// EXEC of `queued` commands on the node and of replies of the proxy at `places`.
#[track_caller]
fn check_exec(queued: usize, places: &[usize], last: &str, expected: &str) {
    let own = |place: &usize| (*place, format!("$1\r\n{place}\r\n").into_bytes());
    let joining = Joining::exec(2, queued, places.iter().map(own).collect());
    check_joining(joining, &["+OK\r\n", last], expected);
}

#[test]
fn exec_with_another_number_of_replies_than_commands_is_an_error() {
    for places in [&[][..], &[0], &[2]] {
        for (last, count) in [("*1\r\n:1\r\n", 1), ("*3\r\n:1\r\n:2\r\n:3\r\n", 3)] {
            let text =
                format!("-ERR the node answered EXEC of 2 commands with {count} replies\r\n");
            check_exec(2, places, last, &text);
        }
    }
}

proptest! {
    /// join(split(MGET)) over any nodes = the answer of one node that has all keys.
    #[test]
    fn a_split_mget_is_answered_as_by_one_node(keys in prop::collection::vec("[0-4][a-c]", 1..20)) {
        let answer = |frame: &[u8]| {
            let keys: Vec<&[u8]> = Args::of(frame).skip(1).collect();
            let mut out = Vec::new();
            put_array(&mut out, keys.len());
            keys.iter().for_each(|key| put_bulk(&mut out, &[b"value of ", *key].concat()));
            out
        };
        let args: Vec<&str> = std::iter::once("MGET").chain(keys.iter().map(String::as_str)).collect();
        let frame = request(&args);
        let row = find(b"MGET").unwrap();
        let split = Split::of(row, args.len(), &frame, |key| NodeId(u16::from(key[0])));
        let mut joining = Joining::new(Join::InKeyOrder, names(split.parts.len()), split.part_of_key.clone());
        for (part, request) in (0..).zip(split.requests(row, &frame)) {
            joining.take(part, Bytes::from(answer(&request)));
        }
        prop_assert_eq!(joining.reply().escape_ascii().to_string(), answer(&frame).escape_ascii().to_string());
    }
}

#[test]
fn parts_in_resp3_make_a_reply_in_resp3() {
    check(
        Join::InKeyOrder,
        &[1, 0, 1],
        &["*1\r\n_\r\n", "*2\r\n_\r\n$1\r\nc\r\n"],
        "*3\r\n_\r\n_\r\n$1\r\nc\r\n",
    );
    check(Join::Any, &[], &["_\r\n", "_\r\n"], "_\r\n");
    check(Join::Any, &[], &["_\r\n", "$1\r\na\r\n"], "$1\r\na\r\n");
    check(
        Join::Settings,
        &[],
        &[
            "%2\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
            "%2\r\n$1\r\nb\r\n$1\r\n2\r\n$1\r\na\r\n$1\r\n1\r\n",
        ],
        "%2\r\n$1\r\na\r\n$1\r\n1\r\n$1\r\nb\r\n$1\r\n2\r\n",
    );
    check(
        Join::Busy,
        &[],
        &["%1\r\n+a\r\n_\r\n", "%1\r\n+a\r\n%0\r\n"],
        "%1\r\n+a\r\n%0\r\n",
    );
    check(
        Join::Concat,
        &[],
        &["%0\r\n", "*0\r\n"],
        "-ERR the nodes' replies do not fit together\r\n",
    );
    check(
        Join::Sum,
        &[],
        &[":1\r\n", "!5\r\nOOM x\r\n"],
        "-OOM x; failed on n1, done on n0\r\n",
    );
    check(
        Join::Sum,
        &[],
        &["!5\r\nOOM x\r\n", "!5\r\nOOM y\r\n"],
        "!5\r\nOOM x\r\n",
    );
    check(
        Join::Sum,
        &[],
        &["|1\r\n+a\r\n+b\r\n:1\r\n", ":2\r\n"],
        ":3\r\n",
    );
}

#[test]
fn ignored_parts_before_the_last_may_fail() {
    let replies = ["+OK\r\n", "-ERR nested\r\n", "+QUEUED\r\n"];
    check_joining(Joining::last(3), &replies, "-ERR nested\r\n");
    check_joining(Joining::last(3).unheeding(vec![1]), &replies, "+QUEUED\r\n");
    let replies = ["-ERR no\r\n", "-ERR nested\r\n", "+QUEUED\r\n"];
    check_joining(Joining::last(3).unheeding(vec![1]), &replies, "-ERR no\r\n");
}

/// A node may have modules with thousands of parameters. Searching all names for each name would take minutes.
#[test]
fn settings_of_many_names_are_joined() {
    const NAMES: usize = 100_000;
    let mut reply = Vec::new();
    put_array(&mut reply, 2 * NAMES);
    for number in 0..NAMES {
        put_bulk(&mut reply, format!("name-{number}").as_bytes());
        put_bulk(&mut reply, b"yes");
    }
    let reply = String::from_utf8(reply).unwrap();
    check(Join::Settings, &[], &[&reply, &reply], &reply);
}

#[test]
fn a_long_error_is_not_repeated_whole_for_each_key() {
    let long = format!("-ERR {}\r\n", "x".repeat(20_000));
    let short = format!("-ERR {}...\r\n", "x".repeat(252));
    let expected = format!("*3\r\n{short}$1\r\na\r\n{short}");
    check(
        Join::InKeyOrder,
        &[0, 1, 0],
        &[&long, "*1\r\n$1\r\na\r\n"],
        &expected,
    );
}
