//! A started proxy, whichever way it was started.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process;

use rustix::process::Signal;

use super::task::Task;
use crate::child;
use crate::targets::Setting;
use crate::targets::launcher::Serve;
use crate::text;

/// Lines of a log that errors show.
const LOG_LINES: usize = 8;

/// A started proxy. Dropping it ends it.
#[derive(Debug)]
pub(super) enum Running {
    Program(child::Running),
    InProcess(Task),
}

impl Running {
    pub(super) fn in_process(
        serve: &Serve,
        listen: SocketAddr,
        setting: Setting,
    ) -> io::Result<Self> {
        Task::start(serve.clone(), listen, setting).map(Self::InProcess)
    }

    /// The process that it runs in.
    pub(super) fn pid(&self) -> u32 {
        match self {
            Self::Program(child) => child.pid(),
            Self::InProcess(_) => process::id(),
        }
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> io::Result<Option<String>> {
        match self {
            Self::Program(child) => {
                let ended = child.ended()?;
                Ok(ended.map(|status| format!("ended with {status}")))
            }
            Self::InProcess(task) => Ok(task.ended().map(|why| format!("ended: {why}"))),
        }
    }

    /// The last lines of a program's log, or the error that ended code in this process.
    pub(super) fn log(&self, file: &Path) -> String {
        match self {
            Self::Program(_) => text::last_lines(file, LOG_LINES),
            Self::InProcess(task) => task.ended().unwrap_or_default(),
        }
    }

    pub(super) fn kill(&mut self) {
        match self {
            Self::Program(child) => child.kill(),
            Self::InProcess(task) => task.stop(),
        }
    }

    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        match self {
            Self::Program(child) => child.signal(signal),
            Self::InProcess(_) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "it runs in this process, which cannot be paused",
            )),
        }
    }
}
