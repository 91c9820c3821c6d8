//! The installed version of a proxy, which deviations refer to.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::Target;
use super::proxy::{Error, find};
use crate::child::Running;
use crate::folder::Folder;
use crate::program::Search;
use crate::wait::{self, Probed};

/// How long a program may take to print its version. It takes milliseconds; a loaded machine takes longer.
const PRINTED_WITHIN: Duration = Duration::from_secs(20);
/// Bytes of its output that are read.
const OUTPUT_BYTES_MAX: u64 = 64 * 1024;

/// The version that the target's program prints: a judged one if it names one, otherwise its first line. A program
/// without arguments for it is not started: it might serve.
///
/// # Errors
/// When there is no program, or it does not end.
pub fn version(target: &Target, search: &Search) -> Result<String, Error> {
    let program = find(target, search)?;
    if target.version.args.is_empty() {
        return Ok("unknown version".to_owned());
    }
    let told = output(&program, &target.version.args).map_err(|why| Error::Io {
        target: target.name.clone(),
        why,
    })?;
    let told = String::from_utf8_lossy(&told);
    if let Some(judged) = target.version.named_in(&told) {
        return Ok(judged.to_owned());
    }
    let first = told.lines().find(|line| !line.trim().is_empty());
    Ok(first.unwrap_or("unknown version").trim().to_owned())
}

/// The output of the program, stdout before stderr.
fn output(program: &Path, args: &[String]) -> io::Result<Vec<u8>> {
    let folder = Folder::create("version-")?;
    let files = ["stdout", "stderr"].map(|name| folder.path().join(name));
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(File::create(&files[0])?)
        .stderr(File::create(&files[1])?);
    let mut running = Running::start(command)?;
    let ended =
        wait::eventually_blocking("its version", PRINTED_WITHIN, || match running.ended() {
            Ok(None) => Probed::Continue("it runs".to_owned()),
            Ok(Some(_)) => Probed::Break(Ok(())),
            Err(why) => Probed::Break(Err(why)),
        });
    ended.map_err(|_| {
        let waited = PRINTED_WITHIN.as_secs();
        let what = format!("it prints no version within {waited} s");
        io::Error::new(io::ErrorKind::TimedOut, what)
    })??;
    let mut printed = Vec::new();
    for file in &files {
        let file = File::open(file)?;
        file.take(OUTPUT_BYTES_MAX).read_to_end(&mut printed)?;
    }
    Ok(printed)
}
