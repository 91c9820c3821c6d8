//! Cases as tests of another crate, as its author sees them: the examples are such test files.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;

const ORDER: &str = "cases::small-proxy::multi-key/mget-keeps-key-order";
const TRANSACTION: &str = "cases::small-proxy::transactions/one-node";

/// An example of this package; Cargo builds them with the tests.
pub(crate) fn example(name: &str) -> Command {
    let test = env::current_exe().unwrap();
    let program: PathBuf = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(program.is_file(), "run `cargo build --examples` first");
    let mut command = Command::new(program);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

#[track_caller]
fn check(command: &mut Command, exit: i32, said: &[&str]) -> Output {
    let output = command.output().unwrap();
    let text = text(&output);
    assert_eq!(output.status.code(), Some(exit), "{text}");
    for words in said {
        assert!(text.contains(words), "no `{words}` in:\n{text}");
    }
    output
}

pub(crate) fn text(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(both).unwrap()
}

#[test]
fn tests_are_listed_without_any_server() {
    for name in ["in_process", "of_file"] {
        let mut command = example(name);
        command.env("SHARDPROOF_REDIS_SERVER", "/no/such/program");
        let line = format!("{ORDER}: test\n");
        check(command.arg("--list"), 0, &[&line]);
    }
}

/// The calls of cargo-nextest.
#[test]
fn a_runner_with_one_process_per_test_finds_and_runs_each() {
    let list = ["--list", "--format", "terse"];
    let all = text(&check(
        example("in_process").args(list),
        0,
        &[ORDER, TRANSACTION],
    ));
    let ignored = example("in_process").args(list).arg("--ignored").output();
    let ignored = text(&ignored.unwrap());
    assert!(
        ignored.contains(TRANSACTION) && !ignored.contains(ORDER),
        "{ignored}"
    );
    assert!(all.lines().all(|line| line.ends_with(": test")), "{all}");
    let one = ["--exact", ORDER, "--nocapture"];
    check(
        example("in_process").args(one),
        0,
        &["1 passed; 0 failed; 0 ignored"],
    );
}

#[test]
fn a_kept_promise_passes_and_one_that_is_not_claimed_is_ignored_with_the_reason() {
    let reason = "small-proxy does not claim transactions";
    for name in ["in_process", "of_file"] {
        let summary = "1 passed; 0 failed; 0 ignored";
        check(example(name).args(["--exact", ORDER]), 0, &[summary]);
        let summary = "0 passed; 0 failed; 1 ignored";
        check(
            example(name).args(["--exact", TRANSACTION]),
            0,
            &[reason, summary],
        );
    }
}

#[test]
fn an_ignored_test_that_is_run_does_not_pass() {
    let run = ["--exact", TRANSACTION, "--include-ignored"];
    let said = [
        "small-proxy does not claim transactions",
        "0 passed; 1 failed",
    ];
    check(example("in_process").args(run), 101, &said);
}

#[test]
fn a_broken_promise_fails_with_both_sides_and_a_line_that_repeats_it() {
    for name in ["in_process", "of_file"] {
        let mut command = example(name);
        command
            .env("SMALL_PROXY_BUG", "mget-order")
            .env("SHARDPROOF_SEED", "7c1f")
            .args(["--exact", ORDER]);
        let said = [
            "MGET returns values in the order of its keys",
            "node A",
            "client 1",
            "MGET $",
            "keys: $",
            "repeat: SHARDPROOF_SEED=7c1f cargo test -- --exact 'cases::small-proxy::",
            "0 passed; 1 failed",
        ];
        check(&mut command, 101, &said);
    }
}

#[test]
fn a_known_failure_passes() {
    let known = "cases::small-proxy::framing/inline-quotes";
    check(
        example("in_process").args(["--exact", known]),
        0,
        &["1 passed"],
    );
}

#[test]
fn a_wrong_seed_is_one_clear_line() {
    let mut command = example("in_process");
    let output = check(command.env("SHARDPROOF_SEED", "xyz").arg("--list"), 2, &[]);
    assert_eq!(
        text(&output),
        "shardproof: SHARDPROOF_SEED=xyz: expected up to 16 hexadecimal digits\n"
    );
}

/// A proxy that logs all the time: only what it logged during the case is evidence.
#[test]
fn the_log_of_the_proxy_is_evidence() {
    let folder = TempDir::new().unwrap();
    let proxy = example("small_proxy");
    let target = include_str!("../../examples/small_proxy/small-proxy.toml")
        .replace("program = \"small_proxy\"", "program = \"sh\"")
        .replace("version = { args = [\"--version\"] }\n", "")
        .replace("args = [", "args = [\"noisy.sh\", ");
    let script = format!(
        "echo begins\n(while :; do echo serves; sleep 0.002; done) &\nexec {} \"$@\"\n",
        proxy.get_program().display()
    );
    let noisy = folder.path().join("noisy.sh");
    fs::write(&noisy, script).unwrap();
    let target = target.replace("noisy.sh", noisy.to_str().unwrap());
    let file = folder.path().join("noisy.toml");
    fs::write(&file, target).unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_shardproof"));
    run.args(["run", "--filter", "multi-key/mget-keeps-key-order"])
        .args(["--link-port-base", "22701", "--target"])
        .arg(&file)
        .env("SMALL_PROXY_BUG", "mget-order");
    let output = check(&mut run, 1, &["log: serves"]);
    assert!(!text(&output).contains("log: begins"));
}
