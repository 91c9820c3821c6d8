//! The histories in `fixtures/chaos/histories`, each with its verdict.

use std::fs;
use std::path::{Path, PathBuf};

use crate::checker::{Checked, Options, Reason, SessionOrder, Verdict, registers};
use crate::history::{History, read, settle};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/chaos/histories")
}

fn history(file: &Path) -> History {
    let text = fs::read(file).unwrap();
    let name = file.display().to_string();
    settle(read(&mut text.as_slice(), &name).unwrap_or_else(|why| panic!("{why}")))
}

fn named(name: &str) -> History {
    history(&folder().join(format!("{name}.jsonl")))
}

fn word(checked: &[Checked]) -> &'static str {
    let verdicts = || checked.iter().map(|checked| &checked.verdict);
    if verdicts().any(|verdict| matches!(verdict, Verdict::Violation(_))) {
        "violation"
    } else if verdicts().any(|verdict| matches!(verdict, Verdict::Unknown(_))) {
        "unknown"
    } else {
        "linearizable"
    }
}

#[test]
fn each_history_has_the_verdict_that_it_says() {
    let files = fs::read_dir(folder()).unwrap();
    let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty());
    for file in files {
        let history = history(&file);
        let known = history.header.known.as_ref().expect("what it shows");
        let checked = registers(&history, Options::default());
        assert_eq!(
            word(&checked),
            known.verdict,
            "{} {checked:#?}",
            file.display()
        );
        let name = file.file_stem().unwrap().to_string_lossy();
        assert_eq!(history.header.scenario, name);
    }
}

/// The difference to other checkers: linearizability in real time alone accepts both.
#[test]
fn session_order_rejects_what_plain_linearizability_accepts() {
    for name in ["pipelined-writes-swapped", "pipelined-read-overtakes-write"] {
        let history = named(name);
        let ignored = Options {
            session_order: SessionOrder::Ignored,
            ..Options::default()
        };
        assert_eq!(
            word(&registers(&history, ignored)),
            "linearizable",
            "{name}"
        );
        let checked = registers(&history, Options::default());
        match &checked[0].verdict {
            Verdict::Violation(why) => assert_eq!(why.reason, Reason::SessionOrder, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[track_caller]
fn check_text(name: &str, reason: Reason, expected: &str) {
    let checked = registers(&named(name), Options::default());
    let explanation = checked.iter().find_map(|checked| match &checked.verdict {
        Verdict::Violation(explanation) => Some(explanation),
        _ => None,
    });
    let explanation = explanation.expect("a violation");
    assert_eq!(explanation.reason, reason);
    assert_eq!(explanation.text, expected);
}

#[test]
fn a_violation_is_explained_by_the_requests_that_it_needs() {
    check_text(
        "pipelined-writes-swapped",
        Reason::SessionOrder,
        "key \"k\": request 0 of session 2 cannot be placed: the replies can only be explained if \
         requests of one session took effect in another order than they were sent
  0.100000 to 0.900000 ms, session 1 request 0: SET k a -> +OK
  0.110000 to 0.910000 ms, session 1 request 1: SET k b -> +OK
  1.000000 to 1.100000 ms, session 2 request 0: GET k -> \"a\"\n",
    );
    check_text(
        "indefinite-write-twice",
        Reason::Linearizability,
        "key \"k\": request 2 of session 2 cannot be placed: no order of these requests explains \
         their replies
  0.100000 to ... ms, session 1 request 0: SET k a -> no reply yet
  0.200000 to 0.300000 ms, session 2 request 0: GET k -> \"a\"
  0.400000 to 0.500000 ms, session 3 request 0: SET k b -> +OK
  0.800000 to 0.900000 ms, session 2 request 2: GET k -> \"a\"\n",
    );
}

#[test]
fn a_value_out_of_nowhere_is_explained_by_its_read() {
    check_text(
        "value-never-written",
        Reason::NeverWritten,
        "key \"k\": request 0 of session 2 cannot be placed: the value was never written to this key
  0.500000 to 0.600000 ms, session 2 request 0: GET k -> \"b\"\n",
    );
    check_text(
        "value-of-a-refused-write",
        Reason::NotExecuted,
        "key \"k\": request 0 of session 2 cannot be placed: the value was only written by a \
         request that was not executed
  0.300000 to 0.400000 ms, session 2 request 0: GET k -> \"a\"\n",
    );
    check_text(
        "reply-of-another-command",
        Reason::Reply,
        "key \"k\": request 0 of session 2 cannot be placed: the command has no such reply
  0.300000 to 0.400000 ms, session 2 request 0: GET k -> +OK\n",
    );
}

#[test]
fn a_search_that_runs_out_of_budget_is_no_verdict() {
    let options = Options {
        budget: 0,
        ..Options::default()
    };
    let checked = registers(&named("deletes-among-writes"), options);
    let expected = "the search over 4 operations used up its budget of 0 configurations; no node's \
                    order is recorded for 4 of the operations";
    assert_eq!(checked[0].verdict, Verdict::Unknown(expected.to_owned()));
}
