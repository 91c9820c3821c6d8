//! `init`: a target file from flags, tried before it is written.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::program::check;

/// Runs init in a folder, with flags that make a target of a plain Redis.
fn init(folder: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .current_dir(folder)
        .args(["init", "--program", "redis-server", "--name", "mine"])
        .args(["--arg", "--port", "--arg", "{{ listen.port }}"])
        .args(more)
        .output()
        .unwrap()
}

/// Redis ignores the nodes; a proxy would not.
const NODES: [&str; 4] = [
    "--arg",
    "--proc-title-template",
    "--arg",
    "{{ nodes[0].port }}",
];

#[test]
fn a_proxy_is_tried_and_its_capabilities_are_filled_in() {
    let folder = TempDir::new().unwrap();
    let base = ["--link-port-base", "22651"];
    let output = init(folder.path(), &[&NODES[..], &base].concat());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        said.contains("next: shardproof run --target mine.toml"),
        "{said}"
    );
    let file = folder.path().join("mine.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"split-mget\""), "{text}");
    let run = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .current_dir(folder.path())
        .args([
            "probe",
            "--target",
            "mine.toml",
            "--link-port-base",
            "22661",
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert_eq!(run.status.code(), Some(0), "{said}");
    assert!(
        !said.contains("claimed, not") && !said.contains("not claimed"),
        "{said}"
    );
    // It is never overwritten unless asked for.
    fs::write(&file, "# mine").unwrap();
    check(
        &init(folder.path(), &NODES),
        64,
        &["mine.toml exists", "--force"],
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "# mine");
    let forced = init(
        folder.path(),
        &[&NODES[..], &["--force", "--no-try"]].concat(),
    );
    assert_eq!(forced.status.code(), Some(0));
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .contains("name = \"mine\"")
    );
}

#[test]
fn mistakes_are_found_before_anything_is_written() {
    let folder = TempDir::new().unwrap();
    check(
        &init(folder.path(), &[]),
        64,
        &["not given the nodes", "{{ nodes }}"],
    );
    let wrong = ["--arg", "{{ lisen.port }}"];
    check(
        &init(folder.path(), &wrong),
        64,
        &["unknown variable `lisen.port`", "`listen.port`?"],
    );
    let missing = ["--config", "none.conf"];
    check(
        &init(folder.path(), &missing),
        64,
        &["--config none.conf", "No such file"],
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .arg("init")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    check(
        &output,
        64,
        &["--program: missing, expected a file name or a path"],
    );
}

#[test]
fn a_proxy_that_does_not_start_leaves_a_file_to_edit() {
    let folder = TempDir::new().unwrap();
    let wrong = ["--arg", "--no-such-option", "--link-port-base", "22671"];
    let output = init(folder.path(), &[&NODES[..], &wrong].concat());
    check(
        &output,
        2,
        &["mine.toml was written", "probe --target mine.toml"],
    );
    check(&output, 2, &["target mine ended with"]);
    let text = fs::read_to_string(folder.path().join("mine.toml")).unwrap();
    assert!(text.contains("capabilities = []"), "{text}");
}
