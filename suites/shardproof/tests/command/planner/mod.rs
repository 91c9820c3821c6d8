//! `plan` and `locate` as scripts see them: figures, exit codes, one clear line for each mistake, and keys that really
//! are on the predicted nodes.

mod keys;
mod live;
mod mistakes;
mod plan;

use std::fs;
use std::io::Write;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn shardproof(arguments: &[&str]) -> Output {
    piped(arguments, b"")
}

fn piped(arguments: &[&str], input: &[u8]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that reads no keys does not read these either.
    let _ = program.stdin.take().unwrap().write_all(input);
    program.wait_with_output().unwrap()
}

/// The exit code, and a line of stderr that contains every part.
#[track_caller]
fn check(arguments: &[&str], code: i32, parts: &[&str]) {
    let output = shardproof(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
    assert!(
        stderr
            .lines()
            .any(|line| parts.iter().all(|part| line.contains(part))),
        "no line with {parts:?} in:\n{stderr}"
    );
    assert!(code == 64 || stderr.lines().count() == 1, "{stderr}");
}

#[track_caller]
fn stdout(output: Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn nodes(policy: &str, count: u16) -> String {
    let nodes: Vec<String> = (1..=count)
        .map(|node| format!("127.0.0.1:{}", 21000 + node))
        .collect();
    format!("{policy}:{}", nodes.join(","))
}

/// A folder with one file of it.
fn file(name: &str, text: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}
