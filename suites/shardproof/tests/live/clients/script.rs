//! Clients of other languages: one folder of scripts per client, one file per workload.
//!
//! A script is called with HOST PORT SIDE, SIDE being `one` or `sharded`, and ends with 0 when all went as expected. If
//! it prints `node-down` or `node-up`, that is done, and the address of the node is its next line of input.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command};
use std::sync::{Arc, mpsc};
use std::thread;

use libtest_mimic::Failed;
use testbed::program::Program;

use crate::clients::program::{Started, all_of};
use crate::clients::site::Site;
use crate::clients::{Client, Work};
use crate::support;

/// One row per client: its name, its interpreter among the programs, its folder, the extension of its scripts, and
/// their extra arguments.
const CLIENTS: &[(&str, &str, &str, &str, &[&str])] = &[
    ("redis-py-8.1.0", "redis-py-8.1.0", "redis_py", "py", &[]),
    (
        "redis-py-8.1.0-resp2",
        "redis-py-8.1.0",
        "redis_py",
        "py",
        &["protocol=2"],
    ),
    (
        "redis-py-8.1.0-hiredis",
        "redis-py-8.1.0-hiredis",
        "redis_py",
        "py",
        &[],
    ),
    ("redis-py-4.6.0", "redis-py-4.6.0", "redis_py", "py", &[]),
    ("valkey-glide", "valkey-glide", "glide", "py", &[]),
    ("coredis", "coredis", "coredis", "py", &[]),
    ("redis-perl", "redis-perl", "redis_perl", "pl", &[]),
];

/// All of them.
pub(crate) fn clients() -> Vec<Client> {
    let client = |&(name, package, folder, ending, options): &_| {
        client(name, package, folder, ending, options)
    };
    CLIENTS.iter().map(client).collect()
}

fn client(
    name: &'static str,
    package: &'static str,
    folder: &str,
    ending: &str,
    options: &'static [&'static str],
) -> Client {
    let interpreter = support::search().find(&Program {
        name: package.to_owned(),
        env: format!(
            "SHARDPROOF_{}",
            package.to_uppercase().replace(['-', '.'], "_")
        ),
        install: "run `make clients`".to_owned(),
        package: None,
    });
    let missing = interpreter.as_ref().err().map(ToString::to_string);
    let interpreter = interpreter.unwrap_or_default();
    let workloads = scripts(folder, ending).into_iter().map(|(name, script)| {
        let interpreter = interpreter.clone();
        let work = move |site: &Site| {
            let mut command = Command::new(&interpreter);
            command.arg(&script);
            run(command, options, site)
        };
        (name, Arc::new(work) as Work)
    });
    Client {
        name,
        package,
        missing,
        workloads: workloads.collect(),
    }
}

/// The workloads of a folder by name; files with a leading underscore are shared by them.
fn scripts(folder: &str, ending: &str) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(self::folder(folder)).expect("a client has a folder");
    let mut scripts: Vec<_> = entries
        .filter_map(|entry| {
            let path = entry.expect("a folder can be listed").path();
            let stem = path.file_stem()?.to_str()?;
            let is_workload = path.extension()? == ending && !stem.starts_with('_');
            is_workload.then(|| (stem.replace('_', "-"), path.clone()))
        })
        .collect();
    scripts.sort();
    scripts
}

fn folder(name: &str) -> PathBuf {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/live/clients");
    folders.join(name)
}

/// Runs a program to its end, and executes its requests to the test while it runs.
pub(crate) fn run(mut command: Command, options: &[&str], site: &Site) -> Result<(), Failed> {
    let (host, port) = (site.addr().ip().to_string(), site.port());
    let side = if site.is_sharded() { "sharded" } else { "one" };
    command
        .args([&host, &port, side])
        .args(options)
        .env("PYTHONPATH", folder("python"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let mut started = Started::new(&mut command)?;
    let mut input = started.child.stdin.take().ok_or("no input")?;
    let lines = lines(started.child.stdout.take().ok_or("no output")?);
    let errors = all_of(started.child.stderr.take().ok_or("no channel for errors")?);
    let mut printed = String::new();
    while let Some(line) = started.next(&lines)? {
        if !granted(&line, site, &mut input)? {
            printed += &format!("{line}\n");
        }
    }
    let errors = started.next(&errors)?.unwrap_or_default();
    let status = started.child.wait()?;
    if !status.success() {
        return Err(format!("{status}\n{printed}{errors}").into());
    }
    Ok(())
}

/// The output of a program, line by line, until it closes its output.
fn lines(output: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// Executes the request of a line. Returns whether there was one.
fn granted(line: &str, site: &Site, input: &mut ChildStdin) -> Result<bool, Failed> {
    let node = match line {
        "node-down" => site.lose_a_node()?,
        "node-up" => site.get_it_back()?,
        _ => return Ok(false),
    };
    writeln!(input, "{node}")?;
    Ok(true)
}
