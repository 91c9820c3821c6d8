//! The program as a process, the fixtures that tests give it, and servers that they start.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use tempfile::TempDir;
use testbed::node::{Node, Process};
use testbed::wait::{self, Probed};
use tokio::runtime::Runtime;

use crate::support;

pub(crate) fn shardproof(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(arguments)
        .output()
        .unwrap()
}

/// The exit code, and a line of stderr that contains every part.
#[track_caller]
pub(crate) fn check(output: &Output, code: i32, parts: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    assert!(
        stderr
            .lines()
            .any(|line| parts.iter().all(|part| line.contains(part))),
        "no line with {parts:?} in:\n{stderr}"
    );
}

/// A folder of fixtures with one case and one target, as texts.
pub(crate) fn fixtures(case: &str, target: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, file, text) in [
        ("conformance", "group/some-case.case", case),
        ("targets", "stub.toml", target),
    ] {
        let path: PathBuf = folder.path().join(name).join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

pub(crate) const CASE: &str = "case 1
# PING is answered.
spec   https://redis.io/docs/latest/commands/ping/
level  must
send   PING
want   +PONG
";

/// A target that runs a shell script instead of a proxy, for one second.
pub(crate) fn stub(script: &str) -> String {
    crate::stub::stub(script, 1)
}

/// The case of [`fixtures`] alone.
pub(crate) const OWN: [&str; 2] = ["--filter", "group/"];

pub(crate) fn run_stub(case: &str, target: &str) -> Output {
    let folder = fixtures(case, target);
    let path = folder.path().to_str().unwrap();
    let base = ["--link-port-base", "22101", "--fixtures", path];
    shardproof(&[&["run", "--target", "stub"], &OWN[..], &base].concat())
}

/// A plain Redis, which is its own node.
pub(crate) fn redis() -> (Process, String) {
    let search = support::search();
    let started = Process::start(&search);
    let server = Runtime::new().unwrap().block_on(started).unwrap();
    let addr = server.addr().to_string();
    (server, addr)
}

/// The event within a generous deadline.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut event: impl FnMut() -> Option<T>) -> T {
    let probe = || match event() {
        Some(found) => Probed::Break(found),
        None => Probed::Continue("it did not come".to_owned()),
    };
    let found = wait::eventually_blocking(what, Duration::from_secs(60), probe);
    found.unwrap_or_else(|late| panic!("{late}"))
}
