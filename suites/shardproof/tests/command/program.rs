//! The program as a process, the fixtures that tests give it, and servers that they start.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use testbed::child::Running;

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

/// A target that runs a shell script instead of a proxy.
pub(crate) fn stub(script: &str) -> String {
    format!(
        r#"
name = "stub"
title = "no proxy at all"
home = "none"
policies = ["maglev"]
op_timeout_ms = 200
capabilities = []
program = {{ name = "sh", env = "SHARDPROOF_STUB", install = "it is everywhere" }}
version = {{ args = ["-c", "echo 1"], pinned = "1" }}
rescale = {{ how = "restart" }}
start = {{ args = ["-c", "{script}"], config_name = "none", config = "", ready_within_s = 1 }}
"#
    )
}

pub(crate) fn run_stub(case: &str, target: &str) -> Output {
    let folder = fixtures(case, target);
    let path = folder.path().to_str().unwrap();
    let base = ["--link-port-base", "22101", "--fixtures", path];
    shardproof(&[&["run", "--target", "stub"], &base[..]].concat())
}

/// A plain Redis, which is its own node.
pub(crate) fn redis() -> (Running, String) {
    let port = testbed::port::free().unwrap().to_string();
    let mut command = Command::new("redis-server");
    command
        .args(["--port", &port, "--save", "", "--bind", "127.0.0.1"])
        .stdout(Stdio::null());
    let server = Running::start(command).unwrap();
    let addr = format!("127.0.0.1:{port}");
    wait("the port of Redis", || {
        std::net::TcpStream::connect(&addr).ok()
    });
    (server, addr)
}

/// The event within ten seconds.
#[track_caller]
pub(crate) fn wait<T>(what: &str, mut event: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(found) = event() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::yield_now();
    }
}
