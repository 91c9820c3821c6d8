//! Reports that cannot be written, and readers that have gone away.

use std::fs;
use std::process::{Command, Output, Stdio};

use crate::program::{check, shardproof};

const PLAN: &[&str] = &[
    "plan",
    "--from",
    "maglev:a:1,b:1",
    "--add-node",
    "c:1",
    "--count",
    "2000",
];

/// Runs with stdout on a full disk.
fn on_full_disk(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(arguments)
        .stdout(fs::File::create("/dev/full").unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap()
}

#[test]
fn a_report_that_cannot_be_written_is_2() {
    let to = |flag: &'static str, file: &'static str| [PLAN, &[flag, file]].concat();
    for arguments in [
        &["list"][..],
        &["list", "--json", "-"],
        &["--help"],
        &["--version"],
        &["locate", "--cluster", "maglev:a:1,b:1", "key"],
        &[
            "locate",
            "--cluster",
            "maglev:a:1,b:1",
            "--json",
            "-",
            "key",
        ],
        PLAN,
        &to("--json", "-"),
        &to("--html", "-"),
        &to("--moved", "-"),
    ] {
        let output = on_full_disk(arguments);
        check(&output, 2, &["cannot write stdout", "No space left"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(stderr.matches("shardproof: ").count(), 1, "{stderr}");
    }
    for arguments in [
        &["list", "--json", "/dev/full"][..],
        &[
            "locate",
            "--cluster",
            "maglev:a:1,b:1",
            "--json",
            "/dev/full",
            "key",
        ],
        &to("--json", "/dev/full"),
        &to("--html", "/dev/full"),
        &to("--moved", "/dev/full"),
    ] {
        check(
            &shardproof(arguments),
            2,
            &["cannot write", "No space left"],
        );
    }
}

#[test]
fn a_reader_that_has_gone_away_is_no_error() {
    let mut run = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(["list", "--json", "-"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(run.stdout.take());
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stderr, b"");
}
