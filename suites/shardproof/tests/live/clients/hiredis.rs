//! hiredis, the C client that most others are built on, as packaged by Debian: a program of a page, compiled here.

use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};

use tempfile::TempDir;

use crate::clients::{Client, Work, script};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/live/clients/hiredis.c");
/// The workloads of the program.
const WORKLOADS: [&str; 4] = ["values", "pipelines", "transactions", "refusals"];

pub(crate) fn client() -> Client {
    let folder = Arc::new(OnceLock::new());
    let workloads = WORKLOADS.iter().map(|name| {
        let folder = Arc::clone(&folder);
        let work: Work = Arc::new(move |site| {
            let folder = folder.get_or_init(compiled).as_ref();
            let folder = folder.map_err(String::clone)?;
            script::run(Command::new(folder.path().join("hiredis")), &[name], site)
        });
        ((*name).to_owned(), work)
    });
    Client {
        name: "hiredis",
        package: "hiredis",
        missing: missing(),
        workloads: workloads.collect(),
    }
}

/// Why it cannot be compiled here.
fn missing() -> Option<String> {
    let mut compiler = Command::new("cc");
    compiler.args([
        "-E",
        "-include",
        "hiredis/hiredis.h",
        "-x",
        "c",
        "/dev/null",
    ]);
    let found = compiler
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match found {
        Ok(status) if status.success() => None,
        Ok(_) => Some("hiredis/hiredis.h is missing: run `make clients`".to_owned()),
        Err(why) => Some(format!("cc cannot be run ({why}): install a C compiler")),
    }
}

/// The folder of the program, built once per process.
fn compiled() -> Result<TempDir, String> {
    let folder = TempDir::with_prefix("shardproof-hiredis-").map_err(|why| why.to_string())?;
    let mut compiler = Command::new("cc");
    compiler.args(["-std=c11", "-Wall", "-Werror", SOURCE, "-lhiredis", "-o"]);
    let output = compiler.arg(folder.path().join("hiredis")).output();
    let output = output.map_err(|why| why.to_string())?;
    if output.status.success() {
        return Ok(folder);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}
