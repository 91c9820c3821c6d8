//! A running proxy: started from its target file, ready, rescaled in its own way, gone when dropped.

mod change;
mod running;
mod task;

use std::fs::{self, File};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;

use super::file::{Start, Target};
use super::launcher::Launcher;
use super::setting::Setting;
use super::template::{self, Render};
use crate::child;
use crate::client;
use crate::folder::Folder;
use crate::http;
use crate::port::{self, Port};
use crate::program::{Missing, Search};
use crate::text;
use crate::wait::{self, Probed};
use running::Running;

/// Longest time for one admin call.
const ADMIN_WITHIN: Duration = Duration::from_secs(10);

/// A proxy cannot be started or changed. Never a verdict on its answers.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program is missing.
    #[error("target {target}: {missing}")]
    Missing {
        /// The target.
        target: String,
        /// The missing program and how to get it.
        missing: Missing,
    },
    /// A template of the target file cannot be rendered.
    #[error("{path}: {field}: {why}")]
    Template {
        /// The target file.
        path: String,
        /// Which template.
        field: &'static str,
        /// The error in it.
        why: String,
    },
    /// The operating system.
    #[error("cannot start target {target}: {why}")]
    Io {
        /// The target.
        target: String,
        /// The reason.
        why: io::Error,
    },
    /// It ended, or never served.
    #[error("target {target} {what}; the end of its log:\n{log}")]
    NotReady {
        /// The target.
        target: String,
        /// What happened instead.
        what: String,
        /// Its last lines.
        log: String,
    },
    /// It refused the new cluster.
    #[error("target {target} did not accept the new cluster: {why}")]
    NotRescaled {
        /// The target.
        target: String,
        /// Its answer.
        why: String,
    },
    /// It did not answer the new cluster.
    #[error("target {target} did not answer the new cluster: {why}")]
    NoAnswer {
        /// The target.
        target: String,
        /// The failed call.
        why: Box<http::Error>,
    },
    /// It restarts to change its cluster.
    #[error("target {target} takes no cluster while it serves")]
    NotLive {
        /// The target.
        target: String,
    },
}

impl Error {
    fn template(target: &Target, template::Error { field, why }: template::Error) -> Self {
        Self::Template {
            path: target.path.clone(),
            field,
            why,
        }
    }
}

/// A proxy that we started.
#[derive(Debug)]
pub struct Proxy {
    target: Target,
    setting: Setting,
    launcher: Launcher,
    listen: Port,
    admin: Port,
    folder: Folder,
    running: Mutex<Running>,
}

impl Proxy {
    /// Starts `target` with `setting` on free ports and waits until it serves.
    ///
    /// # Errors
    /// The cause, with the end of the proxy's log if it has one.
    pub async fn start(target: &Target, setting: Setting, search: &Search) -> Result<Self, Error> {
        Self::launch(target, setting, Launcher::program(target, search)?).await
    }

    /// As [`Proxy::start`], in the way that `launcher` says.
    ///
    /// # Errors
    /// As [`Proxy::start`].
    pub async fn launch(
        target: &Target,
        setting: Setting,
        launcher: Launcher,
    ) -> Result<Self, Error> {
        let taken = |error: &Error| matches!(error, Error::NotReady { log, .. } if taken(log));
        port::retry_if_taken(taken, async || {
            Self::start_once(target, setting.clone(), launcher.clone()).await
        })
        .await
    }

    /// Starts another proxy of the same target with the same setting, except for its nodes and its time limit.
    ///
    /// # Errors
    /// As [`Proxy::start`].
    pub async fn start_another(
        &self,
        nodes: Vec<SocketAddr>,
        op_timeout_ms: u64,
    ) -> Result<Self, Error> {
        let setting = Setting {
            nodes,
            op_timeout_ms,
            ..self.setting.clone()
        };
        Self::launch(&self.target, setting, self.launcher.clone()).await
    }

    async fn start_once(
        target: &Target,
        setting: Setting,
        launcher: Launcher,
    ) -> Result<Self, Error> {
        let io = |why| Error::Io {
            target: target.name.clone(),
            why,
        };
        let (listen, admin) = (Port::free().map_err(io)?, Port::free().map_err(io)?);
        let folder = Folder::create("proxy-").map_err(io)?;
        let running = launch(
            target,
            &setting,
            &launcher,
            listen.addr(),
            admin.addr(),
            folder.path(),
        )?;
        let proxy = Self {
            target: target.clone(),
            setting,
            launcher,
            listen,
            admin,
            folder,
            running: Mutex::new(running),
        };
        proxy.wait_until_ready().await?;
        Ok(proxy)
    }

    /// Where clients connect.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.listen.addr()
    }

    /// Its setting.
    #[must_use]
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Changes its time limit for one request, from the next start on.
    pub fn set_op_timeout_ms(&mut self, op_timeout_ms: u64) {
        self.setting.op_timeout_ms = op_timeout_ms;
    }

    /// The id of the process that it runs in.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running().pid()
    }

    /// Whether the process still runs.
    pub fn alive(&self) -> bool {
        matches!(self.running().ended(), Ok(None))
    }

    /// The last lines that it wrote; of code in this process the error that ended it.
    #[must_use]
    pub fn log(&self) -> String {
        self.running().log(&self.folder.path().join(LOG))
    }

    /// How long its log is, in bytes.
    #[must_use]
    pub fn log_length(&self) -> u64 {
        fs::metadata(self.folder.path().join(LOG)).map_or(0, |log| log.len())
    }

    /// The last `count` lines that it wrote since its log had this length. A proxy that was started since has a new log.
    #[must_use]
    pub fn log_since(&self, length: u64, count: usize) -> Vec<String> {
        let log = fs::read(self.folder.path().join(LOG)).unwrap_or_default();
        text::lines_since(&log, length, count)
    }

    /// Starts it again with the same setting, at the same address.
    ///
    /// # Errors
    /// As [`Proxy::start`].
    pub async fn restart(&self) -> Result<(), Error> {
        // The ports are ours, but a child that another thread starts has a copy of the listener of a proxy in this process.
        let taken = |error: &Error| matches!(error, Error::NotReady { log, .. } if taken(log));
        port::retry_if_taken(taken, async || self.restart_once().await).await
    }

    async fn restart_once(&self) -> Result<(), Error> {
        self.kill();
        let running = launch(
            &self.target,
            &self.setting,
            &self.launcher,
            self.addr(),
            self.admin.addr(),
            self.folder.path(),
        )?;
        *self.running() = running;
        self.wait_until_ready().await
    }

    /// Ends it as a crash would (SIGKILL), with everything that it started.
    pub fn kill(&self) {
        self.running().kill();
    }

    /// Stops it from running without closing anything (SIGSTOP).
    ///
    /// # Errors
    /// When it has ended, or runs in this process.
    pub fn pause(&self) -> Result<(), Error> {
        self.signal(Signal::STOP)
    }

    /// Resumes a paused proxy.
    ///
    /// # Errors
    /// When it has ended.
    pub fn resume(&self) -> Result<(), Error> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<(), Error> {
        let signalled = self.running().signal(signal);
        signalled.map_err(|why| Error::Io {
            target: self.target.name.clone(),
            why,
        })
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn render<'a>(&'a self, setting: &'a Setting) -> Render<'a> {
        Render {
            setting,
            eject: self.target.ejects,
            addr: self.addr(),
            admin: self.admin.addr(),
            folder: self.folder.path(),
            config_name: &self.target.start.config_name,
            log_name: LOG,
        }
    }

    async fn wait_until_ready(&self) -> Result<(), Error> {
        let waited = self.target.start.ready_within_s;
        let within = Duration::from_secs(waited);
        let probe = async || match (self.ready().await, self.running().ended()) {
            (Ok(()), _) => Probed::Break(Ok(())),
            (Err(_), Ok(Some(ended))) => Probed::Break(Err(ended)),
            (Err(why), _) => Probed::Continue(why),
        };
        let what = match wait::eventually("a proxy that serves", within, probe).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(ended)) => ended,
            Err(late) => format!("is not ready after {waited} s: {}", late.instead),
        };
        Err(self.not_ready(what))
    }

    async fn ready(&self) -> Result<(), String> {
        if let Some(path) = &self.target.start.ready_path {
            let answer = http::get(self.admin.addr(), path, ADMIN_WITHIN).await;
            let answer = answer.map_err(|why| why.to_string())?;
            if answer.status != 200 {
                return Err(format!("{path} says {}", answer.status));
            }
        }
        client::ping(self.addr())
            .await
            .map_err(|why| why.to_string())
    }

    fn not_ready(&self, what: String) -> Error {
        Error::NotReady {
            target: self.target.name.clone(),
            what,
            log: self.log(),
        }
    }
}

/// Name of the log in the proxy's folder.
const LOG: &str = "proxy.log";

pub(super) fn find(target: &Target, search: &Search) -> Result<PathBuf, Error> {
    search
        .find(&target.program)
        .map_err(|missing| Error::Missing {
            target: target.name.clone(),
            missing,
        })
}

fn taken(log: &str) -> bool {
    let log = log.to_lowercase();
    log.contains("address already in use") || log.contains("in use")
}

fn launch(
    target: &Target,
    setting: &Setting,
    launcher: &Launcher,
    addr: SocketAddr,
    admin: SocketAddr,
    folder: &Path,
) -> Result<Running, Error> {
    let io = |why| Error::Io {
        target: target.name.clone(),
        why,
    };
    let program = match launcher {
        Launcher::InProcess(serve) => {
            return Running::in_process(serve, addr, setting.clone()).map_err(io);
        }
        Launcher::Program(program) => program,
    };
    let Start {
        args,
        config_name,
        config,
        ..
    } = &target.start;
    let render = Render {
        setting,
        eject: target.ejects,
        addr,
        admin,
        folder,
        config_name,
        log_name: LOG,
    };
    let failed = |why| Error::template(target, why);
    fs::write(
        folder.join(config_name),
        render.text("start.config", config).map_err(failed)?,
    )
    .map_err(io)?;
    let args = args
        .iter()
        .map(|arg| render.text("start.args", arg).map_err(failed))
        .collect::<Result<Vec<_>, _>>()?;
    let log = File::create(folder.join(LOG)).map_err(io)?;
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().map_err(io)?)
        .stderr(log);
    let child = child::Running::start(command);
    child.map(Running::Program).map_err(io)
}
