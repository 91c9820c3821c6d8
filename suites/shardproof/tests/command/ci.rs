//! What docs/ci.md promises: its command lines run, and the action of this repository judges and annotates.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::harness::{example, text};

/// Limits the lines of the document to one case, on ports of this file.
const FEW: [&str; 4] = ["--filter", BROKEN, "--link-port-base", "22151"];
const BROKEN: &str = "multi-key/mget-keeps-key-order";

/// A folder with the small proxy as `my-proxy.toml`.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let target =
        fs::read_to_string(root().join("suites/shardproof/examples/small_proxy/small-proxy.toml"));
    let program = example("small_proxy").get_program().to_owned();
    let program = program.into_string().unwrap();
    let target = target
        .unwrap()
        .replace("\"small_proxy\"", &format!("\"{program}\""));
    assert!(target.contains(&program), "the program has another name");
    fs::write(folder.path().join("my-proxy.toml"), target).unwrap();
    folder
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The lines of the document that run `program`, in their order.
fn lines(program: &str) -> Vec<String> {
    let document = fs::read_to_string(root().join("docs/ci.md")).unwrap();
    let lines = document
        .lines()
        .map(|line| line.trim().trim_start_matches("- "));
    let lines = lines.filter(|line| line.starts_with(program));
    let found: Vec<String> = lines.map(str::to_owned).collect();
    assert!(!found.is_empty(), "docs/ci.md has no line with {program}");
    found
}

#[test]
fn the_command_lines_of_the_document_run() {
    let folder = folder();
    for line in lines("shardproof run ") {
        let words = shlex::split(&line).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_shardproof"))
            .args(&words[1..])
            .args(FEW)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}\n{}", text(&output));
    }
    for file in ["known.toml", "report.xml", "report.html"] {
        assert!(folder.path().join(file).is_file(), "no {file}");
    }
}

#[test]
fn the_tests_of_the_document_run() {
    for line in lines("cargo test --test conformance") {
        let words = shlex::split(&line.replace("my-proxy", "small-proxy")).unwrap();
        let arguments = words.split(|word| word == "--").nth(1);
        let arguments = arguments.map_or(vec![BROKEN.to_owned()], <[String]>::to_vec);
        let output = example("in_process").args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line}\n{}", text(&output));
        let found = text(&output).contains("cases::small-proxy::multi-key/");
        assert!(found, "{line} finds no test");
    }
}

#[test]
fn the_action_annotates_failures_and_gives_counts() {
    let folder = folder();
    let output = act(folder.path(), &[("SHARDPROOF_TARGET", "./my-proxy.toml")]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(!text(&output).contains("::error"), "{}", text(&output));

    let inputs = [
        ("SHARDPROOF_TARGET", "./my-proxy.toml"),
        ("SMALL_PROXY_BUG", "mget-order"),
    ];
    let output = act(folder.path(), &inputs);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    let annotation = format!("\n::error title={BROKEN} (must)::MGET returns values in the order");
    assert!(text(&output).contains(&annotation), "{}", text(&output));
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("summary.md").contains("a promise is broken"));
    assert_eq!(read("outputs"), "wrong=0\nwrong=1\n");
}

#[test]
fn inputs_of_the_action_that_are_wrong_are_annotated() {
    let folder = folder();
    for (inputs, why) in [
        (
            vec![],
            "expected either the input target or the input proxy",
        ),
        (
            vec![
                ("SHARDPROOF_PROXY", "127.0.0.1:1"),
                ("SHARDPROOF_LEVEL", "shold"),
            ],
            "level: `shold` is unknown, expected must or should",
        ),
    ] {
        let output = act(folder.path(), &inputs);
        let said = format!("::error title=shardproof::{why}\n");
        assert_eq!(text(&output), said);
        assert_eq!(output.status.code(), Some(64));
    }
}

/// Runs the step of the action that judges, with a program that is limited to one case.
fn act(folder: &Path, inputs: &[(&str, &str)]) -> Output {
    let program = folder.join("bin/shardproof");
    fs::create_dir_all(folder.join("bin")).unwrap();
    let real = env!("CARGO_BIN_EXE_shardproof");
    let script = format!(
        "#!/bin/sh\nexec {real} \"$@\" {}\n",
        shlex::try_join(FEW).unwrap()
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        folder.join("bin").display(),
        env::var("PATH").unwrap()
    );
    Command::new("python3")
        .arg(root().join("ci/action/judge.py"))
        .current_dir(folder)
        .env("PATH", path)
        .env("GITHUB_STEP_SUMMARY", "summary.md")
        .env("GITHUB_OUTPUT", "outputs")
        .envs(inputs.iter().copied())
        .output()
        .unwrap()
}
