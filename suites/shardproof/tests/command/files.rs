//! Mistakes in the files of a user: named by file and line, and never obeyed by a terminal.

use std::process::Output;

use crate::program::{CASE, check, run_stub, shardproof, stub};

#[test]
fn a_mistake_in_a_case_is_named_by_file_and_line() {
    let output = run_stub(&CASE.replace("want ", "wnat "), &stub("exit 3"));
    check(&output, 2, &["some-case.case:6:", "wnat"]);
}

#[test]
fn a_case_may_be_a_file_anywhere() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("found.case");
    let path = file.to_str().unwrap();
    let list = || shardproof(&["list", "--case", path]);
    check(&list(), 2, &["cannot read", path, "No such file"]);
    std::fs::write(&file, CASE).unwrap();
    let listed = list();
    assert_eq!(listed.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&listed.stdout).contains("  found\n"));
    std::fs::write(&file, CASE.replace("want ", "wnat ")).unwrap();
    check(&list(), 2, &[&format!("{path}:6:"), "wnat"]);
}

#[test]
fn a_mistake_in_a_target_file_is_named_by_file_and_line() {
    let target = stub("exit 3").replace("policies", "polices");
    check(
        &run_stub(CASE, &target),
        2,
        &["stub.toml:4: polices: unknown field", "`policies`?"],
    );
}

#[test]
fn all_mistakes_in_a_target_file_are_reported_at_once() {
    let target = stub("exit 3").replace("policies", "polices");
    let output = run_stub(
        CASE,
        &target.replace("op_timeout_ms = 200", "op_timeout_ms = 0"),
    );
    check(&output, 2, &["stub.toml:3: op_timeout_ms: 0, expected"]);
    check(&output, 2, &["stub.toml:4: polices: unknown field"]);
}

#[test]
fn a_misspelt_capability_is_named_by_file_and_line() {
    let output = run_stub(&CASE.replace("level", "needs tme\nlevel"), &stub("exit 3"));
    check(&output, 2, &["some-case.case:4:", "`tme`", "`time`?"]);
    let target = stub("exit 3") + "capabilities = [\"tme\"]\n";
    let output = run_stub(CASE, &target);
    check(&output, 2, &["stub.toml:7: capabilities: `tme`", "`time`?"]);
}

#[test]
fn a_mistake_in_a_scenario_file_is_named_by_file_and_line() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("some.toml");
    let path = file.to_str().unwrap();
    let run = || shardproof(&["chaos", path, "--target", "refproxy"]);
    check(&run(), 2, &["cannot read", path, "No such file"]);
    let text =
        "# Shows it.\nduration = \"1s\"\nlaws = [\"isolatoin\"]\ncovers = []\nworkload = []\n";
    std::fs::write(&file, text).unwrap();
    check(
        &run(),
        2,
        &[&format!("{path}:3: `isolatoin`"), "`isolation`?"],
    );
}

#[test]
fn a_folder_that_cannot_be_created_is_known_before_the_first_run() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("taken");
    std::fs::write(&file, "").unwrap();
    let inside = file.join("found");
    let arguments = [
        "chaos",
        "late-reply",
        "--target",
        "refproxy",
        "--shrink-for",
        "1s",
    ];
    let to = ["--shrink-to", inside.to_str().unwrap()];
    check(
        &shardproof(&[&arguments[..], &to].concat()),
        2,
        &["cannot create", to[1], "Not a directory"],
    );
}

/// Neither stream contains a byte that a terminal obeys.
#[track_caller]
fn check_printable(output: &Output) {
    for bytes in [&output.stdout, &output.stderr] {
        let text = String::from_utf8_lossy(bytes);
        let obeyed = |char: char| char.is_control() && !matches!(char, '\n' | '\t');
        assert!(!text.contains(obeyed), "{}", text.escape_debug());
    }
}

#[test]
fn control_characters_from_files_are_escaped() {
    const TITLE: &str = "\x1b]0;owned\x07";
    for (case, target) in [
        // A key, a name and a log line of a target; a word and the promise of a case.
        (
            CASE.to_owned(),
            format!("\"{TITLE}\" = 1\n{}", stub("exit 3")),
        ),
        (
            CASE.to_owned(),
            stub("exit 3").replace("\"stub\"", "\"stub\\u001b]0;owned\\u0007\""),
        ),
        (
            CASE.to_owned(),
            stub("printf '\\\\033]0;owned\\\\007\\\\n'; exit 3"),
        ),
        (CASE.replace("want ", TITLE), stub("exit 3")),
        (CASE.replace("PING is", TITLE), stub("exit 3")),
    ] {
        let output = run_stub(&case, &target);
        assert_ne!(output.status.code(), Some(0));
        check_printable(&output);
        let all = [output.stdout, output.stderr].concat();
        assert!(!all.is_empty());
    }
    check_printable(&shardproof(&["list", "--filter", TITLE]));
    check_printable(&shardproof(&["plan", "--from", TITLE, "--add-node", "c:1"]));
    check_printable(&shardproof(&[TITLE]));
    let keys = [
        "locate",
        "--cluster",
        "maglev:a\u{9b}:1,b:1",
        "--json",
        "-",
        "\u{9b}2J",
    ];
    check_printable(&shardproof(&keys));
}
