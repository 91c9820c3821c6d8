//! What the limits of the process do not allow is skipped with the reason, before anything is started.

use std::process::Command;

use crate::program::check;

#[test]
fn more_clients_than_open_files_are_skipped() {
    let words = "chaos ten-thousand-idle-connections --target refproxy";
    let program = env!("CARGO_BIN_EXE_shardproof");
    let limited = format!("ulimit -n 2000 && exec '{program}' {words}");
    let output = Command::new("sh").args(["-c", &limited]).output().unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let why = "it needs 11000 open files, and the limit is 2000";
    assert!(stdout.contains(why), "{stdout}");
    check(&output, 2, &["nothing judged"]);
}
