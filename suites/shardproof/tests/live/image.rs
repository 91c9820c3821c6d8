//! The image of the suite, from `make images`: the command lines of docs/ci.md list its cases, and judge a proxy by
//! address as the program does.

use std::path::Path;
use std::process::{Command, Output};

use libtest_mimic::{Failed, Trial};
use serde_json::Value as Json;
use tempfile::TempDir;
use testbed::node::{Node, Process};
use testbed::targets::{Proxy, Setting, Target};
use tokio::runtime::Runtime;

use crate::support::{self, Presence, docker};

const IMAGE: &str = "shardproof/shardproof:local";
/// Addresses in the command lines of the document.
const PROXY: &str = "127.0.0.1:6380";
const NODES: [&str; 3] = ["127.0.0.1:7001", "127.0.0.1:7002", "127.0.0.1:7003"];
/// Limits the line to a few cases: one that is skipped, others that pass, and some that one of the peers fails.
const FEW: &str = "--filter multi-key/mget-keeps-key-order --filter multi-key/mget-missing-keys \
    --filter multi-key/mget-wrong-type-is-nil --filter multi-key/wrong-arity --seed 1 --json -";

pub(crate) fn trials() -> Vec<Trial> {
    let presence = presence();
    let listed = support::trial("image::docker::lists-cases", presence.clone(), lists_cases);
    let judged = support::targets().into_iter().map(|target| {
        let name = format!(
            "image::docker::{}::is-judged-as-by-the-program",
            target.name
        );
        let presence = presence.clone().and(support::presence(&target));
        support::trial(name, presence, move || judged_alike(&target))
    });
    [listed].into_iter().chain(judged).collect()
}

/// Whether the image can be used here.
fn presence() -> Presence {
    let inspected = Command::new("docker")
        .args(["image", "inspect", "--format", "{{.Id}}", IMAGE])
        .output();
    let missing = match inspected {
        Ok(output) if output.status.success() => None,
        Ok(_) => Some(format!("there is no image {IMAGE}: run `make images`")),
        Err(why) => Some(format!("docker does not start: {why}")),
    };
    docker::presence().and(support::present("docker", missing))
}

/// The command line of docs/ci.md that runs the image with this subcommand.
fn line(subcommand: &str) -> Result<String, Failed> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/ci.md");
    let document = std::fs::read_to_string(document)?;
    let words = format!(" {IMAGE} {subcommand}");
    let found = document
        .lines()
        .find(|line| line.starts_with("docker run ") && line.contains(&words));
    let missing = || format!("docs/ci.md has no line with `docker run` and{words}");
    Ok(found.ok_or_else(missing)?.to_owned())
}

fn shell(line: &str, folder: &Path) -> Result<Output, Failed> {
    let mut command = Command::new("sh");
    Ok(command.args(["-c", line]).current_dir(folder).output()?)
}

fn lists_cases() -> Result<(), Failed> {
    let folder = TempDir::new()?;
    let listed = shell(&line("list")?, folder.path())?;
    let program = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .arg("list")
        .output()?;
    match listed.status.success() && listed.stdout == program.stdout {
        true => Ok(()),
        false => Err(format!("not the list of the program:\n{listed:?}").into()),
    }
}

fn judged_alike(target: &Target) -> Result<(), Failed> {
    support::prepare(target);
    let runtime = Runtime::new()?;
    let (nodes, proxy) = runtime.block_on(start(target))?;
    let folder = TempDir::new()?;
    let mut line = line("run")?.replace(PROXY, &proxy.addr().to_string());
    for (named, node) in NODES.iter().zip(&nodes) {
        line = line.replace(named, &node.addr().to_string());
    }
    let line = format!("{line} {FEW}");
    let image = shell(&line, folder.path())?;
    let report = folder.path().join("report.html");
    if !report.is_file() {
        return Err(format!("no report: {line}\n{image:?}").into());
    }

    let (_, words) = line.split_once(IMAGE).ok_or("no image")?;
    let program = Command::new(env!("CARGO_BIN_EXE_shardproof"))
        .args(shlex::split(words).ok_or("not words of a shell")?)
        .current_dir(folder.path())
        .output()?;
    let (ours, expected) = (verdicts(&image)?, verdicts(&program)?);
    match ours == expected && image.status.code() == program.status.code() {
        true => Ok(()),
        false => Err(format!("{ours:?}, by the program: {expected:?}").into()),
    }
}

async fn start(target: &Target) -> Result<(Vec<Process>, Proxy), Failed> {
    let search = support::search();
    let mut nodes = Vec::new();
    for _ in NODES {
        nodes.push(Process::start(&search).await?);
    }
    let setting = Setting::usual(target, nodes.iter().map(Node::addr).collect());
    let proxy = Proxy::start(target, setting, &search).await?;
    Ok((nodes, proxy))
}

/// The verdict of each case. At least one is judged.
fn verdicts(output: &Output) -> Result<Vec<(String, String)>, Failed> {
    let report: Json = serde_json::from_slice(&output.stdout)
        .map_err(|why| format!("{why}: {}", String::from_utf8_lossy(&output.stderr)))?;
    let results = report["targets"][0]["results"].as_array();
    let verdict = |result: &Json| {
        let word = |field: &str| result[field].as_str().unwrap_or_default().to_owned();
        (word("case"), word("verdict"))
    };
    let verdicts: Vec<_> = results.into_iter().flatten().map(verdict).collect();
    match verdicts.iter().any(|(_, verdict)| verdict == "pass") {
        true => Ok(verdicts),
        false => Err(format!("nothing passes: {verdicts:?}").into()),
    }
}
