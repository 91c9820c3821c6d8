//! Laws of the table, checked for every row.

use super::{COMMANDS, Join, KeyRange, Route, SUBCOMMANDS, Transaction, below, find};
use crate::resp::request;

#[test]
fn rows_are_sorted_unique_and_upper_case() {
    for table in [COMMANDS, SUBCOMMANDS] {
        for pair in table.windows(2) {
            let (one, next) = (pair[0].name, pair[1].name);
            assert!(one < next, "{one} before {next}");
        }
    }
    for row in COMMANDS.iter().chain(SUBCOMMANDS) {
        assert_eq!(row.name, row.name.to_ascii_uppercase());
    }
    for row in COMMANDS {
        assert!(
            row.name.len() <= 24,
            "{} is longer than the lookup reads",
            row.name
        );
    }
}

#[test]
fn every_row_accepts_exactly_its_arities() {
    for row in COMMANDS {
        assert_ne!(row.arity, 0, "{}", row.name);
        let wanted = usize::from(row.arity.unsigned_abs());
        for argc in 0..=wanted + 1 {
            let half_a_pair = row.keys.step == 2 && argc % 2 == 0;
            let expected = (argc == wanted || (argc > wanted && row.arity < 0)) && !half_a_pair;
            assert_eq!(
                row.accepts(argc),
                expected,
                "{} with {argc} arguments",
                row.name
            );
        }
    }
}

#[test]
fn a_routed_row_has_its_keys_where_its_route_expects_them() {
    for row in COMMANDS.iter().chain(SUBCOMMANDS) {
        let (first, last, step) = (row.keys.first, row.keys.last, row.keys.step);
        let fits = match row.route {
            Route::OneNode => (first, last, step) == (1, 1, 1),
            Route::PerNode(Join::AllOk) => (first, last, step) == (1, -1, 2),
            Route::PerNode(_) => (first, last, step) == (1, -1, 1),
            Route::SameNode => first > 0 || !row.specs.is_empty(),
            Route::AllNodes(_) | Route::Administer(_) | Route::NodeByNode => first == 0,
            Route::Local(_) | Route::AnyNode | Route::Workers => first == 0,
            Route::Transaction(step) => (first == 1) == (step == Transaction::Watch),
            Route::Below | Route::AnyNodeBelow => SUBCOMMANDS
                .iter()
                .any(|sub| sub.name.starts_with(&format!("{}|", row.name))),
            Route::Refuse(_) => true,
        };
        assert!(fits, "{row:?}");
        if first > 0 && row.is_supported() {
            let least = usize::from(row.arity.unsigned_abs());
            assert!(
                row.keys.positions(least).next().is_some(),
                "{row:?} may have no key"
            );
        }
    }
}

#[test]
fn subcommands_are_found_in_any_case_below_their_command_only() {
    for row in SUBCOMMANDS {
        let (command, subcommand) = row.name.split_once('|').unwrap();
        let command = find(command.as_bytes()).unwrap();
        let lower = subcommand.to_lowercase();
        assert_eq!(below(command, lower.as_bytes()), Some(row));
    }
    assert_eq!(below(find(b"OBJECT").unwrap(), b"USAGE"), None);
    assert_eq!(below(find(b"OBJECT").unwrap(), b""), None);
}

#[track_caller]
fn check(keys: KeyRange, args: &[&str], expected: &[&str]) {
    let frame = request(args);
    let found: Vec<String> = keys
        .keys(&frame)
        .map(|key| key.escape_ascii().to_string())
        .collect();
    assert_eq!(found, expected, "keys of {args:?}");
}

#[test]
fn keys_are_found_by_position() {
    let keys = |name: &[u8]| find(name).unwrap().keys;
    check(keys(b"GET"), &["GET", "a"], &["a"]);
    check(keys(b"SET"), &["SET", "a", "v", "EX", "1"], &["a"]);
    check(keys(b"MGET"), &["MGET", "a", "b", "c"], &["a", "b", "c"]);
    check(keys(b"MSET"), &["MSET", "a", "1", "b", "2"], &["a", "b"]);
    check(keys(b"BLPOP"), &["BLPOP", "a", "b", "0"], &["a", "b"]);
    check(keys(b"RENAME"), &["RENAME", "a", "b"], &["a", "b"]);
    check(keys(b"PING"), &["PING", "a"], &[]);
}
