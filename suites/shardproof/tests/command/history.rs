//! `check-history`: verdicts as exit codes, violations as text, and files that are not histories.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::program::{check, shardproof};

fn histories() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/chaos/histories")
}

#[test]
fn a_history_is_checked_and_its_verdict_is_the_exit_code() {
    for file in fs::read_dir(histories()).unwrap() {
        let file = file.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        let header: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        let expected = match header["known"]["verdict"].as_str() {
            Some("linearizable") => 0,
            Some("violation") => 1,
            Some("unknown") => 2,
            other => panic!("{}: verdict {other:?}", file.display()),
        };
        let output = shardproof(&["check-history", file.to_str().unwrap(), "--json", "-"]);
        assert_eq!(output.status.code(), Some(expected), "{}", file.display());
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["format"], "shardproof.check-history/1");
        assert_eq!(report["scenario"], header["scenario"]);
        let violations = report["violations"].as_array().unwrap();
        assert_eq!(violations.is_empty(), expected != 1, "{}", file.display());
    }
}

#[test]
fn a_violation_of_a_history_is_shown_by_its_requests() {
    let file = histories().join("pipelined-read-overtakes-write.jsonl");
    let output = shardproof(&["check-history", file.to_str().unwrap()]);
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "by-hand, scenario pipelined-read-overtakes-write, seed 1: 2 requests, 2 operations on 1 registers",
        "  0.100000 to 0.900000 ms, session 1 request 0: SET k a -> +OK",
        "  0.110000 to 0.910000 ms, session 1 request 1: GET k -> nil",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{text}");
    }
}

#[test]
fn a_history_that_cannot_be_judged_is_2() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("run.jsonl");
    let name = file.to_str().unwrap();
    check(
        &shardproof(&["check-history", name]),
        2,
        &[name, "cannot be read"],
    );
    check(&shardproof(&["check-history"]), 64, &["<FILE>"]);
    let header = r#"{"format":"shardproof.history/1","seed":"1","target":"t","scenario":"s","nodes":[],"tapped":false}"#;
    fs::write(&file, format!("{header}\n{{}}\n")).unwrap();
    let output = shardproof(&["check-history", name]);
    check(&output, 2, &[&format!("{name}:2: missing field `session`")]);
    fs::write(&file, header.replace("history/1", "history/2")).unwrap();
    let output = shardproof(&["check-history", name]);
    check(
        &output,
        2,
        &[":1: format", "expected \"shardproof.history/1\""],
    );
    fs::write(&file, header).unwrap();
    let output = shardproof(&["check-history", name]);
    check(&output, 2, &["nothing judged"]);
}

#[test]
fn a_history_is_exported_for_jepsen() {
    let file = histories().join("stale-read.jsonl");
    let output = shardproof(&["check-history", file.to_str().unwrap(), "--edn", "-"]);
    let text = String::from_utf8(output.stdout).unwrap();
    let first = "{:index 0, :time 100000, :process 0, :type :invoke, :f :set, :value [[\"k\" \"a\"] nil], \
                 :session 1, :sequence 0}";
    assert_eq!(text.lines().next(), Some(first));
    assert_eq!(text.lines().count(), 6);
}
