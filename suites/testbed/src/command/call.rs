//! One call of a command: a process with a time limit, whose last line on stderr says why it failed.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::wait::{Probed, eventually_blocking};

/// The exit code by which a hook says that it cannot do a fault, and has changed nothing.
pub(crate) const UNABLE: i32 = 3;

/// Bytes at the end of stderr that are read.
const TAIL_BYTES: u64 = 4096;
/// Longest line that is reported, in characters.
const LINE_CHARS_MAX: usize = 200;

/// A call did not do what it was for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It exited with [`UNABLE`]: its line.
    Unable(String),
    /// Anything else: the cause in one line.
    Other(String),
}

/// Runs a command to its end. It is killed with everything in its process group after `within`, or once `is_stopped`.
pub(super) fn call(
    words: &[String],
    within: Duration,
    is_stopped: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    let io = |why: io::Error| Failure::Other(why.to_string());
    // Without a place for it the line is lost, but a fault is healed all the same.
    let mut stderr = tempfile::tempfile().ok();
    let mut child = start(words, stderr.as_ref())?;
    let ended = eventually_blocking("the end of the command", within, || {
        match child.try_wait().map_err(io) {
            Ok(Some(status)) => Probed::Break(Ok(status)),
            Ok(None) if !is_stopped() => Probed::Continue("it still runs".to_owned()),
            Ok(None) => Probed::Break(Err(Failure::Other("the run was stopped".to_owned()))),
            Err(failure) => Probed::Break(Err(failure)),
        }
    });
    match ended {
        Ok(Ok(status)) => judge(status, &mut stderr),
        Ok(Err(failure)) => {
            end(&mut child);
            Err(failure)
        }
        Err(_) => {
            end(&mut child);
            let late = format!("it did not end within {} ms", within.as_millis());
            Err(Failure::Other(with_line(late, &mut stderr)))
        }
    }
}

fn start(words: &[String], stderr: Option<&File>) -> Result<Child, Failure> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::Other("there is no command".to_owned()));
    };
    let failed = |why: io::Error| Failure::Other(format!("cannot start `{program}`: {why}"));
    // A file, because what a command leaves running may keep a pipe open. In a process group of its own, so that Ctrl-C on a
    // terminal does not end it half-way.
    let stderr = stderr.and_then(|file| file.try_clone().ok());
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(stderr.map_or_else(Stdio::null, Stdio::from))
        .process_group(0)
        .spawn()
        .map_err(failed)
}

fn judge(status: ExitStatus, stderr: &mut Option<File>) -> Result<(), Failure> {
    match status.code() {
        Some(0) => Ok(()),
        Some(UNABLE) => Err(Failure::Unable(last_line(stderr).unwrap_or_default())),
        _ => Err(Failure::Other(with_line(status.to_string(), stderr))),
    }
}

/// Kills a process that has not been reaped, and what it started.
fn end(child: &mut Child) {
    // It may have ended by itself.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.wait();
}

fn with_line(what: String, stderr: &mut Option<File>) -> String {
    match last_line(stderr) {
        Some(line) => format!("{what}: {line}"),
        None => what,
    }
}

/// The last line that says anything.
fn last_line(stderr: &mut Option<File>) -> Option<String> {
    let stderr = stderr.as_mut()?;
    let length = stderr.metadata().ok()?.len();
    let start = length.saturating_sub(TAIL_BYTES);
    stderr.seek(SeekFrom::Start(start)).ok()?;
    let mut bytes = Vec::new();
    stderr.take(TAIL_BYTES).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty())?;
    Some(line.chars().take(LINE_CHARS_MAX).collect())
}
