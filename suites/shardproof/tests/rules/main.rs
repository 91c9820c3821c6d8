//! Rules that neither the compiler nor Cargo checks: which module may use which, and what the documents may contain.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on is to panic")]

mod comments;
mod documents;
mod generated;
mod measured;
mod releases;
mod squares;

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms that must not use sockets, clocks, the environment or unseeded randomness.
const PURE: &[&str] = &[
    "refproxy/placement/src",
    "refproxy/src/command",
    "refproxy/src/cursor.rs",
    "refproxy/src/join",
    "refproxy/src/resp",
    "refproxy/src/route.rs",
    "refproxy/src/split.rs",
    "suites/conformance/src/cases",
    "suites/chaos/src/checker",
    "suites/chaos/src/history",
    "suites/chaos/src/cover",
    "suites/chaos/src/law",
    "suites/chaos/src/ledger.rs",
    "suites/chaos/src/shrink",
    "suites/chaos/src/observed.rs",
    "suites/shardproof/src/export",
    "suites/shardproof/src/planner",
    "suites/chaos/src/rescale/forecast.rs",
    "suites/chaos/src/rescale/laws.rs",
    "suites/conformance/src/verdict.rs",
    "suites/testbed/src/wire",
];

/// Names that a pure room must not use.
const IMPURE: &[&str] = &[
    "tokio",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "Instant::now",
    "SystemTime",
    "std::env",
    "std::fs",
    "std::process",
    "std::thread",
    "RandomState",
];

/// Names that only a main uses.
const MAINS_ONLY: &[&str] = &[
    "println!",
    "eprintln!",
    "print!(",
    "eprint!(",
    "process::exit",
    "env::args",
    "env::var(",
    "env::var_os(",
    "env::vars",
];

#[test]
fn pure_rooms_use_no_io_clock_or_chance() {
    for room in PURE {
        let files = sources(room);
        assert!(!files.is_empty(), "{room} is gone: mend this list");
        for (path, code) in files {
            absent(&path, &code, IMPURE);
        }
    }
}

#[test]
fn only_mains_print_exit_and_read_the_environment() {
    for (path, code) in sources("refproxy/src").into_iter().chain(suite()) {
        if path.file_name().is_some_and(|name| name != "main.rs") {
            absent(&path, &code, MAINS_ONLY);
        }
    }
}

#[test]
fn no_code_of_the_suite_names_a_target() {
    for (path, code) in suite() {
        absent(
            &path,
            &code,
            &[
                "\"envoy\"",
                "\"twemproxy\"",
                "\"nutcracker\"",
                "\"refproxy\"",
            ],
        );
    }
}

#[test]
fn the_request_path_asks_the_row_and_never_the_name() {
    for room in ["session", "upstream", "server"] {
        let files: Vec<_> = sources(&format!("refproxy/src/{room}"))
            .into_iter()
            .chain(sources(&format!("refproxy/src/{room}.rs")))
            .collect();
        assert!(!files.is_empty(), "refproxy has no {room}: mend this list");
        for (path, code) in files {
            for name in ["GET", "SET", "MGET", "MSET", "DEL", "PING", "QUIT", "HELLO"] {
                let lower = name.to_lowercase();
                absent(
                    &path,
                    &code,
                    &[&format!("\"{name}\""), &format!("\"{lower}\"")],
                );
            }
        }
    }
}

#[track_caller]
fn absent(path: &Path, code: &str, words: &[&str]) {
    for word in words {
        assert!(
            !code.contains(word),
            "{} names `{word}`, which its room may not",
            path.display()
        );
    }
}

/// The Rust files of the suite's crates, without comments and tests.
fn suite() -> Vec<(PathBuf, String)> {
    ["testbed", "conformance", "chaos", "shardproof"]
        .iter()
        .flat_map(|part| sources(&format!("suites/{part}/src")))
        .collect()
}

/// The Rust files at or below a path of the workspace, without comments and tests.
fn sources(place: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    collect(&root.join(place), &mut files);
    files.retain(|path| !is_test(path.strip_prefix(&root).unwrap()));
    files
        .into_iter()
        .map(|path| {
            let code = code(&fs::read_to_string(&path).unwrap());
            (path, code)
        })
        .collect()
}

/// Tests of a room are in `tests.rs` or, if they are many, in `tests/`.
fn is_test(path: &Path) -> bool {
    path.ends_with("tests.rs") || path.components().any(|part| part.as_os_str() == "tests")
}

fn collect(place: &Path, files: &mut Vec<PathBuf>) {
    if place.is_dir() {
        for entry in fs::read_dir(place).unwrap() {
            collect(&entry.unwrap().path(), files);
        }
    } else if place.extension().is_some_and(|ending| ending == "rs") && place.exists() {
        files.push(place.to_owned());
    }
}

/// Tests are at the end of a file, after the code.
fn code(text: &str) -> String {
    let untested = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = untested
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}
